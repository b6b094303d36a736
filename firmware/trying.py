"""One sentence spoken, heard or thought of, outside of any call, to see whether it works.

Beside the calls: the voice's engine leaves the interpreter's lock alone, the recogniser has a process of its own, and
the rest is done in threads, in small pieces.
"""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import dataclass

import numpy as np
import trio
from pydantic import SecretStr

from app.engines import BoxVoice, ModelServer
from app.language_models import ChatMessage
from firmware.audio.resampling import Samples
from firmware.audio.telephone import over_telephone
from firmware.audio.wav import of_pcm, pcm_of
from firmware.language_model import open_language_model
from models.stt import language_model
from models.stt.pool import recogniser_pool
from models.tts.flite import flite_voice

LONGEST_THOUGHT = 500
"""Characters of an answer that are worth showing."""

# What the turn-taking hands over from before a word (app/listening.py), and the pause after it.
_AROUND_MS = 320
_SILENT_DBFS = -60.0  # a telephone's own noise lies above


@dataclass(frozen=True, slots=True)
class Spoken:
    """`samples` at 16 kHz, within ±1."""

    samples: Samples
    first_ms: int
    took_ms: int


@dataclass(frozen=True, slots=True)
class Understood:
    """`own`: by somebody who expects what people say to an office. `general`: by dictation."""

    own: str
    general: str
    took_ms: int


@dataclass(frozen=True, slots=True)
class Thought:
    text: str
    first_ms: int
    took_ms: int


async def speak(voice: BoxVoice, text: str) -> Spoken:
    """Raises: models.tts.libflite.VoiceMissing."""
    async with flite_voice(voice.voice, 1, voice.speed_percent) as engine:
        began, first_s, pcm = trio.current_time(), 0.0, bytearray()
        async with aclosing(engine.speak(text)) as chunks:
            async for chunk in chunks:
                first_s = first_s or trio.current_time()
                pcm += chunk
        took_ms = _ms(trio.current_time() - began)
    return Spoken(of_pcm(bytes(pcm)), _ms((first_s or began) - began), took_ms)


async def to_telephone(samples: Samples) -> Samples:
    return await trio.to_thread.run_sync(over_telephone, samples)


async def hear(samples: Samples, *, narrow_band: bool) -> Understood:
    """`samples` at 16 kHz, within ±1; `narrow_band` for what came over a telephone.

    Raises: models.stt.pool.RecogniserFailed, models.packs.PackProblem, possibly in an ExceptionGroup.
    """
    words = await trio.to_thread.run_sync(language_model.build, ())
    around = np.zeros(_AROUND_MS * 16, np.float32)
    pcm = pcm_of(np.concatenate([around, samples, around]))
    pool = recogniser_pool(words, 1, narrow_band=narrow_band)
    async with pool as ears, ears.open(narrow_band=narrow_band) as hearing:
        began = trio.current_time()
        await hearing.begin()
        await hearing.feed(pcm)
        heard = await hearing.finish()
    return Understood(heard.own, heard.general, _ms(trio.current_time() - began))


async def think(server: ModelServer, key: SecretStr | None, question: str) -> Thought:
    """Raises: app.language_models.ModelFailed, possibly in an ExceptionGroup."""
    async with open_language_model(server, key) as model:
        began, first_s, text = trio.current_time(), 0.0, ""
        answer = model.ask([ChatMessage("user", question)])
        try:
            while len(text) < LONGEST_THOUGHT and (piece := await answer.more()):
                first_s = first_s or trio.current_time()
                text += piece
        finally:
            answer.stop()
        took_ms = _ms(trio.current_time() - began)
    return Thought(text[:LONGEST_THOUGHT], _ms((first_s or began) - began), took_ms)


def is_silent(samples: Samples) -> bool:
    """Nobody can have said anything in it."""
    loudness = float(np.sqrt(np.mean(np.square(samples)))) if len(samples) else 0.0
    return loudness < 10 ** (_SILENT_DBFS / 20)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
