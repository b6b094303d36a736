"""The box at a glance, what keeps calls from working, and the road for a new box."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable

from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.refusals import STATUS, Refusal
from app.control.verbs import Event
from app.settings import Box as BoxSettings
from app.settings import zones_by_name
from provisioning import boot_partition
from provisioning.web import relaying
from provisioning.web.rendering import door_of, page, refused, zone_of

_AS_NEW = BoxSettings()


async def show(request: Request) -> Response:
    match await door_of(request).box.ask("get_overview", views.Overview):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.Overview() as overview:
            zone, notice = overview.box.settings.time_zone, notice_of(request)
            return page(request, "overview.html", overview=overview, zone=zone, notice=notice)


async def diagnosis(request: Request) -> Response:
    match await door_of(request).box.ask("get_diagnosis", views.Findings):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.Findings(items=found):
            zone, notice = await zone_of(request), notice_of(request)
            return page(request, "diagnosis.html", findings=found, zone=zone, notice=notice)


async def set_up(request: Request) -> Response:
    """Where a new box stands on its road, read from what is there: it can be left and taken up at any point."""
    match await door_of(request).box.ask("get_overview", views.Overview):
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.Overview(box=box) as overview:
            connections = await door_of(request).box.ask("list_connections", views.Connections)
            if isinstance(connections, Refusal):
                return refused(request, connections)
            return page(
                request,
                "set_up.html",
                overview=overview,
                extensions={each.id: each.account.user for each in connections.items},
                zone=box.settings.time_zone,
                zones=sorted(zones_by_name().values()),
                is_named=(box.settings.name, box.settings.time_zone) != (_AS_NEW.name, _AS_NEW.time_zone),
                notice=notice_of(request),
            )


def notice_of(request: Request) -> tuple[str, ...]:
    """What is to be said of the set-up file on the boot partition."""
    return boot_partition.notice(door_of(request).process)


async def events(request: Request) -> Response:
    """That something changed, for pages that show it live."""
    answer = await relaying.events(request, _lines, "text/event-stream")
    return Response(answer.text, STATUS[answer.why]) if isinstance(answer, Refusal) else answer


async def _lines(told: AsyncIterable[Event | None]) -> AsyncGenerator[str, None]:
    yield "retry: 3000\n\n"
    async for event in told:
        yield f"event: {event.kind.value}\ndata: {event.id}\n\n" if event else ": still here\n\n"
