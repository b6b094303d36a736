"""Sessions older than their owner wants to keep them go, with their recordings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import trio

from app.clock import EARLIEST, SteadyClock
from app.control.verbs import ById
from firmware.storage import SqliteLedger, records, searching
from firmware.storage.ledger import utc_now

_LOOK_EVERY_S = 3600.0
"""A day is long; an hour more or less of it does not matter, and the look itself costs a millisecond."""

KEPT_LOG_LINES = 20_000
"""Some weeks of an office, about 5 MB."""


async def keep_house(
    store: SqliteLedger,
    delete: Callable[[ById], Awaitable[object]],
    now: Callable[[], datetime] = utc_now,
    look_every_s: float = _LOOK_EVERY_S,
) -> None:
    """Runs until cancelled. `delete` takes a session away. Raises: StorageFault, OSError.

    Nothing is deleted at the first look after a start, or after the clock was set: a clock that is wrong by years would
    cost every session, and is put right by the network within the hour.
    """
    clock = SteadyClock()
    while True:
        instant = now()
        if clock.is_steady(instant, trio.current_time()):
            await _forget_old_sessions(store, delete, instant)
        await store.transact(lambda db: searching.trim_log(db, KEPT_LOG_LINES))
        await trio.sleep(look_every_s)


async def _forget_old_sessions(store: SqliteLedger, delete: Callable[[ById], Awaitable[object]], now: datetime) -> None:
    await store.transact(lambda db: searching.date_anew(db, EARLIEST, now))
    for session_id in await store.transact(lambda db: _too_old(db, now)):
        await delete(ById(id=session_id))


def _too_old(db: records.Db, now: datetime) -> list[str]:
    _, box = records.read_box(db)
    if not box.retention_days:
        return []
    return searching.sessions_before(db, now - timedelta(days=box.retention_days))
