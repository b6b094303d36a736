"""The figures of the box in the form that Prometheus reads. Names of agents and connections are labels; nothing here is
about a caller."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from starlette.requests import Request
from starlette.responses import Response

from app.control.figures import RESPONSE_BOUNDS_S, Figures
from app.control.refusals import Refusal
from app.control.views import Health
from provisioning.api.answers import refused
from provisioning.web.rendering import door_of

MEDIA_TYPE = "text/plain"
_CONTENT_TYPE = f"{MEDIA_TYPE}; version=0.0.4; charset=utf-8"


async def metrics(request: Request) -> Response:
    match await door_of(request).box.ask("get_figures", Figures):
        case Refusal() as refusal:
            return refused(refusal)
        case figures:
            return Response(exposition(figures), media_type=_CONTENT_TYPE)


def exposition(figures: Figures) -> bytes:
    """Prometheus' text format, version 0.0.4."""
    registry = CollectorRegistry()
    registry.register(_Collected(figures))
    return generate_latest(registry)


class _Collected:
    """A collector, as the library calls it."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        yield from _calls(self._figures)
        yield from _answers(self._figures)
        yield from _now(self._figures)
        yield from _machine(self._figures.software, self._figures.health)


def _calls(figures: Figures) -> Iterator[Metric]:
    ended = CounterMetricFamily("deskbell_calls", "Calls that ended", labels=("direction", "result"))
    talked = CounterMetricFamily("deskbell_talk_seconds", "From answer to end", labels=("direction", "result"))
    for each in figures.ended:
        ended.add_metric((each.direction, each.result), each.count)
        talked.add_metric((each.direction, each.result), each.talk_s)
    yield ended
    yield talked


def _answers(figures: Figures) -> Iterator[Metric]:
    told, spent = figures.responses, CounterMetricFamily(
        "deskbell_response_stage_seconds", "Where the time until an answer went", labels=("stage",)
    )  # fmt: skip
    buckets = [(str(bound_s), float(count)) for bound_s, count in zip(RESPONSE_BOUNDS_S, told.within, strict=True)]
    yield HistogramMetricFamily(
        "deskbell_response_seconds",
        "From the caller's last word to the first audio of the answer",
        buckets=[*buckets, ("+Inf", float(told.count))],
        sum_value=told.sum_s,
    )
    for stage, length_s in told.stages_s.items():
        spent.add_metric((stage,), length_s)
    yield spent
    yield CounterMetricFamily("deskbell_interruptions", "What the agent said and was cut short", figures.interruptions)


def _now(figures: Figures) -> Iterator[Metric]:
    running = GaugeMetricFamily("deskbell_agent_running", "1 while it takes calls", labels=("agent",))
    calls = GaugeMetricFamily("deskbell_calls_in_progress", "Calls now", labels=("agent",))
    registered = GaugeMetricFamily("deskbell_registered", "1 while the PBX knows it", labels=("connection",))
    for agent in figures.agents:
        running.add_metric((agent.name,), agent.state.value == "Running")
        calls.add_metric((agent.name,), agent.calls)
    for line in figures.lines:
        registered.add_metric((line.name,), line.registered)
    yield from (running, calls, registered)


def _machine(software: str, health: Health) -> Iterator[Metric]:
    version = GaugeMetricFamily("deskbell_info", "Its version", labels=("version",))
    version.add_metric((software,), 1)
    yield version
    yield GaugeMetricFamily("deskbell_uptime_seconds", "Since the machine started", health.uptime_s)
    gaps = GaugeMetricFamily(
        "deskbell_tick_gap_seconds", "Between audio frames, 0.02 if all is well", labels=("quantile",)
    )
    gaps.add_metric(("0.999",), health.tick_gap_p999_ms / 1000)
    gaps.add_metric(("1",), health.tick_gap_max_ms / 1000)
    yield gaps
    yield GaugeMetricFamily("deskbell_memory_used_bytes", "Of the machine", health.memory_used_mb * 2**20)
    yield GaugeMetricFamily("deskbell_disk_free_bytes", "Where its data is", health.disk_free_mb * 2**20)
    if health.temperature_c is not None:
        yield GaugeMetricFamily("deskbell_temperature_celsius", "Of the processor", health.temperature_c)
