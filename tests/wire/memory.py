"""What other processes of this machine have in memory: secrets that must not be there. Needs the same user, or root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def living() -> list[tuple[int, int]]:
    """Living processes, each with the one that started it."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            found.append((int(stat.parent.name), int(parent)))
    return found


def holds(pid: int, secret: str) -> bool:
    """Whether `secret` is anywhere in the memory of a process, as typed or as its form sent it. One that has ended
    holds nothing."""
    wanted = [
        secret.encode(),
        secret.replace(" ", "+").encode(),
        secret.encode("utf-32-le"),
        secret.encode("utf-16-le"),
    ]
    return any(each in part for part in memory_of(pid) for each in wanted)


def memory_of(pid: int) -> Iterator[bytes]:
    """All that can be read, part by part; nothing of a process that has ended."""
    with suppress(FileNotFoundError, ProcessLookupError), Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start, end in _readable(pid):
            yield _part(memory.fileno(), start, end)


def _part(memory: int, start: int, end: int) -> bytes:
    """Empty if the process has given it back meanwhile."""
    try:
        return os.pread(memory, end - start, start)
    except OSError:
        return b""


def _readable(pid: int) -> list[tuple[int, int]]:
    spans = []
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        span, mode = line.split()[:2]
        if mode.startswith("r") and "[v" not in line:  # vvar and its like cannot be read
            start, end = span.split("-")
            spans.append((int(start, 16), int(end, 16)))
    return spans
