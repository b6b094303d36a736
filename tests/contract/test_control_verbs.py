"""The verbs of connections, agents, sessions and the box on a real database and vault; only the telephone is absent."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import trio
import trio.testing
from pydantic import SecretStr

from app.agents.reception import Reception
from app.agents.roster import Roster
from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.diagnosis import EngineTrouble, Facts, History, findings
from app.ports import Line
from app.settings import Agent, ConnectionDraft
from firmware import telephony
from firmware.control.agents import AgentVerbs
from firmware.control.connections import ConnectionVerbs
from firmware.control.diagnosing import facts_of
from firmware.control.events import Events
from firmware.control.look import Scene
from firmware.control.sessions import SessionVerbs
from firmware.employer import AtWork
from firmware.retention import keep_house
from firmware.storage import SqliteLedger, ledger, records
from firmware.storage.ledger import utc_now
from firmware.switchboard import Switchboard
from firmware.vault import open_vault
from tests.contract.housekeeping import some_looks
from tests.fakes.ledger import TALKED
from tests.patience import PATIENCE_S
from tests.web.canary import holding

pytestmark = pytest.mark.contract

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
NO_TELEPHONE = cast("telephony.Endpoint", None)  # nothing here registers or calls


@dataclass(frozen=True, slots=True)
class Verbs:
    store: SqliteLedger
    connections: ConnectionVerbs
    agents: AgentVerbs
    sessions: SessionVerbs
    scene: Scene


async def _works_until_stopped(_: str, running: Callable[[], None]) -> None:
    running()
    await trio.sleep_forever()


@asynccontextmanager
async def box(folder: Path, now: Callable[[], datetime] = utc_now) -> AsyncGenerator[Verbs, None]:
    vault, events = open_vault(folder / "vault"), Events()
    async with ledger(folder / "box.sqlite", now=now) as store, trio.open_nursery() as nursery:
        roster = Roster(nursery, _works_until_stopped, lambda _: None)
        scene = Scene(roster, {}, Switchboard(NO_TELEPHONE, nursery, lambda _: None), vault)
        yield Verbs(
            store,
            ConnectionVerbs(store, vault, scene, NO_TELEPHONE, events),
            AgentVerbs(store, scene, events),
            SessionVerbs(store, folder / "recordings", events),
            scene,
        )
        nursery.cancel_scope.cancel()


def draft(name: str = "Office", **changes: object) -> ConnectionDraft:
    return ConnectionDraft.model_validate(
        {"name": name, "domain": "pbx.lan", "user": "200", "password": "canary"} | changes
    )


async def connection(verbs_: Verbs, name: str = "Office") -> views.ConnectionView:
    made = await verbs_.connections.create_connection(verbs.CreateConnection(draft=draft(name)))
    assert isinstance(made, views.ConnectionView)
    return made


def plan(name: str, *attachments: views.Attachment, **speech: str | None) -> views.AgentPlan:
    chosen = {"speech_to_text": "box-ears", "text_to_speech": "box-voice-slt"} | speech
    return views.AgentPlan(settings=Agent(name=name), attachments=attachments, **chosen)


async def test_secrets_are_kept_and_never_told(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await connection(b)
        assert made.has_password
        assert not made.has_login
        assert "canary" not in made.model_dump_json()
        edit = verbs.UpdateConnection(id=made.id, if_version=made.version, draft=draft("Renamed", password=None))
        edited = await b.connections.update_connection(edit)
        assert isinstance(edited, views.ConnectionView)
        assert (edited.account.name, edited.has_password, edited.unreadable) == ("Renamed", True, False)
    assert holding(tmp_path, "canary") == []


async def test_a_second_trial_does_not_wait_behind_the_first(tmp_path: Path) -> None:
    async with box(tmp_path) as b, b.connections._one_trial:
        answer = await b.connections.try_registration(verbs.TryRegistration(draft=draft()))
    assert isinstance(answer, Refusal)
    assert answer.why is Why.NOT_NOW


async def test_a_connection_needs_a_password(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        refusal = await b.connections.create_connection(verbs.CreateConnection(draft=draft(password=None)))
        assert isinstance(refusal, Refusal)
        assert "password" in refusal.fields


async def test_a_kept_password_is_saved_once_and_a_forgotten_one_is_asked_for(tmp_path: Path) -> None:
    keep = verbs.KeepSecrets(password=SecretStr("canary"), login=SecretStr("canary-login"))
    async with box(tmp_path) as b:
        kept = await b.connections.keep_secrets(keep)
        create = verbs.CreateConnection(draft=draft(password=None), kept=kept.id)
        made = await b.connections.create_connection(create)
        assert isinstance(made, views.ConnectionView)
        assert (made.has_password, made.has_login) == (True, True)
        again = await b.connections.create_connection(create)
        assert isinstance(again, Refusal)
        assert again.fields.keys() == {"password"}
        edit = verbs.UpdateConnection(id=made.id, if_version=made.version, draft=draft(password=None), kept=kept.id)
        assert await b.connections.update_connection(edit) == again, "the one stored is not taken for it"
    assert holding(tmp_path, "canary") == []


async def test_the_later_of_two_tabs_is_told(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await connection(b)
        first = verbs.UpdateConnection(id=made.id, if_version=made.version, draft=draft("First"))
        assert isinstance(await b.connections.update_connection(first), views.ConnectionView)
        second = await b.connections.update_connection(first.model_copy(update={"draft": draft("Second")}))
        assert isinstance(second, Refusal)
        assert second.why is Why.CHANGED_MEANWHILE
        kept = await b.connections.get_connection(verbs.ById(id=made.id))
        assert isinstance(kept, views.ConnectionView)
        assert kept.account.name == "First"


async def test_a_name_is_given_once(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        await connection(b)
        again = await b.connections.create_connection(verbs.CreateConnection(draft=draft("OFFICE")))
        assert isinstance(again, Refusal)
        assert again.why is Why.TAKEN


async def test_a_lost_key_means_enter_it_again(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await connection(b)
    (tmp_path / "vault" / "kek").unlink()
    async with box(tmp_path) as b:
        found = await b.connections.get_connection(verbs.ById(id=made.id))
        assert isinstance(found, views.ConnectionView)
        assert found.unreadable


async def test_one_agent_answers_a_connection_and_the_other_is_named(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        line = views.Attachment(connection_id=(await connection(b)).id, inbound=True)
        await b.agents.create_agent(verbs.CreateAgent(plan=plan("Reception", line)))
        refusal = await b.agents.create_agent(verbs.CreateAgent(plan=plan("Night", line)))
        assert isinstance(refusal, Refusal)
        assert refusal.why is Why.TAKEN
        assert "“Reception”" in refusal.text
        outbound = line.model_copy(update={"inbound": False})
        assert isinstance(
            await b.agents.create_agent(verbs.CreateAgent(plan=plan("Night", outbound))), views.AgentDetail
        )
        assert [each.name for each in (await b.agents.list_agents(verbs.Empty())).items] == ["Night", "Reception"]


async def test_the_database_itself_refuses_a_second_inbound_agent(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        line = views.Attachment(connection_id=(await connection(b)).id, inbound=True)
        await b.agents.create_agent(verbs.CreateAgent(plan=plan("Reception", line)))
        made = await b.agents.create_agent(verbs.CreateAgent(plan=plan("Night")))
        assert isinstance(made, views.AgentDetail)
        row = (made.view.id, line.connection_id)
        with pytest.raises(Exception, match="UNIQUE constraint failed"):
            await b.store.transact(lambda db: db.execute("INSERT INTO attachments VALUES (?, ?, 1)", row))


async def test_deleting_a_connection_in_use_asks_and_says_what_goes(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        line = views.Attachment(connection_id=(await connection(b)).id, inbound=True)
        agent = await b.agents.create_agent(verbs.CreateAgent(plan=plan("Reception", line)))
        assert isinstance(agent, views.AgentDetail)
        await b.agents.start_agent(verbs.ById(id=agent.view.id))
        await trio.testing.wait_all_tasks_blocked()
        asked = await b.connections.delete_connection(verbs.Delete(id=line.connection_id))
        assert isinstance(asked, Refusal)
        assert asked.names == ("Reception",)
        assert "no longer reach Reception" in asked.text
        gone = await b.connections.delete_connection(verbs.Delete(id=line.connection_id, confirmed=True))
        assert isinstance(gone, views.Nothing)
        left = await b.agents.get_agent(verbs.ById(id=agent.view.id))
        assert isinstance(left, views.AgentDetail)
        assert left.plan.attachments == ()


async def test_what_should_run_is_remembered(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.agents.create_agent(verbs.CreateAgent(plan=plan("Reception")))
        assert isinstance(made, views.AgentDetail)
        await b.agents.start_agent(verbs.ById(id=made.view.id))
    async with box(tmp_path) as b:
        assert [each.should_run for each in await b.store.transact(records.read_agents)] == [True]
        await b.agents.stop_agent(verbs.ById(id=made.view.id))
        assert [each.should_run for each in await b.store.transact(records.read_agents)] == [False]


async def test_an_agent_without_ears_is_a_finding(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.agents.create_agent(verbs.CreateAgent(plan=plan("Reception", speech_to_text=None)))
        assert isinstance(made, views.AgentDetail)
        facts = Facts(datetime.now(UTC), [made.view], {made.view.id: made.plan}, [])
        found = list(findings(facts))
    assert [finding.kind for finding in found] == ["no speech connection", "not attached"]
    assert "Speech-To-Text" in found[0].evidence


async def _running(b: Verbs) -> views.AgentView:
    """“Reception”, at work for an hour."""
    made = await b.agents.create_agent(verbs.CreateAgent(plan=plan("Reception")))
    assert isinstance(made, views.AgentDetail)
    await b.agents.start_agent(verbs.ById(id=made.view.id))
    await trio.testing.wait_all_tasks_blocked()
    [stored] = await b.store.transact(records.read_agents)
    nobody_calls = cast("Reception", SimpleNamespace(opened=0))
    at_work = cast("dict[str, AtWork]", b.scene.at_work)
    at_work[made.view.id] = AtWork(stored, {}, nobody_calls, NOW - timedelta(hours=1))
    return made.view


async def test_what_the_sessions_tell_the_diagnosis(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        await b.agents.create_agent(verbs.CreateAgent(plan=plan("Reception")))
        await b.agents.create_agent(verbs.CreateAgent(plan=plan("Night")))
        for agent, direction, conclusion in (
            ("Reception", "inbound", "silence"),
            ("Reception", "outbound", "silence"),
            ("Reception", "inbound", "done"),
            ("Night", "outbound", "done"),
        ):
            session = b.store.open_session(call_id="c", agent=agent, direction=direction, remote="1")
            session.close(TALKED, conclusion, {})
        await b.store.settled()
        facts = await b.store.transact(lambda db: facts_of(db, b.scene, datetime.now(UTC)))
        assert facts.histories["Night"] == History()
        assert facts.histories["Reception"].was_called
        assert facts.histories["Reception"].ended_in_silence == 2
        later = await b.store.transact(lambda db: facts_of(db, b.scene, datetime.now(UTC) + timedelta(days=8)))
        assert later.histories["Reception"] == History(was_called=True)


async def test_what_the_log_tells_the_diagnosis_of_engines_at_work(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        agent = await _running(b)
        for minutes, level, source, fields in (
            (70, logging.WARNING, "models.stt.hearing", "{}"),  # before the start
            (20, logging.WARNING, "models.stt.hearing", "{}"),
            (10, logging.WARNING, "models.stt.pool", '{"problem": "crashed"}'),
            (10, logging.INFO, "models.tts.flite", "{}"),
            (5, logging.ERROR, "models.tts.flite", '{"exception": "MemoryError"}'),
            (5, logging.ERROR, "app.agents.reception", "{}"),
            (4, logging.WARNING, "app.brains.language_model", '{"problem": "too slow"}'),
            (3, logging.INFO, "app.brains.language_model", "{}"),
            (3, logging.WARNING, "app.brains.receptionist", "{}"),
            (2, logging.WARNING, "firmware.speech_servers.ears", '{"problem": "gone"}'),
            (2, logging.WARNING, "firmware.speech_servers.voice", '{"problem": "mute"}'),
            (1, logging.INFO, "firmware.speech_servers.asking", "{}"),
            (1, logging.ERROR, "firmware.packs.program", '{"problem": "not here"}'),
        ):
            b.store.log_event(NOW - timedelta(minutes=minutes), level, source, agent.id, "text", fields)
        b.store.log_event(NOW, logging.ERROR, "models.tts.flite", "another agent", "text", "{}")
        await b.store.settled()
        facts = await b.store.transact(lambda db: facts_of(db, b.scene, NOW))
        assert sorted(facts.troubles[agent.id], key=lambda each: each.engine) == [
            EngineTrouble("Speech-To-Text", 2, NOW - timedelta(minutes=10), "crashed"),
            EngineTrouble("Text-To-Speech", 1, NOW - timedelta(minutes=5), "MemoryError"),
            EngineTrouble("ears of a server", 1, NOW - timedelta(minutes=2), "gone"),
            EngineTrouble("language model", 1, NOW - timedelta(minutes=4), "too slow"),
            EngineTrouble("neural pack", 1, NOW - timedelta(minutes=1), "not here"),
            EngineTrouble("voice of a server", 1, NOW - timedelta(minutes=2), "mute"),
        ]


async def test_sessions_are_found_by_what_was_said_and_deleted(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        for text in ("where can I park", "100 % of it"):
            session = b.store.open_session(call_id="c", agent="Reception", direction="inbound", remote="101")
            session.line(Line("caller", text, 0, 1000))
            session.note(500, "a note")
            session.close(TALKED, "done", {})
        await b.store.settled()
        found = await b.sessions.list_sessions(verbs.ListSessions(text="PARK"))
        assert [each.messages for each in found.items] == [1]
        assert len((await b.sessions.list_sessions(verbs.ListSessions(text="%"))).items) == 1
        assert (await b.sessions.list_sessions(verbs.ListSessions(text="'; DROP TABLE sessions; --"))).items == ()
        first = await b.sessions.list_sessions(verbs.ListSessions(limit=1))
        second = await b.sessions.list_sessions(verbs.ListSessions(limit=1, before=first.before))
        assert [first.items[0].messages, second.items[0].messages] == [1, 1]
        assert first.items[0].started_at >= second.items[0].started_at
        assert first.items[0].id != second.items[0].id
        assert isinstance(await b.sessions.delete_session(verbs.ById(id=found.items[0].id)), views.Nothing)
        assert len((await b.sessions.list_sessions(verbs.ListSessions())).items) == 1


async def test_old_sessions_go_and_a_call_that_goes_on_stays(tmp_path: Path) -> None:
    async with box(tmp_path) as b, trio.open_nursery() as nursery:
        b.store.open_session(call_id="a", agent="R", direction="inbound", remote="1").close(TALKED, "done", {})
        going_on = b.store.open_session(call_id="b", agent="R", direction="inbound", remote="2")
        await b.store.settled()
        in_a_year = datetime.now(UTC) + timedelta(days=365)
        nursery.start_soon(keep_house, b.store, b.sessions.delete_session, lambda: in_a_year, 0.01)
        with trio.fail_after(PATIENCE_S):
            while len((await b.sessions.list_sessions(verbs.ListSessions())).items) == 2:  # noqa: ASYNC110
                await trio.sleep(0.01)  # it tells nobody
        left = await b.sessions.list_sessions(verbs.ListSessions())
        assert [each.id for each in left.items] == [going_on.id]
        nursery.cancel_scope.cancel()


@dataclass
class SetByHand:
    """A clock. Other clocks go on."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


async def kept_house(b: Verbs, now: Callable[[], datetime]) -> None:
    await some_looks(b.store, b.sessions.delete_session, now)


async def test_a_clock_that_is_set_costs_no_session_and_leaves_none_for_ever(tmp_path: Path) -> None:
    """Calls in 1970, today, and of a day when the clock was in 2099."""
    calendar = SetByHand(datetime(1970, 1, 1, 0, 10, tzinfo=UTC))
    today = datetime.now(UTC)
    async with box(tmp_path, calendar) as b:
        for instant in (calendar.now, today, datetime(2099, 1, 1, tzinfo=UTC)):
            calendar.now = instant
            called = b.store.open_session(call_id="a", agent="R", direction="inbound", remote="1")
            called.connected("PCMU")
            called.close(TALKED, "done", {})
        await b.store.settled()
        await kept_house(b, lambda: datetime(1970, 1, 1, 1, 0, tzinfo=UTC))
        assert await dates(b) == [2099, today.year, 1970], "a clock in 1970 changes nothing"
        await kept_house(b, lambda: today)
        assert await dates(b) == [today.year] * 3
        lengths = [
            each.ended_at - each.connected_at for each in (await found(b)) if each.ended_at and each.connected_at
        ]
        assert lengths[1:] == [timedelta(milliseconds=TALKED.talk_ms)] * 2
        await kept_house(b, lambda: today + timedelta(days=89))
        assert len(await found(b)) == 3
        await kept_house(b, lambda: today + timedelta(days=91))
        assert await found(b) == ()


async def found(b: Verbs) -> tuple[views.SessionView, ...]:
    return (await b.sessions.list_sessions(verbs.ListSessions())).items


async def dates(b: Verbs) -> list[int]:
    return [each.started_at.year for each in await found(b)]


async def test_sessions_are_paged_by_when_they_began(tmp_path: Path) -> None:
    """Whatever their ids say, and when the last one of a page was deleted meanwhile."""
    calendar = SetByHand(datetime(1970, 1, 1, tzinfo=UTC))
    async with box(tmp_path, calendar) as b:
        today = datetime.now(UTC)
        instants = [calendar.now, *(today - timedelta(hours=each) for each in range(3))]
        for number, calendar.now in enumerate(instants):
            b.store.open_session(call_id="a", agent="R", direction="inbound", remote=str(number)).close(TALKED, "", {})
        await b.store.settled()
        await kept_house(b, lambda: today + timedelta(minutes=1))
        assert [each.remote for each in await found(b)] == ["0", "1", "2", "3"]
        first = await b.sessions.list_sessions(verbs.ListSessions(limit=2))
        assert first.before is not None
        assert isinstance(await b.sessions.delete_session(verbs.ById(id=first.before)), views.Nothing)
        rest = await b.sessions.list_sessions(verbs.ListSessions(limit=2, before=first.before))
        assert [each.remote for each in (*first.items, *rest.items)] == ["0", "1", "2", "3"]
