"""One sentence spoken or heard by a server, outside of any call, to see whether it works: without the box's own ears
and voice, which would hide what is wrong.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import trio
from pydantic import SecretStr

from app.engines import PackEars, ServedEars, ServedVoice, WyomingEars, WyomingVoice
from app.ports import BYTES_PER_MS
from app.speech_servers import longest_speech_ms
from firmware import wyoming
from firmware.audio.resampling import Samples
from firmware.audio.wav import of_pcm, pcm_of
from firmware.packs import PackEngine, Packs
from firmware.served_speech import open_ears_server, open_voice_server
from firmware.speech_servers.troubles import Trouble, failed
from firmware.trying import Spoken
from models.tts.onset import Onset
from models.tts.reading import has_words, readable

# What the turn-taking hands over from before a word (app/listening.py), and the pause after it.
_AROUND = bytes(320 * BYTES_PER_MS)
_PIECE_MS = 100


@dataclass(frozen=True, slots=True)
class Heard:
    """`took_ms`: from when all of it was there."""

    text: str
    took_ms: int


async def hear(engine: ServedEars, key: SecretStr | None, samples: Samples, packs: Packs | None) -> Heard:
    """`samples` at 16 kHz, within ±1. Raises: SpeechFailed."""
    if isinstance(engine, WyomingEars):
        await wyoming.look_at(engine)
    async with open_ears_server(engine, key, packs) as server:
        if isinstance(server, PackEngine):
            await server.loaded()
        said = _Said(_AROUND + pcm_of(samples) + _AROUND, paced=isinstance(engine, WyomingEars | PackEars))
        async with aclosing(said.pieces()) as audio:
            text = await server.transcribe(audio)
    return Heard(" ".join(text.split()), _ms_since(said.ended_s))


async def speak(engine: ServedVoice, key: SecretStr | None, text: str, packs: Packs | None) -> Spoken:
    """Without silence before the first sound, as callers hear it. A pack is loaded before the clock is. Raises:
    SpeechFailed."""
    if isinstance(engine, WyomingVoice):
        await wyoming.look_at(engine)
    pcm, onset, first_s = bytearray(), Onset(), 0.0
    began_s = trio.current_time()

    async def hand_over(piece: bytes) -> None:
        nonlocal first_s
        pcm.extend(onset.trimmed(piece))
        first_s = first_s or (trio.current_time() if pcm else 0.0)
        if len(pcm) > longest_speech_ms(text) * BYTES_PER_MS:
            raise failed(Trouble.TOO_LONG)
        await trio.lowlevel.checkpoint()

    if has_words(text):
        async with open_voice_server(engine, key, packs) as server:
            if isinstance(server, PackEngine):
                await server.loaded()
                began_s = trio.current_time()
            await server.speak(readable(text), hand_over)
        if not pcm:
            raise failed(Trouble.MUTE)
    return Spoken(of_pcm(bytes(pcm)), round(1000 * max(0.0, first_s - began_s)), _ms_since(began_s))


class _Said:
    """What a caller might have said, in pieces. `paced`: as fast as in a call, for servers that hear along. `ended_s`:
    when the last one went."""

    def __init__(self, pcm: bytes, *, paced: bool) -> None:
        self.ended_s = trio.current_time()
        self._pcm, self._pause_s = pcm, _PIECE_MS / 1000 if paced else 0.0

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        step = _PIECE_MS * BYTES_PER_MS
        for at in range(0, len(self._pcm), step):
            yield self._pcm[at : at + step]
            await trio.sleep(self._pause_s)
        self.ended_s = trio.current_time()


def _ms_since(began_s: float) -> int:
    return round((trio.current_time() - began_s) * 1000)
