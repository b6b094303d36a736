"""`python3 -m firmware.update.servant`: what of an update needs root, and nothing else. systemd starts it when there is
a wish in the folder of wishes, which the phone process alone may write to.

A wish is an empty file whose name is one of `_WISHES`; what is done, and to which file, stands here. Whoever takes over
the phone process can so install what is signed for this box and not older than what runs, and restart the box.
Standard library only: it starts within a moment on a slow machine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from firmware.update.bundle import offer, why_not, why_unreadable
from firmware.update.places import Places, box_of

LOOK, CHECK, INSTALL, GOOD, GIVE_UP, RESTART = "look", "check", "install", "good", "give-up", "restart"

_STEP_S = 120.0  # a question to RAUC takes a second; a card that hangs, or a slow machine, more
_PROGRESS = re.compile(r"^\s*(\d{1,3})% (.+)$")
_LONGEST_TEXT = 2000

Tell = Callable[..., None]


def main() -> int:
    run, uploads = (Path(os.environ[name]) for name in ("DESKBELL_UPDATE_RUN", "DESKBELL_UPLOAD_FOLDER"))
    os.umask(0o022)  # what is told may be read by everybody: there is no secret in it
    serve(Places(Path(), run, uploads))
    return 0


def serve(places: Places) -> None:
    """Until there is no wish left. Raises: OSError."""
    while wishes := sorted(places.asked.iterdir()):
        for wish in wishes:
            of = wish.stat(follow_symlinks=False).st_mtime_ns
            wish.unlink()
            if wish.name in _WISHES:
                _grant(places, wish.name, of)


def _grant(places: Places, name: str, of: int) -> None:
    """`of`: by which whoever wished it knows its answer."""

    def tell(*, done: bool = False, **told: object) -> None:
        _replace(places.told / f"{name}.json", {"of": of, "done": done, **told})

    try:
        tell(done=True, **_WISHES[name](places, tell))
    except (OSError, KeyError, subprocess.SubprocessError) as fault:
        tell(done=True, ok=False, text=f"{type(fault).__name__}: {fault}"[:_LONGEST_TEXT])


def _look(_: Places, __: Tell) -> dict[str, object]:
    asked = _run("rauc", "status", "--detailed", "--output-format=json")
    return {"ok": not asked.returncode, "text": _end(asked), "status": _json(asked.stdout)}


def _check(places: Places, _: Tell) -> dict[str, object]:
    """`ok`: it may be installed. `text`: why not, for a person."""
    asked = _run("rauc", "info", "--output-format=json", str(places.bundle))
    if asked.returncode:
        return {"ok": False, "text": why_unreadable(asked.stderr), "words": _end(asked)}
    offered = offer(asked.stdout)
    if offered is None:
        return {"ok": False, "text": why_unreadable(""), "words": _end(asked)}
    why = why_not(offered, box_of(places))
    return {"ok": not why, "text": why, "version": offered.version}


def _install(places: Places, tell: Tell) -> dict[str, object]:
    """Looked at again first: the file may be another one by now, and whoever asks may be somebody else."""
    checked = _check(places, tell)
    if not checked["ok"]:
        return checked
    command = ["rauc", "install", str(places.bundle)]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as install:
        for line in install.stdout or ():
            said.append(line)
            if found := _PROGRESS.match(line):
                tell(percent=min(int(found[1]), 100), step=found[2])
    if install.returncode:
        return {"ok": False, "text": "".join(said)[-_LONGEST_TEXT:]}
    places.bundle.unlink(missing_ok=True)
    return {"ok": True, "text": "", "version": checked["version"]}


def _good(_: Places, __: Tell) -> dict[str, object]:
    asked = _run("rauc", "status", "mark-good", "booted")
    return {"ok": not asked.returncode, "text": _end(asked)}


def _give_up(places: Places, tell: Tell) -> dict[str, object]:
    """Back to the other slot, if that one was good: a box must never be left without a slot that starts."""
    status = _look(places, tell)["status"]
    others = [slot for slot in _slots(status) if slot.get("state") != "booted"]
    if not any(slot.get("boot_status") == "good" for slot in others):
        return {"ok": False, "text": "the other slot is not known to be good"}
    marked = _run("rauc", "status", "mark-bad", "booted")
    if marked.returncode:
        return {"ok": False, "text": _end(marked)}
    return _restart(places, tell)


def _restart(_: Places, __: Tell) -> dict[str, object]:
    asked = _run("systemctl", "reboot")
    return {"ok": not asked.returncode, "text": _end(asked)}


_WISHES: dict[str, Callable[[Places, Tell], dict[str, object]]] = {
    LOOK: _look,
    CHECK: _check,
    INSTALL: _install,
    GOOD: _good,
    GIVE_UP: _give_up,
    RESTART: _restart,
}


def _slots(status: object) -> list[dict[str, Any]]:
    named = status.get("slots", []) if isinstance(status, dict) else []
    return [slot for entry in named for slot in entry.values()]


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    """Raises: OSError, subprocess.TimeoutExpired."""
    return subprocess.run(command, capture_output=True, text=True, timeout=_STEP_S, check=False)


def _end(asked: subprocess.CompletedProcess[str]) -> str:
    return asked.stderr.strip()[-_LONGEST_TEXT:] if asked.returncode else ""


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _replace(file: Path, told: dict[str, object]) -> None:
    """Whoever reads gets the old or the new, never half of it. Raises: OSError."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(told))
    part.replace(file)


if __name__ == "__main__":
    sys.exit(main())
