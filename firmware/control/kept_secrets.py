"""Secrets of forms that are shown again (a field was wrong, a trial was made): nobody types a password twice, and none
travels back to a browser. In memory only, for some minutes, under a name that cannot be guessed.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from pydantic import SecretStr

from app.control import verbs, views
from app.settings import ConnectionDraft

KEPT_S = 600.0
"""A person compares a password with a letter, or asks the administrator of the PBX, meanwhile."""

MOST = 20
"""Forms that are open at once, in all browsers; the oldest is forgotten first."""


@dataclass(frozen=True, slots=True)
class _Kept:
    until_s: float
    password: SecretStr | None = field(repr=False)
    login: SecretStr | None = field(repr=False)


class KeptSecrets:
    """Time is an argument, in seconds of a clock that nobody sets."""

    def __init__(self) -> None:
        self._kept: dict[str, _Kept] = {}

    def keep(self, ask: verbs.KeepSecrets, now_s: float) -> views.KeptSecrets:
        """Together with those that were kept before, if they still are."""
        before = self._found(ask.kept, now_s) or _Kept(0, None, None)
        fresh = _Kept(
            now_s + KEPT_S,
            before.password if ask.password is None else ask.password,
            before.login if ask.login is None else ask.login,
        )
        self.forget(ask.kept)
        name = secrets.token_urlsafe(16)
        self._kept[name] = fresh
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return views.KeptSecrets(id=name, password=_given(fresh.password), login=_given(fresh.login))

    def completed(self, draft: ConnectionDraft, name: str, now_s: float) -> ConnectionDraft | None:
        """The draft with what was kept where it leaves a secret out; None if that is needed and no longer there."""
        if not name or (draft.password is not None and draft.login is not None):
            return draft
        kept = self._found(name, now_s)
        if kept is None:
            return None
        password = kept.password if draft.password is None else draft.password
        login = kept.login if draft.login is None else draft.login
        return draft.model_copy(update={"password": password, "login": login})

    def forget(self, name: str) -> None:
        self._kept.pop(name, None)

    def _found(self, name: str, now_s: float) -> _Kept | None:
        for old in [each for each, kept in self._kept.items() if kept.until_s < now_s]:
            del self._kept[old]
        return self._kept.get(name)


def _given(secret: SecretStr | None) -> bool:
    return bool(secret and secret.get_secret_value())
