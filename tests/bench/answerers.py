"""Who answers a call, for `just bench machines`: people and machines, as they come in over G.711.

People and machines are synthetic voices and Asterisk's prompts (a recorded woman). What is not in the text comes from
a random generator that is seeded with the case's name: how long it is quiet after the answer, the noise, the pause
before the beep. The sets are in machines_sentences/; tuning and scored share no sentence, no voice and no beep.
"""

from __future__ import annotations

import itertools
import tomllib
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from app.ports import SAMPLE_RATE_HZ
from tests.bench.telephone import through_g711
from tests.office.sounds import prompts
from tests.office.voices import SPEAKERS, Samples, samples, say

SENTENCES = Path(__file__).with_name("machines_sentences")
HUMAN_LINES = ("quiet", "noisy", "people behind")
MACHINE_LINES = ("quiet", "noisy", "music first", "music behind")
_PER_MS = SAMPLE_RATE_HZ // 1000
_NOISE_DB, _PEOPLE_DB, _MUSIC_DB = -15.0, -20.0, -18.0  # against the voice
_LINE_NOISE_DBFS = -65.0
_GOES_ON_MS = (500, 5_000)  # before the agent's greeting, into it, or after it
_TALK_LATER_MS = 4_000  # by then the agent has answered
_BEEP_AMPLITUDE = 0.15


@dataclass(frozen=True, slots=True)
class Case:
    """`beep`: pitch in Hz and length in ms."""

    kind: Literal["human", "machine"]
    voice: str
    line: str
    text: str
    beep: tuple[int, int] | None = None
    prompts: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.kind}, {self.voice}, {self.line}, {self.text}, {self.beep}"


@dataclass(frozen=True, slots=True)
class Answered:
    """`pcm`: 16 kHz, from the answer on. `spoken_ms`: the first words end there. `beep_ms`: the beep does."""

    case: Case
    pcm: Samples
    length_ms: int
    spoken_ms: int
    beep_ms: int | None


def cases(name: str) -> list[Case]:
    """The scored or the tuning set."""
    data = tomllib.loads((SENTENCES / f"{name}.toml").read_text())
    return [*_humans(data), *_machines(data)]


def _humans(data: dict[str, Any]) -> Iterator[Case]:
    for voice, line, text in itertools.product(data["voices"], HUMAN_LINES, data["humans"]):
        yield Case("human", voice, line, text)
    for line, parts in itertools.product(HUMAN_LINES, data["human_prompts"]):
        yield Case("human", "recorded", line, " ".join(parts), prompts=tuple(parts))


def _machines(data: dict[str, Any]) -> Iterator[Case]:
    beeps = itertools.cycle([*map(tuple, data["beeps"]), None])
    for voice, line, text in itertools.product(data["voices"], MACHINE_LINES, data["machines"]):
        yield Case("machine", voice, line, text, next(beeps))
    for line, parts in itertools.product(MACHINE_LINES, data["machine_prompts"]):
        yield Case("machine", "recorded", line, " ".join(parts), next(beeps), tuple(parts))


async def answered(case: Case, later: Sequence[str]) -> Answered:
    """How it sounds. `later`: what a person goes on to say; a machine only listens."""
    chance = np.random.default_rng(zlib.crc32(case.name.encode()))
    spoken = _trimmed(await _spoken(case))
    lead = _quiet(int(chance.integers(150, 1_300)))
    if case.line == "music first":
        lead = music(int(chance.integers(1_500, 4_000)), _rms(spoken) / 2)
    parts = [lead, spoken]
    if case.kind == "human":
        pause_ms = int(chance.integers(*_GOES_ON_MS))
        async for said in _going_on(case, later):
            parts += [_quiet(pause_ms), said]
            pause_ms = _TALK_LATER_MS
    beep_ms = None
    if case.beep:
        parts += [_quiet(int(chance.integers(200, 1_500))), tone(*case.beep)]
        beep_ms = sum(map(len, parts)) // _PER_MS
    whole = np.concatenate([*parts, _quiet(8_000)]).astype(np.float64)
    heard = _clipped(whole + await _behind(case, len(whole), _rms(spoken), chance))
    return Answered(case, through_g711(heard), len(spoken) // _PER_MS, (len(lead) + len(spoken)) // _PER_MS, beep_ms)


async def _spoken(case: Case) -> Samples:
    if not case.prompts:
        return samples(await say(SPEAKERS[case.voice], case.text))
    recorded = {prompt.name: prompt.wav_path for prompt in prompts()}
    return np.concatenate([samples(recorded[name]) for name in case.prompts])


async def _going_on(case: Case, later: Sequence[str]) -> AsyncIterator[Samples]:
    voice = SPEAKERS.get(case.voice)
    for text in later if voice else ():
        yield samples(await say(voice, text))  # type: ignore[arg-type]


async def _behind(case: Case, length: int, rms: float, chance: np.random.Generator) -> np.ndarray[Any, Any]:
    """What else is to be heard, all the time."""
    hiss = chance.normal(0, 32_768 * 10 ** (_LINE_NOISE_DBFS / 20), length)
    match case.line:
        case "noisy":
            return np.asarray(hiss + chance.normal(0, rms * 10 ** (_NOISE_DB / 20), length))
        case "people behind":
            return np.asarray(hiss + await _people(length, rms * 10 ** (_PEOPLE_DB / 20)))
        case "music behind":
            return np.asarray(hiss + music(length // _PER_MS + 1, rms * 10 ** (_MUSIC_DB / 20))[:length])
        case _:
            return np.asarray(hiss)


async def _people(length: int, rms: float) -> np.ndarray[Any, Any]:
    """The recorded woman, reading on and on."""
    talk = np.concatenate([samples(prompt.wav_path) for prompt in prompts()[:400:7]]).astype(np.float64)
    return np.resize(talk * rms / _rms(talk), length)


# -- sounds ----------------------------------------------------------------------------------------------------


def tone(hz: float, length_ms: int, amplitude: float = _BEEP_AMPLITUDE) -> Samples:
    """A pure tone; `amplitude` 1 is full scale."""
    seconds = np.arange(length_ms * _PER_MS) / SAMPLE_RATE_HZ
    return np.asarray(np.sin(2 * np.pi * hz * seconds) * amplitude * 32_767, np.int16)


def music(length_ms: int, rms: float) -> Samples:
    """A slow tune with chords under it, as a cheap synthesiser plays it. `rms` on the scale of 16-bit samples."""
    notes = [523.3, 587.3, 659.3, 784.0, 880.0, 784.0, 659.3, 587.3]
    note_ms = 350
    played = [_note(hz, note_ms) + _note(hz / 2, note_ms) + _note(hz * 0.75, note_ms) for hz in notes]
    whole = np.resize(np.concatenate(played), length_ms * _PER_MS)
    return _clipped(whole * rms / _rms(whole))


def _note(hz: float, length_ms: int) -> np.ndarray[Any, Any]:
    seconds = np.arange(length_ms * _PER_MS) / SAMPLE_RATE_HZ
    partials = sum(np.sin(2 * np.pi * hz * n * seconds) / n**2 for n in range(1, 5))
    return np.asarray(partials * np.exp(-3 * seconds))


def _quiet(length_ms: int) -> Samples:
    return np.zeros(length_ms * _PER_MS, np.int16)


def _trimmed(pcm: Samples) -> Samples:
    """Without the silence around it."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 300)
    return pcm[loud[0] : loud[-1] + 1]


def _rms(pcm: Samples | np.ndarray[Any, Any]) -> float:
    signal = pcm.astype(np.float64)
    voiced = np.abs(signal) > 0.02 * np.abs(signal).max(initial=1.0)
    return float(np.sqrt(np.mean(np.square(signal[voiced]))))


def _clipped(signal: np.ndarray[Any, Any]) -> Samples:
    return np.asarray(np.clip(signal, -32_768, 32_767).round(), np.int16)
