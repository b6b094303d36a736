"""What the declared neural packs need of this machine, and how well they do: `just bench packs`.

    ears.wer_8k        word error rate over Asterisk's prompts (one human) after G.711; box.wer_8k: the general ears
                       of the box on the same prompts
    ears.words_ms      from the end of an utterance to its words
    voice.first_ms     from the text of a sentence to its first sound
    ears.intent        what the receptionist makes of it: the requests of `just bench intent`, heard by the pack
    *.rtf              CPU seconds for each second of speech; *.loaded_mb: memory of the engine's process, at the end

One engine at a time, as programs of their own, exactly as an agent runs them. `--quick N` takes every Nth prompt only.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import trio
from rapidfuzz.distance import Levenshtein

from app.ports import Heard
from firmware.packs import PackEngine, Packs, open_pack
from models.stt import language_model
from models.stt.pool import recogniser_pool
from models.stt.words import spoken
from tests.bench.intent import Utterance, decided, office_agent, over_the_line, scored_set
from tests.bench.processes import PROC, memory_kb
from tests.bench.report import percentiles, publish
from tests.bench.speech import recorded
from tests.bench.telephone import through_g711
from tests.office.neural_packs import declared_pack
from tests.office.sounds import Prompt, prompts

EARS, VOICE = "moonshine-tiny", "piper-joe"
SENTENCES = (
    "Good morning, you have reached Miller and Sons. How can I help you?",
    "Our opening hours are Monday to Friday, from nine to five.",
    "Where would you like the parcel to be delivered?",
    "One moment, please.",
)
_PART_BYTES = 256 * 1024
_FRAME_BYTES = 640


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench packs", description="What neural packs need, and how well they do.")
    parser.add_argument("--quick", type=int, default=1, metavar="N", help="every Nth prompt only")
    trio.run(measure, parser.parse_args(arguments).quick)
    return 0


async def measure(quick: int) -> None:
    chosen = [prompt for prompt in prompts() if len(spoken(prompt.text)) >= 3][::quick]
    with TemporaryDirectory() as folder:
        packs = Packs(Path(folder))
        for name in (EARS, VOICE):
            await _taken(packs, await trio.to_thread.run_sync(declared_pack, name))
        ears = await _ears(packs, chosen) | {"intent": await _intent(packs, quick)}
        voice = await _voice(packs)
    publish("packs", {"partial": quick > 1, "ears": ears, "box": await _box(chosen), "voice": voice})


async def _ears(packs: Packs, chosen: Sequence[Prompt]) -> dict[str, Any]:
    errors = words = 0
    took_ms, audio_s = [], 0.0
    async with open_pack(packs, EARS, "ears") as engine:
        await engine.loaded()
        process = _process(packs, EARS)
        before_s = _cpu_s(process)
        for prompt in chosen:
            pcm = through_g711(recorded(prompt)).tobytes()
            heard, ms = await _heard(engine, pcm)
            took_ms.append(ms)
            audio_s += len(pcm) / 32_000
            said = spoken(prompt.text)
            errors += Levenshtein.distance(list(spoken(heard)), list(said))
            words += len(said)
        cpu_s, loaded_mb = _cpu_s(process) - before_s, memory_kb(process)[1] / 1024
    figures = {"wer_8k": round(errors / words, 3), "words_ms": percentiles(took_ms), "rtf": round(cpu_s / audio_s, 3)}
    return {"pack": EARS, "prompts": len(chosen), **figures, "loaded_mb": round(loaded_mb)}


async def _intent(packs: Packs, quick: int) -> dict[str, Any]:
    async with open_pack(packs, EARS, "ears") as engine:
        await engine.loaded()
        utterances = list(scored_set(quick).utterances(("wide", "phone", "noisy")))
        return await decided(office_agent(), _recognised(engine, utterances))


async def _recognised(engine: PackEngine, utterances: Sequence[Utterance]) -> AsyncIterator[tuple[Utterance, Heard]]:
    """As an agent is told what a server heard (firmware/speech_servers/ears.py)."""
    for count, utterance in enumerate(utterances, 1):
        text, ms = await _heard(engine, (await over_the_line(utterance)).tobytes())
        yield utterance, Heard(text, text, ms)
        if count % 100 == 0:
            print(f"[intent] {count} of {len(utterances)} utterances", flush=True)


async def _heard(engine: PackEngine, pcm: bytes) -> tuple[str, float]:
    ended_s = 0.0

    async def audio() -> AsyncIterator[bytes]:
        nonlocal ended_s
        for at in range(0, len(pcm), _FRAME_BYTES):
            yield pcm[at : at + _FRAME_BYTES]
        ended_s = time.perf_counter()

    text = await engine.transcribe(audio())
    return text, (time.perf_counter() - ended_s) * 1000


async def _box(chosen: Sequence[Prompt]) -> dict[str, Any]:
    """The box's general recogniser, which is taught nothing of these prompts either."""
    errors = words = 0
    model = await trio.to_thread.run_sync(language_model.build, ())
    async with recogniser_pool(model, 1, narrow_band=True) as pool, pool.open(narrow_band=True) as hearing:
        for prompt in chosen:
            await hearing.begin()
            await hearing.feed(through_g711(recorded(prompt)).tobytes())
            heard, said = await hearing.finish(), spoken(prompt.text)
            errors += Levenshtein.distance(heard.general.split(), list(said))
            words += len(said)
    return {"wer_8k": round(errors / words, 3)}


async def _voice(packs: Packs) -> dict[str, Any]:
    first_ms, made_bytes = [], 0
    async with open_pack(packs, VOICE, "voice") as engine:
        await engine.loaded()
        process = _process(packs, VOICE)
        before_s = _cpu_s(process)
        for sentence in SENTENCES * 3:
            pieces: list[tuple[float, int]] = []
            began_s = time.perf_counter()
            await engine.speak(sentence, partial(_note, pieces))
            first_ms.append((pieces[0][0] - began_s) * 1000)
            made_bytes += sum(size for _, size in pieces)
        cpu_s, loaded_mb = _cpu_s(process) - before_s, memory_kb(process)[1] / 1024
    rtf = round(cpu_s / (made_bytes / 32_000), 3)
    return {"pack": VOICE, "first_ms": percentiles(first_ms), "rtf": rtf, "loaded_mb": round(loaded_mb)}


async def _note(pieces: list[tuple[float, int]], pcm: bytes) -> None:
    pieces.append((time.perf_counter(), len(pcm)))
    await trio.lowlevel.checkpoint()


async def _taken(packs: Packs, pack: Path) -> None:
    data = await trio.Path(pack).read_bytes()
    for at in range(0, len(data), _PART_BYTES):
        await packs.receive(at, data[at : at + _PART_BYTES])
    await packs.take()


def _process(packs: Packs, name: str) -> Path:
    """The folder in /proc of who serves the pack."""
    needle = str(packs.folder_of(name)).encode()
    [found] = [each for each in PROC.iterdir() if each.name.isdigit() and needle in (each / "cmdline").read_bytes()]
    return found


def _cpu_s(process: Path) -> float:
    """In user and system mode: fields 14 and 15 of proc(5)'s stat, counted after the command's name."""
    fields = (process / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
