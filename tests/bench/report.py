"""What a bench leaves: build/bench/NAME.json, and a table on the terminal."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parents[2] / "build" / "bench"


def publish(name: str, figures: Mapping[str, Any]) -> Path:
    """Write the figures with the machine they belong to, and print them. Lists are written, not printed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.json"
    whole = {"bench": name, "at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), **figures}
    path.write_text(json.dumps(whole, indent=2) + "\n")
    rows = list(_rows(figures))
    width = max((len(key) for key, _ in rows), default=0)
    print()
    for key, value in rows:
        print(f"  {key:<{width}}  {value}")
    print(f"\n  {path.relative_to(FOLDER.parents[1])}", flush=True)
    return path


def machine() -> dict[str, Any]:
    """Where it was measured, and how busy that machine was with other things."""
    models = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
    }


def percentiles(values: Sequence[float]) -> dict[str, float | int | None]:
    """p50 and p95 in whole units, and of how many."""
    if not values:
        return {"p50": None, "p95": None, "n": 0}
    p50, p95 = np.percentile(values, [50, 95])
    return {"p50": round(float(p50)), "p95": round(float(p95)), "n": len(values)}


def _rows(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in figures.items():
        if isinstance(value, Mapping):
            yield from _rows(value, f"{prefix}{key}.")
        elif not isinstance(value, list):
            yield f"{prefix}{key}", "-" if value is None else str(value)


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
