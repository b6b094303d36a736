"""The life of one worker process of the page. A password that somebody typed stays in the memory of the process that
read it, wherever Python's objects were; so such a process answers, is replaced by a fresh one, and ends.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import trio


@dataclass(frozen=True, slots=True)
class Life:
    """`has_seen_secret`: a form held one, and is answered; or the box was reset. `leaving`: whatever has no end of its
    own ends now."""

    has_seen_secret: trio.Event = field(default_factory=trio.Event)
    leaving: trio.Event = field(default_factory=trio.Event)
