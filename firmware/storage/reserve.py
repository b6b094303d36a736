"""Room on the disk that is kept for deleting, and for starting: a database must write before it can give anything back,
and before it can be read at all."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

SIZE = 512 * 1024
"""The pages that a deletion touches are written once more before they are free: 100 KB for a call of an hour."""

OPENING = 128 * 1024
"""The index of its journal (32 KB) and the journal's first pages. A quarter of the reserve: a box on a full disk is
restarted more than once before somebody deletes something."""

_PLENTY = 16
"""A reserve is made on a disk that has so many times its size to spare; a full one is not made fuller."""


class Reserve:
    """A file beside the database. It belongs to whoever may write there; nothing here raises."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self) -> None:
        """Have a whole one, if there is room enough."""
        with suppress(OSError):
            if self._left() < SIZE and shutil.disk_usage(self._path.parent).free > _PLENTY * SIZE:
                self._make()

    def spend(self) -> bool:
        """Give it to whoever is in need; False if there is none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def spend_some(self) -> bool:
        """Give as much as opening takes; False if there is none left."""
        with suppress(OSError):
            left = self._left()
            os.truncate(self._path, max(0, left - OPENING))
            return left > 0
        return False

    def _left(self) -> int:
        """Raises: OSError."""
        return self._path.stat().st_size if self._path.exists() else 0

    def _make(self) -> None:
        """Raises: OSError."""
        reserve = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(reserve, 0, SIZE)
        except OSError:
            self._path.unlink()
            raise
        finally:
            os.close(reserve)
