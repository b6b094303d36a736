"""What a form with secrets leaves with the phone process until it is saved."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from app.control import views
from app.control.verbs import KeepSecrets
from app.settings import ConnectionDraft
from firmware.control.kept_secrets import KEPT_S, MOST, KeptSecrets

pytestmark = pytest.mark.unit


def typed(**secrets: str) -> ConnectionDraft:
    return ConnectionDraft.model_validate({"name": "Office", "domain": "pbx.lan", "user": "200"} | secrets)


def keep(store: KeptSecrets, **asked: str) -> views.KeptSecrets:
    return store.keep(KeepSecrets.model_validate(asked), now_s=0)


def revealed(draft: ConnectionDraft | None) -> tuple[str | None, str | None]:
    assert draft is not None

    def clear(secret: SecretStr | None) -> str | None:
        return None if secret is None else secret.get_secret_value()

    return clear(draft.password), clear(draft.login)


def test_what_is_kept_completes_a_draft_until_it_is_forgotten() -> None:
    kept = KeptSecrets()
    name = keep(kept, password="canary", login="canary-login").id
    assert revealed(kept.completed(typed(), name, KEPT_S)) == ("canary", "canary-login")
    assert revealed(kept.completed(typed(password="new"), name, KEPT_S)) == ("new", "canary-login")
    assert kept.completed(typed(), name, KEPT_S + 1) is None
    name = keep(kept, password="canary").id
    kept.forget(name)
    assert kept.completed(typed(), name, 0) is None


def test_what_was_typed_in_full_needs_nothing_kept() -> None:
    draft = typed(password="new", login="")
    assert KeptSecrets().completed(draft, "long gone", 0) == draft
    assert KeptSecrets().completed(typed(), "", 0) == typed()


def test_a_second_try_adds_to_the_first_and_may_take_a_login_away() -> None:
    kept = KeptSecrets()
    first = keep(kept, password="canary", login="200-login")
    second = keep(kept, kept=first.id, login="")
    assert (second.password, second.login) == (True, False)
    assert revealed(kept.completed(typed(), second.id, 0)) == ("canary", "")
    assert kept.completed(typed(), first.id, 0) is None, "only the latest page of a form counts"


def test_it_is_bounded_and_tells_nothing() -> None:
    kept = KeptSecrets()
    names = [keep(kept, password="canary").id for _ in range(MOST + 1)]
    assert len(set(names)) == MOST + 1
    assert kept.completed(typed(), names[0], 0) is None
    assert revealed(kept.completed(typed(), names[1], 0)) == ("canary", None)
    assert "canary" not in repr(kept._kept)
