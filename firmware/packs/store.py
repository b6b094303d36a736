"""Packs in the data folder: received in parts, checked by a process of its own, listed, removed.

What is received lies in one file that no program reads but the one that checks it. Where a browser is closed in the
middle, it is forgotten after a while (`run`). A power cut leaves it behind, and what a check that is killed has
unpacked by then; the next start takes both away (`tidy`).
"""

from __future__ import annotations

import errno
import json
import logging
import math
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Final

import trio

from models.neural import pack_file
from models.neural.pack_file import Description, PackFault

CHECK_S: Final = 600.0
"""For a gigabyte on the slowest card: at most ten minutes."""

QUIET_S: Final = 600.0
"""Without another part: nobody goes on with it. Until then, and as long again, it takes room that calls may want."""

_RECEIVED: Final = ".received"
_NO_ROOM = "there is not enough room for it on the disk of the box. Delete old sessions or other packs"
_NOT_KEPT = "the disk of the box did not keep it. Look after the disk or SD card"

_log = logging.getLogger(__name__)


class Packs:
    """`folder`: below the data folder. One pack at a time is received."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._received = folder, folder / _RECEIVED
        self._alone = trio.Lock()
        self._last_part_s = -math.inf

    def folder_of(self, name: str) -> Path:
        return self._folder / name

    async def all(self) -> list[Description]:
        """By name. One that cannot be read is left out, and told of in the log."""
        return await trio.to_thread.run_sync(self._all)

    async def one(self, name: str) -> Description | None:
        return await trio.to_thread.run_sync(self._one, name)

    async def receive(self, at: int, data: bytes) -> None:
        """Bytes of a pack from `at` on; those at 0 begin another one. Raises: PackFault."""
        async with self._alone:
            await trio.to_thread.run_sync(self._write, at, data)
            self._last_part_s = trio.current_time()

    async def take(self) -> Description:
        """What was received is checked and kept. Raises: PackFault, and nothing is kept."""
        try:
            async with self._alone:
                try:
                    name = await self._checked()
                finally:
                    await self._forget_rest()
                found = await self.one(name)
        except OSError as fault:  # a card that takes no data any more; calls go on
            raise PackFault(f"{_NOT_KEPT} ({fault.strerror})") from None
        if found is None:
            raise PackFault(_NOT_KEPT)
        return found

    async def tidy(self) -> None:
        """Before anybody uploads: what a power cut left is not a gigabyte that nobody sees."""
        try:
            await self._forget_rest()
        except OSError as fault:
            _log.warning("the rest of a neural pack stays on the disk", extra={"problem": fault.strerror})

    async def run(self) -> None:
        """Until cancelled. What nobody goes on with is forgotten."""
        while True:
            await trio.sleep(QUIET_S)
            async with self._alone:
                if trio.current_time() - self._last_part_s >= QUIET_S:
                    await self.tidy()

    async def remove(self, name: str) -> bool:
        """Whether there was one. Raises: OSError."""
        async with self._alone:
            return await trio.to_thread.run_sync(self._remove, name)

    async def _forget_rest(self) -> None:
        """Raises: OSError."""
        await trio.to_thread.run_sync(partial(self._received.unlink, missing_ok=True))
        await trio.to_thread.run_sync(pack_file.tidy, self._folder)

    async def _checked(self) -> str:
        command = [sys.executable, "-m", "models.neural.taking", str(self._received), str(self._folder)]
        with trio.move_on_after(CHECK_S):
            done = await trio.run_process(
                command, capture_stdout=True, stderr=subprocess.DEVNULL, check=False, stdin=subprocess.DEVNULL
            )
            answer = _answer(done.stdout)
            if name := answer.get("name"):
                return name
            raise PackFault(answer.get("fault") or "looking at it failed. Copy the pack again, then upload it again")
        raise PackFault("the disk of the box is too slow for it. Look after the disk or SD card")

    def _write(self, at: int, data: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._received.open("wb" if at == 0 else "r+b") as file:
                os.fchmod(file.fileno(), 0o600)
                if file.seek(0, os.SEEK_END) != at:
                    raise PackFault("somebody else uploads a pack at this moment, or a part was lost. Upload it again")
                if at + len(data) > pack_file.LARGEST_BYTES:
                    raise PackFault(f"it is larger than {pack_file.LARGEST_BYTES // 2**20} MB, which no pack is")
                if shutil.disk_usage(self._folder).free < pack_file.KEPT_FREE + len(data):
                    self._received.unlink(missing_ok=True)
                    raise PackFault(_NO_ROOM)
                file.write(data)
        except FileNotFoundError:
            raise PackFault(
                "its first part was lost: the box was started again, or no part came for long. Upload it again"
            ) from None
        except OSError as fault:
            why = _NO_ROOM if fault.errno in (errno.ENOSPC, errno.EDQUOT) else f"{_NOT_KEPT} ({fault.strerror})"
            raise PackFault(why) from None

    def _all(self) -> list[Description]:
        names = sorted(each.name for each in self._folder.iterdir()) if self._folder.is_dir() else []
        return [found for name in names if pack_file.is_name(name) and (found := self._one(name))]

    def _one(self, name: str) -> Description | None:
        if not pack_file.is_name(name):
            return None
        try:
            return pack_file.described((self._folder / name / pack_file.DESCRIPTION).read_text())
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, PackFault):
            _log.error("a neural pack on the disk is damaged: remove it, then upload it again", extra={"pack": name})
            return None

    def _remove(self, name: str) -> bool:
        if not pack_file.is_name(name) or not (self._folder / name).is_dir():
            return False
        shutil.rmtree(self._folder / name)
        return True


def _answer(line: bytes) -> dict[str, str]:
    """Empty where the program was killed."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
