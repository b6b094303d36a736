"""Who is signed in: random tokens in a cookie, kept here only as hashes. Time is an argument, in seconds of a clock
that all workers share and that nobody sets (`time.monotonic`): a box without a battery clock wakes up in 1970.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any

from provisioning.kept_sign_ins import KeptSignIns
from provisioning.slate import Slate

IDLE_S = 12 * 3600.0
ABSOLUTE_S = 7 * 24 * 3600.0
MOST = 100
"""Browsers of one office; the oldest is signed out first."""

_NOTED_S = 60.0
"""How exactly it is known when somebody was last seen: not each request needs to write."""

_KEPT_S = 3600.0
"""The same on the disk: whoever was idle for longer than this less, when the page restarts, is signed out earlier."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """`csrf`: goes into every form."""

    csrf: str = field(repr=False)


class SignIns:
    """`kept`: where they outlive this process; None: nowhere."""

    def __init__(self, slate: Slate, kept: KeptSignIns | None = None) -> None:
        self._slate, self._kept = slate, kept

    def restore(self, now_s: float) -> None:
        """Those that were kept, of this start of the machine."""
        seen = self._kept.read() if self._kept else {}
        with self._slate.held("sign_ins") as signed_in:
            for hashed, (began_s, seen_s) in seen.items():
                if not _over(began_s, seen_s, now_s):
                    signed_in[hashed] = _entry(began_s, seen_s)

    def begin(self, now_s: float) -> str:
        """A new token, for the cookie."""
        token = secrets.token_urlsafe(32)
        with self._slate.held("sign_ins") as signed_in:
            signed_in[_hashed(token)] = _entry(now_s, now_s)
            while len(signed_in) > MOST:
                del signed_in[min(signed_in, key=lambda each: float(signed_in[each]["seen_s"]))]
            self._keep(signed_in)
        return token

    def find(self, token: str, now_s: float) -> SignIn | None:
        with self._slate.held("sign_ins") as signed_in:
            found = signed_in.get(_hashed(token))
            if found is None:
                return None
            if _over(found["began_s"], found["seen_s"], now_s):
                del signed_in[_hashed(token)]
                self._keep(signed_in)
                return None
            if now_s - found["seen_s"] > _NOTED_S:
                found["seen_s"] = now_s
            if now_s - found["kept_s"] > _KEPT_S:
                self._keep(signed_in)
        return SignIn(_csrf(token))

    def say_next(self, token: str, flash: str) -> None:
        """`flash` is said once, on the next page."""
        with self._slate.held("sign_ins") as signed_in:
            if found := signed_in.get(_hashed(token)):
                found["flash"] = flash

    def take_flash(self, token: str) -> str:
        with self._slate.held("sign_ins") as signed_in:
            found = signed_in.get(_hashed(token))
            if not found:
                return ""
            flash, found["flash"] = str(found["flash"]), ""
            return flash

    def end(self, token: str) -> None:
        with self._slate.held("sign_ins") as signed_in:
            if signed_in.pop(_hashed(token), None):
                self._keep(signed_in)

    def end_all(self) -> None:
        with self._slate.held("sign_ins") as signed_in:
            signed_in.clear()
            self._keep(signed_in)

    def _keep(self, signed_in: dict[str, Any]) -> None:
        """While nobody else changes them: who has signed out must not come back with the file of another worker."""
        if self._kept:
            self._kept.write({hashed: (each["began_s"], each["seen_s"]) for hashed, each in signed_in.items()})
        for each in signed_in.values():
            each["kept_s"] = each["seen_s"]


def is_csrf(sign_in: SignIn, typed: str) -> bool:
    return hmac.compare_digest(sign_in.csrf.encode(), typed.encode())


def _entry(began_s: float, seen_s: float) -> dict[str, Any]:
    return {"began_s": began_s, "seen_s": seen_s, "kept_s": seen_s, "flash": ""}


def _over(began_s: float, seen_s: float, now_s: float) -> bool:
    return now_s - seen_s > IDLE_S or now_s - began_s > ABSOLUTE_S


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _csrf(token: str) -> str:
    """Another secret out of the one in the cookie, so that none needs to be kept."""
    return hmac.digest(token.encode(), b"deskbell form", hashlib.sha256).hex()
