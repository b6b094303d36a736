"""A whole call on a virtual clock: a scripted caller, a brain of the scene's own, fakes that pass the contract tests of
the real engines, and everything else of ours real."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field

import trio

from app.conversation import converse
from app.dictation import Dictated
from app.ports import Action, Brain, Ears, Expects, HangUp, Heard, Line, Result, Say, Voice
from app.reply import Parts
from app.settings import Agent
from app.speech_servers import EarsServer, Rest, Told, VoiceServer
from app.transfers import TransferStep
from app.turns.keys import Dtmf
from firmware.speech_servers import ServedEars, ServedVoice
from tests.fakes.ledger import FakeLedger, FakeSessionLog
from tests.fakes.line import TONES, FakeCall, Utterance
from tests.fakes.speech import DECODE_S, FakeActivity, FakeEars, FakeEcho, FakeHearing, FakeTones, FakeVoice

CHUNK_MS = 32
"""How exact an instant in a scene is: the deciders look at the caller in chunks of this length."""

TONE_MS = 100
"""Of a key that comes in the audio."""

SLOW_TO_START_S = 0.5
"""The first audio of a voice that leaves time between the decision to speak and the first sound."""


@dataclass
class ScriptedBrain:
    """Answers from a table and remembers what it was told."""

    greeting: str = ""
    answers: dict[str, list[Action]] = field(default_factory=dict)
    thinks_s: float = 0.0
    heard: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    understood: frozenset[str] = frozenset()
    back: list[tuple[str, Result]] = field(default_factory=list)
    expects: Expects = Expects.ANYTHING
    results: dict[str, str] = field(default_factory=dict)

    dictated: Dictated = Dictated.NOTHING

    @property
    def takes_keys(self) -> bool:
        return self.expects is Expects.NUMBER

    def greet(self) -> AsyncGenerator[Action, None]:
        return self._say([Say(self.greeting)] if self.greeting else [])

    def reply(self, heard: Heard) -> AsyncGenerator[Action, None]:
        self.heard.append(heard.own)
        return self._say(self.answers.get(heard.own, [Say("Sorry?")]))

    def check_in(self) -> AsyncGenerator[Action, None]:
        return self._say([Say("Are you still there?")])

    def say_goodbye(self) -> AsyncGenerator[Action, None]:
        return self._say([Say("Good-bye."), HangUp("silence")])

    def not_put_through(self, person: str, why: Result) -> AsyncGenerator[Action, None]:
        self.back.append((person, why))
        return self._say([Say("Sorry, not there.")])

    def interrupted(self, said: str) -> None:
        self.cut.append(said)

    def believed(self, heard: Heard) -> str:
        return heard.own

    def understands(self, heard: Heard) -> bool:
        return heard.own in self.understood

    async def conclude(self) -> None:
        """All is in `results`."""

    async def _say(self, actions: Iterable[Action]) -> AsyncGenerator[Action, None]:
        await trio.sleep(self.thinks_s)
        for action in actions:
            yield action


@dataclass(frozen=True)
class Scene:
    conclusion: str
    call: FakeCall
    log: FakeSessionLog
    hearing: FakeHearing
    ended_at_ms: int

    def said_by(self, speaker: str) -> list[str]:
        return [line.text for line in self.lines(speaker)]

    def lines(self, speaker: str) -> list[Line]:
        return [line for line in self.log.lines if line.speaker == speaker]

    def sounds_between(self, start_ms: int, end_ms: int) -> bool:
        """Whether anything of the agent's went out then."""
        return any(any(frame) for frame in self.call.mouth.sent[start_ms // 20 : end_ms // 20])


async def play(
    script: list[tuple[int, int, str]],
    brain: Brain,
    *,
    agent: Agent | None = None,
    voice: Voice | None = None,
    hangs_up_at_ms: int = 120_000,
    held_from_ms: int | None = None,
    on_hold_ms: tuple[int, int] = (0, 0),
    echo_ms: int = 0,
    decode_s: float = DECODE_S,
    hearing: type[FakeHearing] = FakeHearing,
    keys: Sequence[Dtmf] = (),
    tones: Sequence[Dtmf] = (),
    has_key_events: bool = True,
    transfers: Sequence[tuple[float, TransferStep]] = (),
    desk_keys: Sequence[Dtmf] = (),
    desk_leaves_ms: int = 120_000,
    hears: EarsServer | None = None,
    speaks: VoiceServer | None = None,
) -> Scene:
    """Run one call. `script`: when the caller speaks (ms), for how long (ms), and the words ("": a sound without).
    `keys`, `transfers`, `desk_...`: see FakeCall. `tones`: keys that come in the audio, 100 ms each. `hears`,
    `speaks`: servers in front of the box's own ears and voice."""
    utterances = [Utterance(number, at, length) for number, (at, length, _) in enumerate(script, 1)]
    pressed = [Utterance(TONES - ord(each.digit), each.at_ms, TONE_MS) for each in tones]
    call = FakeCall(
        [*pressed, *utterances],
        hangs_up_at_ms=hangs_up_at_ms,
        held_from_ms=held_from_ms,
        on_hold_ms=on_hold_ms,
        echo_ms=echo_ms,
        keys=keys,
        transfers=transfers,
        has_key_events=has_key_events,
        desk_keys=desk_keys,
        desk_leaves_ms=desk_leaves_ms,
    )
    agent = agent or Agent(name="Test", pause_ms=450)
    log = FakeLedger().open_session(call_id=call.id, agent=agent.name, direction=call.direction, remote=call.remote)
    own = FakeEars({number: words for number, (_, _, words) in enumerate(script, 1)}, decode_s, hearing)

    def told(text: str) -> None:
        log.note(call.mouth.clock_ms, text)

    async with trio.open_nursery() as line:
        ears, voice = served(own, voice or FakeVoice(), hears, speaks, told, line)
        async with ears.open(narrow_band=False) as opened:
            line.start_soon(call.run)
            await call.answer()
            parts = Parts(opened, FakeActivity(), FakeEcho(), voice, brain, log, agent, FakeTones())
            conclusion = await converse(call, parts)
    return Scene(conclusion, call, log, own.opened[0], call.mouth.clock_ms)


def served(
    ears: Ears, voice: Voice, hears: EarsServer | None, speaks: VoiceServer | None, told: Told, clauses: trio.Nursery
) -> tuple[Ears, Voice]:
    return (
        ServedEars(ears, hears, Rest(), told) if hears else ears,
        ServedVoice(voice, speaks, Rest(), told, clauses) if speaks else voice,
    )
