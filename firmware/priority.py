"""Who gets a core first: the telephone before the page and the recognisers, whatever the machine is busy with.

pjmedia's clock asks for real-time priority by itself. What is to be heard and said in the next 200 ms has to come from
the Trio thread in time all the same: with eight calls on two busy cores it waited for a core twice as long as it ran.
"""

from __future__ import annotations

import os

TELEPHONE_NICE = -10
"""Nine times the share of whoever competes (sched(7)), but not all of it: a page still comes while the agent thinks."""


def put_telephone_first() -> bool:
    """For this thread and all that it starts from now on, recognisers included, which then step back themselves.
    Whether that was allowed: root may, and others with LimitNICE."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, TELEPHONE_NICE)
    except PermissionError:
        return False
    return True
