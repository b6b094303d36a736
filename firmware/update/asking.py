"""Wishes to the root program, and its answers: an empty file for each wish, and a file of JSON for each answer."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio

from firmware.update.places import Places

LOOK_S = 0.5
"""Between two looks at a file that another process writes: nobody reads a bar of progress faster."""

Told = dict[str, Any]


async def ask(places: Places, wish: str, patience_s: float, heard: Callable[[Told], None] | None = None) -> Told:
    """What the root program says when it is done; `heard` gets what it says on the way. A wish that is not granted in
    time is taken back, and answered with "ok": False; so is one that cannot be written."""
    file = places.asked / wish
    try:
        of = await trio.to_thread.run_sync(_wish, file)
    except OSError as fault:
        return {"ok": False, "text": f"nothing can be asked ({fault.strerror})"}
    told = await outcome(places, wish, patience_s, heard, of)
    file.unlink(missing_ok=True)
    return told


async def outcome(
    places: Places, wish: str, patience_s: float, heard: Callable[[Told], None] | None = None, of: int | None = None
) -> Told:
    """Of a wish that was made at the instant `of`; None: whenever that was, by whoever ran here before."""
    last: Told = {}
    with trio.move_on_after(patience_s):
        while True:
            told = await trio.to_thread.run_sync(_read, places.told / f"{wish}.json")
            if told and of in (None, told.get("of")):
                if told.get("done"):
                    return told
                if heard and told != last:
                    heard(told)
                last = told
            await trio.sleep(LOOK_S)
    return {"ok": False, "text": f"there was no answer within {patience_s:.0f} s"}


def _wish(file: Path) -> int:
    """When, by which its answer is known. The file may be taken before this returns. Raises: OSError."""
    file.unlink(missing_ok=True)
    made = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    try:
        return os.fstat(made).st_mtime_ns
    finally:
        os.close(made)


def _read(file: Path) -> Told:
    """Empty as long as nothing was told."""
    try:
        told = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}
