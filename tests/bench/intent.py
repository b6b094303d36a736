"""How often the receptionist understands what callers want, from their audio to its decision.

Synthetic voices say the requests of intent_sentences/scored.toml through a telephone: G.722 (`wide`), G.711 mu-law
(`phone`), and G.711 with white noise 15 dB below the voice (`noisy`). The real recogniser hears them, with the
language model that the product would make of the example agent, and the real receptionist decides. Right is only the
intent that was meant: asking again counts against it, and so does anything but asking again where the sentence had
nothing to do with the office (`ood_accepted`). `wrong` is what was taken for something else, and acted on.

A call holds five utterances, because the recogniser gets used to a line.
"""

from __future__ import annotations

import argparse
import itertools
import tomllib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import trio

from app.brains.phrases import awaited, likely_phrases, names
from app.brains.receptionist import Receptionist, matcher_of
from app.ports import Ears, Heard, Recognition
from app.settings import Agent
from models.stt import language_model
from models.stt.likeness import Likeness
from models.stt.pool import recogniser_pool
from tests.bench.report import publish
from tests.bench.telephone import through_g711
from tests.office.voices import SPEAKERS, Samples, samples, say

SENTENCES = Path(__file__).with_name("intent_sentences")
OFFICE_AGENT = Path(__file__).parents[1] / "office" / "agent.toml"
_UTTERANCES_PER_CALL = 5
_RECOGNISERS = 2  # as many as the machine of the measurements has cores
_SNR_DB = 15.0
_CHUNK_BYTES = 3200  # 100 ms


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence by one voice over one line. `intent` is the intent's key, None for out of domain."""

    voice: str
    condition: str
    text: str
    intent: str | None
    listed: bool


@dataclass(frozen=True, slots=True)
class SentenceSet:
    voices: tuple[str, ...]
    requests: tuple[tuple[str, str | None, bool], ...]  # text, intent, listed

    def utterances(self, conditions: Iterable[str]) -> Iterator[Utterance]:
        for voice, condition in itertools.product(self.voices, conditions):
            for text, intent, listed in self.requests:
                yield Utterance(voice, condition, text, intent, listed)


def sentence_set(name: str) -> SentenceSet:
    """The scored or the tuning set."""
    data = tomllib.loads((SENTENCES / f"{name}.toml").read_text())
    inside = [
        (text, request["intent"], kind == "listed")
        for request in data["request"]
        for kind in ("listed", "free")
        for text in request[kind]
    ]
    outside = [(text, None, False) for text in data["out_of_domain"]["sentences"]]
    return SentenceSet(tuple(data["voices"]), (*inside, *outside))


def office_agent() -> Agent:
    return Agent.model_validate(tomllib.loads(OFFICE_AGENT.read_text()))


async def measure(
    tell: Callable[[str], None] = print, *, quick: int = 0, conditions: Sequence[str] = ("wide", "phone", "noisy")
) -> dict[str, Any]:
    """The figures of the `intent` part of the speech bench. `quick`: only every n-th sentence, marked as partial."""
    scored, agent = scored_set(quick), office_agent()
    found = await decided(agent, recognised(list(scored.utterances(conditions)), agent, tell))
    return {"partial": bool(quick), "voices": list(scored.voices), **found}


def scored_set(quick: int) -> SentenceSet:
    """Every n-th sentence of it, or all."""
    scored = sentence_set("scored")
    return SentenceSet(scored.voices, scored.requests[::quick]) if quick else scored


async def decided(agent: Agent, recognised: AsyncIterator[tuple[Utterance, Heard]]) -> dict[str, Any]:
    """What the receptionist of `agent` makes of it all, in figures."""
    matcher = matcher_of(agent, Likeness())
    outcomes: list[tuple[Utterance, str | None]] = []
    async for utterance, heard in recognised:
        outcomes.append((utterance, await _decided(Receptionist(agent, matcher), heard)))
    return figures(outcomes)


async def _decided(receptionist: Receptionist, heard: Heard) -> str | None:
    """The intent that a receptionist at the start of a call believes; None where it asks again."""
    async for _ in receptionist.reply(heard):
        pass
    decision = receptionist.decision
    return decision.intent.key if decision and decision.intent else None


async def recognised(
    utterances: Sequence[Utterance], agent: Agent, tell: Callable[[str], None]
) -> AsyncIterator[tuple[Utterance, Heard]]:
    """What the recogniser makes of each utterance, in calls of five over the line that they name."""
    model = language_model.build(
        likely_phrases(agent), names=names(agent), vocabulary=agent.vocabulary, answers=awaited(agent)
    )
    calls = list(_calls(utterances))
    todo, done = trio.open_memory_channel[list[Utterance]](len(calls)), trio.open_memory_channel[_Finished](0)
    for call in calls:
        todo[0].send_nowait(call)
    todo[0].close()
    async with recogniser_pool(model, _RECOGNISERS) as pool, trio.open_nursery() as nursery:
        async with done[0], todo[1]:
            for _ in range(_RECOGNISERS):
                nursery.start_soon(_hear_calls, pool, todo[1].clone(), done[0].clone())
        count = 0
        async for finished in done[1]:
            for pair in finished:
                yield pair
            count += len(finished)
            if count % 100 < len(finished):
                tell(f"[intent] {count} of {len(utterances)} utterances")


_Finished = list[tuple[Utterance, Heard]]


def _calls(utterances: Sequence[Utterance]) -> Iterator[list[Utterance]]:
    for _, group in itertools.groupby(utterances, key=lambda utterance: (utterance.voice, utterance.condition)):
        line = list(group)
        for start in range(0, len(line), _UTTERANCES_PER_CALL):
            yield line[start : start + _UTTERANCES_PER_CALL]


async def _hear_calls(
    ears: Ears, calls: trio.MemoryReceiveChannel[list[Utterance]], done: trio.MemorySendChannel[_Finished]
) -> None:
    async with calls, done:
        async for call in calls:
            await done.send(await _hear_call(ears, call))


async def _hear_call(ears: Ears, call: list[Utterance]) -> _Finished:
    found = []
    async with ears.open(narrow_band=call[0].condition != "wide") as hearing:
        for utterance in call:
            pcm = (await over_the_line(utterance)).tobytes()
            await hearing.begin()
            for start in range(0, len(pcm), _CHUNK_BYTES):
                await hearing.feed(pcm[start : start + _CHUNK_BYTES])
            recognition = await hearing.finish()
            found.append((utterance, _as_heard(recognition)))
    return found


def _as_heard(found: Recognition) -> Heard:
    return Heard(found.own, found.general, found.decode_ms, found.off_topic)


def main(arguments: list[str]) -> int:
    """`just bench intent [--quick N]`: the intent part of the speech bench alone."""
    parser = argparse.ArgumentParser(prog="just bench intent", description=__doc__)
    parser.add_argument("--quick", type=int, default=0, metavar="N", help="every N-th sentence only; marked as partial")
    quick = parser.parse_args(arguments).quick
    publish("intent", trio.run(partial(measure, partial(print, flush=True), quick=quick)))
    return 0


# -- the line --------------------------------------------------------------------------------------------------


async def over_the_line(utterance: Utterance) -> Samples:
    """The utterance as it arrives at the agent, 16 kHz."""
    spoken = samples(await say(SPEAKERS[utterance.voice], utterance.text))
    match utterance.condition:
        case "wide":
            return await _through_g722(spoken)
        case "phone":
            return through_g711(spoken)
        case "noisy":
            return through_g711(_with_noise(spoken))
        case _:
            raise ValueError(f"no such line: {utterance.condition}")


async def _through_g722(pcm: Samples) -> Samples:
    raw = ["-f", "s16le", "-ar", "16000", "-ac", "1"]
    coded = await _ffmpeg([*raw, "-i", "-", "-c:a", "g722", "-f", "g722", "-"], pcm.tobytes())
    return np.frombuffer(await _ffmpeg(["-f", "g722", "-i", "-", *raw, "-"], coded), dtype="<i2")


async def _ffmpeg(arguments: Sequence[str], data: bytes) -> bytes:
    done = await trio.run_process(["ffmpeg", "-v", "error", *arguments], stdin=data, capture_stdout=True)
    return bytes(done.stdout)


def _with_noise(pcm: Samples) -> Samples:
    """White noise 15 dB below the voice (the same for the same utterance every time)."""
    signal = pcm.astype(np.float64)
    voiced = np.abs(signal) > 0.02 * np.abs(signal).max(initial=1.0)
    rms = np.sqrt(np.mean(np.square(signal[voiced]))) * 10 ** (-_SNR_DB / 20)
    noise = np.random.default_rng(len(pcm)).normal(0, rms, len(pcm))
    noisy: Samples = np.clip(signal + noise, -32768, 32767).round().astype(np.int16)
    return noisy


# -- the figures -----------------------------------------------------------------------------------------------


def figures(outcomes: Sequence[tuple[Utterance, str | None]]) -> dict[str, Any]:
    """Accuracy by line, split into what the agent was given and what not, and by voice; the commonest confusions."""
    conditions = list(dict.fromkeys(utterance.condition for utterance, _ in outcomes))
    found: dict[str, Any] = {}
    for condition in conditions:
        here = [(utterance, decided) for utterance, decided in outcomes if utterance.condition == condition]
        found |= {f"{name}_{condition}": value for name, value in _of_one_line(here).items()}
    voices = dict.fromkeys(utterance.voice for utterance, _ in outcomes)
    by_voice = {voice: _accuracy([pair for pair in outcomes if pair[0].voice == voice]) for voice in voices}
    outside = [decided for utterance, decided in outcomes if utterance.intent is None]
    return {
        "utterances": len(outcomes),
        **found,
        "wrong": _wrong([pair for pair in outcomes if pair[0].intent is not None]),
        "ood_accepted": _share(decided is not None for decided in outside),
        "accuracy_by_voice": by_voice,
        "confusions": _confusions(outcomes),
    }


def _of_one_line(outcomes: Sequence[tuple[Utterance, str | None]]) -> Mapping[str, float | None]:
    inside = [pair for pair in outcomes if pair[0].intent is not None]
    return {
        "accuracy": _accuracy(outcomes),
        "accuracy_listed": _accuracy([pair for pair in inside if pair[0].listed]),
        "accuracy_free": _accuracy([pair for pair in inside if not pair[0].listed]),
        "asked_again": _share(decided is None for _, decided in inside),
        "wrong": _wrong(inside),
        "ood_accepted": _share(decided is not None for utterance, decided in outcomes if utterance.intent is None),
    }


def _accuracy(outcomes: Iterable[tuple[Utterance, str | None]]) -> float | None:
    return _share(utterance.intent == decided for utterance, decided in outcomes if utterance.intent is not None)


def _wrong(inside: Iterable[tuple[Utterance, str | None]]) -> float | None:
    """Taken for something else, and acted on."""
    return _share(decided not in (None, utterance.intent) for utterance, decided in inside)


def _share(hits: Iterable[bool]) -> float | None:
    counted = list(hits)
    return round(sum(counted) / len(counted), 3) if counted else None


def _confusions(outcomes: Iterable[tuple[Utterance, str | None]]) -> list[dict[str, Any]]:
    """Which intents were taken for which, how often; of intents, never of single sentences."""
    pairs = Counter(
        (utterance.intent or "out of domain", decided)
        for utterance, decided in outcomes
        if decided is not None and decided != utterance.intent
    )
    return [{"meant": meant, "decided": decided, "times": times} for (meant, decided), times in pairs.most_common()]
