"""What is counted of calls, and how Prometheus reads it."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.control.figures import AgentNow, Figures, LineNow
from app.control.views import AgentState, Health
from app.ports import Line, Outcome, Result
from app.turn_times import Turn
from firmware.counting import CountedLedger, Counts
from provisioning.api.metrics import exposition
from tests.fakes.ledger import FakeLedger

pytestmark = pytest.mark.unit

TALKED = Outcome(Result.ANSWERED, 200, "OK", 3000, 61_500, "caller")


def _turn(response_ms: int, *, decode_ms: float = 40.0) -> Turn:
    return Turn(1000, 1300, 1000 + response_ms, decode_ms, 2.0, 10.0)


def _counts(*response_ms: int) -> Counts:
    counts = Counts()
    for each in response_ms:
        counts.answered(_turn(each))
    return counts


def test_stages_always_add_up_to_the_whole() -> None:
    told = _counts(350, 500).responses()
    assert told.sum_s == pytest.approx(0.85)
    assert told.stages_s == pytest.approx(
        {"pause": 0.6, "recognition": 0.08, "brain": 0.004, "voice": 0.02, "other": 0.146}
    )


def test_an_answer_is_within_a_bound_that_it_just_keeps() -> None:
    assert _counts(300, 301, 5000, 9000).responses().within == (1, 2, 2, 2, 2, 2, 2, 2, 2, 3)
    assert _counts(300, 301, 5000, 9000).responses().count == 4


def test_a_call_is_counted_when_it_ends_and_passed_on() -> None:
    counts, kept = Counts(), FakeLedger()
    session = CountedLedger(kept, counts).open_session(call_id="1", agent="Reception", direction="inbound", remote="5")
    session.line(Line("agent", "Good mor", 0, 900, interrupted=True))
    session.line(Line("caller", "Hello", 900, 1400))
    session.turn(_turn(350))
    assert (counts.calls(), counts.responses().count) == ((), 1)
    session.close(TALKED, "silence", {})
    assert [(each.direction, each.result, each.count, each.talk_s) for each in counts.calls()] == [
        ("inbound", "answered", 1, 61.5)
    ]
    assert counts.interruptions == 1
    (log,) = kept.logs
    assert [line.text for line in log.lines] == ["Good mor", "Hello"]
    assert (log.turns, log.summary.outcome, log.summary.conclusion) == ([_turn(350)], "answered", "silence")


def test_prometheus_reads_it() -> None:
    counts = _counts(350, 700)
    counts.ended("inbound", TALKED)
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(exposition(_figures(counts)).decode())
        for sample in family.samples
    }
    assert samples["deskbell_calls_total", "inbound", "answered"] == 1
    assert samples["deskbell_response_seconds_bucket", "0.4"] == 1
    assert samples["deskbell_response_seconds_bucket", "+Inf"] == samples["deskbell_response_seconds_count",] == 2
    assert samples["deskbell_response_seconds_sum",] == pytest.approx(1.05)
    stages = [value for (name, *_), value in samples.items() if name == "deskbell_response_stage_seconds_total"]
    assert sum(stages) == pytest.approx(1.05)
    assert samples["deskbell_agent_running", 'Reception "A"'] == 1
    assert samples["deskbell_registered", "PBX"] == 0
    assert samples["deskbell_tick_gap_seconds", "1"] == pytest.approx(0.037)
    assert ("deskbell_temperature_celsius",) not in samples


def _figures(counts: Counts) -> Figures:
    return Figures(
        software="0.1.0",
        ended=counts.calls(),
        responses=counts.responses(),
        interruptions=counts.interruptions,
        agents=(AgentNow(name='Reception "A"', state=AgentState.RUNNING, calls=2),),
        lines=(LineNow(name="PBX", registered=False),),
        health=Health(
            temperature_c=None,
            memory_used_mb=300,
            memory_total_mb=1024,
            disk_free_mb=2000,
            disk_total_mb=4000,
            load_1min=0.5,
            uptime_s=60,
            tick_gap_p999_ms=28.0,
            tick_gap_max_ms=37.0,
            clock_ok=True,
        ),
    )
