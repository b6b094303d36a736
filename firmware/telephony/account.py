"""One SIP account: registered as long as it is served, the calls that come in, the calls that go out."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from typing import Literal

import pjsua2 as pj
import trio
from pydantic import SecretStr

from app.settings import Connection
from firmware.telephony.address import NoRouteError, NotFoundError, Route, look_up, route_to, split_host_port
from firmware.telephony.call import Call, Leg
from firmware.telephony.endpoint import Endpoint, check_port
from firmware.telephony.registration import Answer, Cause, Registration, RetryRule, judge
from firmware.telephony.uris import BadTargetError, name_addr, target_uri, user_of

WAITING_CALLS = 4
"""Callers who ring while the agent's loop is busy taking others. One more gets 486 Busy Here."""

UNTAKEN_S = 10.0
"""A call that nobody took for two rings' time gets 480 Temporarily Unavailable: the caller's PBX can go on."""

ANSWER_S = 10.0
"""After this long without an answer to REGISTER the page says so, while pj goes on repeating it (RFC 3261: 32 s)."""

GOOD_BYE_S = 2.0
"""Given to un-REGISTER at the end. A live PBX on the LAN answers in milliseconds; a dead one must not hold us up."""

_RINGING, _FORBIDDEN, _UNAVAILABLE, _BUSY_HERE = 180, 403, 480, 486


log = logging.getLogger(__name__)


class TooManyCallsError(Exception):
    """The stack has no room for another call."""


class NotConnectedError(Exception):
    """There is no way to the PBX, so nothing can be dialled. `registration` says why."""


class _PjAccount(pj.Account):  # type: ignore[misc]
    """pj's side of an account. Copies and posts."""

    def __init__(self, owner: Account, endpoint: Endpoint) -> None:
        super().__init__()
        self.owner: Account | None = owner  # a cycle, until the owner releases us
        self._endpoint = endpoint
        self._challenged = False
        self._unparsable_before = 0

    def begin(self) -> None:
        """A REGISTER is about to be sent."""
        self._challenged = False
        self._unparsable_before = self._endpoint.log.unparsable_packets

    @property
    def heard_garbage(self) -> bool:
        """Packets that are not SIP came since `begin`."""
        return self._endpoint.log.unparsable_packets > self._unparsable_before

    def onAuthChallenge(self, prm: pj.OnAuthChallengeParam) -> None:  # noqa: ARG002, N802
        self._challenged = True  # pj answers by itself

    def onRegState(self, prm: pj.OnRegStateParam) -> None:  # noqa: N802
        try:
            received = bool(prm.rdata.wholeMsg)
            code, reason, expires_s = int(prm.code), str(prm.reason), int(prm.expiration)
            answer = Answer(code, reason, expires_s, received, self._challenged, self.heard_garbage)
            self.begin()  # the next is a refresh, which pj sends by itself
            if self.owner:
                self._endpoint.post(partial(self.owner.answer_came, answer))
        except Exception as fault:  # noqa: BLE001
            self._endpoint.fault(fault)

    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:  # noqa: N802
        try:
            leg = Leg(self, self._endpoint, prm.callId)  # at once: pj answers 500 to a call without one
            if self.owner:
                call = self.owner.new_call(leg, "inbound", user_of(str(leg.getInfo().remoteUri)))
                self._endpoint.post(partial(self.owner.call_came, call, str(prm.rdata.srcAddress)))
        except Exception as fault:  # noqa: BLE001
            self._endpoint.fault(fault)


class Account:
    """Made by `run_account`."""

    def __init__(self, endpoint: Endpoint, connection: Connection, retry: RetryRule, rng: random.Random) -> None:
        self.connection = connection
        self._endpoint, self._retry, self._rng = endpoint, retry, rng
        self._pj: _PjAccount | None = None
        self._route: Route | None = None
        self._trusted: frozenset[str] = frozenset()
        self._calls: set[Call] = set()
        self._arrivals_in, self._arrivals = trio.open_memory_channel[Call](WAITING_CALLS)
        self._answers_in, self._answers = trio.open_memory_channel[Answer](16)
        self._asked = self._registered = self._closing = False
        self._registration = Registration(Cause.OFFLINE)
        self._changed = trio.Event()
        self.ringing: trio.Nursery  # set by run_account: one task per call that nobody has taken yet

    def __repr__(self) -> str:
        return f"<Account {self._registration.cause.value}, {len(self._calls)} calls>"

    # -- for everyone ----------------------------------------------------------------------------------------

    @property
    def registration(self) -> Registration:
        """Where the registration stands now."""
        return self._registration

    def registrations(self) -> AsyncIterator[Registration]:
        """Where it stands now, then every change. It is a state, not a history: a slow reader gets the latest."""
        return _Registrations(self)

    def incoming(self) -> AsyncIterator[Call]:
        """Calls that ring, oldest first. They hear ringing until answered; see UNTAKEN_S and WAITING_CALLS for those
        that nobody takes. Any number of readers; each call goes to one."""
        return _Arrivals(self._arrivals)

    async def changed(self) -> None:
        """Until the registration changes."""
        await self._changed.wait()

    @property
    def calls(self) -> frozenset[Call]:
        """All calls of this account that are not over."""
        return frozenset(self._calls)

    async def dial(self, target: str) -> Call:
        """Call an extension ("201") or a SIP URI. Returns while it rings; `Call.connected` tells how it went.

        Raises: BadTargetError, NotConnectedError, TooManyCallsError.
        """
        uri = target_uri(target, self.connection.domain)
        await trio.lowlevel.checkpoint()
        if not self._pj:
            raise NotConnectedError("there is no connection to the PBX yet: see the status of this connection")
        leg = Leg(self._pj, self._endpoint)
        call = self.new_call(leg, "outbound", user_of(uri))
        try:
            call.place(uri)
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
        """Register, let pj refresh it, and begin again after every failure."""
        attempt = 0
        while True:
            failure, had_success = await self._try(attempt)
            attempt = 1 if had_success else attempt + 1
            delay_s = self._retry.delay_s(attempt, failure.cause, self._rng)
            self._publish(replace(failure, next_try=datetime.now(UTC) + timedelta(seconds=delay_s)))
            await trio.sleep(delay_s)

    async def _try(self, attempt: int) -> tuple[Registration, bool]:
        """One try, which lasts as long as it is successful. Returns what ended it, and whether it was."""
        self._publish(Registration(Cause.TRYING))
        try:
            self._use(await self._find_route(attempt))
        except NotFoundError as fault:
            return Registration(Cause.DOMAIN_NOT_FOUND, 0, str(fault)), False
        except NoRouteError as fault:
            return Registration(Cause.UNREACHABLE, 0, str(fault)), False
        return await self._register()

    async def _register(self) -> tuple[Registration, bool]:
        self._ask(register=True)
        with trio.move_on_after(ANSWER_S) as patience:
            result = judge(await self._answers.receive())
        if patience.cancelled_caught:
            self._publish(self._no_answer_yet())
            result = judge(await self._answers.receive())
        had_success = False
        while result.cause is Cause.REGISTERED:
            had_success = True
            self._publish(result)
            result = judge(await self._answers.receive())
        return result, had_success

    def _no_answer_yet(self) -> Registration:
        garbage = bool(self._pj and self._pj.heard_garbage)
        reason = f"no answer within {ANSWER_S:.0f} s, still trying"
        return judge(Answer(0, reason, received=False, garbage=garbage))

    def _ask(self, *, register: bool) -> None:
        """Send REGISTER. Its answer comes to `answer_came`."""
        while self._answers.statistics().current_buffer_used:
            self._answers.receive_nowait()
        if not self._pj:
            raise RuntimeError("no route to the PBX was found before asking it")
        self._pj.begin()
        self._asked = True
        try:
            self._pj.setRegistration(register)
        except pj.Error as fault:
            self.answer_came(Answer(0, str(fault.reason), received=False))

    def answer_came(self, answer: Answer) -> None:
        self._asked = False
        self._registered = judge(answer).cause is Cause.REGISTERED
        self._answers_in.send_nowait(answer)

    def transport_lost(self, kind: str) -> None:
        """The PBX closed our connection: it may have restarted and forgotten us."""
        ours = self.connection.transport == "tcp" and kind.upper().startswith("TCP")
        if self._registered and ours:
            self.answer_came(Answer(0, "the connection to the PBX was lost", received=False))

    async def _find_route(self, attempt: int) -> Route:
        """Where to send to, with all addresses of the PBX tried in turn. Raises: NotFoundError, NoRouteError."""
        domain, _ = split_host_port(self.connection.domain)
        host, port = split_host_port(self.connection.proxy or self.connection.domain)
        addresses = await look_up(host)
        self._trusted = frozenset(addresses)
        if host != domain:
            with suppress(NotFoundError):  # behind a proxy, a domain needs no address of its own
                self._trusted |= frozenset(await look_up(domain))
        return route_to(addresses[attempt % len(addresses)], port)

    def _use(self, route: Route) -> None:
        """Bind pj's account to this route; the first time, make it."""
        if route == self._route:
            return
        config = self._settings(route)
        if self._pj:
            self._pj.modify(config)
        else:
            self._pj = _PjAccount(self, self._endpoint)
            self._pj.create(config)
        self._route = route

    def _settings(self, route: Route) -> pj.AccountConfig:
        connection = self.connection
        transport = "" if connection.transport == "udp" else f";transport={connection.transport}"
        login = connection.login or SecretStr(connection.user)
        config = pj.AccountConfig()
        config.idUri = name_addr(connection.caller_id, target_uri(connection.user, connection.domain))
        registering, sip, media = config.regConfig, config.sipConfig, config.mediaConfig
        registering.registrarUri = f"sip:{connection.domain}{transport}"
        registering.registerOnAdd, registering.disableRegOnModify = False, True
        registering.timeoutSec = connection.expiry_s
        registering.retryIntervalSec = 0  # ours: see registration.RetryRule
        credentials = pj.AuthCredInfo(
            "digest", "*", login.get_secret_value(), 0, connection.password.get_secret_value()
        )
        sip.authCreds.append(credentials)
        # The hidden route says where to send to, and leaves the domain in every URI as the PBX knows it.
        sip.proxies.append(f"sip:{route.host_port}{transport};lr;hide")
        sip.transportId = self._endpoint.transport(connection.transport, route, connection.local_port)
        family = pj.PJSUA_IPV6_ENABLED_USE_IPV6_ONLY if route.is_ipv6 else pj.PJSUA_IPV6_DISABLED
        sip.ipv6Use = media.ipv6Use = family
        config.natConfig.sipOutboundUse = 0  # RFC 5626 is for proxies on the Internet
        media.transportConfig.boundAddress = route.local_host
        media.transportConfig.port = self._endpoint.config.rtp_first_port
        media.transportConfig.portRange = self._endpoint.config.rtp_ports
        return config

    def _publish(self, registration: Registration) -> None:
        self._registration = registration
        log.info("registration", extra={"cause": registration.cause.value, "sip_code": registration.sip_code})
        self._changed.set()
        self._changed = trio.Event()

    # -- the calls -------------------------------------------------------------------------------------------

    def new_call(self, leg: Leg, direction: Literal["inbound", "outbound"], remote: str) -> Call:
        call = Call(self._endpoint, leg, direction=direction, remote=remote, on_over=self._calls.discard)
        self._calls.add(call)
        return call

    def call_came(self, call: Call, source: str) -> None:
        """Let it ring, if it comes from our PBX: a SIP port on a network attracts strangers who dial at random."""
        host = source.rpartition(":")[0].strip("[]")
        if ip_address(host) not in {ip_address(trusted) for trusted in self._trusted}:
            log.warning("call from a stranger refused")
            call.start_hanging_up(_FORBIDDEN)
            return
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
            await self._unregister()
            for call in self.calls:
                await call.ended()
        with self._endpoint.log.quietly():
            for call in self.calls:
                call.abandon()
            if self._pj:
                self._pj.owner = None
                self._pj.shutdown()
                self._pj = None
        self._publish(Registration(Cause.OFFLINE))

    async def _unregister(self) -> None:
        if self._asked:  # pj takes no second REGISTER while one is under way
            await self._answers.receive()
        if self._registered:
            self._ask(register=False)
            await self._answers.receive()


class _Registrations:
    def __init__(self, account: Account) -> None:
        self._account = account
        self._seen: Registration | None = None

    def __aiter__(self) -> _Registrations:
        return self

    async def __anext__(self) -> Registration:
        await trio.lowlevel.checkpoint()
        while self._account.registration is self._seen:
            await self._account.changed()
        self._seen = self._account.registration
        return self._seen


class _Arrivals:
    def __init__(self, queue: trio.MemoryReceiveChannel[Call]) -> None:
        self._queue = queue

    def __aiter__(self) -> _Arrivals:
        return self

    async def __anext__(self) -> Call:
        while True:
            call = await self._queue.receive()
            if not call.is_over:  # a caller who left, or was sent away, before anybody looked
                call.taken.set()
                return call


async def run_account(
    endpoint: Endpoint,
    connection: Connection,
    retry: RetryRule | None = None,
    *,
    task_status: trio.TaskStatus[Account],
) -> None:
    """The service, for `firmware.lifetimes.serving`: hands an `Account` over and keeps it registered. When stopped,
    says good-bye to its calls and to the PBX.

    Raises: PortTakenError, before `started` if the connection names a local port that is taken.
    """
    if connection.local_port:
        check_port(connection.transport, connection.local_port)
    account = Account(endpoint, connection, retry or RetryRule(), random.Random())  # noqa: S311  # spreads retries
    try:
        with endpoint.transport_losses(account.transport_lost):
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
