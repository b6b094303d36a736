"""Callers who hang up whenever they like leave nothing behind; `just bench soak` is this with a thousand of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import soak
from tests.office.hang_ups import Moment

pytestmark = pytest.mark.wire


async def test_nothing_is_left_of_calls_whose_callers_hang_up_at_any_moment(tmp_path: Path) -> None:
    found = await soak.measure(30, 6, 10, tmp_path)
    assert soak.is_as_before(found), found
    assert set(found["by_moment"]) == {moment.value for moment in Moment}
    assert found["answered"] >= 30, "most calls were answered before their caller left"
    assert found["grown"]["pss_mb"] < 40, found
