"""pj's side of an account."""

from __future__ import annotations

from functools import partial
from typing import Protocol

import pjsua2 as pj

from app.ports import Direction
from firmware.telephony.call import Call, Leg
from firmware.telephony.endpoint import Endpoint
from firmware.telephony.registration import Answer
from firmware.telephony.uris import fit_for_utf8, user_of


class AccountOwner(Protocol):
    """Whom pj's account tells, once its callbacks have returned; `new_call` at once."""

    @property
    def calls(self) -> frozenset[Call]:
        """Those that are not over."""

    def answer_came(self, answer: Answer) -> None: ...

    def new_call(self, leg: Leg, direction: Direction, remote: str) -> Call: ...

    def call_came(self, call: Call, source: str) -> None: ...


class PjAccount(pj.Account):  # type: ignore[misc]
    """pj's side of an account. Copies and posts."""

    def __init__(self, owner: AccountOwner, endpoint: Endpoint) -> None:
        super().__init__()
        self.owner: AccountOwner | None = owner  # a cycle, until the owner releases us
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
            code, reason, expires_s = int(prm.code), fit_for_utf8(str(prm.reason)), int(prm.expiration)
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
