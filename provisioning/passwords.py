"""The one password of the page: Argon2id in a file of the page's own, and the code for a box that has none yet."""

from __future__ import annotations

import hmac
from pathlib import Path

import trio
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.control.passwords import LONGEST
from provisioning.files import replace_file
from provisioning.first_boot import forget_set_up_code, password_file, set_up_code

# OWASP's recommendation: 19 MiB, two passes, one lane. About 0.1 s on a Raspberry Pi 4.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# Calls are going on next door: more sign-ins at once than this wait, however many there are.
_AT_ONCE = 2


class Passwords:
    """`folder`: the page's own."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, password_file(folder)
        self._threads, self._storing = trio.CapacityLimiter(_AT_ONCE), trio.Lock()

    @property
    def set_up_code(self) -> str:
        """What the console shows while there is no password. Raises: OSError."""
        return set_up_code(self._folder)

    @property
    def is_set(self) -> bool:
        return self._file.exists()

    def is_set_up_code(self, typed: str) -> bool:
        """Good while there is no password. Raises: OSError."""
        digits = "".join(character for character in typed if character in "0123456789")
        return not self.is_set and hmac.compare_digest(digits, self.set_up_code)

    async def set_first(self, password: str) -> bool:
        """False if somebody else was faster: theirs counts. Raises: OSError."""
        async with self._storing:
            if self.is_set:
                return False
            await trio.to_thread.run_sync(self._store, password, limiter=self._threads)
        return True

    async def set(self, password: str) -> None:
        """Raises: OSError."""
        async with self._storing:
            await trio.to_thread.run_sync(self._store, password, limiter=self._threads)

    async def check(self, password: str) -> bool:
        return await trio.to_thread.run_sync(self._matches, password[: LONGEST + 1], limiter=self._threads)

    def _store(self, password: str) -> None:
        replace_file(self._file, _HASHER.hash(password).encode())
        forget_set_up_code(self._folder)

    def _matches(self, password: str) -> bool:
        try:
            return _HASHER.verify(self._file.read_text(), password)
        except (VerificationError, InvalidHashError, FileNotFoundError):
            return False
