"""Every page of a box in use, in light and in dark, on a telephone and on a desk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.screens import taken

pytestmark = [pytest.mark.web, pytest.mark.timeout(600)]  # a hundred views, each looked at by axe


async def test_every_page_can_be_read_by_everybody(tmp_path: Path) -> None:
    """Long names, an agent in error, connections that fail and a call on the line among it."""
    assert await taken(tmp_path) == []
