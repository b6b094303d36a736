"""What callees did is read from what the PBX logged of it, not from the dial plan that it logs too."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.demo.callees import CALLEES, deeds_in

pytestmark = pytest.mark.unit

LOG = """\
[2026-11-26T16:48:05.498] VERBOSE[9][C-1] pbx.c: Executing [714@office:1] Log("PJSIP", "NOTICE,callee 714: is busy")
[2026-11-26T16:48:05.498] NOTICE[9][C-00000001] Ext. 714:1 @ office: callee 714: is busy
[2026-11-26T16:49:05.498] NOTICE[9][C-00000002] Ext. 714:1 @ office: callee 714: is busy
[2026-11-26T16:49:06.498] NOTICE[9][C-00000003] Ext. 700:8 @ office: callee 700: confirms
"""


def test_each_deed_is_counted_once() -> None:
    assert deeds_in(LOG) == Counter({("714", "is busy"): 2, ("700", "confirms"): 1})


def test_twenty_are_called() -> None:
    assert len({each.number for each in CALLEES}) == 20
