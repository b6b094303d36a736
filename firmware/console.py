"""What whoever started the box by hand sees on the terminal: registration, and both sides of each conversation live.

This is not the log: it shows what was said, so conversations are only there when asked for (`--show`), and go nowhere
else.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

from app.outcomes import in_words
from app.ports import Ledger, Line, Outcome, SessionLog
from app.turn_times import Turn
from firmware.telephony import Cause, Registration

_REMEDIES = {
    Cause.WRONG_CREDENTIALS: "Compare user, login and password with what the PBX gave out.",
    Cause.DOMAIN_NOT_FOUND: "Check the spelling of the domain, or use the PBX's address instead of its name.",
    Cause.UNREACHABLE: "Is the PBX up, is the port right, and does a firewall stand between?",
    Cause.REFUSED: "Is the extension enabled at the PBX, and allowed to register from this network?",
    Cause.SERVER_ERROR: "The PBX has trouble of its own: look into its log. The box tries again by itself.",
    Cause.NOT_TRUSTED: "Compare the fingerprint with the one that the PBX's administrator tells. If they are the same, "
    "enter it under Advanced; if they differ, somebody may stand between the box and the PBX.",
    Cause.MALFORMED_ANSWER: "Something else than a PBX answers there: check address and port.",
}


def remedy(cause: Cause) -> str:
    """What to do about it; empty where nothing is to be done."""
    return _REMEDIES.get(cause, "")


def describe(registration: Registration, user: str, domain: str) -> str:
    """One line: where the registration stands, why, what to do, and when the next try is."""
    account = f"{user} at {domain}"
    if registration.cause is Cause.REGISTERED:
        return f"registered: {account}; renewed before {registration.expires_s} s are over"
    answer = f"{registration.sip_code} {registration.reason}".removeprefix("0 ").strip()
    parts = [f"{account}: {registration.cause.value}", f" ({answer})" if answer else ""]
    if todo := remedy(registration.cause):
        parts.append(f". {todo}")
    if registration.next_try:
        parts.append(f" Next try at {registration.next_try.astimezone():%H:%M:%S}.")
    return "".join(parts)


class ShownLedger:
    """A ledger that also shows what it is told."""

    def __init__(self, ledger: Ledger, show: Callable[[str], None]) -> None:
        self._ledger, self._show = ledger, show
        self._calls = itertools.count(1)

    def open_session(self, *, call_id: str, agent: str, direction: str, remote: str) -> SessionLog:
        session = self._ledger.open_session(call_id=call_id, agent=agent, direction=direction, remote=remote)
        name = f"call {next(self._calls)}"
        self._show(f"{name}: {direction}, {remote}")
        return _ShownSession(session, lambda text: self._show(f"{name}: {text}"))


class _ShownSession:
    def __init__(self, session: SessionLog, show: Callable[[str], None]) -> None:
        self._session, self._show = session, show
        self._turn: Turn | None = None

    @property
    def id(self) -> str:
        return self._session.id

    def connected(self, codec: str) -> None:
        self._session.connected(codec)
        self._show(f"answered, codec {codec}")

    def recorded(self, path: Path) -> None:
        self._session.recorded(path)
        self._show(f"recording {path}")

    def line(self, line: Line) -> None:
        self._session.line(line)
        cut = " — (interrupted)" if line.interrupted else ""
        self._show(f"{line.start_ms / 1000:6.1f} s  {line.speaker:<6}  {line.text}{cut}{self._latency(line)}")

    def turn(self, turn: Turn) -> None:
        self._session.turn(turn)
        self._turn = turn

    def note(self, at_ms: int, text: str) -> None:
        self._session.note(at_ms, text)
        self._show(f"{at_ms / 1000:6.1f} s  {text}")

    def found(self, results: dict[str, str]) -> None:
        self._session.found(results)
        self._show_results(results)

    def _show_results(self, results: dict[str, str]) -> None:
        for name, value in results.items():
            self._show(f"result  {name}: {value}")

    def close(self, outcome: Outcome, conclusion: str, results: dict[str, str]) -> None:
        self._session.close(outcome, conclusion, results)
        self._show_results(results)
        how = in_words(outcome.result.value, outcome.sip_code, outcome.reason, outcome.ring_ms)
        came_to = f", {conclusion}" if conclusion else ""
        self._show(f"over: {how}{came_to}; ended by the {outcome.ended_by} (session {self._session.id})")

    def _latency(self, line: Line) -> str:
        if line.speaker != "agent" or self._turn is None:
            return ""
        turn, self._turn = self._turn, None
        pause = f"{turn.pause_because} pause {turn.commit_ms - turn.speech_end_ms}".lstrip()
        return (
            f"\n{'':27}({turn.response_ms} ms: {pause}, recognition {turn.decode_ms:.0f} meanwhile, "
            f"brain {turn.brain_ms:.0f}, voice {turn.voice_ms:.0f})"
        )
