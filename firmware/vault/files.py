"""Small private files that are replaced as a whole, and files that are meant to be gone."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` (mode 0600): whatever happens meanwhile, the old contents or the new are there, whole.

    A process that dies on the way leaves `path`.new behind, which the next call writes over: the folder has one writer.
    Raises: OSError.
    """
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)  # it may have been left with another mode
    fd = os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def wipe(path: Path) -> None:
    """Write over the file and remove it; nothing happens if there is none. Raises: OSError.

    Flash memory may keep the old blocks until it needs them: what counts is that a key is gone together with everything
    that it was wrapped in.
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    overwrite(fd)
    path.unlink()
    sync_folder(path.parent)


def wipe_all(path: Path) -> None:
    """Wipe the file, what a killed process left of it in `path`.new, and what was set aside. Raises: OSError."""
    for each in (path, *sorted(path.parent.glob(f"{path.name}.*"))):
        wipe(each)


def overwrite(fd: int) -> None:
    """Fill the file with zeros, and close it. Raises: OSError."""
    try:
        os.pwrite(fd, bytes(os.fstat(fd).st_size), 0)
        os.fsync(fd)
    finally:
        os.close(fd)


def set_aside(path: Path) -> Path:
    """Rename a file that is of no use, for somebody who can read more of it. Raises: OSError."""
    taken = len(list(path.parent.glob(f"{path.name}.damaged-*")))
    aside = path.with_name(f"{path.name}.damaged-{taken + 1}")
    path.replace(aside)
    sync_folder(path.parent)
    return aside


def sync_folder(folder: Path) -> None:
    """Raises: OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
