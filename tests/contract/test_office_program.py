"""A box that ends badly fails its test, whatever else went well."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.office.program import BoxFailed, Program, program
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

COMPLAINS = "sys.exit(print('Traceback (most recent call last)', 'OSError: full', file=sys.stderr))"
WAITS = """
import signal, sys, time
def stop(*_):
    {at_the_stop}
signal.signal(signal.SIGINT, stop)
print("ready", file=sys.stderr, flush=True)
while True:
    time.sleep(0.05)
"""


@asynccontextmanager
async def running(
    folder: Path, at_the_stop: str, *, stop_s: float = PATIENCE_S, complains: bool = False
) -> AsyncGenerator[Program, None]:
    command = [sys.executable, "-c", WAITS.format(at_the_stop=at_the_stop)]
    async with program(command, {}, folder / "log", stop_s=stop_s, complains=complains) as one:
        await one.says("^(ready)$", PATIENCE_S)
        yield one


async def test_who_ends_well_is_believed(tmp_path: Path) -> None:
    async with running(tmp_path, "sys.exit()"):
        pass


@pytest.mark.parametrize(
    ("at_the_stop", "said"),
    [
        ("pass", "did not stop within 0.2 s, and was killed: ready"),
        ("sys.exit(3)", "status 3"),
        ("signal.raise_signal(signal.SIGKILL)", "status -9"),
        (COMPLAINS, "OSError: full"),
    ],
)
async def test_who_ends_badly_is_not(tmp_path: Path, at_the_stop: str, said: str) -> None:
    stop_s = 0.2 if at_the_stop == "pass" else PATIENCE_S
    with pytest.raises(BoxFailed, match=said):
        async with running(tmp_path, at_the_stop, stop_s=stop_s):
            pass


async def test_what_a_test_makes_on_purpose_is_no_fault(tmp_path: Path) -> None:
    async with running(tmp_path, COMPLAINS, complains=True):
        pass
    async with running(tmp_path, "sys.exit(3)") as one:
        await one.die()


async def test_the_fault_of_the_body_is_what_is_told(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        async with running(tmp_path, "sys.exit(3)"):
            _ = 1 / 0


@pytest.mark.parametrize("code", ["print('last words', file=__import__('sys').stderr)", "import time; time.sleep(60)"])
async def test_who_does_not_come_up_is_said(tmp_path: Path, code: str) -> None:
    with pytest.raises(BoxFailed, match="did not come up"):
        async with program([sys.executable, "-c", code], {}, tmp_path / "log", stop_s=PATIENCE_S) as one:
            await one.says("^(ready)$", 1.0)


async def test_its_lines_are_heard(tmp_path: Path) -> None:
    heard: list[str] = []
    lines = "print('one', flush=True); print('two', end='', flush=True)"
    command = [sys.executable, "-c", WAITS.format(at_the_stop="sys.exit()").replace("print", f"{lines}\nprint", 1)]
    async with program(command, {}, tmp_path / "log", stop_s=PATIENCE_S, on_line=heard.append):
        with trio.fail_after(PATIENCE_S):
            while not heard:  # noqa: ASYNC110 - a list tells nobody
                await trio.sleep(0.01)
    assert heard == ["one"]
