"""The telephone comes first, and its recognisers step back; each seen in a process of its own."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.priority import TELEPHONE_NICE
from models.neural.programs import run as run_pack

pytestmark = pytest.mark.unit

UNIT = Path(__file__).resolve().parents[2] / "image/system/etc/systemd/system/deskbell-phone.service"
PROGRAM = """
import os, threading
from firmware.priority import put_telephone_first
{before}
allowed = put_telephone_first()
told = []
thread = threading.Thread(target=lambda: told.append(os.getpriority(os.PRIO_PROCESS, 0)))
thread.start()
thread.join()
print(allowed, *told)
"""
NOBODY = "import resource; resource.setrlimit(resource.RLIMIT_NICE, (0, 0)); os.geteuid() or os.setuid(65534)"
_CAP_SYS_NICE = 1 << 23


def run(before: str = "") -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM.format(before=before)], capture_output=True, check=True)
    return done.stdout.decode().strip()


def may() -> bool:
    """By capability, or by limit."""
    effective = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapEff"))
    limit, _ = resource.getrlimit(resource.RLIMIT_NICE)
    return bool(int(effective.split()[1], 16) & _CAP_SYS_NICE) or limit >= 20 - TELEPHONE_NICE


def unchanged() -> str:
    return f"False {os.getpriority(os.PRIO_PROCESS, 0)}"


def test_it_puts_itself_and_its_threads_first_where_it_may() -> None:
    assert run() == (f"True {TELEPHONE_NICE}" if may() else unchanged())


def test_it_goes_on_where_it_may_not() -> None:
    assert run(NOBODY) == unchanged()


def test_on_the_image_it_may() -> None:
    assert f"\nLimitNICE={TELEPHONE_NICE}\n" in UNIT.read_text()


def test_the_engine_of_a_pack_is_behind_whoever_started_it() -> None:
    program = (
        "import os; from models.neural.programs import run; run._step_back(); print(os.getpriority(os.PRIO_PROCESS, 0))"
    )
    done = subprocess.run(["nice", "-n", "3", sys.executable, "-c", program], capture_output=True, check=True)
    assert int(done.stdout) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + 3 + run_pack.NICE)


def test_on_the_image_no_process_that_is_killed_for_memory_ends_the_telephone() -> None:
    """systemd's own way, OOMPolicy=stop, is to stop all of a service for one of its processes."""
    assert "\nOOMPolicy=continue\n" in UNIT.read_text()
