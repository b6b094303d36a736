"""Who wants to know that something changed, and hears of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import trio

from app.control.verbs import Event, EventKind

# An event says that something changed; whoever missed some looks again at the next one. Log lines may be lost to a
# page that does not read for so long: they are in the log all the same.
_WAITING_EVENTS = 256
MOST_LISTENERS = 32
"""Pages that somebody looks at, programs, and the page process itself. More are refused rather than all served ever
more slowly: a page looks by itself each few seconds then."""


class Events:
    """`tell` belongs to the Trio thread and never waits."""

    def __init__(self) -> None:
        self._listeners: set[trio.MemorySendChannel[Event]] = set()

    def tell(self, event: Event) -> None:
        for listener in self._listeners:
            with suppress(trio.WouldBlock):
                listener.send_nowait(event)

    def changed(self, kind: EventKind, id_: str = "") -> None:
        """Tell that this one changed."""
        self.tell(Event(kind=kind, id=id_))

    @property
    def is_crowded(self) -> bool:
        """As many listen as may from outside."""
        return len(self._listeners) >= MOST_LISTENERS

    @contextmanager
    def listening(self) -> Iterator[trio.MemoryReceiveChannel[Event]]:
        """Everything from now on."""
        tell, hear = trio.open_memory_channel[Event](_WAITING_EVENTS)
        self._listeners.add(tell)
        try:
            yield hear
        finally:
            self._listeners.discard(tell)
