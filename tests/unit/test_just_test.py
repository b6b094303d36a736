"""`just test` runs every kind of test once, and says what came of all of them."""

from __future__ import annotations

import re
import sys

import pytest

from tests import run
from tests.conftest import KINDS
from tests.rules.tree import TREE
from tests.run import COMPUTING, FOR_BOTH, WAITING, total

pytestmark = pytest.mark.unit


def test_every_kind_runs_once() -> None:
    kinds = [*WAITING.split(" or "), *COMPUTING.split(" or ")]
    assert sorted(kinds) == sorted(KINDS - {"image"})


@pytest.mark.parametrize(
    ("argument", "for_both"),
    [("--color=no", True), ("-q", True), ("--durations=60", True), ("-k", False), ("tests/unit", False), ("-m", False)],
)
def test_who_picks_tests_gets_one_process(argument: str, for_both: bool) -> None:
    assert bool(FOR_BOTH.fullmatch(argument)) is for_both


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("= 5 passed in 1.00s =", "= 2300 passed, 227 deselected in 351.44s (0:05:51) =", "2305 passed"),
        (
            "= 1 failed, 5 passed, 3 deselected in 1.00s =",
            "= 1 failed, 1 error in 0.50s =",
            "1 errors, 2 failed, 5 passed",
        ),
        ("5 passed in 1.00s", "2 passed, 1 warning in 2.00s", "7 passed, 1 warnings"),
        (
            "\x1b[32m= \x1b[32m\x1b[1m5 passed\x1b[0m, 2 deselected\x1b[32m in 1.00s =\x1b[0m",
            "= 2 passed in 1.00s =",
            "7 passed",
        ),
        ("= 5 passed in 1.00s =", "INTERNALERROR> RuntimeError", "1 errors, 5 passed"),
        ("", "", "2 errors"),
    ],
)
def test_what_came_of_both_is_one_line_that_ci_finds(one: str, other: str, both: str) -> None:
    assert total(f"..F..\n{one}\n..\n{other}\n") == both
    [pattern] = re.findall(r"grep -E '(.*)' build/ci/test.log", (TREE / ".ci" / "run").read_text())
    assert re.search(pattern, f"== {both} in both ==")


@pytest.mark.parametrize(("waiting", "computing", "status"), [(0, 0, 0), (1, 0, 1), (0, 1, 1), (0, -9, 9), (2, 1, 2)])
def test_whoever_fails_is_heard(
    waiting: int, computing: int, status: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """`python -c PROGRAM -m KINDS ...` in place of pytest."""
    program = f"""
import os, sys
print(f"= 3 passed in 0.10s (for {{sys.argv[2]}}) =", flush=True)
status = {waiting} if "wire" in sys.argv[2] else {computing}
os.kill(os.getpid(), -status) if status < 0 else sys.exit(status)
"""
    monkeypatch.setattr(run, "_PYTEST", (sys.executable, "-c", program))
    assert run.main(["-q"]) == status
    printed = capfd.readouterr().out
    assert f"(for {WAITING})" in printed.splitlines()[0]
    assert f"(for {COMPUTING})" in printed.splitlines()[1]
    assert printed.splitlines()[-1] == "== 6 passed in both =="
