"""The form of a SIP connection: secrets are typed once, and none comes back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.control import views
from app.control.call_views import DialPreview
from app.settings import DialRules
from provisioning.client import AWAY
from provisioning.web.rendering import MASK
from tests.unit.test_provisioning_pages import OVERTAKEN, connection, hidden, signed_in

pytestmark = pytest.mark.unit

KEPT = views.KeptSecrets(id="kept-1", password=True, login=False)


async def test_a_connection_overtaken_can_be_saved_again_and_shows_no_secret(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {
            "get_connection": [connection(version=4)],
            "update_connection": [OVERTAKEN],
            "keep_secrets": [KEPT],
        }
        typed = {"name": "Office", "domain": "pbx.lan", "user": "200", "password": "canary-secret", "version": "3"}
        rest = {"transport": "udp", "expiry_s": "300", "local_port": "0", "csrf": csrf, "login": ""}
        told = await client.post("/channels/c1", data=typed | rest)
    assert told.status_code == 409
    assert hidden(told.text, "version") == "4"
    assert "canary-secret" not in told.text


_BASIC = ("name", "description", "domain", "user", "password", "login", "caller_id")
_ADVANCED = ("transport", "tls_fingerprint", "srtp", "proxy", "expiry_s", "local_port", "caller_id_from")
_DIALLING = [f"dialling.{rule}" for rule in DialRules.model_fields]


async def test_the_seven_fields_are_beside_the_list_and_the_others_folded_away(tmp_path: Path) -> None:
    other = connection(1).model_copy(update={"id": "c2"})
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {
            "get_connection": [connection(4)],
            "list_connections": [views.Connections(items=(connection(4), other))],
        }
        text = (await client.get("/channels/c1")).text
        new = (await client.get("/channels/new")).text
    assert '<a href="/channels/c1#details" aria-current="page">Office</a>' in text
    assert '<a href="/channels/c2#details">Office</a>' in text
    shown, folded = re.split("<details><summary>Advanced", text)
    assert re.findall(r'<(?:input|select) id="(\w+)"', shown) == list(_BASIC)
    assert re.findall(r'<(?:input|select) id="([\w.]+)"', folded) == [*_ADVANCED, *_DIALLING, "sample"]
    assert 'aria-current="page">Office' not in new
    assert '<h2 id="h-details">New connection</h2>' in new


async def test_a_box_that_is_away_does_not_take_what_was_typed(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"create_connection": [AWAY], "list_connections": [AWAY]}
        told = await client.post("/channels/new", data={"csrf": csrf, "name": "Typed", "domain": "pbx", "user": "200"})
    assert AWAY.text in told.text
    assert 'value="Typed"' in told.text


async def test_encrypted_audio_is_chosen_and_stays_chosen(tmp_path: Path) -> None:
    account = {"name": "Office", "domain": "pbx.lan", "user": "200", "login": "", "password": MASK, "version": "4"}
    stored = connection(version=4)
    stored = stored.model_copy(update={"account": stored.account.model_copy(update={"srtp": "mandatory"})})
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_connection": [stored, stored], "update_connection": [stored]}
        shown = (await client.get("/channels/c1")).text
        await client.post("/channels/c1", data=account | {"csrf": csrf, "srtp": "optional"})
    assert '<option value="mandatory" selected>' in shown
    (asked,) = box.questions("update_connection")
    assert asked.model_dump()["draft"]["srtp"] == "optional"


async def test_what_was_tried_is_saved_without_typing_it_again(tmp_path: Path) -> None:
    registration = views.RegistrationView(cause="registered", registered=True, text="")
    account = {"name": "Office", "domain": "pbx.lan", "user": "200", "login": "", "expiry_s": "300", "local_port": "0"}
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {
            "try_registration": [views.Trial(registration=registration, took_ms=20)],
            "keep_secrets": [KEPT],
            "create_connection": [connection(version=1)],
        }
        form = account | {"csrf": csrf, "password": "canary-secret"}
        tried = (await client.post("/channels/new", data=form | {"try": "yes"})).text
        assert "canary-secret" not in tried
        assert f'name="password" type="password" value="{MASK}"' in tried
        assert 'name="login" type="password" value=""' in tried
        again = {"kept": hidden(tried, "kept"), "password": MASK}
        saved = await client.post("/channels/new", data=form | again)
        assert saved.status_code == 303
    (created,) = box.questions("create_connection")
    assert created.model_dump()["kept"] == KEPT.id
    assert created.model_dump()["draft"]["password"] is None


async def test_a_form_without_a_secret_leaves_none_behind(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        answer = await client.post("/channels/new", data={"csrf": csrf, "name": "", "password": "", "login": ""})
    assert answer.status_code == 422
    assert box.questions("keep_secrets") == []


async def test_dial_rules_are_sent_as_typed_and_stay_as_they_were_where_a_form_has_none(tmp_path: Path) -> None:
    account = {"name": "Office", "domain": "pbx.lan", "user": "200", "login": "", "password": MASK, "version": "4"}
    rules = {"number_form": "national", "country_code": "1", "trunk_prefix": "", "prefix": "9", "extension_digits": "4"}
    typed = {f"dialling.{name}": value for name, value in rules.items()}
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_connection": [connection(version=4)], "update_connection": [connection(version=5)]}
        await client.post("/channels/c1", data=account | typed | {"csrf": csrf, "caller_id_from": "user"})
        await client.post("/channels/c1", data=account | {"csrf": csrf})
    drafts = [asked.model_dump()["draft"] for asked in box.questions("update_connection")]
    assert drafts[0]["dialling"] == DialRules(**{**rules, "extension_digits": 4}).model_dump()
    assert (drafts[0]["caller_id_from"], drafts[0]["caller_id_asserted"]) == ("user", False)
    assert drafts[1]["dialling"] == DialRules().model_dump()


async def test_what_is_dialled_is_shown_with_and_without_script(tmp_path: Path) -> None:
    fields = {"name": "", "dialling.prefix": "0", "dialling.trunk_prefix": "0", "sample": "+49 30 1234"}
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"preview_dialling": [DialPreview(dialled="00301234", how="a number")]}
        shown = await client.post("/channels/new", data=fields | {"csrf": csrf, "preview": "yes"})
        assert shown.status_code == 200
        assert "+49 30 1234 → 00301234 (a number)" in shown.text
        assert "<details open>" in shown.text
        line = await client.post("/channels/preview", data=fields | {"csrf": csrf})
        assert line.text == "+49 30 1234 → 00301234 (a number)"
        incomplete = fields | {"csrf": csrf, "dialling.number_form": "e164"}
        assert (await client.post("/channels/preview", data=incomplete)).text == "These rules are not complete yet."
        assert (await client.post("/channels/preview", data=fields | {"csrf": "forged"})).status_code == 403
    assert box.questions("create_connection") == []


async def test_what_cannot_be_dialled_says_why(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"preview_dialling": [DialPreview(dialled="", how="this cannot be dialled")]}
        line = await client.post("/channels/preview", data={"csrf": csrf, "sample": "<b>"})
    assert line.text == "<b>: this cannot be dialled"
    assert line.headers["content-type"].startswith("text/plain")
