"""An update that is uploaded: written to the disk as it comes, since it is larger than the memory there is for it.

It lies beside its place until all of it is there and its form was one of ours; a process that is killed meanwhile
leaves a part behind, which the next upload writes over.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

from starlette.datastructures import UploadFile
from starlette.requests import Request

from provisioning.web.uploads import LARGEST_BUNDLE, streamed

BUNDLE_NAME = "update.raucb"
_PART_NAME = "update.part"

KEPT_FREE = 64 * 2**20
"""For calls and settings while it lies there: an hour of recordings."""

TOO_LARGE = f"the file is larger than {LARGEST_BUNDLE // 2**20} MB, which no update is"
NO_ROOM = "there is not enough room for it on the disk of the box. Delete old sessions, then upload it again"
BUSY = "somebody else is uploading an update at this moment. Wait until that is done"
NOT_WRITTEN = "the disk of the box takes no data. Look after the disk or SD card"


class Uploading:
    """One upload. `wrong`: why it is not kept, as the end of a sentence; it is read to its end all the same, since a
    browser that is still sending would not read the answer."""

    def __init__(self, folder: Path, expected_bytes: int) -> None:
        self._folder, self._part, self._bytes = folder, folder / _PART_NAME, 0
        self.wrong = ""
        self._file = self._begun(expected_bytes)

    @property
    def is_empty(self) -> bool:
        """No file was chosen."""
        return not self._bytes

    def write(self, data: bytes) -> int:
        """Of a file as the parser of forms knows it. Blocks."""
        self._bytes += len(data)
        if self._bytes > LARGEST_BUNDLE:
            self.wrong = TOO_LARGE
        if not self.wrong and self._file:
            try:
                self._file.write(data)
            except OSError as fault:
                self.wrong = _words(fault)
        return len(data)

    def seek(self, offset: int) -> int:
        return offset

    def close(self) -> None:
        """Forget what is not kept."""
        if self._file:
            self._file.close()
            self._file = None
            self._part.unlink(missing_ok=True)

    def keep(self) -> bool:
        """It is whole, and takes its place. Blocks. False: `wrong` says why not."""
        try:
            if self._file and not self.wrong:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._part.replace(self._folder / BUNDLE_NAME)
                self._file.close()
                self._file = None
                return True
        except OSError as fault:
            self.wrong = _words(fault)
        self.close()
        return False

    def _begun(self, expected_bytes: int) -> BinaryIO | None:
        """A file for ourselves; None: `wrong` says why not."""
        try:
            file = cast("BinaryIO", self._part.open("ab"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                self.wrong = BUSY
                return None
            file.truncate(0)
            os.fchmod(file.fileno(), 0o640)  # its group installs it
            (self._folder / BUNDLE_NAME).unlink(missing_ok=True)
            if shutil.disk_usage(self._folder).free - expected_bytes < KEPT_FREE:
                self.wrong = NO_ROOM
        except OSError as fault:
            self.wrong = _words(fault)
            return None
        return file


async def received(request: Request, begin: Callable[[], Uploading]) -> tuple[list[tuple[str, str]], Uploading]:
    """Text fields, and the file. Raises: NotAForm, starlette.requests.ClientDisconnect; nothing is kept then."""
    uploading = begin()
    try:
        return await streamed(request, UploadFile(cast("BinaryIO", uploading))), uploading
    except BaseException:
        uploading.close()
        raise


def is_there(folder: Path | None) -> bool:
    return folder is not None and (folder / BUNDLE_NAME).is_file()


def _words(fault: OSError) -> str:
    return NO_ROOM if fault.errno in (errno.ENOSPC, errno.EDQUOT) else NOT_WRITTEN
