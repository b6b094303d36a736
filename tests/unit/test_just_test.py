"""`just test` runs every kind of test once, and says what came of all of them."""

from __future__ import annotations

import os
import re
import sys

import pytest

from tests import run
from tests.conftest import KINDS
from tests.rules.tree import TREE
from tests.run import BROWSERS, COMPUTING, FOR_ALL, LONG_CALLS, NICENESS, TELEPHONES, total

pytestmark = pytest.mark.unit

NICEST = 19
"""Nobody is nicer (nice(2))."""


def test_every_kind_runs_once() -> None:
    kinds = [kind for together in NICENESS for kind in together]
    assert sorted(kinds) == sorted(KINDS - {"image"} | set(LONG_CALLS))


def test_telephones_come_first() -> None:
    assert NICENESS[TELEPHONES] < NICENESS[BROWSERS] < NICENESS[COMPUTING]


@pytest.mark.parametrize(
    ("argument", "for_all"),
    [("--color=no", True), ("-q", True), ("--durations=60", True), ("-k", False), ("tests/unit", False), ("-m", False)],
)
def test_who_picks_tests_gets_one_process(argument: str, for_all: bool) -> None:
    assert bool(FOR_ALL.fullmatch(argument)) is for_all


@pytest.mark.parametrize(
    ("each", "together"),
    [
        (
            (
                "= 5 passed in 1.00s =",
                "= 2300 passed, 227 deselected in 351.44s (0:05:51) =",
                "= 7 passed, 9 deselected in 2.00s =",
                "= 1 passed in 2.00s =",
            ),
            "2313 passed",
        ),
        (
            (
                "= 1 failed, 5 passed, 3 deselected in 1.00s =",
                "= 1 failed, 1 error in 0.50s =",
                "= 2 errors in 0.50s =",
                "= 1 passed in 0.50s =",
            ),
            "3 errors, 2 failed, 6 passed",
        ),
        (("5 passed in 1.00s", "2 passed, 1 warning in 2.00s", *["1 passed in 2.00s"] * 2), "9 passed, 1 warnings"),
        (
            (
                "\x1b[32m= \x1b[32m\x1b[1m5 passed\x1b[0m, 2 deselected\x1b[32m in 1.00s =\x1b[0m",
                *["= 2 passed in 1.00s ="] * 3,
            ),
            "11 passed",
        ),
        (
            ("= 5 passed in 1.00s =", "INTERNALERROR> RuntimeError", *["= 1 passed in 1.00s ="] * 2),
            "1 errors, 7 passed",
        ),
        (("", "", "", ""), "4 errors"),
    ],
)
def test_what_came_of_all_is_one_line_that_ci_finds(each: tuple[str, ...], together: str) -> None:
    assert total("\n..F..\n".join(each)) == together
    [pattern] = re.findall(r"grep -E '(.*)' build/ci/test.log", (TREE / ".ci" / "run").read_text())
    assert re.search(pattern, f"== {together} in all ==")


@pytest.mark.parametrize(
    ("statuses", "status"),
    [
        ((0, 0, 0, 0), 0),
        ((1, 0, 0, 0), 1),
        ((0, 1, 0, 0), 1),
        ((0, 0, 1, 0), 1),
        ((0, 0, 0, -9), 9),
        ((0, 0, 2, 1), 2),
    ],
)
def test_whoever_fails_is_heard(
    statuses: tuple[int, int, int, int], status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`python -c PROGRAM FOLDER ...` in place of pytest."""
    program = f"""
import os, sys
kinds = tuple(each.removeprefix("tests/") for each in sys.argv[1:-1] if each[:2] != "--")
print(f"= 3 passed in 0.10s (for {{kinds}}, at {{os.nice(0)}}) =", flush=True)
status = {dict(zip(NICENESS, statuses, strict=True))!r}[kinds]
os.kill(os.getpid(), -status) if status < 0 else sys.exit(status)
"""
    before = os.nice(0)
    monkeypatch.setattr(run, "_PYTEST", (sys.executable, "-c", program))
    assert run.main(["-q"]) == status
    printed = capfd.readouterr().out.splitlines()
    assert printed == [
        *(
            f"= 3 passed in 0.10s (for {kinds}, at {min(before + NICENESS[kinds], NICEST)}) ="
            for kinds in (BROWSERS, TELEPHONES, LONG_CALLS, COMPUTING)
        ),
        "== 12 passed in all ==",
    ]
