"""The image that the tests are about: of the board that DESKBELL_BOARD names (`just test-image arm64`), of a mini PC if
it names none."""

from __future__ import annotations

import os

from image.make.board import AMD64, IMAGE_BUILD, board, image_of
from image.make.root import root_of

BOARD = board(os.environ.get("DESKBELL_BOARD", AMD64.name))
ROOT = root_of(BOARD)
IMAGE = image_of(BOARD)
SLOT = IMAGE_BUILD / f"rootfs-{BOARD.name}.img"
