"""Ears, voice activity and voice on a virtual clock. What they hear is the marked audio of `tests/fakes/line.py`:
every sample of utterance k is LOUD + k, or k alone where loudness does not matter, of a beep BEEP, of an echo ECHO,
silence is 0.

They pass the contract tests that the real engines pass (tests/contract/test_vad.py, test_beep.py, test_own_echo.py,
test_stt.py, test_tts.py).
"""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise

import numpy as np
import trio

from app.ports import BYTES_PER_MS, Heard
from tests.fakes.line import BEEP, ECHO, LOUD, TONES

CHUNK_BYTES = 1024
VOICE_MS_PER_CHARACTER = 60
VOICE_CHUNK_MS = 100
KEYS = "0123456789*#ABCD"
DECODE_S = 0.080  # what the real recogniser takes on x86
FIRST_AUDIO_S = 0.025  # what the real voice takes

Stretch = tuple[int, int]
"""The mark of some audio, and how many milliseconds of it there were."""


_BEEP, _ECHO = struct.pack("<h", BEEP), struct.pack("<h", ECHO)
_SHORTEST_BEEP_CHUNKS = 4  # whole ones, of 120 ms or more


class FakeActivity:
    """Speech wherever the audio is marked, but for beeps."""

    def probability(self, chunk: bytes) -> float:
        if len(chunk) != CHUNK_BYTES:
            raise ValueError(f"a chunk has {CHUNK_BYTES} bytes, not {len(chunk)}")
        return 0.98 if any(chunk) and _BEEP not in chunk else 0.01


class FakeEcho:
    """Knows an echo by its mark."""

    def __init__(self) -> None:
        self._came = b""

    def feed(self, came: bytes, sent: bytes) -> None:
        if len(came) != CHUNK_BYTES or len(sent) != CHUNK_BYTES:
            raise ValueError(f"a chunk has {CHUNK_BYTES} bytes, not {len(came)} and {len(sent)}")
        self._came = came

    def explains(self) -> bool:
        return _ECHO in self._came


class FakeTones:
    """Knows a key by its mark, once its tones are there for two chunks; a chunk without them ends it."""

    def __init__(self) -> None:
        self._key, self._chunks = "", 0

    @property
    def sounding(self) -> bool:
        return bool(self._key)

    def feed(self, chunk: bytes) -> str:
        if len(chunk) != CHUNK_BYTES:
            raise ValueError(f"a chunk has {CHUNK_BYTES} bytes, not {len(chunk)}")
        codes = {TONES - mark for (mark,) in struct.iter_unpack("<h", chunk)}
        key = "".join(chr(code) for code in codes if chr(max(code, 0)) in KEYS)
        self._chunks = self._chunks + 1 if key and key == self._key else int(bool(key))
        self._key = key
        return key if self._chunks == 2 else ""


class FakeBeeps:
    """A beep is over with the first chunk after it, if it was long enough."""

    def __init__(self) -> None:
        self._chunks = 0

    def heard(self, chunk: bytes) -> bool:
        if len(chunk) != CHUNK_BYTES:
            raise ValueError(f"a chunk has {CHUNK_BYTES} bytes, not {len(chunk)}")
        beeped, self._chunks = self._chunks, self._chunks + 1 if _BEEP in chunk else 0
        return not self._chunks and beeped >= _SHORTEST_BEEP_CHUNKS


class FakeHearing:
    """Reads the marks back: utterance k is `texts[k]`, and one without words is "".

    `expected` has what each utterance was begun with, `finished` the audio that each `finish` covered. `unfinished_ms`
    is how much came after the last of them: an engine's result holds only as long as that is nothing.
    """

    def __init__(self, texts: Mapping[int, str], decode_s: float, *, narrow_band: bool = False) -> None:
        self.narrow_band = narrow_band
        self.finished: list[list[Stretch]] = []
        self.expected: list[str] = []
        self._texts, self._decode_s = texts, decode_s
        self._audio = bytearray()
        self._finished_bytes = 0

    @property
    def unfinished_ms(self) -> int:
        return (len(self._audio) - self._finished_bytes) // BYTES_PER_MS

    async def begin(self, expected: str = "") -> None:
        self.expected.append(expected)
        self._audio.clear()
        self._finished_bytes = 0
        await trio.lowlevel.checkpoint()

    async def feed(self, pcm: bytes) -> None:
        if len(pcm) % 2:
            raise ValueError(f"half a sample: {len(pcm)} bytes of 16-bit audio")
        self._audio += pcm
        await trio.lowlevel.checkpoint()

    async def hurry(self) -> None:
        await trio.lowlevel.checkpoint()

    async def finish(self) -> Heard:
        stretches, self._finished_bytes = _stretches(bytes(self._audio)), len(self._audio)
        await trio.sleep(self._decode_s)
        self.finished.append(stretches)
        text = " ".join(filter(None, (self._texts[mark] for mark, _ in stretches if mark not in (0, BEEP, ECHO))))
        return Heard(own=text, general=text, decode_ms=self._decode_s * 1000)


def _stretches(audio: bytes) -> list[Stretch]:
    samples = np.frombuffer(audio, dtype="<i2")
    marks = np.where(samples > LOUD, samples - LOUD, samples)
    edges = [0, *(np.flatnonzero(np.diff(marks)) + 1).tolist(), len(marks)]
    return [(int(marks[start]), (end - start) * 2 // BYTES_PER_MS) for start, end in pairwise(edges) if end > start]


class OvertakenHearing(FakeHearing):
    """As the box's own and a server's: whoever waits for an utterance that goes on, or is forgotten, gets what the next
    `finish` finds."""

    def __init__(self, texts: Mapping[int, str], decode_s: float, *, narrow_band: bool = False) -> None:
        super().__init__(texts, decode_s, narrow_band=narrow_band)
        self._answer, self._answered = Heard("", ""), trio.Event()

    async def finish(self) -> Heard:
        asked = len(self.expected), len(self._audio)
        heard = await super().finish()
        if asked == (len(self.expected), len(self._audio)):
            self._answer = heard
            self._answered.set()
            self._answered = trio.Event()
        else:
            await self._answered.wait()
        return self._answer


class FakeEars:
    """`opened` has the hearing of each call so far."""

    def __init__(
        self, texts: Mapping[int, str], decode_s: float = DECODE_S, hearing: type[FakeHearing] = FakeHearing
    ) -> None:
        self.opened: list[FakeHearing] = []
        self._texts, self._decode_s, self._hearing = texts, decode_s, hearing

    @asynccontextmanager
    async def open(self, *, narrow_band: bool) -> AsyncIterator[FakeHearing]:
        self.opened.append(self._hearing(self._texts, self._decode_s, narrow_band=narrow_band))
        yield self.opened[-1]


class FakeVoice:
    """60 ms of sound per character, in chunks of 100 ms: the first of them after `first_audio_s`, which is the real
    voice's 25 ms, and each of the others `chunk_s` later. It takes `stop_s` to stop."""

    def __init__(self, *, first_audio_s: float = FIRST_AUDIO_S, chunk_s: float = 0.0, stop_s: float = 0.0) -> None:
        self._first_audio_s, self._chunk_s, self._stop_s = first_audio_s, chunk_s, stop_s

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(self._speak(text)) as chunks:
                async for chunk in chunks:
                    yield chunk
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + self._stop_s):
                await trio.sleep_forever()

    async def _speak(self, text: str) -> AsyncGenerator[bytes, None]:
        if not any(mark.isalnum() for mark in text):
            return
        await trio.sleep(self._first_audio_s)
        left_ms = len(text) * VOICE_MS_PER_CHARACTER
        while left_ms > 0:
            chunk_ms = min(VOICE_CHUNK_MS, left_ms)
            yield b"\1\1" * (chunk_ms * BYTES_PER_MS // 2)
            left_ms -= chunk_ms
            await trio.sleep(self._chunk_s)
