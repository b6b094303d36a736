"""What an address says there is, for each kind of machine. Pure.

    {"amd64": {"version": "0.2.0", "file": "deskbell-amd64-0.2.0.raucb"}, "arm64": {...}}

It is not signed, so nothing but words comes of it: what is installed in the end is looked at by its own signature.
"""

from __future__ import annotations

import json
import re
from urllib.parse import urljoin, urlsplit

from app.control.updating import NewerVersion
from firmware.update.bundle import Box, numbers

_ADDRESS = re.compile(r"[!-~]{1,500}")
"""Half a surrogate pair, which JSON can hold, would keep the page from being told anything of updates."""


class NoListing(Exception):
    """The text says what is wrong, as the end of a sentence."""


def newer_than(box: Box, text: bytes, came_from: str) -> NewerVersion | None:
    """None where nothing is newer than what runs. A "file" is looked for where the listing is. Raises: NoListing."""
    try:
        listed = json.loads(text)
        entry = listed.get(box.board)
        if entry is None:
            return None
        version, address = str(entry["version"]), urljoin(came_from, str(entry["file"]))
        is_address = urlsplit(address).scheme in ("http", "https") and bool(_ADDRESS.fullmatch(address))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NoListing("what it answered is no list of versions: check the address") from None
    there, here = numbers(version), numbers(box.version)
    if there is None or not is_address:
        raise NoListing(f"its entry for {box.board} has no version of three numbers, or no address of a file")
    return NewerVersion(version=version, address=address) if here is not None and there > here else None
