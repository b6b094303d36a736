"""The data folder belongs to one running box: two would finish each other's recordings and close each other's calls."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

DATABASE, RECORDINGS, VAULT, PACKS = "deskbell.sqlite", "recordings", "vault", "packs"
"""What is in it. A factory reset of everything takes all four away."""


class DataFolderProblem(Exception):
    """The data folder cannot be used. The text says why, and what to do."""


@contextmanager
def data_folder(folder: Path) -> Generator[None, None, None]:
    """Have `folder` (made if missing, mode 0700) to ourselves until the block is left, or the process dies.

    Raises: DataFolderProblem.
    """
    try:
        lock = _locked(folder)
    except BlockingIOError:
        raise DataFolderProblem(
            f"another Deskbell that is running uses the data folder {folder}. Stop that one, or give this one a folder "
            "of its own: set the environment variable DESKBELL_DATA"
        ) from None
    except OSError as fault:
        raise DataFolderProblem(
            f"the data folder {folder} cannot be used ({os.strerror(fault.errno or errno.EIO)}). Make it a folder that "
            "belongs to the user Deskbell runs as, on a disk that can be written to, or set the environment variable "
            "DESKBELL_DATA to another one"
        ) from None
    try:
        yield
    finally:
        os.close(lock)


def _locked(folder: Path) -> int:
    """A descriptor that holds the lock. The system lets go of it when the process ends, however that comes, so a lock
    file that was left behind means nothing. Raises: OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK | os.X_OK):  # an old lock file in it could still be opened
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    # Closed in the recognisers' processes, which may outlive us for a moment.
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(lock)
        raise
    return lock
