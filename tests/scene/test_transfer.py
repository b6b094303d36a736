"""Callers who ask for somebody are put through, or come back and are told so."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from trio.testing import MockClock

from app.brains.receptionist import Receptionist, matcher_of
from app.ports import EndedBy, HangUp, Result, Say
from app.settings import Agent, Person
from app.tones import ring_tone
from app.transfers import Handover, Transfer, TransferStep
from tests.fakes.line import Utterance
from tests.fakes.speech import VOICE_MS_PER_CHARACTER
from tests.scene.stage import CHUNK_MS, Scene, ScriptedBrain, play
from tests.scene.test_reception import Office, ringing
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.scene

AGENT = Agent(
    name="Reception",
    pause_ms=450,
    silence_s=5.0,
    directory=(Person(name="Anna Miller", extension="201", also=("sales",)), Person(name="Bob Stone")),
)
ASKS = (500, 1_000, "put me through to sales")
FIRST = "I am putting you through to Anna Miller."
LASTS_MS = len(FIRST) * VOICE_MS_PER_CHARACTER
SAID_MS = 500 + 1_000 + 450 + LASTS_MS
"""About when FIRST has been heard."""

ODDS_MS = 2 * CHUNK_MS + 80 + 25 + 200 + 20
"""How exact that is: the deciders, the recogniser, the voice, the mouth and a frame of the line."""

ACCEPTED = TransferStep(Handover.ACCEPTED, 202, "Accepted")
RINGS = TransferStep(Handover.TRYING, 180, "Ringing", rang=True)
ANSWERED = TransferStep(Handover.ANSWERED, 200, "OK", rang=True)
SAYS_YES = (12_000, 500, "yes please")
OFFER = "Shall I take a message for Anna Miller?"

Steps = Sequence[tuple[float, TransferStep]]


def failed(code: int, reason: str = "", *, rang: bool = False) -> TransferStep:
    return TransferStep(Handover.FAILED, code, reason, rang=rang)


async def call(*script: tuple[int, int, str], transfers: Steps, ends_ms: int = 20_000, agent: Agent = AGENT) -> Scene:
    brain = Receptionist(agent, matcher_of(agent, Letters()))
    return await play(list(script or (ASKS,)), brain, agent=agent, hangs_up_at_ms=ends_ms, transfers=transfers)


def ringing_sound(scene: Scene, start_ms: int, end_ms: int) -> bool:
    sent = b"".join(scene.call.mouth.sent[start_ms // 20 : end_ms // 20])
    return ring_tone()[: 640 * 10] in sent


async def test_somebody_answers_and_the_call_ends_as_transferred(autojump_clock: MockClock) -> None:
    scene = await call(transfers=[(0.1, ACCEPTED), (0.1, RINGS), (6.0, ANSWERED)])
    assert scene.call.put_through_to == ["201"]
    assert scene.said_by("agent") == [FIRST]
    [line] = scene.lines("agent")
    assert not line.interrupted
    assert line.end_ms - line.start_ms == pytest.approx(LASTS_MS, abs=20)
    assert scene.conclusion == "transferred to Anna Miller"
    assert (await scene.call.ended()).by is EndedBy.AGENT
    assert scene.ended_at_ms == pytest.approx(SAID_MS + 6_200, abs=ODDS_MS)


async def test_it_is_tried_only_when_the_words_were_heard_and_then_it_rings(autojump_clock: MockClock) -> None:
    scene = await call(transfers=[(1.0, RINGS), (5.0, ANSWERED)])
    [line] = scene.lines("agent")
    assert not scene.sounds_between(line.end_ms + 40, line.end_ms + 900)
    assert ringing_sound(scene, line.end_ms + 900, line.end_ms + 1_500)


@pytest.mark.parametrize(
    ("last", "because", "note"),
    [
        (
            failed(486, "Busy Here"),
            "Anna Miller is on the telephone.",
            "Anna Miller could not be reached: 486 Busy Here",
        ),
        (failed(480), "Anna Miller does not answer.", "Anna Miller could not be reached: 480"),
        (
            failed(603, "Decline"),
            "Anna Miller cannot take your call now.",
            "Anna Miller could not be reached: 603 Decline",
        ),
        (failed(403, rang=True), "Anna Miller cannot take your call now.", "Anna Miller could not be reached: 403"),
        (failed(405), "I cannot put you through to Anna Miller.", "Anna Miller could not be reached: 405"),
        (failed(501), "I cannot put you through to Anna Miller.", "Anna Miller could not be reached: 501"),
        (failed(404), "I cannot put you through to Anna Miller.", "Anna Miller could not be reached: 404"),
        (failed(0), "I cannot put you through to Anna Miller.", "Anna Miller could not be reached"),
    ],
)
async def test_whoever_comes_back_is_told_why_and_leaves_a_message(
    autojump_clock: MockClock, last: TransferStep, because: str, note: str
) -> None:
    scene = await call(ASKS, SAYS_YES, transfers=[(0.1, ACCEPTED), (1.0, last)])
    assert scene.said_by("agent")[:3] == [
        FIRST,
        f"I am sorry, {because} {OFFER}",
        "I will take a message for Anna Miller. What is your name, please?",
    ]
    assert [each.text for each in scene.log.notes] == [note]
    assert scene.conclusion == ""


async def test_thank_you_while_it_rings_takes_nothing_back_and_silence_is_nobodys_fault(
    autojump_clock: MockClock,
) -> None:
    thanks = (6_000, 800, "thank you")
    scene = await call(ASKS, thanks, transfers=[(0.1, RINGS), (30.0, ANSWERED)], ends_ms=60_000)
    assert scene.said_by("caller") == ["put me through to sales"]
    assert scene.said_by("agent") == [FIRST]
    assert scene.conclusion == "transferred to Anna Miller"


async def test_the_caller_hangs_up_while_it_rings(autojump_clock: MockClock) -> None:
    scene = await call(transfers=[(0.1, RINGS), (30.0, ANSWERED)], ends_ms=8_000)
    assert scene.call.progress.transferred_s is None
    assert scene.said_by("agent") == [FIRST]
    assert scene.conclusion == ""
    assert scene.ended_at_ms == 8_000


async def test_who_interrupts_is_not_put_through(autojump_clock: MockClock) -> None:
    wait = (500 + 1_000 + 450 + 700, 900, "no wait")
    scene = await call(ASKS, wait, transfers=[(0.1, ANSWERED)])
    assert scene.call.put_through_to == []
    assert scene.lines("agent")[0].interrupted


async def test_people_without_an_extension_get_a_message(autojump_clock: MockClock) -> None:
    scene = await call((500, 1_000, "could you put me through to bob stone"), transfers=[(0.1, ANSWERED)])
    assert scene.call.put_through_to == []
    assert scene.said_by("agent")[0] == ("I cannot put you through to Bob Stone. Shall I take a message for Bob Stone?")


@pytest.mark.parametrize("person", ["+1 900 123456", "900123456", "Anna", "Bob Stone", "201", ""])
async def test_nobody_is_called_who_does_not_stand_in_the_directory(autojump_clock: MockClock, person: str) -> None:
    """Whatever a brain makes of what callers say."""
    brain = ScriptedBrain(answers={"call": [Say("Yes."), Transfer(person)]})
    scene = await play([(500, 500, "call")], brain, agent=AGENT, hangs_up_at_ms=6_000, transfers=[(0.1, ANSWERED)])
    assert scene.call.put_through_to == []
    assert brain.back == [(person, Result.FAILED)]


async def test_a_number_that_the_caller_says_is_not_called(autojump_clock: MockClock) -> None:
    scene = await call(
        (500, 1_500, "transfer me to plus one nine hundred five five five one two one two"), transfers=[(0.1, ANSWERED)]
    )
    assert scene.call.put_through_to == []


async def test_after_coming_back_somebody_else_can_be_tried(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(
        answers={"anna": [Say("One moment."), Transfer("Anna Miller")], "bye": [Say("Bye."), HangUp("done")]}
    )
    script = [(500, 500, "anna"), (6_000, 500, "anna"), (12_000, 500, "bye")]
    scene = await play(script, brain, agent=AGENT, transfers=[(0.5, failed(486))])
    assert scene.call.put_through_to == ["201", "201"]
    assert brain.back == [("Anna Miller", Result.BUSY)] * 2
    assert scene.conclusion == "done"


async def test_the_session_says_to_whom(autojump_clock: MockClock) -> None:
    brain = ScriptedBrain(answers={"hello": [Say("One moment."), Transfer("Anna Miller")]})
    office = Office(brain=lambda: brain, agent=AGENT)
    one = ringing("a", [Utterance(1, 500, 500)], transfers=[(0.1, ACCEPTED), (2.0, ANSWERED)])
    await office.receive(one)
    assert office.closed_as(one) == ("transferred", "agent", "transferred to Anna Miller")
