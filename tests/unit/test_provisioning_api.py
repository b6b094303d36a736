"""How a request of the REST API becomes a verb's question, and what comes back."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio
import trio.testing

from app.control import views
from app.control.refusals import Refusal, Why
from app.control.verbs import VERBS, Event, EventKind
from app.control.views import Scope
from app.settings import Agent
from provisioning.api.answers import API
from provisioning.api.asking import may_hold_secret
from provisioning.web.guard import LARGEST_BODY
from tests.unit.program import HOST, NOW, TOKEN, TellingBox, holder, program, refusal_in

pytestmark = pytest.mark.unit

BAD = Refusal(why=Why.NOT_FOUND, text="The box knows no such token.")
JSON = {"content-type": "application/json"}
FINITE, OBJECT = "Must be JSON, whose numbers are finite.", "Must be one JSON object, in UTF-8."


# -- a request as a question -----------------------------------------------------------------------------------


async def test_path_and_body_together_are_the_question(tmp_path: Path) -> None:
    plan = {"settings": {"name": "Reception"}, "attachments": [{"connection_id": "c1", "inbound": True}]}
    async with program(tmp_path) as (client, box, _):
        box.answers["update_agent"] = [Refusal(why=Why.CHANGED_MEANWHILE, text="Somebody was faster.")]
        answer = await client.put("/agents/a1", json={"if_version": 3, "plan": plan})
        assert refusal_in(answer).why is Why.CHANGED_MEANWHILE
        (question,) = box.questions("update_agent")
    asked = views.AgentPlan(
        settings=Agent(name="Reception"), attachments=(views.Attachment(connection_id="c1", inbound=True),)
    )
    assert question == VERBS["update_agent"].asks.model_validate({"id": "a1", "if_version": 3, "plan": asked})


async def test_a_number_in_the_path_is_one_and_nothing_else_is(tmp_path: Path) -> None:
    edit = {"if_version": 3, "values": {"name": "Anna"}}
    async with program(tmp_path) as (client, box, _):
        box.answers["update_participant"] = [Refusal(why=Why.NOT_FOUND, text="There is no such participant.")]
        assert refusal_in(await client.put("/campaigns/c1/participants/7", json=edit)).why is Why.NOT_FOUND
        (question,) = box.questions("update_participant")
        assert question.model_dump() == {"campaign_id": "c1", "id": 7, **edit}
        refusal = refusal_in(await client.put("/campaigns/c1/participants/seven", json=edit))
        assert (refusal.why, set(refusal.fields)) == (Why.INVALID, {"id"})


async def test_the_query_is_the_question(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, box, _):
        box.answers |= {"list_log": [views.LogPage(items=(), earlier=None)], "delete_agent": [views.Nothing()]}
        assert (await client.get("/log?agent_id=a1&level=WARNING&before=7&limit=3")).status_code == 200
        deleted = await client.delete("/agents/a1?confirmed=true")
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert box.questions("list_log")[0].model_dump() == {
            "agent_id": "a1", "level": "WARNING", "text": "", "before": 7, "limit": 3,
        }  # fmt: skip
        assert box.questions("delete_agent")[0].model_dump() == {"id": "a1", "confirmed": True}


async def test_a_path_of_its_own_is_no_id(tmp_path: Path) -> None:
    made = views.AgentDetail(view=_agent(), plan=views.AgentPlan(settings=Agent(name="Reception")))
    async with program(tmp_path) as (client, box, _):
        box.answers["import_agent"] = [made]
        answer = await client.post("/agents/import", json={"file": {"settings": {"name": "Reception"}}})
        assert (answer.status_code, answer.json()) == (201, made.model_dump(mode="json"))
        refused = await client.get("/agents/import")
        assert refusal_in(refused).why is Why.WRONG_METHOD
        assert refused.headers["allow"] == "POST"


def _agent() -> views.AgentView:
    return views.AgentView(
        id="a1",
        version=1,
        name="Reception",
        description="",
        kind="Inbound",
        state=views.AgentState.STOPPED,
        calls=0,
        max_opened_sessions=2,
        modified_at=NOW,
        connections=(),
    )


@pytest.mark.parametrize(
    ("ask", "fields"),
    [
        (lambda c: c.post("/agents", json={}), {"plan": "Must be filled in."}),
        (lambda c: c.post("/agents", content=b""), {"plan": "Must be filled in."}),
        (
            lambda c: c.post("/agents", json={"plan": {"settings": {"name": "R", "pause_ms": "450"}}}),
            {"plan.settings.pause_ms": "Must be a whole number."},
        ),
        (
            lambda c: c.post("/agents", json={"plan": {"settings": {"name": "R", "silence_s": 5e9}}}),
            {"plan.settings.silence_s": "Must be 600 or less."},
        ),
        (lambda c: c.post("/agents", json={"plan": 5}), {"plan": "Must be an object."}),
        (lambda c: c.post("/agents?a=1", json={}), {"a": "Belongs in the body."}),
        (lambda c: c.put("/agents/a1", json={"id": "a2"}), {"id": "Is in the path already."}),
        (lambda c: c.get("/agents/a1?id=a2"), {"id": "Is in the path already."}),
        (lambda c: c.get("/agents?x=1"), {"x": "Is not known here."}),
        (lambda c: c.get("/log?limit=1&limit=2"), {"limit": "Must be given once."}),
        (lambda c: c.get("/log?limit=some"), {"limit": "Must be a whole number, in digits."}),
        (lambda c: c.get("/sessions?direction=up"), {"direction": "Must be '', 'inbound' or 'outbound'."}),
        (lambda c: c.get(f"/agents/{'x' * 65}"), {"id": "Must have at most 64 characters."}),
        (lambda c: c.post("/agents", content=b'{"plan": NaN}', headers=JSON), {"body": FINITE}),
        (lambda c: c.post("/agents", content=b"[]", headers=JSON), {"body": OBJECT}),
        (lambda c: c.post("/agents", content=b"{" * 9999, headers=JSON), {"body": OBJECT}),
        (lambda c: c.post("/agents", content=b"\xff", headers=JSON), {"body": OBJECT}),
    ],
)
async def test_what_cannot_be_used_is_told_by_field(
    tmp_path: Path, ask: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]], fields: dict[str, str]
) -> None:
    async with program(tmp_path) as (client, box, _):
        refusal = refusal_in(await ask(client))
        assert (refusal.why, refusal.fields) == (Why.INVALID, fields)
        assert [verb for verb, _ in box.asked] == ["check_token"]


async def test_a_body_that_is_no_json_or_too_large_is_refused(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, box, _):
        assert refusal_in(await client.post("/agents", data={"name": "Reception"})).why is Why.NOT_JSON
        large = b'{"plan": "' + b"x" * LARGEST_BODY + b'"}'
        assert refusal_in(await client.post("/agents", content=large, headers=JSON)).why is Why.TOO_LARGE
        headers = {**JSON, "host": HOST, "authorization": f"Bearer {TOKEN}"}
        unmeasured = httpx.Request("POST", f"https://{HOST}{API}/agents", headers=headers, stream=_Parts(large))
        assert refusal_in(await client.send(unmeasured)).why is Why.TOO_LARGE
        typed = {"content-type": "Application/JSON; charset=utf-8"}
        assert refusal_in(await client.post("/agents", content=b"{}", headers=typed)).why is Why.INVALID
        assert {verb for verb, _ in box.asked} == {"check_token"}


async def test_the_largest_backup_passes(tmp_path: Path) -> None:
    content = "x" * (LARGEST_BODY + 1)
    async with program(tmp_path) as (client, box, _):
        box.answers["preview_backup"] = [Refusal(why=Why.INVALID, text="That is no backup.")]
        refusal = refusal_in(await client.post("/backup/preview", json={"passphrase": "p", "content_base64": content}))
        assert refusal.text == "That is no backup."


class _Parts(httpx.AsyncByteStream):
    """A body that does not say how long it is."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def __aiter__(self) -> _Parts:
        return self

    async def __anext__(self) -> bytes:
        part, self._left = self._left[:65_536], self._left[65_536:]
        if not part:
            raise StopAsyncIteration
        return part


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "DELETE"])
async def test_another_method_is_refused_in_json(tmp_path: Path, method: str) -> None:
    async with program(tmp_path) as (client, _, __):
        answer = await client.request(method, "/agents")
        assert refusal_in(answer).why is Why.WRONG_METHOD
        assert answer.headers["allow"]


async def test_a_bug_is_told_in_json_and_logged_without_what_was_sent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with program(tmp_path) as (client, box, _):
        box.answers["list_agents"] = []  # nothing to pop: IndexError
        answer = await client.get("/agents", headers={"x-canary": "canary"})
        assert refusal_in(answer).why is Why.BOX_FAULT
    assert "canary" not in caplog.text
    assert [record.getMessage() for record in caplog.records] == ["a page failed"]


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ({"draft": {"name": "Office", "domain": "pbx", "user": "200", "password": "canary"}}, True),
        ({"draft": {"name": "Office", "domain": "not a host!", "user": "200", "password": "canary"}}, True),
        ({"wrong": "canary"}, True),
        (None, False),
    ],
)
async def test_a_process_that_may_have_seen_a_secret_says_so(
    tmp_path: Path, body: dict[str, object] | None, seen: bool
) -> None:
    async with program(tmp_path) as (client, box, door):
        box.answers["create_connection"] = [Refusal(why=Why.TAKEN, text="There is one.")]
        answer = await client.post("/connections", json=body) if body else await client.post("/connections")
        assert "canary" not in answer.text
        assert door.life.has_seen_secret.is_set() is seen


def test_which_questions_may_hold_a_secret() -> None:
    holding = {name for name, verb in VERBS.items() if may_hold_secret(verb.asks)}
    assert {"create_connection", "update_connection", "try_registration"} <= holding
    assert holding.isdisjoint({"create_agent", "update_box", "place_call", "list_log"})


# -- answers that are no model ---------------------------------------------------------------------------------


async def test_events_come_as_lines_and_end_with_the_phone_process(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, box, _):
        box.told = (Event(kind=EventKind.AGENT, id="a1"), None)
        answer = await client.get("/events")
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.text == '{"kind":"agent","id":"a1"}\n\n'


async def test_who_cannot_be_told_live_hears_why(tmp_path: Path) -> None:
    class FullBox(TellingBox):
        @asynccontextmanager
        async def events(self) -> AsyncGenerator[Refusal, None]:  # type: ignore[override]
            yield Refusal(why=Why.NOT_NOW, text="Too many listen already.")

    async with program(tmp_path) as (client, box, _):
        box.__class__ = FullBox
        refusal = refusal_in(await client.get("/events"))
    assert (refusal.why, refusal.text) == (Why.NOT_NOW, "Too many listen already.")


async def test_a_revoked_token_hears_no_more(tmp_path: Path, autojump_clock: trio.testing.MockClock) -> None:
    class SlowBox(TellingBox):
        async def _told(self) -> AsyncGenerator[Event | None, None]:
            while True:
                yield None
                await trio.sleep(10)

    async with program(tmp_path) as (client, box, _):
        box.__class__ = SlowBox
        box.answers["check_token"] = [BAD, holder(*Scope)]
        began = trio.current_time()
        answer = await client.get("/events")
    assert (answer.text, trio.current_time() - began) == ("\n\n", 20)


async def test_a_session_without_a_recording_is_told(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, _, __):
        assert refusal_in(await client.get("/sessions/%00%3f..%2e/recording.flac")).why is Why.NOT_FOUND
