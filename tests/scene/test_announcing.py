"""Whoever is called hears first who it is, and may have to take the call; the caller hears it ring meanwhile."""

from __future__ import annotations

import pytest
from trio.testing import MockClock

from app.announcing import KEY_S, Announcement, announcement_of
from app.brains.receptionist import Receptionist, matcher_of
from app.settings import Agent
from app.turns.keys import Dtmf
from tests.fakes.line import FakeCall
from tests.fakes.speech import VOICE_MS_PER_CHARACTER
from tests.scene.stage import Scene, play
from tests.scene.test_transfer import AGENT, ANSWERED, ASKS, FIRST, OFFER, RINGS
from tests.unit.test_brains_matching import Letters

pytestmark = pytest.mark.scene

ANNOUNCES = AGENT.model_copy(update={"announcement": "Call from {caller}. It is about {message}.", "silence_s": 60.0})
BY_KEY = ANNOUNCES.model_copy(update={"announced_take_by_key": True})
TEXT = "Call from 1 0 1."
TEXT_MS = len(TEXT) * VOICE_MS_PER_CHARACTER
ASKED_MS = len("Press 1 to take the call.") * VOICE_MS_PER_CHARACTER
STEPS = [(0.2, RINGS), (2.0, ANSWERED)]


async def call(
    agent: Agent, *, desk_keys: tuple[Dtmf, ...] = (), desk_leaves_ms: int = 120_000, ends_ms: int = 40_000
) -> tuple[Scene, FakeCall]:
    brain = Receptionist(agent, matcher_of(agent, Letters()))
    scene = await play(
        [ASKS],
        brain,
        agent=agent,
        hangs_up_at_ms=ends_ms,
        transfers=STEPS,
        desk_keys=desk_keys,
        desk_leaves_ms=desk_leaves_ms,
    )
    assert scene.call.desk
    return scene, scene.call.desk


def heard_ms(desk: FakeCall) -> int:
    return 20 * sum(any(frame) for frame in desk.mouth.sent)


async def test_they_hear_who_it_is_and_then_the_caller(autojump_clock: MockClock) -> None:
    scene, desk = await call(ANNOUNCES)
    assert heard_ms(desk) == pytest.approx(TEXT_MS, abs=40), "and nothing of a message that nobody left"
    assert scene.conclusion == "transferred to Anna Miller"
    assert scene.said_by("agent") == [FIRST], "the caller hears nothing of it"
    assert scene.sounds_between(5_000, 6_000), "but that it rings"


async def test_whoever_presses_one_takes_it_at_once(autojump_clock: MockClock) -> None:
    scene, desk = await call(BY_KEY, desk_keys=(Dtmf("1", 600),))
    assert scene.conclusion == "transferred to Anna Miller"
    assert heard_ms(desk) <= 700


async def test_one_key_may_come_after_all_was_said(autojump_clock: MockClock) -> None:
    scene, desk = await call(BY_KEY, desk_keys=(Dtmf("1", TEXT_MS + ASKED_MS + 6_000),))
    assert scene.conclusion == "transferred to Anna Miller"
    assert heard_ms(desk) == pytest.approx(TEXT_MS + ASKED_MS, abs=60)


@pytest.mark.parametrize("keys", [(), (Dtmf("2", 1_000),)])
async def test_another_key_or_none_leaves_the_caller_with_the_agent(
    autojump_clock: MockClock, keys: tuple[Dtmf, ...]
) -> None:
    scene, desk = await call(BY_KEY, desk_keys=keys)
    assert scene.conclusion == ""
    assert scene.said_by("agent")[1].endswith(OFFER)
    waited_ms = TEXT_MS + ASKED_MS + KEY_S * 1000
    assert desk.mouth.clock_ms == pytest.approx(1_000 if keys else waited_ms, abs=120)


@pytest.mark.parametrize("agent", [ANNOUNCES, BY_KEY], ids=["told", "asked"])
async def test_they_hang_up_meanwhile(autojump_clock: MockClock, agent: Agent) -> None:
    scene, _ = await call(agent, desk_leaves_ms=500)
    assert scene.conclusion == ""
    assert scene.said_by("agent")[1].endswith(OFFER)


async def test_the_caller_hangs_up_meanwhile(autojump_clock: MockClock) -> None:
    scene, desk = await call(BY_KEY, ends_ms=8_000)
    assert scene.conclusion == ""
    assert desk.mouth.clock_ms < 8_000


@pytest.mark.parametrize(
    ("text", "by_key", "results", "said"),
    [
        ("", False, {}, None),
        ("", True, {}, "Press 1 to take the call."),
        ("A call.", False, {}, "A call."),
        ("From {caller}.", False, {"message_name": "Ann Lee"}, "From Ann Lee."),
        ("From {name}. Hello!", False, {}, "Hello!"),
        ("From {caller}, {number}.", False, {"number": "5550142"}, "From 5 5 5 0 1 4 2, 5 5 5 0 1 4 2."),
        ("About {message}.", True, {"message": "lamps"}, "About lamps. Press 1 to take the call."),
        ("About {urgency}.", False, {"urgency": ""}, None),
    ],
)
def test_what_is_said(text: str, by_key: bool, results: dict[str, str], said: str | None) -> None:
    agent = Agent(name="A", announcement=text, announced_take_by_key=by_key)
    made = announcement_of(agent, "101", results)
    assert made == (Announcement(said, by_key) if said else None)


def test_who_has_no_number_is_told_as_they_are_called() -> None:
    agent = Agent(name="A", announcement="Call from {caller}. On {number}.")
    assert announcement_of(agent, "anonymous", {}) == Announcement("Call from anonymous.", by_key=False)
