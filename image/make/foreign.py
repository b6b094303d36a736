"""Programs of another processor, run by an emulator as if they were this machine's: packages configure themselves that
way, and systemd's and the kernel's tools work on the root file system."""

from __future__ import annotations

from pathlib import Path

from image.make.board import Board
from image.setup.running import SetupFailed, run

KERNEL = Path("/proc/sys/fs/binfmt_misc")
EMULATOR = "qemu-{machine}"
STEP_TIMEOUT_S = 60


def run_foreign_programs(board: Board) -> None:
    """The kernel is told which emulator to start, unless it was. Raises: SetupFailed."""
    if not (KERNEL / "register").exists():
        run(["mount", "-t", "binfmt_misc", "binfmt_misc", KERNEL], timeout_s=STEP_TIMEOUT_S)
    name = EMULATOR.format(machine=board.machine)
    if (KERNEL / name).exists():
        return
    line = Path(f"/usr/lib/binfmt.d/{name}.conf").read_text()
    try:
        (KERNEL / "register").write_text(line)
    except OSError as fault:
        raise SetupFailed(
            f"the kernel does not take {name} for programs of {board.name} ({fault.strerror}): build where root may "
            "register them, or on a machine with that processor"
        ) from fault
