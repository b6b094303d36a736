"""`just bench turns`: does the agent let itself be interrupted by what is no interruption? In virtual time.

The agent's answers in the product's own voice, for half an hour, and what comes back of them over G.711: an echo 20 dB
down, later by 20 to 300 ms, once with the noise of a quiet line and once with that of an office, 10 dB below a voice.
The real voice activity and echo detectors hear it, and the real deciders decide.

    false_stops   the agent stopped although nobody had said anything
    false_holds   it fell silent for a moment, and went on; held_share is how much of the time
    imagined      sounds of that half hour that were taken for the beginning of a caller's turn
    stop_ms       a caller's onset, over the agent and its echo, to the agent's falling silent for good

There is no recogniser here: of echo and noise it hears nothing that both models agree on, and of a caller words.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import trio

from app.echo import rms_dbfs
from app.listening import Chunk, Listener
from app.ports import FRAME_MS, SAMPLE_RATE_HZ, Frame, Hearing
from app.turns.barge_in import BargeIn, Move
from app.turns.endpoint import SpeechEnded, SpeechPaused, SpeechStarted
from app.turns.said import Said
from models.echo.correlation import CorrelatedEcho
from models.vad.silero import SileroModel
from tests.bench.intent import office_agent
from tests.bench.report import percentiles, publish
from tests.bench.telephone import through_g711
from tests.office.sounds import prompts
from tests.office.voices import SPEAKERS, Samples, samples, say

MINUTES = 30
DELAYS_MS = (20, 60, 100, 150, 200, 250, 300)
AGENT = "slt"
CALLERS = ("ked", "slt-hts", "kal-diphone", "espeak-us", "awb", "rms")
INTERRUPTIONS = ("Where can I park?", "No, wait a moment please.", "Stop.", "I have a tooth ache.")
CALLER_DB = (0.0, -10.0)  # against the agent
_INTO_MS = (1_500, 9_000, 17_000)
ECHO_DB, _LINE_DBFS, _OFFICE_DBFS = -20.0, -65.0, -33.0
_AGAIN_MS = 2_000  # an agent that stopped begins its next answer by then
_PAUSE_MS = 450
_RECOGNISED_MS = 96  # what finishing a recognition takes, in chunks
_TALKERS = 6
# As the wire bench's calls are: so long, of which a room is heard so soon, and a word by then.
_CALL, _ROOM_FROM_MS, _WORD_MS = 25 * SAMPLE_RATE_HZ, (100, 180, 260, 340, 420, 500), 540
_PER_MS = SAMPLE_RATE_HZ // 1000
_FRAME = FRAME_MS * _PER_MS

Floats = npt.NDArray[np.float64]
Codec = Callable[[Samples], Samples]


@dataclass(frozen=True, slots=True)
class Line:
    """Both sides of a call, 16 kHz. `onset_ms`: where somebody begins to speak."""

    came: Samples
    sent: Samples
    onset_ms: int = 0


def heard(line: Line, vad: SileroModel) -> Iterator[Chunk]:
    """The call as the deciders get it. The recogniser is not asked for anything."""
    listener = Listener(cast("Hearing", None), vad.open(), CorrelatedEcho())
    for start in range(0, len(line.came) - _FRAME + 1, _FRAME):
        came, sent = (side[start : start + _FRAME].tobytes() for side in (line.came, line.sent))
        yield from listener.chunks(Frame(start // _PER_MS, came, sent), _PAUSE_MS)


@dataclass(frozen=True, slots=True)
class Silent:
    """The agent was silent from here to there, and then it went on, or not."""

    from_ms: int
    to_ms: int
    for_good: bool


def silences(chunks: Sequence[Chunk], words: Said, *, audible_ms: int = 0) -> list[Silent]:
    """When an agent that always speaks, and whose first word is known from `audible_ms` on, would have fallen silent.
    `words`: what is recognised in each pause."""
    barge_in, found = BargeIn(), list[Silent]()
    barge_in.learn()
    from_ms = words_at_ms = again_ms = 0
    in_speech = False
    for chunk in chunks:
        in_speech = not isinstance(chunk.event, SpeechEnded) and (in_speech or isinstance(chunk.event, SpeechStarted))
        if chunk.end_ms < again_ms or not (chunk.end_ms > audible_ms or barge_in.is_learning):
            continue
        if isinstance(chunk.event, SpeechPaused):
            words_at_ms = chunk.end_ms + _RECOGNISED_MS
        span = chunk.start_ms, chunk.end_ms, chunk.probability
        move = barge_in.feed(*span, level_dbfs=rms_dbfs(chunk.pcm), awaits_words=in_speech)
        if words_at_ms and chunk.end_ms >= words_at_ms and not move:
            move, words_at_ms = barge_in.words(words), 0
        if move is Move.HOLD:
            from_ms = chunk.end_ms
        elif move:
            found.append(Silent(from_ms, chunk.end_ms, move is Move.STOP))
            again_ms = chunk.end_ms + (_AGAIN_MS if move is Move.STOP else 0)
    return found


async def agents_speech(minutes: float) -> Samples:
    """The example agent's answers, one after the other, again and again."""
    agent = office_agent()
    texts = [agent.greeting, agent.hours, *(known.answer for known in agent.knowledge)]
    spoken = np.concatenate([samples(await say(SPEAKERS[AGENT], text)) for text in texts])
    return np.resize(spoken, round(minutes * 60 * SAMPLE_RATE_HZ))


def echoed(sent: Samples, delay_ms: int, noise: Floats, codec: Codec = through_g711) -> Samples:
    """What comes in while nobody but the agent speaks."""
    back = np.concatenate((np.zeros(delay_ms * _PER_MS), codec(sent) * 10 ** (ECHO_DB / 20)))[: len(sent)]
    return codec(clipped(back + noise[: len(back)]))


def line_noise(length: int, chance: np.random.Generator) -> Floats:
    return np.asarray(chance.normal(0, 32_768 * 10 ** (_LINE_DBFS / 20), length))


def office_noise(length: int, chance: np.random.Generator) -> Floats:
    """Six people behind, none of whom stands out, and the hum of machines."""
    talk = np.concatenate([samples(prompt.wav_path) for prompt in prompts()[:400:5]]).astype(np.float64)
    people = sum(np.resize(np.roll(talk, int(chance.integers(len(talk)))), length) for _ in range(_TALKERS))
    hum = np.cumsum(chance.normal(0, 1, length))
    hum -= np.convolve(hum, np.ones(800) / 800, "same")
    parts = [part / np.sqrt(np.mean(np.square(part))) for part in (np.asarray(people), hum)]
    noise = parts[0] + 0.7 * parts[1]
    return np.asarray(noise * 32_768 * 10 ** (_OFFICE_DBFS / 20) / np.sqrt(np.mean(np.square(noise))))


def false_stops(spoken: Samples, noise: Floats, vad: SileroModel, codec: Codec = through_g711) -> dict[str, Any]:
    """Call after call of 25 s, each with an echo that is later than the one before, and with a room that is heard from
    a while after the agent has begun to speak: what is known of it in one call is forgotten in the next."""
    found, imagined = list[Silent](), 0
    delays, begins = itertools.cycle(DELAYS_MS), itertools.cycle(_ROOM_FROM_MS)
    for start in range(0, len(spoken), _CALL):
        sent = spoken[start : start + _CALL]
        came = np.array(echoed(sent, next(delays), noise[start:], codec))
        came[: next(begins) * _PER_MS] = 0
        chunks = list(heard(Line(came, sent), vad))
        found += silences(chunks, Said.NOTHING, audible_ms=_WORD_MS)
        imagined += sum(isinstance(chunk.event, SpeechStarted) for chunk in chunks)
    stops, seconds = sum(each.for_good for each in found), len(spoken) / SAMPLE_RATE_HZ
    held_s = sum(each.to_ms - each.from_ms for each in found if not each.for_good) / 1000
    return {
        "false_stops": stops,
        "false_holds": len(found) - stops,
        "held_share": round(held_s / seconds, 4),
        "imagined": imagined,
        "minutes": round(seconds / 60, 1),
    }


async def interruptions(spoken: Samples, gain_db: float, noise: Floats) -> list[Line]:
    """Callers who speak over the agent and its echo."""
    lines: list[Line] = []
    for (voice, text), into_ms in zip(
        itertools.product(CALLERS, INTERRUPTIONS), itertools.cycle(_INTO_MS), strict=False
    ):
        words = samples(await say(SPEAKERS[voice], text)).astype(np.float64) * 10 ** (gain_db / 20)
        start, delay_ms = into_ms * _PER_MS, DELAYS_MS[len(lines) % len(DELAYS_MS)]
        sent = spoken[: start + len(words) + SAMPLE_RATE_HZ]  # and a second in which the words become known
        came = echoed(sent, delay_ms, noise).astype(np.float64)
        over = min(len(words), len(came) - start)  # the telephone may add or swallow a sample
        came[start : start + over] += words[:over]
        first = int(np.flatnonzero(np.abs(words) > _edge(gain_db))[0])
        lines.append(Line(through_g711(clipped(came)), sent, into_ms + first // _PER_MS))
    return lines


def _edge(gain_db: float) -> float:
    """-50 dBFS for a voice at its full level, as in the wire bench."""
    return float(32_768 * 10 ** ((gain_db - 50) / 20))


def stopped_for(lines: Sequence[Line], vad: SileroModel) -> dict[str, Any]:
    waited: list[float] = []
    for line in lines:
        found = silences(list(heard(line, vad)), Said.WORDS)
        stops = [each.from_ms for each in found if each.for_good and each.to_ms > line.onset_ms]
        waited += [stops[0] - line.onset_ms] if stops else []
    return {**percentiles(waited), "missed": len(lines) - len(waited)}


def clipped(signal: Floats) -> Samples:
    return np.asarray(np.clip(signal, -32_768, 32_767).round(), np.int16)


async def measure(minutes: float) -> dict[str, Any]:
    vad, chance = SileroModel(), np.random.default_rng(6)
    spoken = await agents_speech(minutes)
    quiet, office = line_noise(len(spoken), chance), office_noise(len(spoken), chance)
    found: dict[str, Any] = {"partial": minutes < MINUTES}
    for name, noise in (("echo", quiet), ("echo_in_office", office)):
        found[name] = false_stops(spoken, noise, vad)
    for gain_db in CALLER_DB:
        found[f"stop_ms_{gain_db:.0f}_db"] = stopped_for(await interruptions(spoken, gain_db, quiet), vad)
    return found


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench turns", description=__doc__)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of the agent's speech; fewer: partial")
    publish("turns", trio.run(measure, parser.parse_args(arguments).minutes))
    return 0
