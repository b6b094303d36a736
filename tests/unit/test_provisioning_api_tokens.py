"""Who may ask the REST API: closed unless a token with the right scope comes along."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from app.control import views
from app.control.refusals import Refusal, Why
from app.control.views import Scope
from provisioning.api.answers import API
from provisioning.api.bearers import FREE_TRIES, sha256_of
from provisioning.api.operations import OPERATIONS
from provisioning.web.guard import COOKIE
from tests.unit.program import HOST, NAMES, TOKEN, holder, operation, path_of, program, refusal_in

pytestmark = pytest.mark.unit

BAD = Refusal(why=Why.NOT_FOUND, text="The box knows no such token.")


@pytest.mark.parametrize("name", NAMES)
async def test_without_a_token_nothing_is_asked(tmp_path: Path, name: str) -> None:
    async with program(tmp_path) as (client, box, door):
        client.cookies.set(COOKIE, door.sign_ins.begin(time.monotonic()), domain=HOST)  # signed in, which is not enough
        del client.headers["authorization"]
        answer = await client.request(operation(name).method, path_of(name))
        assert refusal_in(answer).why is Why.NO_TOKEN
        assert answer.headers["www-authenticate"] == "Bearer"
        assert box.asked == []


@pytest.mark.parametrize("name", NAMES)
async def test_without_its_scope_a_token_is_told_which_it_lacks(tmp_path: Path, name: str) -> None:
    needed = operation(name).scope
    async with program(tmp_path, *(set(Scope) - {needed})) as (client, box, _):
        refusal = refusal_in(await client.request(operation(name).method, path_of(name)))
        assert (refusal.why, refusal.names) == (Why.NOT_ALLOWED, (needed.value,))
        assert f"“{needed.value}”" in refusal.text
        assert [verb for verb, _ in box.asked] == ["check_token"]


@pytest.mark.parametrize("path", ["", "/nothing", "/agents/", "/agents/a/b/c"])
async def test_what_is_not_there_is_closed_too(tmp_path: Path, path: str) -> None:
    async with program(tmp_path) as (client, _, __):
        if path:
            assert refusal_in(await client.get(path)).why is Why.NOT_FOUND
        del client.headers["authorization"]
        assert refusal_in(await client.get(path)).why is Why.NO_TOKEN


@pytest.mark.parametrize("sent", ["Bearer x", f"Basic {TOKEN}", TOKEN, "Bearer ", f"Bearer {TOKEN}x", "Bearer \xff"])
async def test_what_cannot_be_a_token_does_not_reach_the_phone_process(tmp_path: Path, sent: str) -> None:
    async with program(tmp_path) as (client, box, _):
        answer = await client.get("/agents", headers={b"Authorization": sent.encode("latin-1")})
        assert refusal_in(answer).why is Why.NO_TOKEN
        assert box.asked == []


async def test_only_the_hash_reaches_the_phone_process(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, box, _):
        box.answers["list_agents"] = [views.Agents(items=())]
        assert (await client.get("/agents", headers={"Authorization": f"bearer  {TOKEN}"})).status_code == 200
        (question,) = box.questions("check_token")
        assert question.model_dump() == {"sha256": sha256_of(f"Bearer {TOKEN}")}


async def test_wrong_tokens_get_slow_and_the_right_one_does_not(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, box, _):
        box.answers |= {"list_agents": [views.Agents(items=())], "check_token": [BAD, holder(*Scope)]}
        assert (await client.get("/agents")).status_code == 200
        bad = {"Authorization": f"Bearer deskbell_{'b' * 43}"}
        refusals = [refusal_in(await client.get("/agents", headers=bad)).why for _ in range(FREE_TRIES + 2)]
        assert refusals == [*[Why.NO_TOKEN] * FREE_TRIES, *[Why.TOO_MANY_TRIES] * 2]
        assert (await client.get("/agents", headers=bad)).headers["retry-after"] == "30"
        assert len(box.questions("check_token")) == 1 + FREE_TRIES
        box.answers["check_token"] = [holder(*Scope)]
        assert (await client.get("/agents")).status_code == 200


async def test_a_revoked_token_is_a_wrong_one(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, box, _):
        box.answers |= {"list_agents": [views.Agents(items=())], "check_token": [BAD, holder(*Scope)]}
        assert (await client.get("/agents")).status_code == 200
        refusals = [refusal_in(await client.get("/agents")).why for _ in range(FREE_TRIES + 2)]
        assert refusals[-1] is Why.TOO_MANY_TRIES


async def test_while_the_phone_process_is_away_no_token_is_wrong(tmp_path: Path) -> None:
    away = Refusal(why=Why.BOX_FAULT, text="It is starting.")
    async with program(tmp_path) as (client, box, _):
        box.answers |= {"list_agents": [views.Agents(items=())], "check_token": [away]}
        whys = {refusal_in(await client.get("/agents")).why for _ in range(FREE_TRIES + 2)}
        assert whys == {Why.BOX_FAULT}
        box.answers["check_token"] = [holder(Scope.READ)]
        assert (await client.get("/agents")).status_code == 200


async def test_another_name_and_plain_http_are_refused_in_json(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, box, _):
        rebound = await client.get("/agents", headers={"host": "evil.example"})
        assert refusal_in(rebound).why is Why.WRONG_NAME
        clear = await client.get(f"http://{HOST}{API}/agents")
        assert refusal_in(clear).why is Why.NOT_ALLOWED
        assert "revoke it" in clear.text
        assert box.asked == []


async def test_a_page_is_not_asked_with_the_methods_of_the_api(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, _, __):
        for method in ("PUT", "DELETE", "PATCH"):
            answer = await client.request(method, f"https://{HOST}/agents")
            assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
            assert answer.headers["content-type"].startswith("text/plain")


KEEPS = {"make_backup", "preview_backup", "restore_backup", "factory_reset"}
CALLS = {"place_call", "call_from_handset", "hang_up_call"}
CALLS |= {f"{what}_campaign" for what in ("start", "pause", "resume", "stop")}
ONLY_LOOKS = {"preview_dialling", "check_campaign"}
"""Asked with POST, and nothing is changed."""


def test_a_scope_lets_do_what_it_says_and_no_more() -> None:
    """Whoever adds a verb that calls somebody, or takes or replaces the whole box, adds it here."""
    named = {scope: {each.name for each in OPERATIONS if each.scope is scope} for scope in Scope}
    looks = {each.name for each in OPERATIONS if each.method == "GET"} | ONLY_LOOKS
    assert (named[Scope.KEEP], named[Scope.CALL], named[Scope.READ]) == (KEEPS, CALLS, looks)
