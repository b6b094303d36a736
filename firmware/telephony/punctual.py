"""The audio clock's thread before all others, where this process may say so: as root, or with LimitRTPRIO in its unit.

What else runs, the recognisers above all, takes turns with what runs besides it, so a frame may wait some milliseconds
for a processor; a thread with real-time priority takes one. It still has to wait for the GIL (endpoint.py).
"""

from __future__ import annotations

import os
from contextlib import suppress

PRIORITY = 10
"""Any is above all that has none; the kernel's own threads for interrupts have 50. The unit allows no more."""

_POLICY = os.SCHED_RR | os.SCHED_RESET_ON_FORK


def be_punctual() -> None:
    """Of the thread that calls this. What it starts has no such priority. Nothing happens where it is not allowed."""
    with suppress(OSError):
        os.sched_setscheduler(0, _POLICY, os.sched_param(PRIORITY))
