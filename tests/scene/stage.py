"""A whole call on a virtual clock: a scripted caller, a brain of the scene's own, and everything else of ours real."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import trio

from app.conversation import converse
from app.ports import BYTES_PER_MS, Action, Brain, Expects, HangUp, Heard, Line, Say, Turn
from app.reply import Parts
from app.settings import Agent
from tests.fakes.line import FakeCall, Utterance

VOICE_MS_PER_CHARACTER = 60
DECODE_S = 0.080
FIRST_AUDIO_S = 0.025


class MarkedActivity:
    """Speech wherever the fake line's audio is marked. Fails on a chunk of any other size."""

    def probability(self, chunk: bytes) -> float:
        assert len(chunk) == 1024
        return 0.98 if any(chunk) else 0.01


class MarkedHearing:
    """Reads the marks of the fake line back: utterance k is `texts[k]`."""

    def __init__(self, texts: dict[int, str]) -> None:
        self._texts = texts
        self._audio = bytearray()

    async def begin(self) -> None:
        self._audio.clear()
        await trio.lowlevel.checkpoint()

    async def feed(self, pcm: bytes) -> None:
        self._audio += pcm
        await trio.lowlevel.checkpoint()

    async def finish(self) -> Heard:
        marks = list(dict.fromkeys(np.frombuffer(bytes(self._audio), dtype="<i2").tolist()))
        await trio.sleep(DECODE_S)
        text = " ".join(self._texts[mark] for mark in marks if mark)
        return Heard(own=text, general=text, decode_ms=DECODE_S * 1000)


class EvenVoice:
    """60 ms of sound per character, in chunks of 100 ms, the first of them after 25 ms."""

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        await trio.sleep(FIRST_AUDIO_S)
        left_ms = len(text) * VOICE_MS_PER_CHARACTER
        while left_ms > 0:
            chunk_ms = min(100, left_ms)
            yield b"\1\1" * (chunk_ms * BYTES_PER_MS // 2)
            left_ms -= chunk_ms


@dataclass
class Log:
    lines: list[Line] = field(default_factory=list)
    turns: list[Turn] = field(default_factory=list)
    id: str = "scene"

    def recorded(self, path: Path) -> None: ...

    def connected(self, codec: str) -> None: ...

    def line(self, line: Line) -> None:
        self.lines.append(line)

    def turn(self, turn: Turn) -> None:
        self.turns.append(turn)

    def close(self, outcome: str, ended_by: str, results: dict[str, str]) -> None: ...


@dataclass
class ScriptedBrain:
    """Answers from a table and remembers what it was told."""

    greeting: str = ""
    answers: dict[str, list[Action]] = field(default_factory=dict)
    heard: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    expects: Expects = Expects.ANYTHING
    results: dict[str, str] = field(default_factory=dict)

    async def greet(self) -> AsyncGenerator[Action, None]:
        if self.greeting:
            yield Say(self.greeting)

    async def reply(self, heard: Heard) -> AsyncGenerator[Action, None]:
        self.heard.append(heard.own)
        for action in self.answers.get(heard.own, [Say("Sorry?")]):
            yield action

    async def check_in(self) -> AsyncGenerator[Action, None]:
        yield Say("Are you still there?")

    async def say_goodbye(self) -> AsyncGenerator[Action, None]:
        yield Say("Good-bye.")
        yield HangUp("silence")

    def interrupted(self, said: str) -> None:
        self.cut.append(said)

    def believed(self, heard: Heard) -> str:
        return heard.own


@dataclass(frozen=True)
class Scene:
    outcome: str
    call: FakeCall
    log: Log
    ended_at_ms: int

    def said_by(self, speaker: str) -> list[str]:
        return [line.text for line in self.log.lines if line.speaker == speaker]


async def play(
    script: list[tuple[int, int, str]], brain: Brain, *, agent: Agent | None = None, hangs_up_at_ms: int = 120_000
) -> Scene:
    """Run one call. `script`: when the caller speaks (ms), for how long (ms), and the words."""
    utterances = [Utterance(number, at, length) for number, (at, length, _) in enumerate(script, 1)]
    call = FakeCall(utterances, hangs_up_at_ms=hangs_up_at_ms)
    log = Log()
    texts = {number: words for number, (_, _, words) in enumerate(script, 1)}
    parts = Parts(
        MarkedHearing(texts), MarkedActivity(), EvenVoice(), brain, log, agent or Agent(name="Test", pause_ms=450)
    )
    async with trio.open_nursery() as line:
        line.start_soon(call.run)
        await call.answer()
        outcome = await converse(call, parts)
    return Scene(outcome, call, log, call.mouth.clock_ms)
