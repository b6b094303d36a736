"""Ears, voice activity and voice on a virtual clock. What they hear is the marked audio of `tests/fakes/line.py`:
every sample of utterance k is k, silence is 0.

They pass the contract tests that the real engines pass (tests/contract/test_vad.py, test_stt.py, test_tts.py).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

import numpy as np
import trio

from app.ports import BYTES_PER_MS, Heard

CHUNK_BYTES = 1024
VOICE_MS_PER_CHARACTER = 60
VOICE_CHUNK_MS = 100
DECODE_S = 0.080  # what the real recogniser takes on x86
FIRST_AUDIO_S = 0.025  # what the real voice takes


class FakeActivity:
    """Speech wherever the audio is marked."""

    def probability(self, chunk: bytes) -> float:
        if len(chunk) != CHUNK_BYTES:
            raise ValueError(f"a chunk has {CHUNK_BYTES} bytes, not {len(chunk)}")
        return 0.98 if any(chunk) else 0.01


class FakeHearing:
    """Reads the marks back: utterance k is `texts[k]`."""

    def __init__(self, texts: Mapping[int, str], decode_s: float) -> None:
        self._texts, self._decode_s = texts, decode_s
        self._audio = bytearray()

    async def begin(self) -> None:
        self._audio.clear()
        await trio.lowlevel.checkpoint()

    async def feed(self, pcm: bytes) -> None:
        if len(pcm) % 2:
            raise ValueError(f"half a sample: {len(pcm)} bytes of 16-bit audio")
        self._audio += pcm
        await trio.lowlevel.checkpoint()

    async def finish(self) -> Heard:
        marks = np.frombuffer(bytes(self._audio), dtype="<i2")
        await trio.sleep(self._decode_s)
        changes = marks[np.flatnonzero(np.diff(marks, prepend=0))]
        text = " ".join(self._texts[mark] for mark in changes.tolist() if mark)
        return Heard(own=text, general=text, decode_ms=self._decode_s * 1000)


class FakeEars:
    def __init__(self, texts: Mapping[int, str], decode_s: float = DECODE_S) -> None:
        self._texts, self._decode_s = texts, decode_s

    @asynccontextmanager
    async def open(self, *, narrow_band: bool) -> AsyncIterator[FakeHearing]:
        yield FakeHearing(self._texts, self._decode_s)


class FakeVoice:
    """60 ms of sound per character, in chunks of 100 ms, the first of them after 25 ms."""

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        if not any(mark.isalnum() for mark in text):
            return
        await trio.sleep(FIRST_AUDIO_S)
        left_ms = len(text) * VOICE_MS_PER_CHARACTER
        while left_ms > 0:
            chunk_ms = min(VOICE_CHUNK_MS, left_ms)
            yield b"\1\1" * (chunk_ms * BYTES_PER_MS // 2)
            left_ms -= chunk_ms
            await trio.lowlevel.checkpoint()
