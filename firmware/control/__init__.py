"""What may be asked of the box, answered: the verbs of app/control on one unix socket."""

from __future__ import annotations

from collections.abc import Mapping

from app.control.verbs import VERBS
from firmware.control.server import Answer, run_control

__all__ = ["Answer", "answers_of", "run_control"]


def answers_of(*groups: object) -> Mapping[str, Answer]:
    """Each verb's answer, from whichever group has a method of its name. Raises: LookupError for one without."""
    answers = {name: getattr(group, name) for name in VERBS for group in groups if hasattr(group, name)}
    if missing := VERBS.keys() - answers.keys():
        raise LookupError(f"no answer to {sorted(missing)}")
    return answers
