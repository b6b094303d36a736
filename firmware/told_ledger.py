"""Ledgers that know more than a call tells them: who shows its session, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from app.ports import Ledger, Line, Outcome, SessionLog
from app.turn_times import Turn


class ToldLedger:
    """So that a page that shows a session looks again: `changed` hears its id."""

    def __init__(self, ledger: Ledger, changed: Callable[[str], None]) -> None:
        self._ledger, self._changed = ledger, changed

    def open_session(self, *, call_id: str, agent: str, direction: str, remote: str) -> SessionLog:
        session = self._ledger.open_session(call_id=call_id, agent=agent, direction=direction, remote=remote)
        self._changed(session.id)
        return ToldSession(session, self._changed)


class LedgerOfOne:
    """A ledger that one agent writes into; `belongs` hears session and agent, by their ids."""

    def __init__(self, ledger: Ledger, belongs: Callable[[str, str], None], agent_id: str) -> None:
        self._ledger, self._belongs, self._agent_id = ledger, belongs, agent_id

    def open_session(self, *, call_id: str, agent: str, direction: str, remote: str) -> SessionLog:
        session = self._ledger.open_session(call_id=call_id, agent=agent, direction=direction, remote=remote)
        self._belongs(session.id, self._agent_id)
        return session


class ToldSession:
    """`changed` hears the session's id."""

    def __init__(self, session: SessionLog, changed: Callable[[str], None]) -> None:
        self._session, self._changed = session, changed

    @property
    def id(self) -> str:
        return self._session.id

    def connected(self, codec: str) -> None:
        self._session.connected(codec)
        self._changed(self.id)

    def recorded(self, path: Path) -> None:
        self._session.recorded(path)

    def line(self, line: Line) -> None:
        self._session.line(line)
        self._changed(self.id)

    def turn(self, turn: Turn) -> None:
        self._session.turn(turn)

    def note(self, at_ms: int, text: str) -> None:
        self._session.note(at_ms, text)
        self._changed(self.id)

    def found(self, results: dict[str, str]) -> None:
        self._session.found(results)
        self._changed(self.id)

    def close(self, outcome: Outcome, conclusion: str, results: dict[str, str]) -> None:
        self._session.close(outcome, conclusion, results)
        self._changed(self.id)
