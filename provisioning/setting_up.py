"""`python -m provisioning.setting_up`: a process of its own that sets up a new box from the file on its boot partition,
so that the secrets in it are in nobody's memory for longer than this takes.

It can be killed anywhere: each step is done once however often it is begun, and the file goes last.

    begun    a random id lies in the admin folder, so that the box can tell this file from another one
    password stored, unless the page has one
    box      connections, agents and the rest in one transaction of the phone process, with the id
    removed  the file is written over and removed; then the id goes too
"""

from __future__ import annotations

import os
import resource
import secrets
import sys
from pathlib import Path

import trio

from app.control import keeping, views
from app.control.refusals import Refusal
from provisioning import boot_partition
from provisioning.client import AWAY, CUT_OFF, Box
from provisioning.files import replace_file
from provisioning.passwords import Passwords
from provisioning.set_up_file import Faults, SetUpFile, located, read_set_up_file
from provisioning.settings import Process

# The phone process takes 10 s to start on a Raspberry Pi; one that is mended meanwhile takes longer.
_PATIENCE_S = 600.0
_RETRY_S = 1.0
_NOT_USED = "The set-up file {file} was not used: something in it is not right. Mend it, then start the box again."
_NOT_SET_UP = (
    "The connections and agents of the set-up file {file} were not set up: something in it is not right. Mend it, then "
    "start the box again."
)
_HAS_ONE = "The password in the set-up file was not used: the page has one already."


async def _set_up(process: Process, file: Path, data: bytes, settings: SetUpFile) -> None:
    """Raises: OSError where the admin folder takes nothing."""
    set_up_id, box = _begun(boot_partition.begun_file(process)), Box(process.socket)
    try:
        await _until_reset_is_over(box)
        await _set_password(process, settings)
        refusal = await _set_up_box(box, set_up_id, settings)
    finally:
        await box.close()
    if refusal is None:
        _remove(process, file)
    elif refusal.fields:
        _tell(process, file, _NOT_SET_UP.format(file=file.name), located(data, refusal.fields).lines)
    else:
        _tell(process, file, refusal.text)


def _begun(file: Path) -> str:
    if not file.exists():
        replace_file(file, secrets.token_hex(8).encode())
    return file.read_text()


async def _until_reset_is_over(box: Box) -> None:
    """The page's part of a factory reset would take the password away again."""
    with trio.move_on_after(_PATIENCE_S):
        while True:
            match await box.ask("get_reset", keeping.ResetToFollow):
                case keeping.ResetToFollow(id=""):
                    return
            await trio.sleep(_RETRY_S)


async def _set_password(process: Process, settings: SetUpFile) -> None:
    passwords = Passwords(process.admin_folder)
    if settings.page.password is None:
        return
    typed = settings.page.password.get_secret_value()
    if not await passwords.set_first(typed) and not await passwords.check(typed):
        print(_HAS_ONE, flush=True)


async def _set_up_box(box: Box, set_up_id: str, settings: SetUpFile) -> Refusal | None:
    if not settings.is_for_the_box:
        return None
    question = {"id": set_up_id, "box": settings.box, "connection": settings.connection, "agent": settings.agent}
    refusal = AWAY
    with trio.move_on_after(_PATIENCE_S):
        while refusal in (AWAY, CUT_OFF):
            match await box.ask("set_up_box", views.Nothing, **question):
                case views.Nothing():
                    return None
                case Refusal() as refusal:
                    await trio.sleep(_RETRY_S)
    return refusal


def _remove(process: Process, file: Path) -> None:
    try:
        boot_partition.remove_for_good(file)
    except OSError as fault:
        text = (
            f"The set-up file {file.name} was used, but it cannot be removed ({fault.strerror}): the passwords still "
            "stand in it. Take the card out and delete it on a computer."
        )
        _tell(process, file, text)
        return
    boot_partition.forget_notice(process, file.parent)
    boot_partition.begun_file(process).unlink(missing_ok=True)
    print("The box is set up from its set-up file, which is removed.", flush=True)


def _tell(process: Process, file: Path, what: str, faults: tuple[str, ...] = ()) -> None:
    print("\n  ".join([what, *faults]), file=sys.stderr, flush=True)
    boot_partition.tell(process, file, what, faults)


def main() -> int:
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the secrets
    process = Process()
    file = boot_partition.set_up_file(process)
    try:
        if file is not None:
            _use(process, file)
    except OSError as fault:
        print(f"The set-up file was not used: {fault.filename}: {fault.strerror}", file=sys.stderr)
        return 1
    return 0


def _use(process: Process, file: Path) -> None:
    """Raises: OSError."""
    data = file.read_bytes()
    match read_set_up_file(data):
        case Faults(lines):
            _tell(process, file, _NOT_USED.format(file=file.name), lines)
        case SetUpFile() as settings:
            trio.run(_set_up, process, file, data, settings)


if __name__ == "__main__":
    sys.exit(main())
