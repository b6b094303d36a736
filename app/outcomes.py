"""What became of a call: one table, and one pure function from what the line reported to a row of it.

The words are the same in sessions, in the API and in webhooks, for calls that come in and calls that go out. Sections
are of RFC 3261 where no other is named.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from enum import Enum

from app.ports import Direction, Ended, EndedBy, Outcome, Result, Side
from app.progress import Progress
from app.transfers import TransferStep

LONGEST_REASON = 80
"""Characters kept of a reason phrase: a stranger's PBX may send a novel."""


@dataclass(frozen=True, slots=True)
class NotPlaced:
    """A call that never left the box, and why. The reason is for people."""

    result: Result
    reason: str


class Stopped(Enum):
    """Why we ended a call ourselves."""

    CANCELLED = "somebody cancelled it, or its agent was stopped"
    GAVE_UP = "it rang for as long as it may"
    FULL = "no seat was free"
    NO_AUDIO = "it was answered, and no audio came"
    FAULT = "an error of ours"


@dataclass(frozen=True, slots=True)
class Report:
    """What the line reported of a call that is over. `talked`: it was answered and its audio ran. `stopped`: why we
    ended it, None where we did not, or only after a talk. `machine`: an answering machine answered; `message_said`: and
    it was told all that it should be told."""

    direction: Direction
    ended: Ended
    progress: Progress
    talked: bool
    stopped: Stopped | None = None
    machine: bool = False
    message_said: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """`codes`: of the final response, where nobody on our side ended the call. `rang`: only if it rang, only if it did
    not, or either way (None). `stopped`: only if that is why we ended it."""

    result: Result
    section: str
    codes: Container[int] = ()
    rang: bool | None = None
    stopped: Stopped | None = None


# The first that fits is the one. 403: a PBX that must not dial for us says so at once; one whose telephone rang passes
# its owner's "reject" on (Asterisk makes 403 of a 603). 408: after ringing nobody came, before it nobody was there.
TABLE = (
    Row(Result.FAILED, "21.5.1", stopped=Stopped.FAULT),
    Row(Result.CAPACITY, "21.4.24", stopped=Stopped.FULL),
    Row(Result.FAILED, "13.2.2.4", stopped=Stopped.NO_AUDIO),
    Row(Result.NO_ANSWER, "9.1, 13.2.2.3", rang=True, stopped=Stopped.GAVE_UP),
    Row(Result.NETWORK_ERROR, "8.1.3.1, 17.1.1.2", rang=False, stopped=Stopped.GAVE_UP),
    Row(Result.CANCELLED, "9.1, 21.4.25", stopped=Stopped.CANCELLED),
    Row(Result.BUSY, "21.4.24, 21.6.1", frozenset({486, 600})),
    Row(Result.DECLINED, "21.6.2; RFC 8197, 3 (Unwanted)", frozenset({603, 607})),
    Row(Result.DECLINED, "21.4.4", frozenset({403}), rang=True),
    Row(Result.NO_ANSWER, "21.4.18", frozenset({480})),
    Row(Result.NO_ANSWER, "21.4.8", frozenset({408}), rang=True),
    Row(Result.NETWORK_ERROR, "21.4.8, 8.1.3.1", frozenset({408}), rang=False),
    Row(Result.UNREACHABLE, "21.4.5, 21.4.11, 21.4.22, 21.6.3", frozenset({404, 410, 484, 604})),
    Row(Result.NETWORK_ERROR, "21.5", range(500, 600)),
    Row(Result.CANCELLED, "21.4.25", frozenset({487})),
    Row(Result.FAILED, "8.1.3.2, 21", range(700)),
)
ANSWERED = Row(Result.ANSWERED, "13.2.2.4, 15")
TRANSFERRED = Row(Result.TRANSFERRED, "RFC 3515, 2.4.5; RFC 3891, 3")
MACHINE = Row(Result.MACHINE, "13.2.2.4, 15")  # to SIP an answer like any other
MESSAGE_LEFT = Row(Result.MESSAGE_LEFT, "13.2.2.4, 15")
LOST = Row(Result.NETWORK_ERROR, "8.1.3.1, 17.1.4, 18.4")  # no response came, or nothing could be sent

_MEANING = {
    Result.ANSWERED: "Answered",
    Result.TRANSFERRED: "Transferred: the caller was put through, and the other telephone was answered",
    Result.MACHINE: "An answering machine answered; no message was left",
    Result.MESSAGE_LEFT: "A message was left on the answering machine",
    Result.BUSY: "Busy: somebody is on the telephone there",
    Result.DECLINED: "Declined: the call was rejected there",
    Result.NO_ANSWER: "No answer",
    Result.UNREACHABLE: "Unreachable: the phone system knows no such number, or it is not complete",
    Result.NETWORK_ERROR: "Network error: the phone system did not answer, or has trouble of its own",
    Result.CANCELLED: "Cancelled before it was answered",
    Result.CAPACITY: "No seat was free: wait for a call to end, or raise the agent's Max opened sessions",
    Result.FAILED: "Failed",
    Result.UNKNOWN: "Unknown: the box lost power or was restarted during the call",
}
_UNSAID = (200, 487)  # a BYE, and the answer to our own CANCEL: they tell people nothing
_BECAUSE = {
    401: "the phone system did not accept the password of this connection",
    403: "the phone system does not let this extension dial that",
    407: "the phone system did not accept the password of this connection",
    415: "the two sides have no codec in common, or encryption is required",
    488: "the two sides have no codec in common, or encryption is required",
    606: "the two sides have no codec in common, or encryption is required",
}


def row_of(report: Report) -> Row:
    """The row of the table that fits."""
    if report.talked and report.stopped is not Stopped.FAULT:
        return _talk(report)
    if report.stopped is None and report.ended.by is EndedBy.NETWORK:
        return LOST
    stopped = report.stopped or (Stopped.CANCELLED if report.ended.by is EndedBy.AGENT else None)
    return next(row for row in TABLE if _fits(row, report, stopped))


def _talk(report: Report) -> Row:
    """A message that the machine cut off is none."""
    if report.progress.transferred_s is not None:
        return TRANSFERRED
    if not report.machine:
        return ANSWERED
    return MESSAGE_LEFT if report.message_said and report.ended.by is EndedBy.AGENT else MACHINE


def _fits(row: Row, report: Report, stopped: Stopped | None) -> bool:
    # Who gave up after "trying", without a ring, gave up on a telephone; without even that, on a network.
    there = report.progress.heard_s if stopped is Stopped.GAVE_UP else report.progress.rang_s
    if row.rang is not None and row.rang != (there is not None):
        return False
    return row.stopped is stopped and (stopped is not None or report.ended.sip_code in row.codes)


def why_not_put_through(step: TransferStep) -> Result:
    """What keeps a caller from being put through, in the words of the table: the other telephone's, or FAILED."""
    if step.refused:
        return Result.FAILED
    progress = Progress(0.0, heard_s=0.0, rang_s=0.0 if step.rang else None)
    ended = Ended(EndedBy.CALLER, step.sip_code, step.reason)
    return row_of(Report("outbound", ended, progress, talked=False)).result


def outcome_of(report: Report) -> Outcome:
    """What became of the call. Every report has an outcome."""
    result = row_of(report).result
    progress, ended = report.progress, report.ended
    over_s = progress.ended_s if progress.ended_s is not None else progress.began_s
    until_s = progress.answered_s if progress.answered_s is not None else over_s
    made_up = ended.by is EndedBy.NETWORK  # the stack's own code for what did not come
    return Outcome(
        result,
        0 if made_up else ended.sip_code,
        ended.reason.encode(errors="replace").decode()[:LONGEST_REASON],
        ring_ms=_ms(progress.rang_s, until_s),
        talk_ms=_ms(progress.answered_s, over_s),
        ended_by=_side(report, result),
    )


def not_placed(result: Result, reason: str = "") -> Outcome:
    """Of a call that never left the box: no way to the PBX, no room, or its agent was stopped before."""
    by: Side = "network" if result is Result.NETWORK_ERROR else "agent"
    return Outcome(result, 0, reason[:LONGEST_REASON], ring_ms=0, talk_ms=0, ended_by=by)


def _ms(since_s: float | None, until_s: float) -> int:
    return 0 if since_s is None else max(0, round((until_s - since_s) * 1000))


def _side(report: Report, result: Result) -> Side:
    """A refusal that no person made (no such number, trouble in the PBX) is the network's."""
    match report.ended.by:
        case EndedBy.AGENT:
            return "agent"
        case EndedBy.NETWORK:
            return "network"
    if report.direction == "inbound":
        return "caller"
    nobodys = result in (Result.UNREACHABLE, Result.NETWORK_ERROR, Result.FAILED)
    return "network" if nobodys and report.progress.answered_s is None else "callee"


def in_words(result: str, sip_code: int | None, reason: str, ring_ms: int | None) -> str:
    """One line for people. A word that is not in the table, from an older version, is shown as it is."""
    try:
        known = Result(result)
    except ValueError:
        return result[:1].upper() + result[1:]
    said = _said(known, sip_code, reason)
    if known is Result.NO_ANSWER and ring_ms:
        return f"No answer: it rang for {round(ring_ms / 1000)} s{said}"
    if known is Result.FAILED and (because := _BECAUSE.get(sip_code or 0, "")):
        return f"Failed: {because}{said}"
    return f"{_MEANING[known]}{said}"


def _said(result: Result, sip_code: int | None, reason: str) -> str:
    """What the line told, where that tells people something."""
    if sip_code:
        return "" if sip_code in _UNSAID else f" ({sip_code} {reason})"
    return f" ({reason})" if reason and result in (Result.NETWORK_ERROR, Result.CAPACITY, Result.FAILED) else ""
