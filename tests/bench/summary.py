"""`just bench summary`: docs/measured.md, from what the other benches wrote. No figure in it is typed by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.report import FOLDER

DOCUMENT = Path(__file__).parents[2] / "docs" / "measured.md"
_FIGURES = {
    "wire": {
        "turns": "turns, one call at a time, half over G.711, half over G.722",
        "response_ms.p50": "end of the caller's last word to the first sound of the answer, on the wire: median, ms",
        "response_ms.p95": "the same: 95th percentile, ms",
        "turns_wrong": "turns without an answer, or answered too early",
        "interruptions": "interruptions",
        "barge_in_ms.p50": "the caller's onset to the agent's silence, on the wire: median, ms",
        "barge_in_ms.p95": "the same: 95th percentile, ms",
        "interruptions_wrong": "interruptions that did not stop the agent",
    },
    "tick": {
        "calls": "calls at once, all talking, for a minute",
        "gap_p999_ms": "gap between audio ticks (20 ms is nominal): 99.9th percentile, ms",
        "gap_max_ms": "the same: largest, ms",
        "lost_frames": "frames lost",
        "cpu_percent_per_call": "CPU per call, % of one core",
        "rss_mb": "memory of all processes together (RSS), MB",
    },
    "speech": {
        "vad.us_per_chunk": "voice activity: µs for 32 ms of sound",
        "stt.wer_16k": "word error rate of free speech: one human, as recorded",
        "stt.wer_8k": "the same over G.711",
        "stt.rtf": "recognition: seconds of CPU for a second of speech",
        "stt.final_ms.p50": "from the end of feeding to the text: median, ms",
        "tts.first_audio_ms.p50": "voice: text to first sound: median, ms",
        "tts.rtf": "voice: seconds of CPU for a second of speech",
        "intent.accuracy_wide": "requests understood at once, synthetic callers, G.722",
        "intent.accuracy_phone": "the same over G.711",
        "intent.accuracy_noisy": "the same over G.711, with white noise 15 dB below the voice",
        "intent.ood_accepted": "questions that have nothing to do with the office, and were answered all the same",
    },
}
_HEAD = """# Measured

Written by `just bench summary` from `build/bench/`. Repeat it with `just bench wire`, `tick` and `speech` on an idle
machine. All on x86; nobody has measured a Raspberry Pi yet.
"""


def main(arguments: Sequence[str]) -> int:
    DOCUMENT.write_text("\n".join([_HEAD, *(_table(bench) for bench in _FIGURES)]))
    print(DOCUMENT)
    return 0


def _table(bench: str) -> str:
    figures = json.loads((FOLDER / f"{bench}.json").read_text())
    machine = figures["machine"]
    rows = [f"| {meaning} | {_figure(figures, name)} |" for name, meaning in _FIGURES[bench].items()]
    partial = " A part of the bench only." if figures.get("partial") else ""
    where = f"{machine['cores']} cores, {machine['cpu']}, load {machine['load_1min']} at the end. {figures['at'][:16]}."
    return "\n".join([f"## {bench}", "", f"{where}{partial}", "", "| | |", "|---|---|", *rows, ""])


def _figure(figures: dict[str, Any], name: str) -> str:
    found: Any = figures
    for key in name.split("."):
        found = found[key]
    if isinstance(found, dict):
        return ", ".join(f"{key} {value}" for key, value in found.items())
    return str(found)
