"""What an answer to REGISTER means, and when to try again. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Cause(Enum):
    """Where a registration stands, and why. The values are for people."""

    OFFLINE = "not registered"
    TRYING = "trying"
    REGISTERED = "registered"
    WRONG_CREDENTIALS = "wrong user, login or password"
    DOMAIN_NOT_FOUND = "domain not found"
    UNREACHABLE = "PBX unreachable or silent"
    REFUSED = "refused by the PBX"
    SERVER_ERROR = "error in the PBX"
    NOT_TRUSTED = "the PBX's certificate is not trusted"
    MALFORMED_ANSWER = "the answer was not SIP"


@dataclass(frozen=True, slots=True)
class Registration:
    """`sip_code` 0: no answer came. `next_try`: UTC, None unless we shall try again after a failure."""

    cause: Cause
    sip_code: int = 0
    reason: str = ""
    expires_s: int = 0
    next_try: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """How one REGISTER ended.

    `sip_code` is a made-up one where nothing was `received` (408 time-out, 503 transport failure). `challenged`: the
    PBX asked for a password and got ours. `garbage`: packets that are not SIP came meanwhile.
    """

    sip_code: int
    reason: str
    expires_s: int = 0
    received: bool = True
    challenged: bool = False
    garbage: bool = False


def judge(answer: Answer) -> Registration:
    """The meaning of an answer (RFC 3261 section 10.2 and 21)."""
    if not answer.received:
        cause = Cause.MALFORMED_ANSWER if answer.garbage else Cause.UNREACHABLE
        return Registration(cause, 0, answer.reason)
    return Registration(_cause(answer), answer.sip_code, answer.reason, answer.expires_s)


def _cause(answer: Answer) -> Cause:
    match answer.sip_code:
        case code if 200 <= code < 300:
            return Cause.REGISTERED if answer.expires_s else Cause.OFFLINE
        case 401 | 407:
            return Cause.WRONG_CREDENTIALS
        case 403 if answer.challenged:
            return Cause.WRONG_CREDENTIALS
        case 408:
            return Cause.UNREACHABLE
        case code if code >= 500:
            return Cause.SERVER_ERROR
        case _:
            return Cause.REFUSED


@dataclass(frozen=True, slots=True)
class RetryRule:
    """Doubling from `first_s` to `longest_s`. A PBX that said no is asked less often: many lock an account, or ban an
    address, after some wrong passwords (fail2ban's default: five in ten minutes)."""

    first_s: float = 2.0
    longest_s: float = 120.0
    said_no_s: float = 300.0

    def delay_s(self, attempt: int, cause: Cause, rng: random.Random) -> float:
        """Before try number `attempt + 1`, `attempt` counted from 1 since the last success. Spread over ±20 %, so
        that all the phones of an office do not come back in the same moment after a power cut."""
        if cause in (Cause.WRONG_CREDENTIALS, Cause.REFUSED):
            delay_s = self.said_no_s
        else:
            delay_s = min(self.longest_s, self.first_s * 2.0 ** min(attempt - 1, 30))
        return delay_s * rng.uniform(0.8, 1.2)
