"""`just bench summary`: docs/measured.md, from what the other benches wrote. No figure in it is typed by hand."""

from __future__ import annotations

import json
import re
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.bench.report import FOLDER

DOCUMENT = Path(__file__).parents[2] / "docs" / "measured.md"
_TICK = {
    "calls": "calls at once, all talking, for a minute",
    "gap_p999_ms": "gap between audio ticks (20 ms is nominal): 99.9th percentile, ms",
    "gap_max_ms": "the same: largest, ms",
    "delay_p999_ms": "from a tick until the agent got what was said in it: 99.9th percentile, ms",
    "delay_max_ms": "the same: longest, ms",
    "lost_frames": "frames lost",
    "response_ms_by_the_box.p95": "a caller's last word to the answer, by the box's own clock: 95th percentile, ms",
    "cpu_percent_per_call": "CPU per call, % of one core",
    "pss_base_mb": "memory of the telephone's processes before the first call, what they share counted once (PSS), MB",
    "pss_per_call_mb": "the same: what a call adds, MB",
    "pss_mb": "the same: in all, MB",
    "rss_base_mb": "memory before the first call, what processes share counted for each (RSS), MB",
    "rss_per_call_mb": "the same: what a call adds, MB",
    "rss_mb": "the same: in all, MB",
}
_FIGURES = {
    "wire": {
        "turns": "turns, one call at a time, half over G.711, half over G.722",
        "voices": "voices that said them",
        "response_ms.p50": "end of the caller's last word to the first sound of the answer, on the wire: median, ms",
        "response_ms.p95": "the same: 95th percentile, ms",
        "stages_error_ms.p50": "by how much the stages on the session's page miss that: median, ms",
        "stages_error_ms.p95": "the same: 95th percentile, ms",
        "turns_wrong": "turns without an answer, or answered too early",
        "cut_off_rate": "share of turns in which the agent began before the caller was done",
        "interruptions": "interruptions",
        "barge_in_ms.p50": "the caller's onset to the agent's silence, on the wire: median, ms",
        "barge_in_ms.p95": "the same: 95th percentile, ms",
        "interruptions_wrong": "interruptions that did not stop the agent",
    },
    "wire-llm": {
        "model.turns": "turns with a language model that answers at once, over real HTTP, and as many without",
        "over_offline_ms": "what it adds to the end of the caller's last word to the first sound: of medians, ms",
        "offline.response_ms.p50": "without: median, ms",
        "model.response_ms.p50": "with: median, ms",
        "model.response_ms.p95": "with: 95th percentile, ms",
        "model.turns_wrong": "turns with it without an answer, or answered too early",
    },
    "tick": _TICK,
    "tick-8": _TICK,
    "soak": {
        "calls": "calls whose callers hung up at random, in every state of a call",
        "hung": "of these not over half a minute later",
        "grown.processes": "processes more than before, afterwards",
        "grown.threads": "threads",
        "grown.descriptors": "open files and sockets",
        "grown.sockets": "of these sockets",
        "grown.tasks": "Trio tasks",
        "grown.sessions_open": "sessions that did not end",
        "before.pss_mb": "memory of the telephone's processes before (PSS), MB",
        "pss_mb_later": "the same after each quarter of the calls, MB",
    },
    "barge": {
        "wire.line.minutes": "an agent speaks and hears its echo, half over G.711, half over G.722, min",
        "wire.line.false_barge_ins": "of this, how often it let itself be stopped",
        "wire.line.calls_held": "how often it fell silent for a moment, and went on",
        "wire.office.minutes": "the same with the noise of an office, 10 dB below a voice, min",
        "wire.office.false_barge_ins": "there, how often it let itself be stopped",
        "wire.office.calls_held": "there, how often it fell silent for a moment",
        "wire.office.imagined": "turns that it heard into the noise",
        "wire.office.broken_off": "calls in which it was not heard for 2.5 s, on a machine that had no time for it",
        "offline.line.minutes": "without a line, echoes of 20 to 300 ms, both codecs, min",
        "offline.line.false_barge_ins": "how often it would have let itself be stopped",
        "offline.office.minutes": "that with the noise of an office, min",
        "offline.office.false_barge_ins": "how often it would have let itself be stopped there",
        "offline.office.held_share": "share of the time in which it fell silent there",
    },
    "web": {
        "calls": "calls at once, all talking, while somebody looks at one page after the other",
        "first_ms": "the first page over a fresh connection, with TLS, style and script: 95th percentile, ms",
        "page_ms.p50": "any page with style and script, a year's content: median, ms",
        "page_ms.p95": "the same: 95th percentile, ms",
        "page_ms.n": "pages looked at in that minute",
        "bytes": "largest page with style and script, bytes",
        "gap_p999_ms": "gap between audio ticks meanwhile: 99.9th percentile, ms",
    },
    "kills": {
        "kills": "kills (SIGKILL) of the telephone or the page, at random moments during edits and calls",
        "edits_acknowledged": "changes that the box acknowledged meanwhile",
        "lost": "of these not there afterwards",
        "half": "records written by halves",
        "back_s.p50": "from the kill until the agent is registered again and the page shows it: median, s",
        "back_s.p95": "the same: 95th percentile, s",
    },
    "machines": {
        "humans": "people who answer, over G.711: synthetic voices and one recorded woman, in quiet, noise and company",
        "humans_taken_for_machines": "of these taken for a machine in the end, share",
        "machines": "answering machines, over G.711, in quiet, noise and music, most with a beep",
        "machines_taken_for_humans": "of these taken for a person in the end, share",
        "machines_with_beep_taken_for_humans": "the same, of those that beep",
        "machines_without_beep_taken_for_humans": "the same, of those that do not",
        "machines_first_greeted_as_humans": "machines that were greeted like a person first, share",
        "short_hello_decided_ms.p50": "the end of a short hello to the decision that it is a person: median, ms",
        "short_hello_decided_ms.p95": "the same: 95th percentile, ms",
        "human_decided_ms.p50": "the same for all first words: median, ms",
        "human_decided_ms.p95": "the same: 95th percentile, ms",
        "machine_decided_ms.p50": "the answer to the decision that it is a machine: median, ms",
        "machine_decided_ms.p95": "the same: 95th percentile, ms",
        "message_after_beep_ms.p95": "the end of a beep to the decision to speak: 95th percentile, ms",
        "beeps_missed": "beeps missed",
        "beeps_imagined": "beeps where there was none",
    },
    "answers": {
        "answers": "answers to the agent's own questions, synthetic callers, over G.711",
        "right": "of these understood, at once or after being read back, share",
        "wrong_at_once": "taken for another answer without being read back, share",
        "read_back": "read back first, share",
        "asked_again": "not understood, share",
        "no_more_calls": "of those who do not want to be called again: heard, or asked whether they mean it, share",
        "stopped_wrongly": "of those who say something else: not called again, share",
    },
    "campaign": {
        "rows": "participants of one list, imported as the page sends them while two callers talk",
        "import_s": "the import, s",
        "page_ms": "a page of the list of participants, wherever in it: slowest, ms",
        "gap_p999_ms": "gap between audio ticks meanwhile: 99.9th percentile, ms",
        "decide_campaigns": "campaigns of one agent that share so many participants, all of them due",
        "decide_zones": "time zones in which these are",
        "decide_ms": "to find whom to call next: median, ms",
        "decide_cpu_ms": "the same, work of the processor alone: median, ms",
    },
    "boot": {
        "power_to_page_s": "a new box, all in software on two cores (QEMU): power to the page, s",
        "power_to_registered_s": "the same, set up before: power to the registration with the PBX, s",
        "update_downtime_s": "the same: restart into a new version to the registration with the PBX, s",
        "image_mb": "the disk image of a mini PC as it is downloaded (zstd), MB",
        "rootfs_mb": "its root file system, MB",
        "bundle_mb": "an update, MB",
    },
    "speech": {
        "vad.us_per_chunk": "voice activity: µs for 32 ms of sound",
        "stt.wer_16k": "word error rate of free speech: one human, as recorded",
        "stt.wer_8k": "the same over G.711",
        "stt.rtf": "recognition: seconds of CPU for a second of speech",
        "stt.final_ms.p50": "from the end of feeding to the text: median, ms",
        "stt.loaded_mb": "recognition: memory before a call, MB",
        "stt.call_mb": "the same: what a call adds, after two minutes of speech, MB",
        "tts.first_audio_ms.p50": "voice: text to first sound: median, ms",
        "tts.rtf": "voice: seconds of CPU for a second of speech",
        "intent.accuracy_wide": "requests understood at once, synthetic callers, G.722",
        "intent.accuracy_phone": "the same over G.711",
        "intent.accuracy_noisy": "the same over G.711, with white noise 15 dB below the voice",
        "dictation.accuracy": "spelled names and ten-digit numbers noted right in the end, synthetic callers, G.711",
        "dictation.accuracy_names": "of these the names: spelled, read back, put right at most twice",
        "dictation.accuracy_numbers": "of these the numbers",
        "dictation.at_once": "right in the first read-back",
        "dictation.wrong": "noted wrong in the end",
        "intent.wrong": "requests taken for something else, and answered as that, all three lines",
        "intent.ood_accepted": "questions that have nothing to do with the office, and were answered all the same",
    },
}
_COMMANDS = {"tick-8": "tick --calls 8"}
"""Where it is not the name alone."""

_HEAD = """# Measured

Written by `just bench summary` from `build/bench/`; what was not measured again stands as it was, with its date. Repeat
it with `just bench NAME` for each of them on an idle machine. All on x86; nobody has measured a Raspberry Pi yet.
"""


def main(arguments: Sequence[str]) -> int:
    DOCUMENT.write_text(document(FOLDER, DOCUMENT.read_text() if DOCUMENT.exists() else ""))
    print(DOCUMENT)
    return 0


def document(folder: Path, before: str) -> str:
    """`before`: the document so far, which keeps the tables of benches that have written nothing to `folder`."""
    kept = {name: table for name, table in _TABLE.findall(before) if "\n|" in table}
    return "\n".join([_HEAD, *(_table(bench, folder, kept) for bench in _FIGURES)])


_ROW = re.compile(r"^\| (.+) \| (.+) \|$", re.MULTILINE)
_BEFORE = " (measured before)"
_TABLE = re.compile(r"^## ([\w-]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def _table(bench: str, folder: Path, kept: Mapping[str, str]) -> str:
    """Says what to run where the bench was never run."""
    path = folder / f"{bench}.json"
    if not path.exists():
        body = kept.get(bench) or f"\nNot measured yet: run `just bench {_COMMANDS.get(bench, bench)}`.\n"
        return f"## {bench}\n{body.rstrip()}\n"
    figures = json.loads(path.read_text())
    machine = figures["machine"]
    before = _rows(kept.get(bench, ""))
    rows = [
        f"| {meaning} | {_figure(figures, name, before[meaning].popleft() if before[meaning] else '')} |"
        for name, meaning in _FIGURES[bench].items()
    ]
    partial = " A part of the bench only." if figures.get("partial") else ""
    where = f"{machine['cores']} cores, {machine['cpu']}, load {machine['load_1min']} at the end. {figures['at'][:16]}."
    return "\n".join([f"## {bench}", "", f"{where}{partial}", "", "| | |", "|---|---|", *rows, ""])


def _rows(table: str) -> defaultdict[str, deque[str]]:
    """Its figures by what they mean, in their order: "the same over G.711" is said of more than one."""
    found: defaultdict[str, deque[str]] = defaultdict(deque)
    for meaning, figure in _ROW.findall(table):
        found[meaning].append(figure)
    return found


def _figure(figures: dict[str, Any], name: str, before: str) -> str:
    """`before`: what the document has of a part that was not measured now."""
    found: Any = figures
    part, *_ = name.split(".")
    if part not in figures:
        return before.removesuffix(_BEFORE) + _BEFORE if before[:1].isdigit() else "not measured yet"
    for key in name.split("."):
        found = found[key]
    if isinstance(found, dict):
        return ", ".join(f"{key} {value}" for key, value in found.items())
    return str(found)
