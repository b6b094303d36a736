"""When a full disk is a finding."""

from __future__ import annotations

import pytest

from app.control.views import Severity
from app.diagnosis.disk import LITTLE_MB, of_disk

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("free_mb", "severity"),
    [
        (None, None),
        (LITTLE_MB, None),
        (LITTLE_MB - 1, Severity.WARNING),
        (5, Severity.WARNING),
        (4, Severity.ERROR),
        (0, Severity.ERROR),
    ],
)
def test_little_room_is_a_warning_and_none_an_error(free_mb: int | None, severity: Severity | None) -> None:
    found = list(of_disk(free_mb))
    assert [each.severity for each in found] == ([severity] if severity else [])
    assert all("fewer days" in each.remedy for each in found)
