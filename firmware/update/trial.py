"""What became of the last update, from being installed to being marked good or rolled back. Kept in a file that both
versions read, so its fields only grow. What follows from it is pure.

    installing    RAUC writes to the other slot
    installed     the box has not been started again since
    given up      the new version said why it does not stay, and asked for the old one
    good          it proved itself
    rolled back   the old version runs again; `reason` says why
    failed        it was not installed; nothing changed
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from firmware.vault.files import replace_file, set_aside, sync_folder

Stage = Literal["installing", "installed", "given up", "good", "rolled back", "failed"]

_FILE = "update.json"
ON_TRIAL = "on-trial"
"""Holds the slot, for the program that restarts a box whose new version does nothing at all
(image/system/usr/lib/deskbell-update/overdue). There while a version has not proven itself."""

DID_NOT_START = (
    "it did not get as far as saying what was wrong: it did not start, or stopped on the way, and the box went back by "
    "itself"
)
CUT_OFF = "the box was switched off, or started again, while it was being installed"

_log = logging.getLogger(__name__)


class Trial(BaseModel):
    """`boot`: of the start of the machine in which it was installed. `registered`: connections that were, by id;
    `unreadable`: those whose password could not be read before either. `check`: what failed, by name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    slot: str
    from_version: str
    from_slot: str
    at: datetime
    boot: str
    stage: Stage
    registered: tuple[str, ...] = ()
    unreadable: tuple[str, ...] = ()
    reason: str = ""
    check: str = ""


@dataclass(frozen=True, slots=True)
class Start:
    """What follows from a trial at the start of the process. `on_trial`: this version has to prove itself now."""

    trial: Trial | None
    on_trial: bool = False


def other(slot: str) -> str:
    return "B" if slot == "A" else "A"


def at_start(trial: Trial | None, slot: str, boot: str) -> Start:
    """`slot`: the one that runs, `boot`: this start of the machine."""
    if trial is None or trial.stage in ("good", "rolled back", "failed") or trial.boot == boot:
        return Start(trial)
    if slot == trial.slot:
        return Start(trial, on_trial=True)
    match trial.stage:
        case "installing":
            return Start(trial.model_copy(update={"stage": "failed", "reason": CUT_OFF}))
        case "given up":
            return Start(trial.model_copy(update={"stage": "rolled back"}))
        case _:
            return Start(trial.model_copy(update={"stage": "rolled back", "reason": DID_NOT_START}))


def read_trial(folder: Path) -> Trial | None:
    """Raises: OSError."""
    file = folder / _FILE
    try:
        return Trial.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        _log.error("the note of the last update is damaged: it was set aside", extra={"file": set_aside(file).name})
        return None


def keep_trial(folder: Path, trial: Trial) -> None:
    """Raises: OSError."""
    replace_file(folder / _FILE, trial.model_dump_json().encode())
    if trial.stage in ("installing", "installed"):
        replace_file(folder / ON_TRIAL, trial.slot.encode())
    elif trial.stage != "given up":
        (folder / ON_TRIAL).unlink(missing_ok=True)
        sync_folder(folder)
