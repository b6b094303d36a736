"""Updates: what is asked, and what is answered. Part of the table in `verbs`."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Literal

from pydantic import Field

from app.settings import Settings


class Stage(Enum):
    """What the box does about updates now. `ELSEWHERE`: on this machine they come with the system, not here."""

    ELSEWHERE = "elsewhere"
    PROVING = "proving"
    IDLE = "idle"
    CHECKING = "checking"
    REFUSED = "refused"
    READY = "ready"
    INSTALLING = "installing"
    INSTALLED = "installed"
    RESTARTING = "restarting"


class SlotView(Settings):
    """A place for a version. `version` "": not known. `good`: it has proven itself."""

    name: str
    version: str
    runs: bool
    good: bool


class LastUpdate(Settings):
    """`text` and `remedy`: what happened, why, and what to do, for a person."""

    version: str
    from_version: str
    at: datetime
    outcome: Literal["waiting", "good", "rolled back", "failed"]
    text: str
    remedy: str = ""


class NewerVersion(Settings):
    """One that is said to be there. `address`: of the bundle, for a person's browser."""

    version: str
    address: str


class UpdateView(Settings):
    """`version`: of the image that runs. `offered`: of the bundle that was uploaded. `percent` and `step`: of the
    installation. `text`: what is wrong now. `restart`: "" unless it was put off, then until when: "idle" (no call goes
    on) or "hour" (`restart_hour`, by the box's time zone, once no call goes on). `looked_at`: when the address that the
    owner gave was asked last, `newer` what it said there is, `look_problem` why it said nothing."""

    stage: Stage
    version: str = ""
    board: str = ""
    slots: tuple[SlotView, ...] = ()
    offered: str = ""
    percent: int = 0
    step: str = ""
    text: str = ""
    restart: Literal["", "idle", "hour"] = ""
    restart_hour: int | None = None
    last: LastUpdate | None = None
    newer: NewerVersion | None = None
    looked_at: datetime | None = None
    look_problem: str = ""


class RestartBox(Settings):
    """`when`: "never" takes back what was asked for before. `hour`: with "hour". `confirmed`: the person was told which
    calls are cut off by "now"."""

    when: Literal["now", "idle", "hour", "never"]
    hour: int = Field(default=3, ge=0, le=23)
    confirmed: bool = False
