"""Small private files that are replaced as a whole."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` (mode 0600): whatever happens meanwhile, the old contents or the new are there, whole; and
    the new ones stay, once this has returned, though the plug is pulled.

    Raises: OSError.
    """
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)  # it may have been left with another mode
    with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """What was put there, or taken away, stays so. Raises: OSError."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
