"""Who asks the REST API: the token that came with a request, known by its hash. Time is an argument, in seconds.

No cookie counts here, so no other site's page can ask in a browser's name.
"""

from __future__ import annotations

import hashlib
import re

from app.control.refusals import Refusal, Why
from app.control.views import TokenView
from provisioning.client import Box
from provisioning.slate import Slate
from provisioning.throttle import Throttle

PREFIX = "deskbell_"
"""So that people, and programs that look for lost secrets, see what a token is."""

FREE_TRIES = 20
"""A program may ask many things at once with its token before one of them is answered."""

KNOWN = 100
"""Tokens that were good lately; there are 50 at most (firmware/control/tokens.py)."""

_BEARER = re.compile(rf"bearer +({PREFIX}[A-Za-z0-9_-]{{43}})", re.IGNORECASE)
_NO_TOKEN = Refusal(
    why=Why.NO_TOKEN,
    text="Nothing was done: the request came without an API token. Make one on the page of this box, under Box, API "
    "tokens, and send it with “Authorization: Bearer …”.",
)
_BAD_TOKEN = Refusal(
    why=Why.NO_TOKEN,
    text="Nothing was done: the box does not know this API token. It was revoked, or was not copied whole. Make a new "
    "one on the page of this box, under Box, API tokens.",
)
_TOO_OFTEN = Refusal(
    why=Why.TOO_MANY_TRIES,
    text="Nothing was done: too many wrong API tokens came from this address. Wait half a minute, then send the right "
    "one.",
)


class Bearers:
    """Guesses are throttled by address before the phone process hears of them. A token that was good is no guess, so
    a forgotten program with a revoked one keeps no other waiting."""

    def __init__(self, box: Box, slate: Slate) -> None:
        self._box, self._slate = box, slate
        self._guesses = Throttle(slate, "token_failures", FREE_TRIES)

    async def who(self, authorization: str, address: str, now_s: float) -> TokenView | Refusal:
        if not authorization:
            return _NO_TOKEN
        sha256 = sha256_of(authorization)
        if not self._was_good(sha256) and self._guesses.admit(address, now_s):
            return _TOO_OFTEN
        found = await holder(self._box, sha256) if sha256 else _BAD_TOKEN
        match found:
            case TokenView():
                self._remember(sha256)
            case Refusal(why=Why.NO_TOKEN):
                self._forget(sha256)
                return found
        self._guesses.succeeded(address)  # also while the phone process is away, and nobody says that it is wrong
        return found

    def _was_good(self, sha256: str) -> bool:
        with self._slate.held("good_tokens") as good:
            return sha256 in good

    def _remember(self, sha256: str) -> None:
        with self._slate.held("good_tokens") as good:
            good[sha256] = True
            while len(good) > KNOWN:
                del good[next(iter(good))]

    def _forget(self, sha256: str) -> None:
        with self._slate.held("good_tokens") as good:
            good.pop(sha256, None)


async def holder(box: Box, sha256: str) -> TokenView | Refusal:
    """Whose token this is."""
    match await box.ask("check_token", TokenView, sha256=sha256):
        case Refusal(why=Why.NOT_FOUND):
            return _BAD_TOKEN
        case answer:
            return answer


def sha256_of(authorization: str) -> str:
    """Of the token in an Authorization header; empty if there is none that could be ours."""
    found = _BEARER.fullmatch(authorization.strip())
    return hashlib.sha256(found[1].encode()).hexdigest() if found else ""
