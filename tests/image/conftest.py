"""Which tests are about the board whose image is tested."""

from __future__ import annotations

from tests.image.subject import BOARD

collect_ignore = [] if BOARD.raspberry else ["test_raspberry.py"]
