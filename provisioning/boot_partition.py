"""Where the set-up file of a new box lies, and what is said when it cannot be used: beside it, for whoever takes the
card out again, and on the page."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from provisioning.files import replace_file
from provisioning.settings import Process

# The second one is what Windows makes of the first where it hides the ends of names.
_NAMES = ("deskbell-setup.toml", "deskbell-setup.toml.txt")
_ERRORS = "deskbell-setup-errors.txt"
_NOTICE = "set-up-notice"


def set_up_file(process: Process) -> Path | None:
    """None if there is none."""
    if process.boot_folder is None:
        return None
    return next((file for name in _NAMES if (file := process.boot_folder / name).is_file()), None)


def begun_file(process: Process) -> Path:
    """Holds the id under which the box knows the file that is being used."""
    return process.admin_folder / "set-up-id"


def tell(process: Process, file: Path, what: str, faults: tuple[str, ...] = ()) -> None:
    """Beside the file if that can be written, and for the page. Raises: OSError if not even that."""
    text = "\n".join([what, *faults, ""])
    with suppress(OSError):  # read-only, or taken out: the page and the console say it
        (file.parent / _ERRORS).write_text(text.replace("\n", "\r\n"))  # for the editors of Windows
    replace_file(process.admin_folder / _NOTICE, text.encode())


def notice(process: Process) -> tuple[str, ...]:
    """What was told last, line by line, for as long as the file lies there; empty if all is well."""
    kept = process.admin_folder / _NOTICE
    if set_up_file(process) is None or not kept.exists():
        return ()
    return tuple(kept.read_text().splitlines())


def forget_notice(process: Process, folder: Path) -> None:
    with suppress(OSError):  # the partition is read-only: what is said there is of no harm
        (folder / _ERRORS).unlink(missing_ok=True)
    (process.admin_folder / _NOTICE).unlink(missing_ok=True)


def remove_for_good(file: Path) -> None:
    """Write over the file, then remove it. Raises: OSError.

    What it is written over with is a comment, so that a process killed in between leaves a set-up file that asks for
    nothing. The card may keep the old blocks until it needs them: a FAT partition and flash memory promise no more.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.pwrite(descriptor, b"#" * os.fstat(descriptor).st_size, 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    file.unlink()
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
