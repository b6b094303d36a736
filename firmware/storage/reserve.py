"""Room on the disk that is kept for deleting: a database must write before it can give anything back."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

SIZE = 512 * 1024
"""The pages that a deletion touches are written once more before they are free: 100 KB for a call of an hour."""

_PLENTY = 16
"""A reserve is made on a disk that has so many times its size to spare; a full one is not made fuller."""


class Reserve:
    """A file beside the database. It belongs to whoever may write there; nothing here raises."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keep(self) -> None:
        """Have one, if there is room enough."""
        with suppress(OSError):
            if not self._path.exists() and shutil.disk_usage(self._path.parent).free > _PLENTY * SIZE:
                self._make()

    def spend(self) -> bool:
        """Give it to whoever is in need; False if there is none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True

    def _make(self) -> None:
        """Raises: OSError."""
        reserve = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.posix_fallocate(reserve, 0, SIZE)
        except OSError:
            self._path.unlink()
            raise
        finally:
            os.close(reserve)
