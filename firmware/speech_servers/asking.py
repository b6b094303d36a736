"""Whether a server is asked now, and telling a call's session what became of that."""

from __future__ import annotations

import logging

import trio

from app.speech_servers import Rest, SpeechFailed, Told

_log = logging.getLogger(__name__)


class Asking:
    """For one call. `rest` is shared by all calls of the agent."""

    def __init__(self, rest: Rest, told: Told) -> None:
        self._rest, self._told = rest, told
        self._has_told = False  # of the rest that goes on

    def ready(self) -> bool:
        ready = self._rest.ready(trio.current_time())
        if not ready and not self._has_told:
            self._has_told = True
            self._told(f"The box does it by itself for a while: {self._rest.why}.")
        return ready

    def failed(self, why: SpeechFailed, instead: str) -> int:
        """In how many seconds it is asked again. `instead`: what the box did."""
        rest_s = round(self._rest.failed(trio.current_time(), str(why)))
        self._told(f"{instead}: {why}. The server is asked again after {rest_s} s.")
        self._has_told = True
        return rest_s

    def worked(self) -> None:
        if self._rest.worked():
            _log.info("the speech server works again")
            self._told("The speech server works again.")
        self._has_told = False
