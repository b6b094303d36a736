"""Whole calls to people and to answering machines, on a virtual clock."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from trio.testing import MockClock

from app.ports import Line
from app.settings import OnMachine
from tests.fakes.line import BEEP, CalledPhone, Utterance
from tests.fakes.speech import FakeEars, OvertakenHearing
from tests.scene.outgoing import Outgoing, call, phone, picks_up
from tests.scene.stage import CHUNK_MS

pytestmark = pytest.mark.scene

FROM_DECISION_MS = 60
"""The voice's first 25 ms, and the frame on its way."""
MACHINE = [Utterance(1, 600, 2_000), Utterance(2, 3_000, 7_000), Utterance(BEEP, 11_000, 400)]
TEXTS = {1: "hello", 2: "you have reached"}
MESSAGE: dict[str, Any] = {"on_machine": "leave message", "message": "This is the office. {name}, call us."}


def agents_lines(outgoing: Outgoing) -> list[Line]:
    return [line for line in outgoing.ledger.logs[-1].lines if line.speaker == "agent"]


def callees_words(outgoing: Outgoing) -> list[str]:
    return [line.text for line in outgoing.ledger.logs[-1].lines if line.speaker == "caller"]


def answered_by(outgoing: Outgoing) -> tuple[str | None, str | None]:
    results = outgoing.ledger.logs[-1].summary.results
    return results.get("answered_by"), results.get("answered_by_because")


def first_sound_ms(called: CalledPhone) -> int:
    return next(number for number, frame in enumerate(called.mouth.sent) if any(frame)) * 20


async def called(
    script: list[Utterance],
    *,
    hangs_up_at_ms: int = 60_000,
    greeting: str = "Hello {name}, this is the office.",
    on_machine: OnMachine = "ignore",
    message: str = "",
) -> Outgoing:
    outgoing = Outgoing(phone(script, hangs_up_at_ms), texts=TEXTS, greeting=greeting)
    await call(outgoing, picks_up, variables={"name": "Zoë"}, on_machine=on_machine, message=message)
    return outgoing


@pytest.mark.parametrize("on_machine", ["hang up", "leave message"])
async def test_a_person_says_hello_and_is_greeted_half_a_second_later(
    autojump_clock: MockClock, on_machine: OnMachine
) -> None:
    message = MESSAGE["message"] if on_machine == "leave message" else ""
    outgoing = await called([Utterance(1, 800, 640)], hangs_up_at_ms=9_000, on_machine=on_machine, message=message)
    assert outgoing.became == ("answered", "callee", "")
    assert answered_by(outgoing) == ("human", "said something short, then waited")
    assert callees_words(outgoing) == ["hello"]
    assert [line.text for line in agents_lines(outgoing)] == ["Hello Zoë, this is the office."]
    waited_ms = first_sound_ms(outgoing.phone) - (800 + 640)
    assert 416 <= waited_ms <= 416 + 2 * CHUNK_MS + FROM_DECISION_MS


async def test_without_it_whoever_answers_is_greeted_at_once(autojump_clock: MockClock) -> None:
    outgoing = await called([Utterance(1, 2_800, 640)], hangs_up_at_ms=9_000)
    assert first_sound_ms(outgoing.phone) < 200
    assert answered_by(outgoing) == (None, None)


async def test_a_silent_person_is_greeted(autojump_clock: MockClock) -> None:
    outgoing = await called([], hangs_up_at_ms=9_000, on_machine="hang up")
    assert outgoing.became == ("answered", "callee", "")
    assert 2_500 <= first_sound_ms(outgoing.phone) <= 2_500 + 2 * CHUNK_MS + FROM_DECISION_MS


async def test_an_agent_that_waits_for_the_other_side_answers_its_first_words(autojump_clock: MockClock) -> None:
    outgoing = await called([Utterance(1, 800, 640)], hangs_up_at_ms=9_000, on_machine="hang up", greeting="")
    assert callees_words(outgoing) == ["hello"]
    assert [line.text for line in agents_lines(outgoing)] == ["Sorry?"]  # the stage's brain has no other answer


@pytest.mark.parametrize(
    ("first_ms", "again_ms"), [(2_400, 400), (640, 450)], ids=["before it is clear who speaks", "into the greeting"]
)
async def test_who_speaks_again_before_the_first_words_are_known_is_heard_whole(
    autojump_clock: MockClock, first_ms: int, again_ms: int
) -> None:
    """As on a slow board."""
    script = [Utterance(1, 800, first_ms), Utterance(2, 800 + first_ms + again_ms, 900)]
    slow = partial(FakeEars, decode_s=0.6, hearing=OvertakenHearing)
    outgoing = Outgoing(phone(script, 9_000), texts=TEXTS, greeting="This is the office.", ears=slow)
    await call(outgoing, picks_up, on_machine="hang up")
    assert callees_words(outgoing) == ["hello you have reached"]


async def test_a_machine_that_talks_on_is_hung_up_on_without_a_word(autojump_clock: MockClock) -> None:
    outgoing = await called(MACHINE, on_machine="hang up")
    assert outgoing.became == ("machine", "agent", "")
    assert answered_by(outgoing) == ("machine", "talked on without waiting")
    assert agents_lines(outgoing) == []
    assert callees_words(outgoing) == ["hello", "you have reached"]
    assert outgoing.ledger.logs[-1].summary.talk_ms == pytest.approx(600 + 7_500, abs=2 * CHUNK_MS)


async def test_a_message_is_left_after_the_beep(autojump_clock: MockClock) -> None:
    outgoing = await called(MACHINE, **MESSAGE)
    assert outgoing.became == ("message left", "agent", "")
    assert [line.text for line in agents_lines(outgoing)] == ["This is the office. Zoë, call us."]
    assert 11_400 <= first_sound_ms(outgoing.phone) <= 11_400 + 2 * CHUNK_MS + FROM_DECISION_MS
    assert outgoing.ledger.logs[-1].summary.results["answered_by_confidence"] == "0.99"


async def test_a_message_is_left_in_the_silence_where_no_beep_comes(autojump_clock: MockClock) -> None:
    outgoing = await called(MACHINE[:2], **MESSAGE)
    assert outgoing.became == ("message left", "agent", "")
    assert 15_000 <= first_sound_ms(outgoing.phone) <= 15_000 + 2 * CHUNK_MS + FROM_DECISION_MS


async def test_nothing_that_is_heard_interrupts_a_message(autojump_clock: MockClock) -> None:
    outgoing = await called([*MACHINE, Utterance(1, 12_000, 2_000)], **MESSAGE)
    assert outgoing.became == ("message left", "agent", "")
    [line] = agents_lines(outgoing)
    assert not line.interrupted


async def test_noise_right_after_the_beep_does_not_take_the_message_back(autojump_clock: MockClock) -> None:
    outgoing = await called([*MACHINE, Utterance(1, 11_400, 300)], **MESSAGE)
    assert outgoing.became == ("message left", "agent", "")


async def test_a_machine_that_was_greeted_like_a_person_still_gets_its_message(autojump_clock: MockClock) -> None:
    short = [Utterance(1, 600, 1_000), Utterance(BEEP, 3_000, 300)]
    outgoing = await called(short, **MESSAGE)
    assert outgoing.became == ("message left", "agent", "")
    greeting, message = agents_lines(outgoing)
    assert greeting.interrupted
    assert message.text == "This is the office. Zoë, call us."
    assert message.start_ms >= 3_300
    assert answered_by(outgoing) == ("machine", "a beep")


async def test_a_message_that_the_machine_cuts_off_was_not_left(autojump_clock: MockClock) -> None:
    outgoing = await called(MACHINE, hangs_up_at_ms=12_500, **MESSAGE)
    assert outgoing.became == ("machine", "callee", "")
    assert agents_lines(outgoing)[0].interrupted


async def test_what_talks_for_ever_is_left(autojump_clock: MockClock) -> None:
    endless = [Utterance(1, 600, 300_000)]
    outgoing = await called(endless, hangs_up_at_ms=400_000, **MESSAGE)
    assert outgoing.became == ("machine", "agent", "")
    assert outgoing.ledger.logs[-1].summary.talk_ms == pytest.approx(90_000, abs=2_000)


async def test_the_agent_is_stopped_while_a_machine_talks(autojump_clock: MockClock) -> None:
    outgoing = Outgoing(phone(MACHINE, 60_000), texts=TEXTS)
    await call(outgoing, picks_up, until_s=7 + 9, variables={"name": "Zoë"}, **MESSAGE)
    assert outgoing.became == ("machine", "agent", "the agent was stopped")


async def test_a_machine_that_hangs_up_before_its_beep(autojump_clock: MockClock) -> None:
    outgoing = await called(MACHINE, hangs_up_at_ms=10_500, **MESSAGE)
    assert outgoing.became == ("machine", "callee", "")
    assert agents_lines(outgoing) == []
