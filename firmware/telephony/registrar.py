"""Keeps one account registered: finds the way to the PBX, tries, waits, tries again, and says how it stands."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pjsua2 as pj
import trio

from app.settings import Connection
from firmware.telephony.account_config import account_config
from firmware.telephony.address import NoRouteError, NotFoundError, Route, look_up, route_to, split_host_port
from firmware.telephony.endpoint import Endpoint
from firmware.telephony.memory import CallMemory
from firmware.telephony.pj_account import AccountOwner, PjAccount
from firmware.telephony.registration import Answer, Cause, Registration, RetryRule, judge
from firmware.telephony.registration_log import log_registration
from firmware.telephony.transports import Way
from firmware.telephony.trust import Certificate

ANSWER_S = 10.0
"""After this long without an answer to REGISTER the page says so. Over UDP, pj goes on repeating it (RFC 3261: 32 s). A
TCP or TLS connection that swallowed it (an Asterisk that boots does) is given up for a fresh one."""


LOST = Answer(0, "the connection to the PBX was lost", received=False)


class Registrar:
    """`pj`: pj's account, None until a way to the PBX was found."""

    def __init__(
        self, owner: AccountOwner, endpoint: Endpoint, connection: Connection, retry: RetryRule, memory: CallMemory
    ) -> None:
        self.connection, self.memory = connection, memory
        self._owner = owner
        self.pj: PjAccount | None = None
        self.registration = Registration(Cause.OFFLINE)
        self._endpoint, self._retry, self._rng = endpoint, retry, random.Random()  # noqa: S311  # spreads retries
        self._route: Route | None = None
        self._way: Way | None = None
        self._ways_left: list[Way] = []
        self._addresses: frozenset[str] = frozenset()
        self._distrust = ""
        self._answers_in, self._answers = trio.open_memory_channel[Answer](16)
        self._asked = self._registered = self._is_bound = False
        self._changed = trio.Event()
        self._try_scope = trio.CancelScope()

    async def changed(self) -> None:
        """Until the registration changes."""
        await self._changed.wait()

    def change(self, connection: Connection) -> None:
        """Use other settings from now on: registers anew with them at once."""
        if connection != self.connection:
            self.connection = connection
            self.renew()

    def renew(self) -> None:
        """Register anew, now."""
        self._is_bound = False
        self._try_scope.cancel()

    def is_from_pbx(self, source: str) -> bool:
        """`source`: address and port as pj writes them."""
        host = source.rpartition(":")[0].strip("[]")
        return ip_address(host) in {ip_address(ours) for ours in self._addresses}

    # -- the life of a registration --------------------------------------------------------------------------

    async def stay_registered(self) -> None:
        """Register, let pj refresh it, and begin again after every failure."""
        attempt = 0
        while True:
            with trio.CancelScope() as self._try_scope:
                failure, had_success = await self._try(attempt)
                attempt = 1 if had_success else attempt + 1
                delay_s = self._retry.delay_s(attempt, failure.cause, self._rng)
                self.publish(replace(failure, next_try=datetime.now(UTC) + timedelta(seconds=delay_s)))
                await trio.sleep(delay_s)
            if self._try_scope.cancelled_caught:  # the settings changed
                attempt = 0
                await self.unregister()

    async def unregister(self) -> None:
        if self._asked:  # pj takes no second REGISTER while one is under way
            await self._answers.receive()
        if self._registered:
            self._ask(register=False)
            await self._answers.receive()

    def let_go(self) -> None:
        """Nothing of pj's is ours from here on."""
        if self.pj:
            self.pj.owner = None
            self.pj.shutdown()
            self.pj = None
        for way in (self._way, *self._ways_left):
            if way:
                self._endpoint.transports.give_back(way)
        self._way, self._ways_left = None, []

    def leave_old_ways(self) -> None:
        """No call is up: transports that were used with former settings are not needed any more."""
        for way in self._ways_left:
            self._endpoint.transports.give_back(way)
        self._ways_left = []

    def publish(self, registration: Registration) -> None:
        before, self.registration = self.registration, registration
        log_registration(registration, before)
        self._changed.set()
        self._changed = trio.Event()

    async def _try(self, attempt: int) -> tuple[Registration, bool]:
        """One try, which lasts as long as it is successful. Returns what ended it, and whether it was."""
        self.publish(Registration(Cause.TRYING))
        try:
            route = await self._find_route(attempt)
        except NotFoundError as fault:
            return Registration(Cause.DOMAIN_NOT_FOUND, 0, str(fault)), False
        except NoRouteError as fault:
            return Registration(Cause.UNREACHABLE, 0, str(fault)), False
        if route != self._route or not self._is_bound:
            self._bind(route, self._way_for(route))
        return await self._register()

    async def _register(self) -> tuple[Registration, bool]:
        had_success = False
        self._ask(register=True)
        while (answer := await self._answer()) is not None:
            if answer is LOST:
                self._ask(register=True)
                continue
            result = self._judged(answer)
            if result.cause is not Cause.REGISTERED:
                return result, had_success
            had_success = True
            self.memory.registered()
            self.publish(result)
        return self.registration, had_success

    async def _answer(self) -> Answer | None:
        """The next. None: none came, and what was asked is given up for a fresh connection."""
        if not self._asked:
            return await self._answers.receive()
        with trio.move_on_after(ANSWER_S):
            return await self._answers.receive()
        self.publish(self._no_answer_yet())
        if self._route and self._way and self._way.kind != "udp" and not self._way.port:
            self._bind(self._route, self._endpoint.transports.renewed(self._way))
            return None
        return await self._answers.receive()

    def _judged(self, answer: Answer) -> Registration:
        if self._distrust:  # also after an answer: a connection that came up meanwhile was trusted for another account
            return Registration(Cause.NOT_TRUSTED, 0, self._distrust)
        return judge(answer)

    def _no_answer_yet(self) -> Registration:
        garbage = bool(self.pj and self.pj.heard_garbage)
        return judge(Answer(0, f"no answer within {ANSWER_S:.0f} s", received=False, garbage=garbage))

    def _ask(self, *, register: bool) -> None:
        """Send REGISTER. Its answer comes to `answer_came`."""
        while self._answers.statistics().current_buffer_used:
            self._answers.receive_nowait()
        if not self.pj:
            raise RuntimeError("no route to the PBX was found before asking it")
        self.pj.begin()
        self._asked, self._distrust = True, ""
        if distrust := self._distrusted():
            self.answer_came(Answer(0, distrust, received=False))
            return
        try:
            self.pj.setRegistration(register)
        except pj.Error as fault:
            self.answer_came(Answer(0, str(fault.reason), received=False))

    # -- what the endpoint posts, and asks -------------------------------------------------------------------

    def answer_came(self, answer: Answer) -> None:
        self._asked = False
        self._registered = judge(answer).cause is Cause.REGISTERED
        self._answers_in.send_nowait(answer)

    def transport_lost(self, kind: str) -> None:
        """A connection was closed, perhaps ours: the PBX may have restarted and forgotten us. Ask it."""
        ours = self.connection.transport != "udp" and kind.casefold().startswith(self.connection.transport)
        knows_already = self._asked or self._answers.statistics().current_buffer_used
        if self._registered and ours and not knows_already:  # a crowd of strangers who hang up is asked after once
            self._answers_in.send_nowait(LOST)

    def trusts(self, certificate: Certificate) -> bool | None:
        """Of the one that our PBX shows; None of others. Why not is told by the registration."""
        if self.connection.transport != "tls" or self._route is None or certificate.remote != self._route.host:
            return None
        hosts = {split_host_port(text)[0].strip("[]") for text in (self.connection.domain, self.connection.proxy)}
        distrust = certificate.distrust(self.connection.tls_fingerprint, frozenset(hosts))
        if certificate.port == self._route.port:  # or else it is another program's on that machine
            self._distrust = distrust
        return not distrust

    def _distrusted(self) -> str:
        """Why nothing may be sent over the connection that is up: pj shares it among accounts, and another one's
        settings trust the PBX at its end. Empty where ours do, or none is up."""
        if self._route is None or self.connection.transport != "tls":
            return ""
        for certificate in self._endpoint.transports.shown_at(self._route.host, self._route.port):
            self.trusts(certificate)
            if self._distrust:
                return self._distrust
        return ""

    # -- the way to the PBX ----------------------------------------------------------------------------------

    async def _find_route(self, attempt: int) -> Route:
        """Where to send to, with all addresses of the PBX tried in turn. Raises: NotFoundError, NoRouteError."""
        domain, _ = split_host_port(self.connection.domain)
        host, port = split_host_port(self.connection.proxy or self.connection.domain, self.connection.transport)
        addresses = await look_up(host)
        self._addresses = frozenset(addresses)
        if host != domain:
            with suppress(NotFoundError):  # behind a proxy, a domain needs no address of its own
                self._addresses |= frozenset(await look_up(domain))
        return route_to(addresses[attempt % len(addresses)], port)

    def _way_for(self, route: Route) -> Way:
        way = Way(self.connection.transport, route.local_host, self.connection.local_port)
        return self._endpoint.transports.newest(way)

    def _bind(self, route: Route, way: Way) -> None:
        """Have pj's account go this way; the first time, make it. A REGISTER that is under way is forgotten, if the
        transport is another one."""
        transport = self._endpoint.transports.borrow(way)
        config = account_config(self.connection, route, transport, self._endpoint.config)
        if self.pj:
            self.pj.modify(config)
        else:
            self.pj = PjAccount(self._owner, self._endpoint)
            self.pj.create(config)
        if self._way:
            self._ways_left.append(self._way)
        self._asked = self._asked and way == self._way
        self._route, self._way, self._is_bound = route, way, True
        if not self._owner.calls:
            self.leave_old_ways()
