"""Sign-ins that outlive the page's processes: hashes and times in a file of the admin folder.

They count for one start of the machine, since their times are of its clock: after a reboot everybody signs in again.
So nothing is forced to the disk here, and a power cut may take the file. It is written when somebody signs in or out,
and once an hour: an SD card has only so many writes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

Times = tuple[float, float]
"""When somebody signed in, and was seen last: seconds since the machine started."""

_log = logging.getLogger(__name__)


class _File(BaseModel):
    boot: str
    sign_ins: dict[str, Times]


def boot_id() -> str:
    """Another one after each start of the machine. Raises: OSError."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


class KeptSignIns:
    """`boot`: of this start of the machine. A disk that takes nothing is logged once: then sign-ins end with the page's
    processes."""

    def __init__(self, folder: Path, boot: str) -> None:
        self._file, self._boot = folder / "sign-ins", boot
        self._told = False

    def read(self) -> Mapping[str, Times]:
        try:
            found = _File.model_validate_json(self._file.read_bytes())
        except (OSError, ValidationError):  # none yet, or not ours: people sign in again
            return {}
        return found.sign_ins if found.boot == self._boot else {}

    def write(self, sign_ins: Mapping[str, Times]) -> None:
        part = self._file.with_suffix(".part")
        try:
            part.touch(0o600)
            part.write_text(_File(boot=self._boot, sign_ins=dict(sign_ins)).model_dump_json())
            part.replace(self._file)
        except OSError as fault:
            self._forget(part, fault)

    def _forget(self, part: Path, fault: OSError) -> None:
        """Nobody who has signed out comes back: rather no file than one of before."""
        for each in (part, self._file):
            with suppress(OSError):
                each.unlink()
        if not self._told:
            self._told = True
            _log.warning("sign-ins do not outlive the page's processes", extra={"problem": fault.strerror})
