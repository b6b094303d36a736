"""What became of a call: every final response there is, and every way in which we end one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from app.outcomes import (
    LONGEST_REASON,
    TABLE,
    Report,
    Stopped,
    in_words,
    not_placed,
    outcome_of,
    row_of,
    why_not_put_through,
)
from app.ports import Direction, Ended, EndedBy, Result
from app.progress import Progress
from app.transfers import Handover, TransferStep

pytestmark = pytest.mark.unit

FINAL = range(300, 700)
RANG = Progress(100.0, heard_s=100.1, rang_s=101.0, ended_s=121.5)
HEARD = Progress(100.0, heard_s=100.1, ended_s=132.0)
SILENT = Progress(100.0, ended_s=132.0)
ANSWERED = Progress(100.0, heard_s=100.1, rang_s=101.0, answered_s=106.0, ended_s=166.25)
BYE = Ended(EndedBy.CALLER, 200, "BYE")


def refused(code: int, progress: Progress = HEARD, direction: Direction = "outbound") -> Report:
    return Report(direction, Ended(EndedBy.CALLER, code, "No"), progress, talked=False)


def stopped(why: Stopped, progress: Progress) -> Report:
    return Report("outbound", Ended(EndedBy.AGENT, 487, "Request Terminated"), progress, talked=False, stopped=why)


@pytest.mark.parametrize("progress", [RANG, HEARD], ids=["rang", "did not ring"])
def test_every_final_response_has_one_outcome_and_keeps_its_code(progress: Progress) -> None:
    for code, direction in product(FINAL, ("inbound", "outbound")):
        report = refused(code, progress, direction)  # type: ignore[arg-type]
        outcome = outcome_of(report)
        assert outcome.result is not Result.ANSWERED
        assert outcome.result is not Result.UNKNOWN
        assert outcome.sip_code == code
        assert row_of(report).section


def expected(code: int, *, rang: bool) -> Result:
    """The issue's own list, written another way round than the table."""
    if code in (486, 600):
        return Result.BUSY
    if code in (603, 607) or (code == 403 and rang):
        return Result.DECLINED
    if code == 480 or (code == 408 and rang):
        return Result.NO_ANSWER
    if code in (404, 410, 484, 604):
        return Result.UNREACHABLE
    if code == 408 or 500 <= code <= 599:
        return Result.NETWORK_ERROR
    return Result.CANCELLED if code == 487 else Result.FAILED


@pytest.mark.parametrize("rang", [True, False])
def test_the_outcome_of_each_code_is_the_one_that_was_agreed(rang: bool) -> None:
    found = {code: outcome_of(refused(code, RANG if rang else HEARD)).result for code in FINAL}
    assert found == {code: expected(code, rang=rang) for code in FINAL}


def test_a_talk_is_answered_whoever_ends_it() -> None:
    for by, why in product(EndedBy, (None, Stopped.CANCELLED)):
        outcome = outcome_of(Report("outbound", Ended(by, 200, "BYE"), ANSWERED, talked=True, stopped=why))
        assert outcome.result is Result.ANSWERED
        assert (outcome.ring_ms, outcome.talk_ms) == (5_000, 60_250)


@pytest.mark.parametrize(
    ("by", "message_said", "result"),
    [
        (EndedBy.AGENT, False, Result.MACHINE),
        (EndedBy.AGENT, True, Result.MESSAGE_LEFT),
        (EndedBy.CALLER, False, Result.MACHINE),
        (EndedBy.CALLER, True, Result.MACHINE),  # it hung up before it had heard all of it
        (EndedBy.NETWORK, True, Result.MACHINE),
    ],
)
def test_an_answering_machine(by: EndedBy, message_said: bool, result: Result) -> None:
    report = Report("outbound", Ended(by, 200, "BYE"), ANSWERED, talked=True, machine=True, message_said=message_said)
    assert outcome_of(report).result is result
    assert row_of(report).section
    assert in_words(result.value, 200, "BYE", 5_000)


@pytest.mark.parametrize("by", list(EndedBy))
def test_whoever_was_put_through_is_transferred_whoever_hangs_up_on_us(by: EndedBy) -> None:
    progress = replace(ANSWERED, transferred_s=150.0)
    report = Report("inbound", Ended(by, 200, "BYE"), progress, talked=True)
    assert outcome_of(report).result is Result.TRANSFERRED
    assert row_of(report).section
    assert outcome_of(replace(report, stopped=Stopped.FAULT)).result is Result.FAILED


@pytest.mark.parametrize("rang", [True, False])
def test_why_somebody_was_not_put_through_is_what_a_call_of_ours_would_have_become(rang: bool) -> None:
    for code in (0, *FINAL):
        step = TransferStep(Handover.FAILED, code, "No", rang)
        assert why_not_put_through(step) is expected(code, rang=rang)


@pytest.mark.parametrize(
    ("why", "progress", "result"),
    [
        (Stopped.GAVE_UP, RANG, Result.NO_ANSWER),
        (Stopped.GAVE_UP, HEARD, Result.NO_ANSWER),  # "trying" only: somebody is there, and calls
        (Stopped.GAVE_UP, SILENT, Result.NETWORK_ERROR),  # not even that
        (Stopped.CANCELLED, RANG, Result.CANCELLED),
        (Stopped.CANCELLED, SILENT, Result.CANCELLED),
        (Stopped.FULL, HEARD, Result.CAPACITY),
        (Stopped.NO_AUDIO, ANSWERED, Result.FAILED),
        (Stopped.FAULT, RANG, Result.FAILED),
    ],
)
def test_what_we_end_ourselves(why: Stopped, progress: Progress, result: Result) -> None:
    outcome = outcome_of(stopped(why, progress))
    assert (outcome.result, outcome.ended_by) == (result, "agent")


def test_a_fault_of_ours_is_no_success_however_long_they_talked() -> None:
    report = Report("inbound", Ended(EndedBy.AGENT, 200, "BYE"), ANSWERED, talked=True, stopped=Stopped.FAULT)
    assert outcome_of(report).result is Result.FAILED


@pytest.mark.parametrize("made_up", [0, 408, 503])
def test_what_the_stack_made_up_is_a_network_error_without_a_code(made_up: int) -> None:
    ended = Ended(EndedBy.NETWORK, made_up, "Request Timeout")
    outcome = outcome_of(Report("outbound", ended, SILENT, talked=False))
    assert (outcome.result, outcome.sip_code, outcome.ended_by) == (Result.NETWORK_ERROR, 0, "network")


def test_we_hung_up_an_unanswered_call_without_a_reason_given_is_cancelled() -> None:
    report = Report("outbound", Ended(EndedBy.AGENT, 487, "Request Terminated"), RANG, talked=False)
    assert outcome_of(report).result is Result.CANCELLED


def test_who_ended_it() -> None:
    sides = {code: outcome_of(refused(code, RANG)).ended_by for code in (486, 603, 480, 404, 503, 488)}
    assert sides == {
        486: "callee",
        603: "callee",
        480: "callee",
        404: "network",
        503: "network",
        488: "network",
    }
    assert outcome_of(Report("outbound", BYE, ANSWERED, talked=True)).ended_by == "callee"
    assert outcome_of(Report("inbound", BYE, ANSWERED, talked=True)).ended_by == "caller"
    assert outcome_of(refused(487, RANG, "inbound")).ended_by == "caller"


def test_answered_and_hung_up_before_any_audio_failed_and_is_the_callees_doing() -> None:
    outcome = outcome_of(Report("outbound", BYE, ANSWERED, talked=False))
    assert (outcome.result, outcome.ended_by, outcome.talk_ms) == (Result.FAILED, "callee", 60_250)


def test_times_are_never_negative_and_nothing_that_did_not_happen_takes_time() -> None:
    instants = (None, 90.0, 100.0, 110.0)
    for rang, answered, ended in product(instants, instants, instants):
        progress = Progress(100.0, rang, rang, answered, ended)
        outcome = outcome_of(Report("outbound", BYE, progress, talked=answered is not None))
        assert min(outcome.ring_ms, outcome.talk_ms) >= 0
        assert outcome.ring_ms == 0 or rang is not None
        assert outcome.talk_ms == 0 or answered is not None


def test_a_reason_is_bounded_and_fit_for_a_file() -> None:
    ended = Ended(EndedBy.CALLER, 486, "\udcff" * 500)
    reason = outcome_of(Report("outbound", ended, RANG, talked=False)).reason
    assert len(reason) == LONGEST_REASON
    reason.encode()


def test_each_row_can_be_reached() -> None:
    reports = [refused(code, progress) for code, progress in product(FINAL, (RANG, HEARD))]
    reports += [stopped(why, progress) for why, progress in product(Stopped, (RANG, SILENT, ANSWERED))]
    reached = {id(row_of(report)) for report in reports}
    assert [row for row in TABLE if id(row) not in reached] == []


def test_in_words() -> None:
    assert in_words("busy", 486, "Busy Here", 2000) == "Busy: somebody is on the telephone there (486 Busy Here)"
    assert in_words("no answer", 487, "Request Terminated", 44_700) == "No answer: it rang for 45 s"
    assert in_words("failed", 403, "Forbidden", 0).startswith("Failed: the phone system does not let this extension")
    assert in_words("answered", 200, "BYE", 0) == "Answered"
    assert in_words("unknown", None, "", None) == "Unknown: the box lost power or was restarted during the call"
    for result in Result:
        assert in_words(result.value, 0, "", 0)[0].isupper()


@pytest.mark.parametrize("old", ["ended by caller", "message taken", "interrupted", "not answered: 486 Busy Here"])
def test_what_an_older_version_wrote_stays_readable(old: str) -> None:
    assert in_words(old, None, "", None).casefold() == old.casefold()


def test_a_call_that_never_left_the_box() -> None:
    outcome = not_placed(Result.NETWORK_ERROR, "x" * 500)
    assert (outcome.sip_code, outcome.ended_by, len(outcome.reason)) == (0, "network", LONGEST_REASON)
