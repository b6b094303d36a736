"""Calls that somebody asks for, on a real database: with a telephone that is called by the test, and from the box's own
microphone, with a sound card of files."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
import trio
from pydantic import ValidationError

from app.agents.reception import Desk, Reception
from app.control import verbs, views
from app.control.call_views import CallView
from app.control.refusals import Refusal, Why
from app.ports import Brain, Call, Direction, SessionLog
from app.settings import Agent, DialRules
from firmware.calling import Calling
from firmware.control.calls import CallVerbs
from firmware.control.events import Events
from firmware.control.sessions import SessionVerbs
from firmware.counting import Counts
from firmware.employer import AtWork
from firmware.storage import SqliteLedger, StorageFault, call_records, ledger
from firmware.switchboard import Switchboard
from firmware.telephony import NotConnectedError, TooManyCallsError
from firmware.told_ledger import ToldLedger
from tests.fakes.line import BEEP, CalledPhone, Utterance
from tests.fakes.speech import FakeActivity, FakeBeeps, FakeEars, FakeEcho, FakeVoice
from tests.patience import PATIENCE_S
from tests.scene.stage import ScriptedBrain

pytestmark = pytest.mark.contract

LONG_MS = 600_000


@asynccontextmanager
async def no_recording(call: Call, session: SessionLog) -> AsyncIterator[None]:
    yield


@dataclass
class Line:
    """In place of an account at a PBX: whoever is dialled is a `CalledPhone`, for the test to answer."""

    nursery: trio.Nursery
    fault: Exception | None = None
    phones: list[CalledPhone] = field(default_factory=list)
    script: list[Utterance] = field(default_factory=list)
    domain: str = "pbx.lan"
    dialling: DialRules = field(default_factory=DialRules)

    @property
    def connection(self) -> Line:
        return self

    async def dial(self, target: str, call_id: str) -> Call:
        await trio.lowlevel.checkpoint()
        if self.fault:
            raise self.fault
        phone = CalledPhone(self.script, hangs_up_at_ms=LONG_MS, call_id=call_id)
        self.phones.append(phone)
        self.nursery.start_soon(phone.run)
        return phone

    async def rings(self) -> CalledPhone:
        """The telephone that was called last."""
        with trio.fail_after(PATIENCE_S):
            while not self.phones:  # noqa: ASYNC110 - a list tells nobody
                await trio.sleep(0.01)
        return self.phones[-1]


@dataclass
class Lines:
    """In place of a switchboard."""

    lines: dict[str, Line]

    def account(self, connection_id: str) -> Line | None:
        return self.lines.get(connection_id)


@dataclass
class Box:
    store: SqliteLedger
    calls: CallVerbs
    line: Line
    at_work: dict[str, AtWork]
    told: list[verbs.Event]

    async def place(self, **asked: object) -> CallView | Refusal:
        return await self.calls.place_call(verbs.PlaceCall.model_validate({"agent_id": "a", "target": "201"} | asked))

    async def placed(self, **asked: object) -> CallView:
        made = await self.place(**asked)
        assert isinstance(made, CallView), made
        return made

    async def becomes(self, call_id: str, state: str) -> CallView:
        with trio.fail_after(PATIENCE_S):
            while True:
                found = await self.calls.get_call(verbs.ById(id=call_id))
                assert isinstance(found, CallView)
                if found.state == state:
                    return found
                await trio.sleep(0.02)


def _brain(agent: Agent, _direction: Direction) -> Brain:
    return ScriptedBrain(greeting=agent.greeting)


@asynccontextmanager
async def box(
    folder: Path, *, seats: int = 2, attached: tuple[str, ...] = ("c",), running: bool = True, **settings: object
) -> AsyncGenerator[Box, None]:
    told: list[verbs.Event] = []
    agent = Agent.model_validate({"name": "Reception", "max_opened_sessions": seats, **settings})
    async with ledger(folder / "box.sqlite") as store, trio.open_nursery() as nursery:
        told_ledger, made = ToldLedger(store, lambda _: None), (FakeActivity, FakeEcho, FakeBeeps)
        desk = Desk(FakeEars({}), FakeVoice(), told_ledger, _brain, *made, no_recording)
        line = Line(nursery)
        at_work = {"a": AtWork(cast("object", None), dict.fromkeys(attached, 1), Reception(desk, agent, nursery))}  # type: ignore[arg-type]
        lines = cast("Switchboard", Lines(dict.fromkeys(attached, line)))
        if not running:
            at_work.clear()
        calling = Calling(
            store, at_work, lines, nursery, lambda kind, name: told.append(verbs.Event(kind=kind, id=name)), Counts()
        )
        yield Box(store, CallVerbs(store, calling), line, at_work, told)
        nursery.cancel_scope.cancel()


def refused(answer: CallView | Refusal, why: Why, words: str, field: str = "") -> None:
    assert isinstance(answer, Refusal), answer
    assert answer.why is why
    assert words in answer.text
    assert not field or field in answer.fields


# -- what a call is --------------------------------------------------------------------------------------------


async def test_a_call_is_a_session_from_the_start_and_its_end_is_in_both(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.placed(variables={"name": "Zoë"})
        assert (made.state, made.outcome, made.what, made.remote) == ("ringing", None, "call", "201")
        assert made.variables == {"name": "Zoë"}
        sessions = SessionVerbs(b.store, tmp_path, Events())
        [session] = (await sessions.list_sessions(verbs.ListSessions(direction="outbound"))).items
        assert (session.id, session.outcome) == (made.session_id, None)
        (await b.line.rings()).refuse(486, "Busy Here")
        over = await b.becomes(made.id, "over")
        assert (over.outcome, over.sip_code, over.ended_by) == ("busy", 486, "callee")
        assert over.outcome_text.endswith("(486 Busy Here)")
        detail = await sessions.get_session(verbs.ById(id=made.session_id))
        assert isinstance(detail, views.SessionDetail)
        assert detail.view.outcome == "busy"
        assert detail.variables == {"name": "Zoë"}


async def test_each_change_is_an_event(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.placed()
        await (await b.line.rings()).answer()
        await b.becomes(made.id, "talking")
        ended = await b.calls.hang_up_call(verbs.ById(id=made.id))
        assert isinstance(ended, CallView)
        assert (ended.state, ended.outcome, ended.ended_by) == ("over", "answered", "agent")
        assert [event.id for event in b.told if event.kind is verbs.EventKind.CALL] == [made.id] * 3
        assert {event.id for event in b.told if event.kind is verbs.EventKind.SESSION} == {made.session_id}


async def test_cancelled_while_it_rings_and_a_second_time(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.placed()
        phone = await b.line.rings()
        for _ in range(2):
            ended = await b.calls.hang_up_call(verbs.ById(id=made.id))
            assert isinstance(ended, CallView)
            assert (ended.state, ended.outcome) == ("over", "cancelled")
        assert (await phone.ended()).by.value == "agent"
        refusal = await b.calls.hang_up_call(verbs.ById(id="nothing"))
        assert isinstance(refusal, Refusal)


async def test_the_list_is_newest_first_and_paged(tmp_path: Path) -> None:
    async with box(tmp_path, seats=5) as b:
        ids = [(await b.placed(target=str(200 + number))).id for number in range(5)]
        first = await b.calls.list_calls(verbs.ListCalls(limit=2))
        second = await b.calls.list_calls(verbs.ListCalls(limit=2, before=first.before))
        third = await b.calls.list_calls(verbs.ListCalls(limit=2, before=second.before))
        assert [each.id for page in (first, second, third) for each in page.items] == ids[::-1]
        assert third.before is None


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(NotConnectedError("there is no way"), "network error"), (TooManyCallsError("no more calls"), "capacity")],
)
async def test_what_could_not_be_placed_is_on_record(tmp_path: Path, fault: Exception, outcome: str) -> None:
    async with box(tmp_path, seats=1) as b:
        b.line.fault = fault
        over = await b.becomes((await b.placed()).id, "over")
        assert (over.outcome, over.sip_code) == (outcome, 0)
        assert str(fault) in over.outcome_text
        b.line.fault = None
        await b.placed()  # the seat is free again


# -- what is refused -------------------------------------------------------------------------------------------


async def test_no_agent_no_seat_no_connection(tmp_path: Path) -> None:
    async with box(tmp_path, running=False) as b:
        refused(await b.place(), Why.NOT_NOW, "is not running")
    async with box(tmp_path, seats=1) as b:
        await b.placed()
        refused(await b.place(), Why.NOT_NOW, "every seat")
        refused(await b.place(connection_id="other"), Why.NOT_NOW, "does not use this connection", "connection_id")
    async with box(tmp_path, attached=()) as b:
        refused(await b.place(), Why.NOT_NOW, "does not use this connection", "connection_id")


async def test_the_connection_is_asked_for_only_where_there_are_several(tmp_path: Path) -> None:
    async with box(tmp_path, attached=("c", "d")) as b:
        refused(await b.place(), Why.INVALID, "Say which one", "connection_id")
        await b.placed(connection_id="d")


@pytest.mark.parametrize("target", ["20 0 x\u00e9", "sip:a b@c", "101>", "\u202e101"])
async def test_what_cannot_be_dialled_is_no_call(tmp_path: Path, target: str) -> None:
    async with box(tmp_path) as b:
        refused(await b.place(target=target), Why.INVALID, "cannot be dialled", "target")
        assert (await b.calls.list_calls(verbs.ListCalls())).items == ()


async def test_a_greeting_with_a_hole_in_it_is_not_said(tmp_path: Path) -> None:
    async with box(tmp_path, greeting="Hello {name}, {day} at {hour}?") as b:
        answer = await b.place(variables={"day": "Monday", "hour": ""})
        refused(answer, Why.INVALID, "{name}, {hour}", "variables")
        await b.placed(variables={"day": "Monday", "hour": "nine", "name": "Zoë"})
        await b.placed(greeting="Good day.")


async def test_a_question_with_a_hole_in_it_is_not_asked(tmp_path: Path) -> None:
    async with box(tmp_path, result_fields=[{"name": "coming", "question": "Can you come on {day}?"}]) as b:
        refused(await b.place(), Why.INVALID, "the question for “coming” says {day}", "variables")


@pytest.mark.parametrize(
    "asked", [{"on_machine": "leave message"}, {"on_machine": "leave message", "message": " "}, {"message": "Hi"}]
)
def test_a_message_is_for_a_machine_and_a_machine_may_need_one(asked: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="message"):
        verbs.PlaceCall.model_validate({"agent_id": "a", "target": "201"} | asked)


async def test_a_message_with_a_hole_in_it_is_not_left(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        answer = await b.place(on_machine="leave message", message="Call {who}.")
        refused(answer, Why.INVALID, "the message says {who}", "variables")


async def test_a_machine_is_on_record_with_how_sure_we_were(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        b.line.script.append(Utterance(BEEP, 200, 200))
        made = await b.placed(on_machine="hang up")
        await (await b.line.rings()).answer()
        over = await b.becomes(made.id, "over")
        assert (over.outcome, over.ended_by) == ("machine", "agent")
        assert over.results == {
            "answered_by": "machine",
            "answered_by_confidence": "0.99",
            "answered_by_because": "a beep",
        }


# -- asked twice -----------------------------------------------------------------------------------------------


async def test_the_same_key_is_the_same_call_and_another_question_is_refused(tmp_path: Path) -> None:
    async with box(tmp_path, seats=1) as b:
        made = await b.placed(idempotency_key="k", variables={"a": "1", "b": "2"})
        again = await b.placed(idempotency_key="k", variables={"b": "2", "a": "1"})
        assert again.id == made.id
        assert len(b.line.phones) == 1
        answer = await b.place(idempotency_key="k", variables={"a": "1", "b": "3"})
        refused(answer, Why.TAKEN, "Use a new key", "idempotency_key")
        await b.calls.hang_up_call(verbs.ById(id=made.id))
        assert (await b.placed(idempotency_key="k", variables={"a": "1", "b": "2"})).outcome == "cancelled"
        assert (await b.placed(idempotency_key="other")).id != made.id


async def test_asked_many_times_at_once_is_one_call(tmp_path: Path) -> None:
    answers: list[str] = []

    async def ask(b: Box) -> None:
        answers.append((await b.placed(idempotency_key="k")).id)

    async with box(tmp_path, seats=1) as b:
        async with trio.open_nursery() as callers:
            for _ in range(10):
                callers.start_soon(ask, b)
        assert len(set(answers)) == len(b.line.phones) == 1


async def test_the_key_counts_when_the_agent_is_gone_and_for_a_day(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.placed(idempotency_key="k")
        b.at_work.clear()
        assert (await b.placed(idempotency_key="k")).id == made.id
        nearly, past = (datetime.now(UTC) + timedelta(hours=24, minutes=minutes) for minutes in (-1, 1))
        assert await b.store.transact(lambda db: call_records.find_key(db, "k", nearly))
        assert await b.store.transact(lambda db: call_records.find_key(db, "k", past)) is None


async def test_a_deleted_call_is_not_placed_a_second_time(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.placed(idempotency_key="k")
        await b.calls.hang_up_call(verbs.ById(id=made.id))
        await SessionVerbs(b.store, tmp_path, Events()).delete_session(verbs.ById(id=made.session_id))
        refused(await b.place(idempotency_key="k"), Why.NOT_FOUND, "was deleted since")
        assert isinstance(await b.calls.get_call(verbs.ById(id=made.id)), Refusal)
        assert len(b.line.phones) == 1


async def test_a_killed_process_leaves_a_record_and_the_key(tmp_path: Path) -> None:
    """Nothing of the first process was closed: its files are copied as a power cut would leave them."""
    cut = tmp_path / "after the cut"
    cut.mkdir()
    async with box(tmp_path) as b:
        made = await b.placed(idempotency_key="k")
        for end in ("", "-wal"):
            shutil.copyfile(tmp_path / f"box.sqlite{end}", cut / f"box.sqlite{end}")
    async with box(cut) as b:
        found = await b.placed(idempotency_key="k")
        assert (found.id, found.state, found.outcome) == (made.id, "over", "unknown")
        assert found.outcome_text == "Unknown: the box lost power or was restarted during the call"
        assert b.line.phones == []


async def test_a_disk_that_takes_nothing_places_no_call_and_keeps_no_seat(tmp_path: Path) -> None:
    async with box(tmp_path, seats=1) as b:
        with closing(sqlite3.connect(tmp_path / "box.sqlite")) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageFault):
                await b.place(idempotency_key="k")
        assert b.line.phones == []
        await b.placed(idempotency_key="k")
