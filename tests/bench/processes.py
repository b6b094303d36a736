"""What a process and its children use, from /proc (proc(5)). Linux only, as the box is."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# Fields after the command's name, which may itself hold spaces and brackets.
_STATE, _PARENT, _USER, _SYSTEM = 0, 1, 11, 12


@dataclass(frozen=True, slots=True)
class Use:
    """Of a whole process tree: CPU since its start, memory now. PSS counts what processes share only once."""

    cpu_s: float
    rss_mb: float
    pss_mb: float
    processes: int


@dataclass(frozen=True, slots=True)
class Open:
    """What a whole process tree has open. `sockets` are among `descriptors`."""

    pss_mb: float
    processes: int
    threads: int
    descriptors: int
    sockets: int


def open_in_tree(pid: int, proc: Path = PROC) -> Open:
    """Of process `pid` and all its descendants, but for those that nobody has buried yet."""
    pss_kb = threads = processes = 0
    links: list[str] = []
    stats = _stats(proc)
    for each in _descendants(pid, stats):
        folder = proc / str(each)
        if stats[each][_STATE] == "Z":
            continue
        processes += 1
        pss_kb += memory_kb(folder)[1]
        with suppress(FileNotFoundError, ProcessLookupError):
            threads += len(list((folder / "task").iterdir()))
            links += _links(folder / "fd")
    sockets = sum(link.startswith("socket:") for link in links)
    return Open(round(pss_kb / 1024, 1), processes, threads, len(links), sockets)


def _links(folder: Path) -> list[str]:
    found = []
    for each in folder.iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.append(str(each.readlink()))
    return found


def use_of_tree(pid: int, proc: Path = PROC) -> Use:
    """The use of process `pid` and all its descendants. Processes that end meanwhile are left out."""
    stats = _stats(proc)
    tree = _descendants(pid, stats)
    ticks = sum(int(stats[each][_USER]) + int(stats[each][_SYSTEM]) for each in tree)
    memory = [memory_kb(proc / str(each)) for each in tree]
    rss_kb, pss_kb = (sum(values) for values in zip(*memory, strict=True))
    return Use(ticks / _TICKS_PER_S, rss_kb / 1024, pss_kb / 1024, len(tree))


def tree_of(pid: int, proc: Path = PROC) -> list[int]:
    """Process `pid` and all its descendants."""
    return _descendants(pid, _stats(proc))


def _stats(proc: Path) -> dict[int, list[str]]:
    stats = {}
    for folder in proc.iterdir():
        if folder.name.isdigit():
            with suppress(FileNotFoundError, ProcessLookupError):
                stats[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
    return stats


def _descendants(pid: int, stats: dict[int, list[str]]) -> list[int]:
    parents = {each: int(fields[_PARENT]) for each, fields in stats.items()}
    tree = [pid]
    for known in tree:
        tree += [child for child, parent in parents.items() if parent == known]
    return [each for each in tree if each in parents]


def memory_kb(folder: Path) -> tuple[int, int]:
    """RSS and PSS of the process of that folder of /proc."""
    values = {"Rss": 0, "Pss": 0}
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in (folder / "smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in values:
                values[name] = int(value.split()[0])
    return values["Rss"], values["Pss"]
