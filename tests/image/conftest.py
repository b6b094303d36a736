"""Which tests are about the board whose image is tested."""

from __future__ import annotations

from tests.image.subject import BOARD

collect_ignore = [
    *(["test_raspberry.py"] if not BOARD.raspberry else []),
    *(["test_firewall.py"] if BOARD.foreign else []),
]
