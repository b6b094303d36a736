"""The house keeper of a box, for some of its looks at the clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from itertools import count

import trio

from app.control.verbs import ById
from firmware.retention import keep_house
from firmware.storage import SqliteLedger
from tests.patience import PATIENCE_S

LOOKS = 5
"""At the first one after a start, nothing is deleted."""

_LOOK_EVERY_S = 0.01


async def some_looks(
    store: SqliteLedger, delete: Callable[[ById], Awaitable[object]], now: Callable[[], datetime]
) -> None:
    """So many, and what each leads to. `delete` takes a session away."""
    looks, enough = count(1), trio.Event()

    def looked() -> datetime:
        if next(looks) > LOOKS:
            enough.set()
        return now()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(keep_house, store, delete, looked, _LOOK_EVERY_S)
        with trio.fail_after(PATIENCE_S):
            await enough.wait()
        nursery.cancel_scope.cancel()
