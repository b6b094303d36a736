"""How far a call came. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call came: instants in seconds of `trio.current_time()`, None where it did not come to that.
    `heard_s`: the other side's first response to a call of ours, if only "trying". `rang_s`: its first sign that
    somebody is being called (180 to 183). A call that comes in has both from its beginning. `transferred_s`: somebody
    else has the other side on their telephone since.
    """

    began_s: float
    heard_s: float | None = None
    rang_s: float | None = None
    answered_s: float | None = None
    ended_s: float | None = None
    transferred_s: float | None = None
