"""What one worker of the page leaves to the next: who is signed in, who guesses passwords.

A piece of memory without a name that the admin process hands to its workers, not a file: it lives as long as that
process, costs the SD card nothing, and can be written when the disk is full (sign-ins are also kept on the disk, see
`provisioning.kept_sign_ins`). No password ever comes here.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

# Two copies, and a head before them that says which one holds: a worker that is killed while it writes spoils only the
# other one. A thousand guessing addresses and a hundred sign-ins are 100 KB; untouched pages cost nothing.
_HEAD = struct.Struct("<II")  # which copy, and its bytes
_COPIES_AT = (4096, 4096 + 2**20)


class Slate:
    """Sections of JSON values, shared by every process that has the descriptor."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def fresh(cls) -> Slate:
        return cls(os.memfd_create("deskbell-page"))

    def fileno(self) -> int:
        return self._descriptor

    @contextmanager
    def held(self, section: str) -> Generator[dict[str, Any], None, None]:
        """The section, to read and to change; what was changed is kept when the block is left without an error.

        Other processes wait meanwhile (some 0.1 ms): nothing slow belongs in the block, and never an `await`.
        """
        fcntl.lockf(self._descriptor, fcntl.LOCK_EX)
        try:
            copy, before = self._read()
            sections = json.loads(before or "{}")
            yield sections.setdefault(section, {})
            after = json.dumps(sections).encode()
            if after != before:
                self._write(1 - copy, after)
        finally:
            fcntl.lockf(self._descriptor, fcntl.LOCK_UN)

    def _read(self) -> tuple[int, bytes]:
        head = os.pread(self._descriptor, _HEAD.size, 0)
        copy, size = _HEAD.unpack(head) if head else (0, 0)
        return copy, os.pread(self._descriptor, size, _COPIES_AT[copy])

    def _write(self, copy: int, text: bytes) -> None:
        os.pwrite(self._descriptor, text, _COPIES_AT[copy])
        os.pwrite(self._descriptor, _HEAD.pack(copy, len(text)), 0)
