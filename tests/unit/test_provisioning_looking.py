"""Pages to look at, and what leaves the box from them: the same canned box behind the real routes."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from markupsafe import escape

from app.control import views
from app.control.connectivity import ConnectivityList, ConnectivityView
from app.control.refusals import Refusal, Why
from app.engines import BoxVoice
from tests.unit.test_provisioning_pages import NOW, _agent, _box, connection, signed_in
from tests.web.hostile import MARKS

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["Night desk", "Reception"]),
        ("?show=running", ["Reception"]),
        ("?text=NIGHT", ["Night desk"]),
        ("?text=night&show=running", []),
    ],
)
async def test_agents_are_searched_and_the_running_ones_have_a_tab(
    tmp_path: Path, query: str, shown: list[str]
) -> None:
    night = _agent(name="Night desk").view.model_copy(update={"state": views.AgentState.STOPPED})
    reception = _agent().view.model_copy(update={"id": "a2", "state": views.AgentState.RUNNING})
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {"list_agents": [views.Agents(items=(night, reception))]}
        text = (await client.get(f"/agents{query}")).text
    assert re.findall(r'<strong><a href="/agents/\w+">([^<]+)<', text) == shown
    assert 'All <span class="badge">2<' in text
    assert 'Running <span class="badge">1<' in text


async def test_the_overview_draws_a_day_of_calls(tmp_path: Path) -> None:
    hours = tuple(n % 5 for n in range(24))
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {"get_overview": [_overview(_agent().view).model_copy(update={"calls_by_hour": hours})]}
        text = (await client.get("/")).text
    assert "46 calls in 24 hours. Busiest: 4 from 14:00 on." in text
    assert text.count("<rect") >= 24


async def test_what_a_search_finds_is_exported_over_all_its_pages(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {
            "list_sessions": [
                views.Sessions(items=(_session("s1"),), before=None),
                views.Sessions(items=(_session("s3"), _session("s2")), before="s2"),
            ],
            "get_session": [
                _detail("s1"),
                Refusal(why=Why.NOT_FOUND, text="It was deleted meanwhile."),
                _detail("s3"),
            ],
        }
        answer = await client.get("/sessions/export?text=park&agent=")
    assert answer.headers["content-disposition"] == 'attachment; filename="sessions.json"'
    assert [each["view"]["id"] for each in answer.json()] == ["s3", "s1"]
    assert answer.json()[0]["messages"][0]["text"] == "Where can I park?"
    asked = [question.model_dump() for question in box.questions("list_sessions")]
    assert [(each["text"], each["before"]) for each in asked] == [("park", None), ("park", "s2")]


async def test_an_export_without_sessions_is_an_empty_list_and_a_broken_off_one_is_no_json(tmp_path: Path) -> None:
    gone = Refusal(why=Why.BOX_FAULT, text="The box went away.")
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {"list_sessions": [views.Sessions(items=(), before=None)]}
        assert (await client.get("/sessions/export")).json() == []
        assert (await client.get("/sessions/export?day=tomorrow")).status_code == 422
        box.answers = {
            "list_sessions": [gone, views.Sessions(items=(_session("s1"),), before="s1")],
            "get_session": [_detail("s1")],
        }
        broken_off = (await client.get("/sessions/export")).text
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(broken_off)


async def test_one_session_is_exported_with_all_that_was_said(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {"get_session": [_detail("s1")]}
        answer = await client.get("/sessions/s1/export")
        page = (await client.get("/sessions/s1")).text
    assert answer.headers["content-disposition"] == 'attachment; filename="session-s1.json"'
    assert views.SessionDetail.model_validate_json(answer.text) == _detail("s1")
    assert '<rect class="pause" width="450" height="14"/>' in page
    assert '<rect class="work" x="450" width="60" height="14"/>' in page


@pytest.mark.parametrize(
    ("state", "inbound", "told"),
    [
        (views.AgentState.STOPPED, True, "does not run yet"),
        (views.AgentState.RUNNING, False, "switch Inbound on"),
        (views.AgentState.RUNNING, True, "Call <strong>200</strong> from any phone"),
    ],
)
async def test_the_road_says_what_to_dial(tmp_path: Path, state: views.AgentState, inbound: bool, told: str) -> None:
    attached = views.AttachedConnection(connection_id="c1", name="Office", inbound=inbound, registration=None)
    agent = _agent().view.model_copy(update={"state": state, "connections": (attached,)})
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {
            "get_overview": [_overview(agent)],
            "list_connections": [views.Connections(items=(connection(1),))],
        }
        text = (await client.get("/set-up")).text
        assert 'href="/set-up"' in (await client.get("/")).text
    assert told in text
    assert text.count("<p") == text.count("</p>")


@pytest.mark.parametrize(
    ("path", "verb", "told"),
    [
        ("/agents/a1/delete", "delete_agent", "Delete “Reception”? It runs: callers will no longer reach it."),
        ("/channels/c1/delete", "delete_connection", "Calls to 200 no longer reach Reception."),
        ("/sessions/s1/delete", "delete_session", "Its transcript and its recording are gone for good"),
        ("/connectivity/v1/delete", "delete_connectivity", "Delete “Slow”? Its settings go for good."),
    ],
)
async def test_nothing_is_deleted_before_somebody_said_yes(tmp_path: Path, path: str, verb: str, told: str) -> None:
    agent = _agent()
    running = agent.view.model_copy(update={"state": views.AgentState.RUNNING})
    user = views.AgentRef(id="a1", name="Reception", inbound=True, running=True)
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {
            "get_agent": [agent.model_copy(update={"view": running})],
            "get_connection": [connection(1).model_copy(update={"agents": (user,)})],
            "get_connectivity": [_voice()],
            verb: [views.Nothing()],
        }
        asked = await client.post(path, data={"csrf": csrf})
        assert box.questions(verb) == []
        done = await client.post(path, data={"csrf": csrf, "confirmed": "yes"})
    assert told in asked.text
    assert done.status_code == 303
    assert len(box.questions(verb)) == 1


@pytest.mark.parametrize(
    ("answered", "attached"),
    [
        ([False], ["c0"]),
        ([True], []),
        ([True, False], ["c1"]),
        ([False, False], []),
    ],
)
async def test_a_new_agent_gets_the_one_line_that_nobody_answers(
    tmp_path: Path, answered: list[bool], attached: list[str]
) -> None:
    def line(number: int, is_answered: bool) -> views.ConnectionView:
        user = views.AgentRef(id="a1", name="Reception", inbound=True, running=True)
        return connection(1).model_copy(update={"id": f"c{number}", "agents": (user,) if is_answered else ()})

    lines = tuple(line(number, each) for number, each in enumerate(answered))
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {
            "list_connections": [views.Connections(items=lines)],
            "list_connectivity": [ConnectivityList(items=())],
        }
        text = (await client.get("/agents/new")).text
    assert re.findall(r'name="attached" value="(\w+)" checked', text) == attached
    assert re.findall(r'name="inbound" value="(\w+)" checked', text) == attached


def _voice() -> ConnectivityView:
    engine = BoxVoice(voice="slt")
    return ConnectivityView(id="v1", version=1, name="Slow", description="", engine=engine, built_in=False, agents=())


@pytest.mark.parametrize("hostile", MARKS)
@pytest.mark.parametrize("outcome", ["answered", None])
async def test_what_a_caller_says_is_no_markup(tmp_path: Path, hostile: str, outcome: str | None) -> None:
    """Nor is anything else that comes from outside: also while the call goes on, and in lists."""
    said = {"agent": hostile, "remote": hostile, "codec": hostile, "conclusion": hostile, "outcome_text": hostile}
    view = _session("s1").model_copy(update={**said, "outcome": outcome})
    line = views.MessageView(speaker="caller", text=hostile, start_ms=0, end_ms=900, interrupted=True)
    note = views.NoteView(at_ms=0, text=hostile)
    told = {"view": view, "messages": (line,), "notes": (note,), "results": {hostile: hostile}}
    detail = _detail("s1").model_copy(update={**told, "variables": {hostile: hostile}})
    async with signed_in(tmp_path) as (client, box, _):
        overview = _overview(_agent().view).model_copy(update={"last_sessions": (view,)})
        box.answers = {"get_session": [detail], "get_overview": [overview]}
        box.answers["list_sessions"] = [views.Sessions(items=(view,), before=None)]
        pages = [(await client.get(path)).text for path in ("/sessions/s1", "/sessions", "/")]
    assert all(hostile not in page for page in pages)
    assert all(escape(hostile) in page for page in pages)


def _overview(agent: views.AgentView) -> views.Overview:
    return views.Overview(box=_box(1), agents=(agent,), last_sessions=(), findings=(), calls_by_hour=(0,) * 24)


def _session(session_id: str) -> views.SessionView:
    return views.SessionView(
        id=session_id,
        agent="Reception",
        direction="inbound",
        remote="101",
        started_at=NOW,
        connected_at=NOW,
        ended_at=NOW + timedelta(seconds=5),
        codec="opus",
        outcome="answered",
        outcome_text="Answered",
        conclusion="message taken",
        sip_code=200,
        ring_ms=0,
        talk_ms=5000,
        ended_by="agent",
        messages=1,
        has_recording=False,
    )


def _detail(session_id: str) -> views.SessionDetail:
    said = views.MessageView(speaker="caller", text="Where can I park?", start_ms=0, end_ms=900, interrupted=False)
    turn = views.TurnView(at_ms=1410, response_ms=510, pause_ms=450, recognition_ms=80, brain_ms=3, voice_ms=40)
    return views.SessionDetail(view=_session(session_id), messages=(said,), turns=(turn,), results={}, variables={})
