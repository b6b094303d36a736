"""Adding up a process tree, in a made-up /proc."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.bench.processes import Open, open_in_tree, use_of_tree

pytestmark = pytest.mark.unit

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def process(proc: Path, pid: int, parent: int, *, cpu_s: int, rss_kb: int, pss_kb: int) -> None:
    folder = proc / str(pid)
    folder.mkdir()
    rest = ["S", str(parent), *["0"] * 9, str(cpu_s * TICKS_PER_S), str(TICKS_PER_S), *["0"] * 20]
    (folder / "stat").write_text(f"{pid} (a) b) {' '.join(rest)}\n")
    (folder / "smaps_rollup").write_text(f"0-1 ---p [rollup]\nRss: {rss_kb} kB\nPss: {pss_kb} kB\nPss_Dirty: 9 kB\n")


def test_children_and_their_children_count_and_others_do_not(tmp_path: Path) -> None:
    (tmp_path / "self").mkdir()
    process(tmp_path, 10, 1, cpu_s=5, rss_kb=1024, pss_kb=512)
    process(tmp_path, 11, 10, cpu_s=2, rss_kb=2048, pss_kb=1024)
    process(tmp_path, 9, 11, cpu_s=3, rss_kb=1024, pss_kb=512)
    process(tmp_path, 12, 1, cpu_s=100, rss_kb=9999, pss_kb=9999)
    use = use_of_tree(10, tmp_path)
    assert (use.cpu_s, use.rss_mb, use.pss_mb, use.processes) == (13, 4, 2, 3)


def test_this_process_uses_something() -> None:
    use = use_of_tree(os.getpid())
    assert use.rss_mb > use.pss_mb > 1
    assert use.cpu_s > 0


def test_what_is_open_in_a_tree_is_counted_without_the_dead(tmp_path: Path) -> None:
    for pid, parent in ((10, 1), (11, 10), (12, 10), (13, 1)):
        process(tmp_path, pid, parent, cpu_s=1, rss_kb=2048, pss_kb=1024)
        (tmp_path / f"{pid}/task/{pid}").mkdir(parents=True)
        (tmp_path / f"{pid}/fd").mkdir()
        (tmp_path / f"{pid}/fd/0").symlink_to("/dev/null")
        (tmp_path / f"{pid}/fd/1").symlink_to("socket:[7]")
    dead = tmp_path / "12" / "stat"
    dead.write_text(dead.read_text().replace(" S ", " Z ", 1))
    (tmp_path / "10/task/99").mkdir()
    assert open_in_tree(10, tmp_path) == Open(pss_mb=2.0, processes=2, threads=3, descriptors=4, sockets=2)
