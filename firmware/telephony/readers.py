"""What an account gives out to read: its registration as it changes, and the calls that ring."""

from __future__ import annotations

from typing import Protocol

import trio

from firmware.telephony.call import Call
from firmware.telephony.registration import Registration


class _Registered(Protocol):
    @property
    def registration(self) -> Registration: ...

    async def changed(self) -> None: ...


class Registrations:
    """Where it stands now, then the latest after each change."""

    def __init__(self, account: _Registered) -> None:
        self._account = account
        self._seen: Registration | None = None

    def __aiter__(self) -> Registrations:
        return self

    async def __anext__(self) -> Registration:
        await trio.lowlevel.checkpoint()
        while self._account.registration is self._seen:
            await self._account.changed()
        self._seen = self._account.registration
        return self._seen


class Arrivals:
    """Calls that nobody has taken yet, each to one reader."""

    def __init__(self, queue: trio.MemoryReceiveChannel[Call]) -> None:
        self._queue = queue

    def __aiter__(self) -> Arrivals:
        return self

    async def __anext__(self) -> Call:
        while True:
            call = await self._queue.receive()
            if not call.is_over:  # a caller who left, or was sent away, before anybody looked
                call.taken.set()
                return call
