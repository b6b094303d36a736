"""Who is on which line: one registration for each connection that a running agent uses.

A connection has no switch of its own. Its account registers with the first agent that joins and unregisters with the
last one that leaves; calls that come in go to the agent with the Inbound switch, if it runs.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trio

from app.establishing import Seen
from app.settings import Account, Connection
from firmware import telephony
from firmware.lifetimes import first_of, serving

TEMPORARILY_UNAVAILABLE = 480

_log = logging.getLogger(__name__)

TakeCall = Callable[[telephony.Call], object]


@dataclass(slots=True)
class _Line:
    """A connection in use. `failed`: why its account did not come up."""

    connection: Connection = field(repr=False)
    users: int = 0
    inbound: TakeCall | None = None
    account: telephony.Account | None = None
    failed: BaseException | None = None
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    ready: trio.Event = field(default_factory=trio.Event)
    gone: trio.Event = field(default_factory=trio.Event)


class Switchboard:
    """`changed` hears the id of each connection whose registration changed."""

    def __init__(self, endpoint: telephony.Endpoint, nursery: trio.Nursery, changed: Callable[[str], None]) -> None:
        self._endpoint, self._nursery, self._changed = endpoint, nursery, changed
        self._lines: dict[str, _Line] = {}
        self._memories: dict[str, tuple[Account, telephony.CallMemory]] = {}

    def seen(self, connection_id: str) -> Seen:
        """What the connection has seen of calls since its settings were used first as they are now."""
        _, memory = self._memories.get(connection_id, (None, None))
        return memory.seen() if memory else Seen()

    def account(self, connection_id: str) -> telephony.Account | None:
        """None while no running agent uses the connection."""
        line = self._lines.get(connection_id)
        return line.account if line else None

    def renew(self, user: str, domain: str) -> None:
        """Register this account anew wherever it is in use: somebody else has registered as it meanwhile."""
        for line in self._lines.values():
            if line.account and (line.account.connection.user, line.account.connection.domain) == (user, domain):
                line.account.renew()

    @asynccontextmanager
    async def joined(
        self, connection_id: str, connection: Connection, inbound: TakeCall | None
    ) -> AsyncGenerator[telephony.Account, None]:
        """On the line; with `inbound`, the calls that come in are ours. A connection that was edited since the others
        joined is used as it is now by all.

        Raises: telephony.TelephonyError if the account cannot come up, in an ExceptionGroup if it goes meanwhile.
        """
        line = self._line(connection_id, connection)
        line.users += 1
        try:
            await line.ready.wait()
            if line.account is None:
                raise telephony.TelephonyError(str(line.failed))
            line.account.change(connection)
            line.account.memory = self._memory(connection_id, connection)
            if inbound:
                line.inbound = inbound
            async with trio.open_nursery() as on_line:
                on_line.start_soon(_fail_with, line)
                yield line.account
                on_line.cancel_scope.cancel()
        finally:
            if inbound is not None and line.inbound is inbound:
                line.inbound = None
            await self._left(connection_id, line)

    def _line(self, connection_id: str, connection: Connection) -> _Line:
        line = self._lines.get(connection_id)
        if line is None or line.failed or line.scope.cancel_called:
            line = self._lines[connection_id] = _Line(connection)
            self._nursery.start_soon(self._serve, connection_id, line)
        return line

    def _memory(self, connection_id: str, connection: Connection) -> telephony.CallMemory:
        """Kept while nobody is on the line too; other settings begin another one."""
        account = Account(**connection.model_dump(exclude={"password", "login"}))
        known, memory = self._memories.get(connection_id, (None, None))
        if memory is None or known != account:
            memory = telephony.CallMemory()
            self._memories[connection_id] = (account, memory)
        return memory

    async def _left(self, connection_id: str, line: _Line) -> None:
        line.users -= 1
        if line.users:
            return
        line.scope.cancel()
        if self._lines.get(connection_id) is line:
            del self._lines[connection_id]
        with trio.move_on_after(2 * telephony.GOOD_BYE_S, shield=True):
            await line.gone.wait()

    async def _serve(self, connection_id: str, line: _Line) -> None:
        memory = self._memory(connection_id, line.connection)
        try:
            with line.scope:
                async with (
                    serving(telephony.run_account, self._endpoint, line.connection, None, memory) as line.account,
                    trio.open_nursery() as nursery,
                ):
                    line.ready.set()
                    nursery.start_soon(self._tell, connection_id, line.account)
                    async for call in line.account.incoming():
                        self._connect(line, call, nursery)
        except* telephony.TelephonyError as group:
            line.failed = first_of(group)
        finally:
            line.ready.set()
            line.gone.set()
            self._changed(connection_id)

    async def _tell(self, connection_id: str, account: telephony.Account) -> None:
        async for _ in account.registrations():
            self._changed(connection_id)

    def _connect(self, line: _Line, call: telephony.Call, nursery: trio.Nursery) -> None:
        if line.inbound:
            line.inbound(call)
            return
        _log.warning(
            "call refused with 480 Temporarily Unavailable: no running agent has the Inbound switch of this connection",
            extra={"call_id": call.id},
        )
        nursery.start_soon(call.hang_up, TEMPORARILY_UNAVAILABLE)


async def _fail_with(line: _Line) -> None:
    """Whoever is on a line that goes by itself hears why, instead of sitting there deaf. Raises: TelephonyError."""
    await line.gone.wait()
    if line.failed:
        raise telephony.TelephonyError(str(line.failed))
