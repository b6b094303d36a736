"""Updates in the words of the page. Pure."""

from __future__ import annotations

from typing import Any, Literal

from app.control.updating import LastUpdate, SlotView
from firmware.update import proof
from firmware.update.trial import Trial

_WRITING = "It is being written to the other place, which takes longest."
_AGAIN = "Nothing has changed. Upload the update again, and install it once more."


def step_of(rauc_words: str) -> str:
    """What RAUC says that it does, for a person: it speaks of slots, and its percents stand still while it writes."""
    return _WRITING if rauc_words.startswith("Copying") else ""


def slots_of(status: object, slot: str, version: str, trial: Trial | None) -> tuple[SlotView, ...]:
    """`status`: what `rauc status --detailed --output-format=json` tells. `slot` and `version`: what runs."""
    named = status.get("slots", []) if isinstance(status, dict) else []
    slots = [entry for each in named if isinstance(each, dict) for entry in each.values() if isinstance(entry, dict)]
    return tuple(
        SlotView(
            name=name,
            version=version if name == slot else _version(each, name, trial),
            runs=name == slot,
            good=each.get("boot_status") == "good",
        )
        for each in sorted(slots, key=lambda entry: str(entry.get("bootname")))
        if (name := str(each.get("bootname") or ""))
    )


def last_of(trial: Trial | None) -> LastUpdate | None:
    if trial is None:
        return None
    outcome, text, remedy = _story(trial)
    return LastUpdate(
        version=trial.version,
        from_version=trial.from_version,
        at=trial.at,
        outcome=outcome,
        text=text,
        remedy=remedy,
    )


def _story(trial: Trial) -> tuple[Literal["waiting", "good", "rolled back", "failed"], str, str]:
    match trial.stage:
        case "good":
            return "good", f"The box was updated from {trial.from_version} to {trial.version}, which works.", ""
        case "rolled back":
            text = (
                f"The update to {trial.version} was rolled back, because {trial.reason}. The box runs "
                f"{trial.from_version} again, with all its settings."
            )
            return "rolled back", text, proof.remedy(trial.check)
        case "failed":
            return "failed", f"The update to {trial.version} was not installed: {trial.reason}.", _AGAIN
        case "installing":
            return "waiting", f"{trial.version} is being installed.", ""
        case "given up":
            return "waiting", f"{trial.version} did not prove itself, because {trial.reason}.", ""
        case _:
            return "waiting", f"{trial.version} was installed, and has to prove itself.", ""


def _version(slot: dict[str, Any], name: str, trial: Trial | None) -> str:
    """Of the slot that does not run: as RAUC has noted it, and of the first one, which nobody installed, as we have."""
    status = slot.get("slot_status")
    bundle = status.get("bundle") if isinstance(status, dict) else None
    noted = bundle.get("version") if isinstance(bundle, dict) else None
    if noted:
        return str(noted)
    return trial.from_version if trial and name == trial.from_slot else ""
