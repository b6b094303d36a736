"""How well and how fast the box hears and speaks: `just bench speech`.

    vad.us_per_chunk    wall clock for 32 ms of real speech, median; vad.size_kb: the model file
    stt.wer_16k         word error rate of the general recogniser over all of Asterisk's prompts (one human) that have
    stt.wer_8k          three words and more: as recorded, and after G.711 (8 kHz, mu-law, and back)
    stt.rtf             CPU seconds per second of speech, both decoders, 8 kHz
    stt.final_ms        from `finish` to the text, wall clock, where the speech came in real time, 8 kHz
    stt.loaded_mb       memory of the recogniser, loaded for a band, before a call
    stt.call_mb         how much of it a call adds, after two minutes of speech (PSS: shared pages count once)
    tts.first_audio_ms  from the text to the first chunk; tts.rtf: CPU seconds per second of speech
    tts.level_dbfs      while speaking (20 ms frames above -45 dBFS)
    intent.*            see tests/bench/intent.py
    dictation.*         see tests/bench/dictation.py

Transcripts and what was recognised are compared as words in lower case without punctuation, with numbers and common
abbreviations in words (models/stt/words.py), errors and words summed over all prompts. Five prompts make a call,
since a recogniser gets used to a line. `--quick N` takes every Nth prompt and sentence only, and says so in the file.
`--parts` measures some anew; the others in the file stand as they were, each with the time when it was measured.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import trio
from rapidfuzz.distance import Levenshtein

from app.brains.phrases import likely_phrases, names
from models import packs
from models.stt import Hearing, language_model
from models.stt.pool import Pool, recogniser_pool
from models.stt.words import spoken
from models.tts.flite import VoiceName, flite_voice
from models.vad import CHUNK_BYTES
from models.vad.silero import SileroModel
from tests.bench import dictation, intent
from tests.bench.processes import PROC, memory_kb
from tests.bench.report import FOLDER, percentiles, publish
from tests.bench.telephone import through_g711
from tests.office.sounds import Prompt, prompts

Pcm = npt.NDArray[np.int16]

PARTS = ("vad", "stt", "tts", "intent", "dictation")
_CALL_PROMPTS = 5
_RECOGNISERS = 2
_FRAME_BYTES, _FRAME_S = 640, 0.020
_REAL_TIME_PROMPTS = 30  # about two minutes of real time for stt.final_ms
_SENTENCES = (
    "Good morning, this is the front desk. How can I help you?",
    "We are open from Monday to Friday, from nine to five o'clock.",
    "I would put you through to Anna Miller now.",
    "Parking is behind the building, and it is free for two hours.",
    "Please tell me your name and your telephone number.",
    "Your number is 5 5 5, 0 1 4 2. Is that right?",
    "Sorry, I did not understand that. Could you say it again?",
    "Invoices are paid within thirty days.",
    "Yes, of course. One moment please.",
    "Thank you for calling. Good-bye.",
)


@dataclass(frozen=True, slots=True)
class Score:
    errors: int
    words: int


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench speech", description="How well and how fast the box hears and speaks.")
    parser.add_argument("--quick", type=int, default=1, metavar="N", help="every Nth prompt and sentence only")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="all of them unless told")
    options = parser.parse_args(arguments)
    trio.run(partial(measure, options.quick, tuple(options.parts)))
    return 0


async def measure(quick: int, parts: Sequence[str]) -> None:
    """Measure one part after the other, so that none is slowed by another, and publish."""
    chosen = [prompt for prompt in prompts() if len(spoken(prompt.text)) >= 3][::quick]
    measures: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
        "vad": partial(measure_vad, chosen),
        "stt": partial(measure_stt, chosen),
        "tts": measure_tts,
        "intent": partial(intent.measure, _tell, quick=0 if quick == 1 else quick),
        "dictation": partial(dictation.measure, _tell, quick=quick),
    }
    figures = {} if set(parts) == set(PARTS) else measured_before(FOLDER)
    for part in parts:
        _tell(f"[{part}] …")
        at = datetime.now(UTC).isoformat(timespec="seconds")
        figures[part] = {"at": at, "quick": quick, **await measures[part]()}
    publish("speech", {"partial": any(part not in figures or figures[part]["quick"] > 1 for part in PARTS), **figures})


def measured_before(folder: Path) -> dict[str, Any]:
    """The parts that are in the file already."""
    file = folder / "speech.json"
    written = json.loads(file.read_text()) if file.exists() else {}
    return {part: written[part] for part in PARTS if "quick" in written.get(part, {})}


async def measure_vad(chosen: Sequence[Prompt]) -> dict[str, Any]:
    activity = SileroModel().open()
    took_us = []
    for prompt in chosen[:40]:
        pcm = recorded(prompt).tobytes()
        for at in range(0, len(pcm) - CHUNK_BYTES, CHUNK_BYTES):
            started = time.perf_counter()
            activity.probability(pcm[at : at + CHUNK_BYTES])
            took_us.append((time.perf_counter() - started) * 1e6)
        await trio.lowlevel.checkpoint()
    size_kb = packs.path("silero16k_f32").stat().st_size / 1000
    p50, p99 = np.percentile(took_us, [50, 99])
    return {"us_per_chunk": round(float(p50), 1), "us_p99": round(float(p99), 1), "size_kb": round(size_kb, 1)}


async def measure_stt(chosen: Sequence[Prompt]) -> dict[str, Any]:
    agent = intent.office_agent()
    model = language_model.build(likely_phrases(agent), names=names(agent), vocabulary=agent.vocabulary)
    async with recogniser_pool(model, _RECOGNISERS) as pool:
        wide = await _scores(pool, chosen, narrow_band=False)
        before_s = _cpu_s(pool.pids)
        phone = await _scores(pool, chosen, narrow_band=True)
        await _empty_call(pool)
        cpu_s, loaded_mb = _cpu_s(pool.pids) - before_s, _pss_mb(pool.pids)
        final_ms, with_call_mb = await _in_real_time(pool, chosen)
    audio_s = sum(len(recorded(prompt)) for prompt in chosen) / 16_000
    return {
        "wer_16k": _error_rate(wide),
        "wer_8k": _error_rate(phone),
        "prompts": len(chosen),
        "words": sum(score.words for score in phone),
        "audio_s": round(audio_s),
        "rtf": round(cpu_s / audio_s, 3),
        "final_ms": percentiles(final_ms),
        "loaded_mb": round(loaded_mb),
        "call_mb": round(with_call_mb - loaded_mb),
    }


async def _scores(pool: Pool, chosen: Sequence[Prompt], *, narrow_band: bool) -> list[Score]:
    """The general recogniser's errors in each prompt, as many calls at once as there are recognisers."""
    scores: list[Score] = []
    calls = iter([chosen[at : at + _CALL_PROMPTS] for at in range(0, len(chosen), _CALL_PROMPTS)])

    async def caller() -> None:
        for call in calls:
            async with pool.open(narrow_band=narrow_band) as hearing:
                for prompt in call:
                    scores.append(await _score(hearing, prompt, narrow_band=narrow_band))
                    if len(scores) % 50 == 0:
                        _tell(f"[stt] {8 if narrow_band else 16} kHz: {len(scores)} of {len(chosen)} prompts")

    async with trio.open_nursery() as nursery:
        for _ in range(_RECOGNISERS):
            nursery.start_soon(caller)
    return scores


async def _score(hearing: Hearing, prompt: Prompt, *, narrow_band: bool) -> Score:
    pcm = recorded(prompt)
    await hearing.begin()
    await hearing.feed((through_g711(pcm) if narrow_band else pcm).tobytes())
    heard, said = await hearing.finish(), spoken(prompt.text)
    return Score(Levenshtein.distance(heard.general.split(), list(said)), len(said))


async def _empty_call(pool: Pool) -> None:
    """Until the next call begins, what the processes of the last one used is not counted as their parents'."""
    async with pool.open(narrow_band=True) as hearing:
        await hearing.begin()
        await hearing.finish()


async def _in_real_time(pool: Pool, chosen: Sequence[Prompt]) -> tuple[list[float], float]:
    """How long each text took, in ms; and the memory at the end of that call, in MB."""
    took_ms = []
    async with pool.open(narrow_band=True) as hearing:
        some = chosen[:: max(1, len(chosen) // _REAL_TIME_PROMPTS)][:_REAL_TIME_PROMPTS]
        _tell(f"[stt] {len(some)} prompts in real time")
        for prompt in some:
            await hearing.begin()
            await _feed_in_real_time(hearing, through_g711(recorded(prompt)).tobytes())
            started = time.perf_counter()
            await hearing.finish()
            took_ms.append((time.perf_counter() - started) * 1000)
        return took_ms, _pss_mb(pool.pids)


async def _feed_in_real_time(hearing: Hearing, pcm: bytes) -> None:
    next_frame = trio.current_time()
    for at in range(0, len(pcm), _FRAME_BYTES):
        await hearing.feed(pcm[at : at + _FRAME_BYTES])
        next_frame += _FRAME_S
        await trio.sleep_until(next_frame)


async def measure_tts() -> dict[str, Any]:
    first_ms: list[float] = []
    levels: dict[str, float] = {}
    cpu_s = audio_s = 0.0
    voices: tuple[VoiceName, ...] = ("slt", "rms")
    for name in voices:
        async with flite_voice(name, 1) as voice:
            before_s = time.process_time()
            made = []
            for sentence in _SENTENCES:
                started = time.perf_counter()
                async with aclosing(voice.speak(sentence)) as chunks:
                    made.append(await anext(chunks))
                    first_ms.append((time.perf_counter() - started) * 1000)
                    made.extend([chunk async for chunk in chunks])
            cpu_s += time.process_time() - before_s
            pcm = np.frombuffer(b"".join(made), np.int16)
            audio_s += len(pcm) / 16_000
            levels[name] = round(_level_dbfs(pcm), 1)
    return {"first_audio_ms": percentiles(first_ms), "rtf": round(cpu_s / audio_s, 4), "level_dbfs": levels}


def _level_dbfs(pcm: Pcm) -> float:
    frames = (pcm[: len(pcm) // 320 * 320] / 32768).reshape(-1, 320)
    power = (frames**2).mean(axis=1)
    return float(10 * np.log10(power[power > 10**-4.5].mean()))


def _error_rate(scores: Iterable[Score]) -> float:
    counted = list(scores)
    return round(sum(score.errors for score in counted) / sum(score.words for score in counted), 3)


def recorded(prompt: Prompt) -> Pcm:
    pcm, _rate = soundfile.read(prompt.wav_path, dtype="int16")
    return np.asarray(pcm, np.int16)


def _cpu_s(pids: Iterable[int]) -> float:
    return sum(sum(_ticks(pid)) for pid in pids) / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> Iterator[int]:
    """CPU time in user and system mode, of the process and of its children that ended: fields 14 to 17 of proc(5)'s
    stat, counted after the command's name."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    yield from map(int, fields[11:15])


def _pss_mb(pids: Iterable[int]) -> float:
    return sum(memory_kb(PROC / str(pid))[1] for pid in pids) / 1024


def _tell(text: str) -> None:
    print(text, flush=True)
