"""Which machine the data belongs to. A card that is put into another machine brings everything with it, which is what a
broken machine's owner wants; but a copy of a card makes two boxes of one, and both register as the same extensions."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from firmware.vault.files import replace_file

FILE = "machine.json"

_PERMANENT = "0"
"""A network card's address that it was made with, as the kernel says it (NET_ADDR_PERM of linux/netdevice.h)."""

_log = logging.getLogger(__name__)


class Home:
    """Blocks for milliseconds when made and when settled."""

    def __init__(self, data: Path, root: Path = Path("/")) -> None:
        self._file = data / FILE
        self._here = tuple(sorted(_marks(root)))
        self._before = self._noted()
        if self._here and not self._before:
            self._note()

    @property
    def left(self) -> tuple[str, ...]:
        """The addresses of the machine that the data was in before, if this is another one. Where either does not tell,
        nothing is said."""
        return () if not self._here or set(self._before) & set(self._here) else self._before

    def settle(self) -> None:
        """It belongs into this machine from now on. Raises: OSError."""
        replace_file(self._file, json.dumps(self._here).encode())
        self._before = self._here

    def _note(self) -> None:
        """A disk that takes nothing is told of elsewhere, and a later start notes it."""
        with suppress(OSError):
            self.settle()

    def _noted(self) -> tuple[str, ...]:
        try:
            noted = json.loads(self._file.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, ValueError):
            _log.warning("which machine the data belongs to cannot be read, and is noted anew")
            return ()
        return tuple(map(str, noted)) if isinstance(noted, list) else ()


def _marks(root: Path) -> Iterator[str]:
    """What tells this machine from others of its kind: the addresses of its network cards."""
    folder = root / "sys/class/net"
    for card in folder.iterdir() if folder.is_dir() else ():
        with suppress(OSError):
            if (card / "device").exists() and (card / "addr_assign_type").read_text().strip() == _PERMANENT:
                yield (card / "address").read_text().strip()
