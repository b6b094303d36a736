"""`just bench web`: is the page quick, and the audio clock punctual, while somebody uses the page during four calls?

A real Asterisk, the real box with both its processes, and four callers who all talk. Meanwhile somebody signs in and
looks at every page of a box that has been in use for a year, over and over, while another tab shows the overview and
looks again at each event, as the page's script does. A page is whole when its style, script and picture are there too,
asked for one after the other, which no browser would do: the figures are upper bounds.

The machine carries Asterisk and the callers too, so the figures are those of a busy box.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import trio

from app.control import views
from app.control.connectivity import ConnectivityList
from provisioning.client import Box
from provisioning.web.application import _ROUTES
from tests.bench.callers import talking
from tests.bench.report import percentiles, publish
from tests.office.calling import CallMade
from tests.office.pbx import office_pbx
from tests.web.appliance import PASSWORD, Appliance, appliance
from tests.web.content import furnish, remember_calls
from tests.web.visitor import Visitor, visitor

CALLS, LENGTH_S, FIRST_PAGES = 4, 60.0, 20
SIP_PORT, PBX_RTP, BOX_RTP = 15_220, (22_400, 22_599), (22_600, 22_699)
_REGISTER_S = 60.0
# The last look at the box comes while the callers are still there.
_LONGER_S = 5.0
STATIC_FILES = 3
RECORDS = ("channels", "connectivity", "agents", "sessions")
"""Kinds of pages with an {id}."""

_STATIC = re.compile(r'(?:href|src)="(/static/[^"]+)"')
NO_PAGES = ("/static/", "/api/", "/events", "/test-sounds/")
_QUERIES = {"/connectivity/new": "?kind=language-model"}
"""Of pages that say of what kind; others need none."""
# provisioning/static/deskbell.js: several changes within half a second are one look; overview.py: come back after 3 s.
_LOOK_AGAIN_S, _COME_BACK_S = 0.5, 3.0


@dataclass
class Seen:
    """Milliseconds of every look at a whole page, by its route; bytes of the largest. `calls`: the fewest at once."""

    first_ms: dict[str, list[float]] = field(default_factory=lambda: {"/sign-in": [], "/": []})
    page_ms: dict[str, list[float]] = field(default_factory=dict)
    bytes: dict[str, int] = field(default_factory=dict)
    no_pages: set[str] = field(default_factory=set)
    looks_again: int = 0
    calls: int = CALLS


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench web", description=__doc__)
    parser.add_argument("--seconds", type=float, default=LENGTH_S, help="fewer than 60: the result is partial")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-web-") as scratch:
        result = trio.run(_measure, given.seconds, Path(scratch))
    publish("web", {"partial": given.seconds < LENGTH_S, **result})
    return 0 if result["calls"] == CALLS and not result["calls_failed"] else 1


async def _measure(length_s: float, folder: Path) -> dict[str, Any]:
    await remember_calls(folder / "data")
    seen = Seen()
    async with office_pbx(sip_port=SIP_PORT, rtp_ports=PBX_RTP) as pbx, appliance(folder, rtp_ports=BOX_RTP) as page:
        box = Box(page.data / "control.sock")
        agent_id = await furnish(box, pbx)
        await _running(box, agent_id)
        async with _browser(page) as somebody:
            await somebody.first_boot(page.set_up_code, PASSWORD)
        print(f"{CALLS} calls at once for {length_s:g} s, and somebody in front of the page", flush=True)
        async with talking(pbx, CALLS, length_s + _LONGER_S) as made:
            with trio.move_on_after(length_s):
                await _use(page, box, agent_id, seen)
            health = (await _overview(box)).box.health
        await box.close()
    return figures(seen, health, made)


def _browser(page: Appliance) -> AbstractAsyncContextManager[Visitor]:
    """With a connection of its own."""
    return visitor(page.address, page.data.parent / "admin" / "certificate.pem")


async def _running(box: Box, agent_id: str) -> None:
    """Started, and registered where calls come in."""
    await box.ask("start_agent", views.AgentView, id=agent_id)
    with trio.fail_after(_REGISTER_S):
        while not _is_reached(await _agent(box, agent_id)):  # noqa: ASYNC110 - another process does not call us
            await trio.sleep(0.1)


def _is_reached(agent: views.AgentView) -> bool:
    return any(each.inbound and each.registration and each.registration.registered for each in agent.connections)


async def _agent(box: Box, agent_id: str) -> views.AgentView:
    agent = await box.ask("get_agent", views.AgentDetail, id=agent_id)
    assert isinstance(agent, views.AgentDetail), agent
    return agent.view


async def _overview(box: Box) -> views.Overview:
    overview = await box.ask("get_overview", views.Overview)
    assert isinstance(overview, views.Overview), overview
    return overview


async def _use(page: Appliance, box: Box, agent_id: str, seen: Seen) -> None:
    """First pages over fresh connections, before and after signing in; then every page, until we are stopped."""
    for _ in range(FIRST_PAGES):
        async with _browser(page) as stranger:
            await _first(stranger, "/sign-in", seen)
    async with _browser(page) as somebody, trio.open_nursery() as tabs:
        await somebody.sign_in(PASSWORD)
        for _ in range(FIRST_PAGES):
            async with _browser(page) as again:
                again.client.cookies = somebody.client.cookies
                await _first(again, "/", seen)
        tabs.start_soon(_look_again, somebody, seen)
        ids = await _ids(box)
        for round_ in count():
            seen.calls = min(seen.calls, (await _agent(box, agent_id)).calls)
            for route, path in paths(ids, round_):
                if route not in seen.no_pages:
                    await _look(somebody, route, path, seen)


async def _first(browser: Visitor, path: str, seen: Seen) -> None:
    began_s = trio.current_time()
    size = await _whole(browser, path)
    assert size, f"{path} is a page"
    seen.first_ms[path].append((trio.current_time() - began_s) * 1000)


async def _look(browser: Visitor, route: str, path: str, seen: Seen) -> None:
    began_s = trio.current_time()
    size = await _whole(browser, path)
    if size is None:
        seen.no_pages.add(route)
        return
    seen.page_ms.setdefault(route, []).append((trio.current_time() - began_s) * 1000)
    seen.bytes[route] = max(size, seen.bytes.get(route, 0))


async def _whole(browser: Visitor, path: str) -> int | None:
    """The bytes of a page with its style, script and picture; None for what is a file, or sends on to another page."""
    async with browser.client.stream("GET", path) as answer:
        if answer.is_redirect or not answer.headers["content-type"].startswith("text/html"):
            return None
        assert answer.is_success, f"{path}: {answer.status_code}"
        html = (await answer.aread()).decode()
    parts = [await browser.client.get(part) for part in dict.fromkeys(_STATIC.findall(html))]
    assert len(parts) == STATIC_FILES, f"{path} has style, script and picture"
    return len(html.encode()) + sum(len(part.content) for part in parts)


async def _look_again(browser: Visitor, seen: Seen) -> None:
    """The tab that shows the overview. Its stream ends with each worker of the page, and it comes back."""
    while True:
        with suppress(httpx.RemoteProtocolError):
            async with browser.client.stream("GET", "/events", timeout=None) as stream:
                await _follow(stream, browser, seen)
        await trio.sleep(_COME_BACK_S)


async def _follow(stream: httpx.Response, browser: Visitor, seen: Seen) -> None:
    """One look for all events within half a second."""
    looked_s = 0.0
    async for line in stream.aiter_lines():
        if line.startswith("event:") and trio.current_time() > looked_s + _LOOK_AGAIN_S:
            looked_s = trio.current_time()
            await browser.client.get("/")
            seen.looks_again += 1


async def _ids(box: Box) -> Mapping[str, Sequence[str]]:
    """What stands for {id} in the routes, by their first part."""
    connections = await box.ask("list_connections", views.Connections)
    agents = await box.ask("list_agents", views.Agents)
    sessions = await box.ask("list_sessions", views.Sessions)
    connectivity = await box.ask("list_connectivity", ConnectivityList)
    assert isinstance(connectivity, ConnectivityList)
    assert isinstance(connections, views.Connections)
    assert isinstance(agents, views.Agents)
    assert isinstance(sessions, views.Sessions)
    ids = (
        [each.id for each in connections.items],
        [each.id for each in connectivity.items],
        [each.id for each in agents.items],
        [each.id for each in sessions.items],
    )
    return dict(zip(RECORDS, ids, strict=True))


def paths(ids: Mapping[str, Sequence[str]], round_: int) -> Iterator[tuple[str, str]]:
    """Every route that may be a page, and its path this time: with another record each round."""
    for route in _ROUTES:
        if "GET" not in (route.methods or ()) or route.path.startswith(NO_PAGES):
            continue
        path = route.path
        if "{" in path:
            choice = ids.get(path.split("/")[1])
            if (
                not choice or path.count("{") > 1
            ):  # the box of this bench has none; tests/unit/test_pages_looked_at.py says which may be so
                continue
            path = path.replace("{id}", choice[round_ % len(choice)])
        yield route.path, path + _QUERIES.get(path, "")


def figures(seen: Seen, health: views.Health, made: Sequence[CallMade]) -> dict[str, Any]:
    """What is published. `first_ms`: the 95th percentile of the slower first page."""
    everything = [ms for looks in seen.page_ms.values() for ms in looks]
    slowest = max(seen.page_ms, key=lambda route: _p95(seen.page_ms[route]))
    largest = max(seen.bytes, key=lambda route: seen.bytes[route])
    failures = [call.failure for call in made if call.failure]
    return {
        "calls": seen.calls,
        "first_ms": round(max(_p95(looks) for looks in seen.first_ms.values())),
        "first_sign_in_ms": percentiles(seen.first_ms["/sign-in"]),
        "first_overview_ms": percentiles(seen.first_ms["/"]),
        "page_ms": percentiles(everything) | {"max": round(max(everything))},
        "pages": len(seen.page_ms),
        "slowest_page": {"route": slowest, **percentiles(seen.page_ms[slowest])},
        "bytes": seen.bytes[largest],
        "largest_page": largest,
        "looks_again": seen.looks_again,
        "gap_p999_ms": round(health.tick_gap_p999_ms, 2),
        "gap_max_ms": round(health.tick_gap_max_ms, 2),
        "calls_failed": len(failures),
        "failures": failures,
    }


def _p95(values: Sequence[float]) -> float:
    return float(np.percentile(values, 95))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
