"""Processes of the box are killed while people and scripts edit and a caller talks. `just bench kills`: 50 times."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.office.pbx import office_pbx
from tests.web.appliance import PBX_RTP, appliance
from tests.web.killing import kill_at_random

pytestmark = [pytest.mark.web, pytest.mark.timeout(600)]

KILLS, SEED = 6, 20261126


async def test_nothing_acknowledged_is_lost_and_all_comes_back_by_itself(tmp_path: Path) -> None:
    async with office_pbx(rtp_ports=PBX_RTP) as pbx, appliance(tmp_path) as page:
        print(f"seed {SEED}")
        killed = await kill_at_random(page, pbx, KILLS, SEED)
    assert (killed.notebook.lost, killed.notebook.half, killed.notebook.refused) == ([], [], [])
    assert (killed.unclosed, killed.unreadable) == (0, 0)
    assert killed.notebook.acknowledged > KILLS, "somebody was editing"
    assert killed.sessions > 0, "somebody was calling"
    assert killed.recorded > 0, "some of it can be heard"
