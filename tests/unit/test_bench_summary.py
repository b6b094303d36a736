"""What was measured stays in the document until it is measured again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.summary import document

pytestmark = pytest.mark.unit

KILLS = {
    "kills": 50, "edits_acknowledged": 9000, "lost": 0, "half": 0, "back_s": {"p50": 1.8, "p95": 2.6},
    "machine": {"cores": 2, "cpu": "a", "load_1min": 1}, "at": "2026-11-26T12:00:00",
}  # fmt: skip


def test_a_table_stays_until_its_bench_is_run_again(tmp_path: Path) -> None:
    empty = document(tmp_path, "")
    assert "run `just bench kills`" in empty
    (tmp_path / "kills.json").write_text(json.dumps(KILLS))
    measured = document(tmp_path, empty)
    assert "9000" in measured
    (tmp_path / "kills.json").write_text(json.dumps(KILLS | {"edits_acknowledged": 7000}))
    assert "7000" in document(tmp_path, measured)
    (tmp_path / "kills.json").unlink()
    assert document(tmp_path, measured) == measured


def test_a_bench_with_a_hyphen_keeps_its_table_too(tmp_path: Path) -> None:
    side = {"turns": 32, "turns_wrong": 0, "response_ms": {"p50": 700, "p95": 900}}
    figures = {"over_offline_ms": 41, "offline": side, "model": side, "machine": KILLS["machine"], "at": KILLS["at"]}
    (tmp_path / "wire-llm.json").write_text(json.dumps(figures))
    measured = document(tmp_path, "")
    assert "| 41 |" in measured
    (tmp_path / "wire-llm.json").unlink()
    assert document(tmp_path, measured) == measured


def test_a_part_that_was_not_measured_now_keeps_its_figures(tmp_path: Path) -> None:
    dictation = {"accuracy": 0.9, "accuracy_names": 0.9, "accuracy_numbers": 0.9, "at_once": 0.5, "wrong": 0.0}
    figures = {"partial": True, "dictation": dictation, "machine": KILLS["machine"], "at": KILLS["at"]}
    (tmp_path / "speech.json").write_text(json.dumps(figures))
    row = "| word error rate of free speech: one human, as recorded |"
    assert f"{row} not measured yet |" in document(tmp_path, "")
    before = f"## speech\n\nOnce.\n\n| | |\n|---|---|\n{row} 0.31 |\n"
    measured = document(tmp_path, before)
    assert f"{row} 0.31 (measured before) |" in measured
    assert "| right in the first read-back | 0.5 |" in measured
    assert document(tmp_path, measured) == measured


def test_two_figures_of_the_same_name_are_not_taken_for_one(tmp_path: Path) -> None:
    figures = {"partial": True, "machine": KILLS["machine"], "at": KILLS["at"]}
    (tmp_path / "speech.json").write_text(json.dumps(figures))
    row = "| the same over G.711 |"
    measured = document(tmp_path, f"## speech\n\nOnce.\n\n| | |\n|---|---|\n{row} 0.36 |\n{row} 0.86 |\n")
    assert [line for line in measured.splitlines() if line.startswith(row)] == [
        f"{row} 0.36 (measured before) |",
        f"{row} 0.86 (measured before) |",
    ]
