"""A server hears or speaks in front of the box's own ears and voice: what a caller notices of one that is good, slow,
gone, or asked for nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from math import inf

import pytest
import trio
from trio.testing import MockClock

from app.conversation import INTERRUPTED_BY
from app.ports import BYTES_PER_MS, Say
from app.speech_servers import SpeechFailed
from tests.fakes.line import LOUD
from tests.scene.stage import ScriptedBrain, play

pytestmark = pytest.mark.scene

QUESTION, BY_SERVER, ANSWER = "when do you open", "When do you open?", "We are open from nine to five on weekdays."
LONGEST_MS = 3_000
"""Whatever a server does, a caller hears something within that."""


def brain() -> ScriptedBrain:
    return ScriptedBrain(answers={QUESTION: [Say(ANSWER)], BY_SERVER: [Say(ANSWER)]})


@dataclass
class Recogniser:
    """Takes so long for its words, and then has these. `heard_ms`: how much audio each whole question held, `asked`
    how many questions there were; the rest was cancelled."""

    takes_s: float = 0.3
    words: str = BY_SERVER
    fails: bool = False
    asked: int = 0
    heard_ms: list[int] = field(default_factory=list)

    async def transcribe(self, audio: AsyncIterator[bytes]) -> str:
        self.asked += 1
        got = 0
        async for pcm in audio:
            got += len(pcm)
        await trio.sleep(self.takes_s)
        if self.fails:
            raise SpeechFailed("the speech server cannot be used: it is gone")
        self.heard_ms.append(got // BYTES_PER_MS)
        return self.words


@dataclass
class Speaker:
    """Sound after so many seconds, 100 ms at a time; after `breaks_off_ms` of it, it fails."""

    first_s: float = 0.2
    breaks_off_ms: float = inf

    async def speak(self, text: str, hand_over: Callable[[bytes], Awaitable[None]]) -> None:
        await trio.sleep(self.first_s)
        for at_ms in range(0, len(text) * 60, 100):
            if at_ms >= self.breaks_off_ms:
                raise SpeechFailed("the speech server cannot be used: it is gone")
            await hand_over(LOUD.to_bytes(2, "little") * 1600)


async def test_the_servers_words_are_answered(autojump_clock: MockClock) -> None:
    server, asked = Recogniser(), brain()
    scene = await play([(1_000, 1_500, QUESTION)], asked, hears=server, hangs_up_at_ms=10_000)
    assert asked.heard == [BY_SERVER]
    assert scene.said_by("caller") == [BY_SERVER]
    assert scene.said_by("agent") == [ANSWER]
    assert (server.asked, scene.log.notes) == (1, [])
    assert scene.log.turns[0].response_ms < 700


@pytest.mark.parametrize("decode_s", [0.08, 1.2])
async def test_two_servers_that_hang_cost_no_more_than_three_seconds(
    autojump_clock: MockClock, decode_s: float
) -> None:
    """On a slow board, too: its own recogniser hears beside."""
    asked = brain()
    scene = await play(
        [(1_000, 1_500, QUESTION)],
        asked,
        hears=Recogniser(takes_s=inf),
        speaks=Speaker(first_s=inf),
        hangs_up_at_ms=15_000,
        decode_s=decode_s,
    )
    assert asked.heard == [QUESTION]
    assert scene.said_by("agent") == [ANSWER]
    assert scene.log.turns[0].response_ms < LONGEST_MS
    assert [note.text.partition(":")[0] for note in scene.log.notes] == [
        "The recogniser on the box heard this",
        "The voice on the box spoke",
    ]


async def test_a_server_that_rests_costs_nothing(autojump_clock: MockClock) -> None:
    """The second turn is as fast as without one; after the rest, the server is asked again."""
    server = Recogniser(takes_s=inf)
    script = [(1_000, 1_500, QUESTION), (9_000, 1_500, QUESTION), (25_000, 1_500, QUESTION)]
    scene = await play(script, brain(), hears=server, hangs_up_at_ms=35_000)
    first, second, third = scene.log.turns
    assert first.response_ms > 1_500
    assert second.response_ms < 700
    assert third.response_ms > 1_500
    assert server.asked == 2
    assert [note.text.rpartition(" The server ")[2] for note in scene.log.notes] == [
        "is asked again after 15 s.",
        "is asked again after 30 s.",
    ]


async def test_a_server_that_comes_back_is_told_of(autojump_clock: MockClock) -> None:
    server = Recogniser(fails=True)

    async def mended() -> None:
        await trio.sleep(10)
        server.fails = False

    async with trio.open_nursery() as beside:
        beside.start_soon(mended)
        script = [(1_000, 1_500, QUESTION), (25_000, 1_500, QUESTION)]
        asked = brain()
        scene = await play(script, asked, hears=server, hangs_up_at_ms=35_000)
    assert asked.heard == [QUESTION, BY_SERVER]
    assert scene.log.notes[-1].text == "The speech server works again."


async def test_a_caller_who_goes_on_is_heard_whole(autojump_clock: MockClock) -> None:
    """The draft at the pause is cancelled, and everything asked again."""
    server, asked = Recogniser(takes_s=1.0), brain()
    await play([(1_000, 1_000, QUESTION), (2_300, 1_000, "")], asked, hears=server, hangs_up_at_ms=12_000)
    assert asked.heard == [BY_SERVER]
    assert server.asked == 2
    assert len(server.heard_ms) == 1
    assert server.heard_ms[0] > 2_000


async def test_a_sentence_that_a_server_breaks_off_is_said_to_its_end(autojump_clock: MockClock) -> None:
    speaker = Speaker(breaks_off_ms=800)
    scene = await play([(1_000, 1_500, QUESTION)], brain(), speaks=speaker, hangs_up_at_ms=15_000)
    [line] = scene.lines("agent")
    assert line.text == ANSWER
    assert not line.interrupted
    rest_ms = len("are open from nine to five on weekdays.") * 60
    assert line.end_ms - line.start_ms == pytest.approx(800 + rest_ms, abs=150)
    assert len(scene.log.notes) == 1


async def test_an_interruption_ends_a_servers_voice_at_once(autojump_clock: MockClock) -> None:
    script = [(1_000, 1_500, QUESTION), (4_500, 1_500, "no wait")]
    scene = await play(script, brain(), speaks=Speaker(), hangs_up_at_ms=15_000)
    first = scene.lines("agent")[0]
    assert first.interrupted
    assert ANSWER.startswith(first.text)
    assert [note.text for note in scene.log.notes] == [f"{INTERRUPTED_BY} speech that went on"]
