"""flite's voices slt and rms, streamed: first audio 14 ms after the text, on one x86 core.

Each clause is made in a thread of its own, which waits while two chunks have not been taken yet: what is interrupted
has not been made far ahead, and closing the generator ends the thread at its next chunk.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Literal

import numpy as np
import trio

from models.tts.libflite import LibFlite
from models.tts.onset import Onset
from models.tts.reading import has_words, readable

VoiceName = Literal["slt", "rms"]

# 55 ms with what flite adds to it: small against the pause before an answer, few enough callbacks for a slow board.
_CHUNK_SAMPLES: Final = 800
_CHUNKS_AHEAD: Final = 2
# Level while speaking (frames above -45 dBFS), as a caller hears it: near what telephone systems' announcements have,
# with 8 dB for the peaks.
LEVEL_DBFS: Final = -20.0
# The same of the voices as they come, over ten sentences. The speech bench measures the result (tts.level_dbfs).
_AS_MADE_DBFS: Final[dict[VoiceName, float]] = {"slt": -14.4, "rms": -20.4}

_log = logging.getLogger(__name__)


@asynccontextmanager
async def flite_voice(name: VoiceName, sessions: int, speed_percent: int = 100) -> AsyncIterator[FliteVoice]:
    """The voice `name` for up to `sessions` calls at once, at a pace of 75 to 130 %. Leaves no thread behind.

    Raises: VoiceMissing.
    """
    async with trio.open_nursery() as nursery:
        voice = FliteVoice(name, LibFlite(name, 100 / speed_percent), trio.CapacityLimiter(sessions), nursery)
        yield voice
        nursery.cancel_scope.cancel()


class FliteVoice:
    """Implements models.tts.Voice. Made by `flite_voice`."""

    def __init__(self, name: VoiceName, engine: LibFlite, limiter: trio.CapacityLimiter, nursery: trio.Nursery) -> None:
        self._engine, self._limiter, self._nursery = engine, limiter, nursery
        self._gain = 10 ** ((LEVEL_DBFS - _AS_MADE_DBFS[name]) / 20)

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """See Voice.speak."""
        if not has_words(text):
            return
        send, receive = trio.open_memory_channel[bytes](_CHUNKS_AHEAD)
        failures: list[Exception] = []
        self._nursery.start_soon(self._synthesize, readable(text), send, failures)
        with receive:
            async for chunk in receive:
                yield chunk
        if failures:
            raise failures[0]

    async def _synthesize(self, text: str, send: trio.MemorySendChannel[bytes], failures: list[Exception]) -> None:
        """Ends by closing `send`. A failure is left in `failures` for the generator: raised here, it would end the
        nursery, and so every other call."""
        onset = Onset()

        def hand_over(pcm: bytes) -> bool:
            try:
                if audible := onset.trimmed(self._leveled(pcm)):
                    trio.from_thread.run(send.send, audible)
            except trio.BrokenResourceError:  # the generator was closed
                return False
            return True

        with send:
            try:
                await self._in_thread(text, hand_over)
            except Exception as failure:  # noqa: BLE001 - handed over
                failures.append(failure)
                _log.exception("the voice failed in the middle of a clause")

    async def _in_thread(self, text: str, hand_over: Callable[[bytes], bool]) -> None:
        await trio.to_thread.run_sync(self._engine.synthesize, text, _CHUNK_SAMPLES, hand_over, limiter=self._limiter)

    def _leveled(self, pcm: bytes) -> bytes:
        samples = np.frombuffer(pcm, np.int16) * self._gain
        return np.clip(samples, -32768, 32767).astype("<i2").tobytes()
