"""The conversation on the terminal of whoever started the box by hand: both sides live, with each turn's latency.

This is not the log: it shows what was said, so it is only there when asked for (`--show`), and goes nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable

from app.ports import Ledger, Line, SessionLog, Turn


class ShownLedger:
    """A ledger that also shows what it is told."""

    def __init__(self, ledger: Ledger, show: Callable[[str], None]) -> None:
        self._ledger, self._show = ledger, show

    def open_session(self, *, call_id: str, agent: str, direction: str, remote: str) -> SessionLog:
        self._show(f"{call_id}: {direction} call, {remote}")
        session = self._ledger.open_session(call_id=call_id, agent=agent, direction=direction, remote=remote)
        return _ShownSession(session, lambda text: self._show(f"{call_id}: {text}"))


class _ShownSession:
    def __init__(self, session: SessionLog, show: Callable[[str], None]) -> None:
        self._session, self._show = session, show
        self._turn: Turn | None = None

    def connected(self, codec: str) -> None:
        self._session.connected(codec)
        self._show(f"answered, codec {codec}")

    def line(self, line: Line) -> None:
        self._session.line(line)
        cut = " — (interrupted)" if line.interrupted else ""
        self._show(f"{line.start_ms / 1000:6.1f} s  {line.speaker:<6}  {line.text}{cut}{self._latency(line)}")

    def turn(self, turn: Turn) -> None:
        self._session.turn(turn)
        self._turn = turn

    def close(self, outcome: str, ended_by: str, results: dict[str, str]) -> None:
        self._session.close(outcome, ended_by, results)
        self._show(f"over: {outcome}")
        for name, value in results.items():
            self._show(f"result  {name}: {value}")

    def _latency(self, line: Line) -> str:
        if line.speaker != "agent" or self._turn is None:
            return ""
        turn, self._turn = self._turn, None
        pause_ms = turn.commit_ms - turn.speech_end_ms
        return (
            f"   [{turn.response_ms} ms: pause {pause_ms}, recognition {turn.decode_ms:.0f} (inside the pause), "
            f"brain {turn.brain_ms:.0f}, voice {turn.voice_ms:.0f}]"
        )
