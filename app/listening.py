"""One call's listener: frames in, turn events out, and the recogniser kept fed on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import trio

from app.dictation import Dictated
from app.ports import BYTES_PER_MS, Frame, Heard, Hearing, VoiceActivity
from app.turns.endpoint import Endpointer, SpeechPaused, SpeechResumed, SpeechRule, TurnEvent
from app.turns.last_sound import last_sound_ms

CHUNK_MS = 32
_CHUNK_BYTES = CHUNK_MS * BYTES_PER_MS
# What no decider takes for speech need not be looked at for an echo.
_NEARLY_SPEECH = SpeechRule().stay
# The VAD sees a word some 100 ms after it began, and a soft first consonant is before even that.
_PRE_ROLL_CHUNKS = 10
# What a pause begins with, and 0.4 s before it.
_RECENT_CHUNKS = 18


class Echo(Protocol):
    """Is what comes in nothing but our own voice, coming back? For one call, like `VoiceActivity`."""

    def feed(self, came: bytes, sent: bytes) -> None:
        """The next chunk of 512 samples (32 ms, 1024 bytes) that came in, and what went out in the same 32 ms."""

    def explains(self) -> bool:
        """Whether the last chunk that came in was our own voice and nobody else's."""


class KeyTones(Protocol):
    """Keys by their sound (DTMF). For one call, like `VoiceActivity`."""

    def feed(self, chunk: bytes) -> str:
        """The key whose tones are certain since this chunk of 512 samples; else nothing. Each press is told once."""

    @property
    def sounding(self) -> bool:
        """Whether the last chunk held such tones, however short."""


class NoTones:
    """A line without keys."""

    sounding = False

    def feed(self, chunk: bytes) -> str:  # noqa: ARG002
        return ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """32 ms of the caller: what the VAD made of it (0.0 where it was our own echo, or a key), the turn event that it
    completed, if any, and the key whose tones it brought."""

    start_ms: int
    end_ms: int
    pcm: bytes
    probability: float
    event: TurnEvent | None
    key: str = ""


class Draft:
    """An utterance being finished ahead of the commit. Forgotten when the caller goes on."""

    def __init__(self) -> None:
        self._heard: Heard | None = None
        self._made = trio.Event()

    @classmethod
    def of(cls, heard: Heard) -> Draft:
        """One that is made already: of keys that were pressed."""
        draft = cls()
        draft._heard = heard
        draft._made.set()
        return draft

    async def make(self, hearing: Hearing) -> None:
        found = await hearing.finish()
        self._heard = Heard(found.own, found.general, found.decode_ms, found.off_topic, found.others)
        self._made.set()

    @property
    def found(self) -> Heard | None:
        """What was understood, once that is known."""
        return self._heard

    async def heard(self) -> Heard:
        await self._made.wait()
        assert self._heard is not None  # noqa: S101 - set before the event
        return self._heard


class Listener:
    """Holds back the audio of a pause from the recogniser, so that a draft stays valid if the pause commits.

    What is our own echo is no speech for anybody: else each sentence of the agent's would interrupt itself. The tones
    of a key are none either, and the recogniser, which would make words of them, gets silence instead.
    """

    def __init__(self, hearing: Hearing, activity: VoiceActivity, echo: Echo, tones: KeyTones | None = None) -> None:
        self._hearing = hearing
        self._activity, self._echo, self._tones = activity, echo, tones or NoTones()
        self._endpointer = Endpointer()
        self._pending, self._sent = bytearray(), bytearray()
        self._pending_start_ms = 0
        self._pre_roll: deque[bytes] = deque(maxlen=_PRE_ROLL_CHUNKS)
        self._recent: deque[bytes] = deque(maxlen=_RECENT_CHUNKS)
        self.last_sound_ms = 0
        """Where the last sound before the last pause ended."""
        self._held: list[bytes] = []
        self._pausing = False
        self.keeps_back = False
        """What comes is kept from the recogniser until this is false again, or a pause comes: so that a draft can be
        finished although the caller speaks on."""

    @property
    def in_speech(self) -> bool:
        return self._endpointer.in_speech

    def chunks(self, frame: Frame, pause_ms: int) -> Iterator[Chunk]:
        """The chunks that `frame` completes. `pause_ms` is the pause that ends a turn, as of now."""
        if not self._pending:
            self._pending_start_ms = frame.at_ms
        self._pending += frame.pcm
        self._sent += frame.sent
        while len(self._pending) >= _CHUNK_BYTES:
            pcm, start_ms = bytes(self._pending[:_CHUNK_BYTES]), self._pending_start_ms
            sent = bytes(self._sent[:_CHUNK_BYTES])
            del self._pending[:_CHUNK_BYTES], self._sent[:_CHUNK_BYTES]
            self._pending_start_ms = end_ms = start_ms + CHUNK_MS
            key = self._tones.feed(pcm)
            pcm = bytes(len(pcm)) if self._tones.sounding else pcm
            probability = self._speech(pcm, sent)
            event = self._endpointer.feed(start_ms, end_ms, probability, pause_ms)
            yield Chunk(start_ms, end_ms, pcm, probability, event, key)

    def _speech(self, pcm: bytes, sent: bytes) -> float:
        probability = self._activity.probability(pcm)
        self._echo.feed(pcm, sent)
        if self._tones.sounding or (probability >= _NEARLY_SPEECH and self._echo.explains()):
            return 0.0
        return probability

    async def begin(self, *, anew: bool, expected: Dictated = Dictated.NOTHING) -> None:
        """The caller has started. `anew` is false when this goes on with an utterance that was taken for finished."""
        if anew:
            await self._hearing.begin(expected.value)
        self._pausing = self.keeps_back = False
        self._held.clear()
        await self._hearing.feed(b"".join(self._pre_roll))

    async def take(self, chunk: Chunk) -> None:
        """Give `chunk` to the recogniser, or keep it back where it belongs to a pause."""
        self._pre_roll.append(chunk.pcm)
        self._recent.append(chunk.pcm)
        if isinstance(chunk.event, SpeechPaused):
            start_ms = chunk.end_ms - CHUNK_MS * len(self._recent)
            self.last_sound_ms = last_sound_ms(b"".join(self._recent), start_ms, chunk.event.since_ms)
            await self._feed_held()
            self._pausing, self.keeps_back = True, False
        elif isinstance(chunk.event, SpeechResumed):
            self._pausing = False
        if not self.in_speech:
            return
        self._held.append(chunk.pcm)
        if not (self._pausing or self.keeps_back):
            await self._feed_held()
        if self._endpointer.may_end:
            await self._hearing.hurry()  # a draft is due in 0.2 s

    async def _feed_held(self) -> None:
        if self._held:
            pcm = b"".join(self._held)
            self._held.clear()
            await self._hearing.feed(pcm)
