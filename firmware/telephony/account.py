"""One SIP account: registered as long as it is served, the calls that come in, the calls that go out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import copy_context

import pjsua2 as pj
import trio

from app.establishing import Encryption, Offer
from app.outbound.dialling import dial_string
from app.ports import Direction
from app.settings import Connection
from app.transfers import Handover, TransferStep
from firmware.telephony.call import Call, Leg
from firmware.telephony.caller_id import asserted_identity, from_header
from firmware.telephony.endpoint import Endpoint, Rejected
from firmware.telephony.memory import MEDIA_CODES, CallMemory
from firmware.telephony.readers import Arrivals, Registrations
from firmware.telephony.registrar import Registrar
from firmware.telephony.registration import Answer, Cause, Registration, RetryRule
from firmware.telephony.sdp import read_offer
from firmware.telephony.transports import check_port
from firmware.telephony.uris import BadTargetError, escaped, target_uri, user_of

WAITING_CALLS = 4
"""Callers who ring while the agent's loop is busy taking others. One more gets 486 Busy Here."""

UNTAKEN_S = 10.0
"""A call that nobody took for two rings' time gets 480 Temporarily Unavailable: the caller's PBX can go on."""

GOOD_BYE_S = 2.0
"""Given to un-REGISTER at the end. A live PBX on the LAN answers in milliseconds; a dead one must not hold us up."""

_ENCRYPTION = {"off": Encryption.NONE, "optional": Encryption.OFFERED, "mandatory": Encryption.SDES}
_RINGING, _FORBIDDEN, _UNAVAILABLE, _BUSY_HERE = 180, 403, 480, 486


log = logging.getLogger(__name__)


class TooManyCallsError(Exception):
    """The stack has no room for another call."""


class NotConnectedError(Exception):
    """There is no way to the PBX, so nothing can be dialled. `registration` says why."""


class Account:
    """Made by `run_account`."""

    def __init__(self, endpoint: Endpoint, connection: Connection, retry: RetryRule, memory: CallMemory) -> None:
        self._context = copy_context()  # whose log it is; what pj calls back runs in the endpoint's
        self._endpoint = endpoint
        self._registrar = Registrar(self, endpoint, connection, retry, memory)
        self._calls: set[Call] = set()
        self._arrivals_in, self._arrivals = trio.open_memory_channel[Call](WAITING_CALLS)
        self._closing = False
        self.ringing: trio.Nursery  # set by run_account: one task per call that nobody has taken yet

    def __repr__(self) -> str:
        return f"<Account {self.registration.cause.value}, {len(self._calls)} calls>"

    # -- for everyone ----------------------------------------------------------------------------------------

    @property
    def registration(self) -> Registration:
        """Where the registration stands now."""
        return self._registrar.registration

    @property
    def connection(self) -> Connection:
        """The settings in use."""
        return self._registrar.connection

    @property
    def memory(self) -> CallMemory:
        """What it has seen of calls."""
        return self._registrar.memory

    @memory.setter
    def memory(self, memory: CallMemory) -> None:
        self._registrar.memory = memory

    def registrations(self) -> AsyncIterator[Registration]:
        """Where it stands now, then every change. It is a state, not a history: a slow reader gets the latest."""
        return Registrations(self)

    def incoming(self) -> AsyncIterator[Call]:
        """Calls that ring, oldest first. They hear ringing until answered; see UNTAKEN_S and WAITING_CALLS for those
        that nobody takes. Any number of readers; each call goes to one."""
        return Arrivals(self._arrivals)

    async def changed(self) -> None:
        """Until the registration changes."""
        await self._registrar.changed()

    @property
    def calls(self) -> frozenset[Call]:
        """All calls of this account that are not over."""
        return frozenset(self._calls)

    def change(self, connection: Connection) -> None:
        """Use other settings from now on: registers anew with them at once. Calls that are up stay up."""
        self._registrar.change(connection)

    def renew(self) -> None:
        """Register anew, now."""
        self._registrar.renew()

    async def dial(self, target: str, call_id: str = "") -> Call:
        """Call an extension ("201") or a SIP URI. Returns while it rings; `Call.connected` tells how it went.
        `call_id`: ours, where somebody knows the call by it already.

        Raises: BadTargetError, NotConnectedError, TooManyCallsError.
        """
        uri = target_uri(target, self.connection.domain)
        await trio.lowlevel.checkpoint()
        if not self._registrar.pj:
            raise NotConnectedError("there is no connection to the PBX yet: see the status of this connection")
        if self.registration.cause is Cause.NOT_TRUSTED:
            raise NotConnectedError("the certificate of the PBX is not trusted: see the status of this connection")
        leg = Leg(self._registrar.pj, self._endpoint)
        call = self.new_call(leg, "outbound", user_of(uri), call_id)
        try:
            call.place(uri, from_header(self.connection), asserted_identity(self.connection))
        except pj.Error as fault:
            call.abandon()
            if fault.status == pj.PJ_ETOOMANY:
                raise TooManyCallsError("no more calls at once") from None
            if uri == target:
                raise BadTargetError(f"this SIP URI cannot be dialled: {fault.reason}") from None
            raise NotConnectedError(f"the call could not be placed: {fault.reason}") from None
        return call

    # -- the registration ------------------------------------------------------------------------------------

    async def stay_registered(self) -> None:
        await self._registrar.stay_registered()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """To what the endpoint tells all accounts."""
        transports, registrar = self._endpoint.transports, self._registrar
        with (
            transports.losses(registrar.transport_lost),
            transports.judging(registrar.trusts),
            self._endpoint.rejections(self.call_rejected),
        ):
            yield

    def answer_came(self, answer: Answer) -> None:
        self._registrar.answer_came(answer)

    # -- the calls -------------------------------------------------------------------------------------------

    def new_call(self, leg: Leg, direction: Direction, remote: str, call_id: str = "") -> Call:
        call = Call(self._endpoint, leg, call_id=call_id, direction=direction, remote=remote, owner=self)
        self._calls.add(call)
        return call

    def call_established(self, call: Call) -> None:
        self.memory.established(call.direction)

    def call_failed(self, call: Call, sip_code: int, theirs: Offer | None) -> None:
        self._context.run(self.memory.failed, call.direction, sip_code, theirs, self._our_offer())

    async def consult(self, target: str) -> Call | TransferStep:
        """By the dial rules of the connection."""
        try:
            return await self.dial(dial_string(target, self.connection.dialling).text)
        except (BadTargetError, NotConnectedError, TooManyCallsError) as why:
            return TransferStep(Handover.FAILED, reason=str(why))

    def call_over(self, call: Call) -> None:
        self._calls.discard(call)
        if not self._calls:
            self._registrar.leave_old_ways()

    def call_rejected(self, rejected: Rejected) -> None:
        """pj refused a caller by itself. Of all accounts, those whose PBX sent it to their user remember it."""
        ours = {self.connection.user, escaped(self.connection.user)}
        if not self._registrar.is_from_pbx(rejected.source) or user_of(rejected.request_uri) not in ours:
            return
        self.memory.called()
        if rejected.sip_code in MEDIA_CODES:
            theirs = read_offer(rejected.message)
            self._context.run(self.memory.failed, "inbound", rejected.sip_code, theirs, self._our_offer())

    def _our_offer(self) -> Offer:
        return Offer(self._endpoint.config.codecs, _ENCRYPTION[self.connection.srtp])

    def call_came(self, call: Call, source: str) -> None:
        """Let it ring, if it comes from our PBX: a SIP port on a network attracts strangers who dial at random."""
        if not self._registrar.is_from_pbx(source):
            log.warning("call from a stranger refused")
            call.start_hanging_up(_FORBIDDEN)
            return
        self.memory.called()
        if self._closing:
            call.start_hanging_up(_UNAVAILABLE)
            return
        try:
            self._arrivals_in.send_nowait(call)
        except trio.WouldBlock:
            call.start_hanging_up(_BUSY_HERE)
            return
        call.respond(_RINGING)
        self.ringing.start_soon(_give_up_untaken, call)

    # -- the end ---------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Hang up, unregister, let go. Bounded by GOOD_BYE_S, whatever the PBX does."""
        self._closing = True
        for call in self.calls:
            call.start_hanging_up(_UNAVAILABLE)
        with trio.move_on_after(GOOD_BYE_S):
            await self._registrar.unregister()
            for call in self.calls:
                await call.ended()
        with self._endpoint.log.quietly():
            for call in self.calls:
                call.abandon()
            self._registrar.let_go()
        self._registrar.publish(Registration(Cause.OFFLINE))


async def run_account(
    endpoint: Endpoint,
    connection: Connection,
    retry: RetryRule | None = None,
    memory: CallMemory | None = None,
    *,
    task_status: trio.TaskStatus[Account],
) -> None:
    """The service, for `firmware.lifetimes.serving`: hands an `Account` over and keeps it registered. When stopped,
    says good-bye to its calls and to the PBX.

    Raises: PortTakenError, before `started` if the connection names a local port that is taken.
    """
    if connection.local_port:
        check_port(connection.transport, connection.local_port)
    account = Account(endpoint, connection, retry or RetryRule(), memory or CallMemory())
    try:
        with account.listening():
            async with trio.open_nursery() as account.ringing:
                task_status.started(account)
                await account.stay_registered()
    finally:
        with trio.move_on_after(2 * GOOD_BYE_S, shield=True):
            await account.close()


async def _give_up_untaken(call: Call) -> None:
    with trio.move_on_after(UNTAKEN_S):
        await call.taken.wait()
        return
    call.start_hanging_up(_UNAVAILABLE)
