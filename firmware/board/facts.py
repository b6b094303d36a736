"""Figures that the kernel tells. `root` stands for / so that tests can bring a small tree of their own."""

from __future__ import annotations

import os
import shutil
import socket
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.clock import is_set

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Machine:
    """None: this machine does not tell."""

    temperature_c: float | None
    memory_used_mb: int
    memory_total_mb: int
    disk_free_mb: int
    disk_total_mb: int
    load_1min: float
    uptime_s: int
    clock_ok: bool


def machine(data: Path, now: datetime, root: Path = Path("/")) -> Machine:
    """`data`: the folder whose disk counts. Blocks for microseconds. Raises: OSError."""
    memory = _memory_kib(root)
    disk = shutil.disk_usage(data)
    total_kib = memory.get("MemTotal", 0)
    return Machine(
        temperature_c=_temperature_c(root),
        memory_used_mb=(total_kib - memory.get("MemAvailable", 0)) // 1024,
        memory_total_mb=total_kib // 1024,
        disk_free_mb=disk.free // _MIB,
        disk_total_mb=disk.total // _MIB,
        load_1min=os.getloadavg()[0],
        uptime_s=int(float((root / "proc/uptime").read_text().split()[0])),
        clock_ok=is_set(now),
    )


def host_name() -> str:
    return socket.gethostname()


def _memory_kib(root: Path) -> dict[str, int]:
    lines = (root / "proc/meminfo").read_text().splitlines()
    return {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in lines)}


def _temperature_c(root: Path) -> float | None:
    zone = root / "sys/class/thermal/thermal_zone0/temp"
    return int(zone.read_text()) / 1000 if zone.is_file() else None
