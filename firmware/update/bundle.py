"""Whether an uploaded bundle may be installed here. Pure; standard library only, since the root program uses it too."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})")
SLOT_BYTES = 1024 * 2**20
"""Of each slot, on every board (image/make/disk.py)."""

NOT_OURS = (
    "it is not signed with a key that this box trusts, or it was damaged on the way. Download it again from where you "
    "got it, and upload that"
)
EXPIRED = "it was signed with a key that had expired. Ask whoever gave it to you for a newer one"
NO_BUNDLE = (
    "it is no update, or it is cut short. An update is a file that ends in .raucb: download it again, and upload that"
)


@dataclass(frozen=True, slots=True)
class Box:
    """What runs now: three numbers, and the board that the image was made for."""

    version: str
    board: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A bundle with a good signature: what it says of itself. `bytes`: of the largest of its images."""

    version: str
    compatible: str
    bytes: int


def offer(rauc_json: str) -> Offer | None:
    """What `rauc info --output-format=json` tells; None if that is no such text."""
    try:
        told = json.loads(rauc_json)
        sizes = [image["size"] for entry in told["images"] for image in entry.values()]
        return Offer(str(told["version"]), str(told["compatible"]), max(sizes, default=0))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def why_unreadable(rauc_words: str) -> str:
    """Why `rauc info` did not take it, for a person, of what it said on its stderr."""
    said = rauc_words.casefold()
    if "expired" in said:
        return EXPIRED
    return NOT_OURS if "verif" in said else NO_BUNDLE


def why_not(offered: Offer, box: Box) -> str:
    """Why it may not be installed, as the end of a sentence; empty if it may."""
    if offered.compatible != f"deskbell-{box.board}":
        return (
            f"it is for another kind of machine ({offered.compatible.removeprefix('deskbell-')}), and this box is of "
            f"the kind {box.board}. Download the one for {box.board}"
        )
    there, here = numbers(offered.version), numbers(box.version)
    if there is None:
        return "it does not say which version it is. Download it again from where you got it"
    if here is not None and there < here:
        return (
            f"it is version {offered.version}, which is older than {box.version}, which runs now. An older version "
            "might not be able to read what the newer one has stored"
        )
    if offered.bytes > SLOT_BYTES:
        return f"it needs {offered.bytes // 2**20} MB, and this box has {SLOT_BYTES // 2**20} MB for it"
    return ""


def numbers(version: str) -> tuple[int, ...] | None:
    """To compare versions by. None for a text that is none."""
    found = _VERSION.fullmatch(version)
    return tuple(map(int, found.groups())) if found else None
