"""When a version has proven itself after a start, and when it has not. Pure.

A box that starts as it always does proves itself too, since the boot loader counts its tries; there only what the
version itself does is asked for, not whether a PBX is there today.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import assert_never

LIMIT_S = 600.0
"""From the start of the process. A machine made of software has its agents running after three minutes and its page
after four; the registrar tries a PBX that is away at least once in five."""

LONGEST_GAP_MS = 200.0
"""Between two audio frames, 999 times in 1000. What an agent says is at most so far ahead of the line: a longer gap is
a hole in it."""


class Check(Enum):
    """In the order in which a person is told the first that failed."""

    SETTINGS = "settings"
    EARS = "ears"
    PAGE = "page"
    AUDIO = "audio"
    REGISTRATION = "registration"


@dataclass(frozen=True, slots=True)
class Found:
    """What the last look said. `why`: what was seen instead of what should be, as the end of a sentence. `final`:
    another look will not be better."""

    good: bool
    why: str = ""
    final: bool = False


@dataclass(frozen=True, slots=True)
class Proven:
    pass


@dataclass(frozen=True, slots=True)
class Unproven:
    """`why`: the end of "the update was rolled back, because"."""

    check: Check
    why: str


def wanted(*, on_trial: bool, was_registered: bool) -> tuple[Check, ...]:
    asked = (Check.SETTINGS, Check.EARS, Check.PAGE, Check.AUDIO)
    return (*asked, Check.REGISTRATION) if on_trial and was_registered else asked


def verdict(asked: Sequence[Check], found: Mapping[Check, Found], elapsed_s: float) -> Proven | Unproven | None:
    """None: it is too early to say."""
    missing = [check for check in asked if not (check in found and found[check].good)]
    if not missing:
        return Proven()
    for check in missing:
        if check in found and found[check].final:
            return Unproven(check, found[check].why)
    if elapsed_s < LIMIT_S:
        return None
    last = found.get(missing[0])
    why = last.why if last else _nothing_seen(missing[0])
    return Unproven(missing[0], f"{why}, {LIMIT_S / 60:.0f} minutes after the start")


def remedy(check: str) -> str:
    """What to do about an update that was rolled back. `check`: of a version that may know other ones."""
    if check == Check.REGISTRATION.value:
        return (
            "Look whether the telephone system (PBX) and the network were up at that time. If they were not, upload "
            "the update again and install it while they are."
        )
    if check == Check.AUDIO.value:
        return (
            "Upload the update again and install it at a quiet hour. If it comes back again, send the support bundle "
            "(Box > Help) to whoever gave you the update."
        )
    return (
        "Your box works as before. Do not install this version again; send the support bundle (Box > Help) to whoever "
        "gave you the update."
    )


def _nothing_seen(check: Check) -> str:
    match check:
        case Check.SETTINGS:
            return "its settings could not be read"
        case Check.EARS:
            return "the speech recogniser had not answered"
        case Check.PAGE:
            return "this page had not answered"
        case Check.AUDIO:
            return "its audio clock could not be measured"
        case Check.REGISTRATION:
            return "nothing was known of the registration"
        case _:
            assert_never(check)
