"""pjproject's log lines into Python's logging, without what they quote.

pjproject writes SIP URIs (callers' numbers), and packets it could not parse, into its warnings. Only the first line
goes on, with every URI, address and quoted text taken out, as a field of a static message.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pjsua2 as pj

LEVEL = 2
"""Errors and warnings. From 3 on the lines tell of calls with their URIs; from 4 on they hold whole packets."""

_LEVELS = {0: logging.CRITICAL, 1: logging.ERROR, 2: logging.WARNING, 3: logging.INFO}
_PERSONAL = re.compile(r"sips?:[^\s>;]+|tel:[^\s>;]+|\"[^\"]*\"|<[^>]*>|\S+@\S+", re.IGNORECASE)
_UNPARSABLE = re.compile(r"Dropping \d+ bytes packet|Error processing packet")

log = logging.getLogger(__name__)


def without_personal_data(line: str) -> str:
    """The first line of `line`, without URIs and quoted text. Where it reports on a packet, that follows below it."""
    return _PERSONAL.sub("…", line.strip().partition("\n")[0])


class Log(pj.LogWriter):  # type: ignore[misc]
    """Keep a reference for as long as the endpoint lives: pjproject writes to it until the very end."""

    def __init__(self) -> None:
        super().__init__()
        self.unparsable_packets = 0
        self._quiet = False

    @contextmanager
    def quietly(self) -> Iterator[None]:
        """While we let go of things: what pj complains of then (a request still under way) is expected."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False

    def write(self, entry: pj.LogEntry) -> None:
        try:
            if _UNPARSABLE.search(entry.msg):
                self.unparsable_packets += 1
            level = logging.DEBUG if self._quiet else _LEVELS.get(entry.level, logging.DEBUG)
            log.log(level, "pjproject", extra={"pj": without_personal_data(entry.msg)})
        except Exception:  # nothing may escape into pjproject
            log.exception("a log line of pjproject was lost")
