"""The desk around the calls: seats, and the wall between calls."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock

from app.agents.reception import BUSY_HERE, SERVER_INTERNAL_ERROR, Desk, attend
from app.brains.receptionist import Receptionist, matcher_of
from app.ports import Action, Brain, Call, Ended, EndedBy, Heard, SessionLog
from app.settings import Agent
from app.transfers import TransferStep
from tests.fakes.ledger import FakeLedger, FakeSessionLog
from tests.fakes.line import FakeCall, Utterance
from tests.fakes.speech import FakeActivity, FakeBeeps, FakeEars, FakeEcho, FakeVoice
from tests.scene.stage import ScriptedBrain
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.scene

HELLO = [Utterance(1, 500, 500)]
GREETING = "Good morning, this is the reception of the office. How can I help you today?"
MEDIA_S = 32  # 64 * T1 of RFC 3261
# How the ledger tells it: outcome, who ended it, what it came to.
TALKED_TO_THE_END = ("answered", "caller", "")
STOPPED = ("answered", "agent", "the agent was stopped")
FAULT = ("failed", "agent", "an error on the box")


@asynccontextmanager
async def no_recording(call: Call, session: SessionLog) -> AsyncIterator[None]:
    yield


def greeter() -> ScriptedBrain:
    return ScriptedBrain(greeting=GREETING)


class SpeechlessBrain(ScriptedBrain):
    def reply(self, heard: Heard) -> AsyncGenerator[Action, None]:
        raise ZeroDivisionError


class ForgetfulBrain(ScriptedBrain):
    def interrupted(self, said: str) -> None:
        raise ZeroDivisionError


class FullLedger(FakeLedger):
    """Opens no session for one of the calls."""

    def open_session(self, *, call_id: str, agent: str, direction: str, remote: str) -> FakeSessionLog:
        if call_id == "unlucky":
            raise ZeroDivisionError
        return super().open_session(call_id=call_id, agent=agent, direction=direction, remote=remote)


class Office:
    """A reception with `seats`; `brain` makes the brain of each call."""

    def __init__(
        self,
        *,
        seats: int = 2,
        brain: Callable[[], Brain] = greeter,
        ledger: FakeLedger | None = None,
        texts: dict[int, str] | None = None,
        agent: Agent | None = None,
    ) -> None:
        self.ears = FakeEars(texts or {1: "hello"})
        self.ledger = ledger or FakeLedger()
        self._agent = agent or Agent(name="Reception", max_opened_sessions=seats)
        self._brain = brain

    async def receive(self, *calls: FakeCall, until_s: float = 60, every_s: float = 0) -> None:
        """`calls` ring one after the other, `every_s`; the box is stopped after `until_s`."""
        send, incoming = trio.open_memory_channel[Call](8)
        made = FakeActivity, FakeEcho, FakeBeeps
        desk = Desk(self.ears, FakeVoice(), self.ledger, lambda _, __: self._brain(), *made, no_recording)
        with trio.move_on_after(until_s):
            async with trio.open_nursery() as line:
                line.start_soon(attend, incoming, desk, self._agent)
                for call in calls:
                    line.start_soon(call.run)
                    await send.send(call)
                    await trio.sleep(every_s)

    def closed_as(self, call: FakeCall) -> tuple[str | None, str | None, str]:
        """How the ledger says that `call` ended, who ended it, and what it came to."""
        [summary] = [log.summary for log in self.ledger.logs if log.summary.call_id == call.id]
        return summary.outcome, summary.ended_by, summary.conclusion


def ringing(
    call_id: str,
    script: list[Utterance] | None = None,
    *,
    hangs_up_at_ms: int = 10_000,
    transfers: Sequence[tuple[float, TransferStep]] = (),
) -> FakeCall:
    return FakeCall(script or [], call_id=call_id, hangs_up_at_ms=hangs_up_at_ms, transfers=transfers)


# -- seats -----------------------------------------------------------------------------------------------------


async def test_a_call_beyond_the_seats_is_busy_and_the_others_go_on(autojump_clock: MockClock) -> None:
    office = Office(seats=2)
    calls = [ringing("a"), ringing("b"), ringing("c")]
    await office.receive(*calls)
    ends = [await each.ended() for each in calls]
    assert [(end.by, end.sip_code) for end in ends] == [
        (EndedBy.CALLER, 200),
        (EndedBy.CALLER, 200),
        (EndedBy.AGENT, BUSY_HERE),
    ]
    assert [office.closed_as(call) for call in calls[:2]] == [TALKED_TO_THE_END] * 2
    assert office.closed_as(calls[2]) == ("capacity", "agent", "")


async def test_a_seat_is_free_again_after_its_call(autojump_clock: MockClock) -> None:
    office = Office(seats=1)
    calls = [ringing(name, hangs_up_at_ms=3_000) for name in ("a", "b", "c")]
    await office.receive(*calls, every_s=5)
    assert [office.closed_as(call) for call in calls] == [TALKED_TO_THE_END] * 3


async def test_a_seat_is_free_again_after_a_crash(autojump_clock: MockClock) -> None:
    office = Office(seats=1, ledger=FullLedger())
    calls = [ringing(name, hangs_up_at_ms=3_000) for name in ("unlucky", "lucky")]
    await office.receive(*calls, every_s=5)
    assert office.closed_as(calls[1]) == TALKED_TO_THE_END


@pytest.mark.parametrize(("codec", "narrow_band"), [("G722", False), ("PCMA", True)])
async def test_the_recogniser_is_told_whether_the_line_is_narrow(
    autojump_clock: MockClock, codec: str, narrow_band: bool
) -> None:
    office = Office()
    await office.receive(FakeCall([], hangs_up_at_ms=1_000, codec=codec))
    [hearing] = office.ears.opened
    assert hearing.narrow_band is narrow_band
    assert office.ledger.logs[0].summary.codec == codec


# -- calls that come to nothing --------------------------------------------------------------------------------


async def test_a_caller_who_gives_up_before_the_answer(autojump_clock: MockClock) -> None:
    office, call = Office(), ringing("a")
    call.cancel()
    await office.receive(call)
    assert office.closed_as(call) == ("cancelled", "caller", "")
    assert office.ears.opened == []


async def test_a_call_without_audio_is_given_up(autojump_clock: MockClock) -> None:
    office = Office()
    call = FakeCall([], hangs_up_at_ms=600_000, media=False)
    await office.receive(call, until_s=MEDIA_S - 1)
    assert office.closed_as(call) == ("cancelled", "agent", "the agent was stopped")
    call = FakeCall([], hangs_up_at_ms=600_000, media=False)
    office = Office()
    await office.receive(call, until_s=MEDIA_S + 1)
    assert office.closed_as(call) == ("failed", "agent", "")


# -- the wall between calls ------------------------------------------------------------------------------------


async def failing_beside_a_sound_one(office: Office, failing: FakeCall) -> Ended:
    """How the failing call ended. The one beside it has to go on to its own end."""
    sound = ringing("sound")
    await office.receive(sound, failing)
    assert office.closed_as(sound) == TALKED_TO_THE_END
    assert (await sound.ended()).by is EndedBy.CALLER
    return await failing.ended()


async def test_a_bug_in_a_brain_is_its_calls_own(autojump_clock: MockClock) -> None:
    office = Office(brain=iter([greeter(), SpeechlessBrain()]).__next__)
    failing = ringing("failing", HELLO)
    assert (await failing_beside_a_sound_one(office, failing)).by is EndedBy.AGENT
    assert office.closed_as(failing) == FAULT


async def test_a_brain_that_cannot_be_made_is_its_calls_own(autojump_clock: MockClock) -> None:
    brains: list[Brain] = [greeter()]
    office = Office(brain=brains.pop)  # which has none for the second call
    failing = ringing("failing")
    assert (await failing_beside_a_sound_one(office, failing)).sip_code == SERVER_INTERNAL_ERROR
    assert office.closed_as(failing) == FAULT


async def test_a_session_that_cannot_be_opened_is_its_calls_own(autojump_clock: MockClock) -> None:
    office = Office(ledger=FullLedger())
    failing = ringing("unlucky")
    assert (await failing_beside_a_sound_one(office, failing)).sip_code == SERVER_INTERNAL_ERROR
    assert len(office.ledger.logs) == 1


async def test_a_bug_that_shows_while_the_box_stops_does_not_stop_it_any_harder(autojump_clock: MockClock) -> None:
    """The bug and the cancellation come in one exception group: the first ends here, the second goes on."""
    office = Office(brain=lambda: ForgetfulBrain(greeting=GREETING))
    call = ringing("a")
    await office.receive(call, until_s=2)
    assert office.closed_as(call) == FAULT


async def test_stopping_the_box_hangs_up_and_closes_the_session(autojump_clock: MockClock) -> None:
    office, call = Office(), ringing("a", hangs_up_at_ms=60_000)
    await office.receive(call, until_s=5)
    assert (await call.ended()).by is EndedBy.AGENT
    assert office.closed_as(call) == STOPPED


# -- results ---------------------------------------------------------------------------------------------------


def receptionist() -> Receptionist:
    agent = Agent(name="Reception")
    return Receptionist(agent, matcher_of(agent, Letters()))


DICTATION = [
    (500, 800, "i would like to leave a message"),
    (8_000, 900, "my name is john smith"),
    (15_000, 1_500, "five five five oh one four two"),
    (26_000, 400, "yes"),
    (32_000, 1_500, "please call me back tomorrow"),
]


async def dictated(script: list[tuple[int, int, str]], hangs_up_at_ms: int) -> FakeSessionLog:
    """The session of a call in which a caller says `script` to the receptionist."""
    texts = {number: words for number, (_, _, words) in enumerate(script, 1)}
    office = Office(brain=receptionist, texts=texts)
    utterances = [Utterance(number, at, length) for number, (at, length, _) in enumerate(script, 1)]
    await office.receive(ringing("a", utterances, hangs_up_at_ms=hangs_up_at_ms))
    [log] = office.ledger.logs
    return log


@pytest.mark.parametrize("hangs_up_after_ms", [0, 400, 1_100])
async def test_a_message_counts_although_its_caller_hangs_up_on_its_last_word(
    autojump_clock: MockClock, hangs_up_after_ms: int
) -> None:
    log = await dictated(DICTATION, 33_500 + hangs_up_after_ms)
    assert log.summary.results == {
        "message_name": "John Smith",
        "message_number": "5550142",
        "message": "please call me back tomorrow",
    }
    assert [line.text for line in log.lines if line.speaker == "caller"] == [words for _, _, words in DICTATION]


async def test_a_check_in_that_was_interrupted_spoils_no_read_back(autojump_clock: MockClock) -> None:
    """What the caller cut short was "are you still there?", not the number that they had heard to its end."""
    *_, (_, _, yes), (_, _, message) = DICTATION
    silent = await dictated(DICTATION[:3], hangs_up_at_ms=70_000)
    asks_ms = next(line.start_ms for line in silent.lines if line.text == "Are you still there?")
    script = [*DICTATION[:3], (asks_ms + 600, 400, yes), (asks_ms + 7_000, 1_500, message)]
    log = await dictated(script, hangs_up_at_ms=asks_ms + 15_000)
    assert [line.interrupted for line in log.lines if line.text.startswith("Are you")] == [True]
    assert log.summary.results["message"] == message
    assert "message_unconfirmed" not in log.summary.results
