"""The control socket's stream of events, heard by the page's own client."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import trio

from app.control.refusals import Refusal, Why
from app.control.verbs import Event, EventKind
from firmware.control import run_control, server
from firmware.control.events import MOST_LISTENERS, Events
from firmware.lifetimes import serving
from provisioning.client import AWAY, Box
from tests.contract.test_control import box_at, no_recording
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


async def told_when_heard(events: Events, event: Event) -> None:
    """Tell it as soon as somebody listens."""
    while not events._listeners:
        await trio.lowlevel.checkpoint()
    events.tell(event)


async def test_the_events_end_when_the_phone_process_goes(socket: Path) -> None:
    events, heard, first = Events(), [], trio.Event()

    async def listen(box: Box) -> None:
        async with box.events() as told:
            assert not isinstance(told, Refusal)
            async for event in told:
                heard.append(event)
                first.set()

    box, event = Box(socket), Event(kind=EventKind.SETTINGS)
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery, serving(run_control, socket, {}, events, no_recording):
            nursery.start_soon(listen, box)
            nursery.start_soon(told_when_heard, events, event)
            await first.wait()
    assert heard == [event]
    await box.close()


async def test_who_stops_listening_is_forgotten(socket: Path) -> None:
    events, event, heard = Events(), Event(kind=EventKind.AGENT, id="a1"), []
    async with box_at(socket, events=events) as box:
        async with trio.open_nursery() as page:

            async def show() -> None:
                async with box.events() as told:
                    assert not isinstance(told, Refusal)
                    async for event in told:
                        heard.append(event)
                        page.cancel_scope.cancel()

            page.start_soon(show)
            page.start_soon(told_when_heard, events, event)
        while events._listeners:
            await trio.lowlevel.checkpoint()
    assert heard == [event]


async def test_who_goes_while_something_is_told_leaves_nothing_behind() -> None:
    events, telling, gone = Events(), trio.Event(), trio.Event()
    questions: Iterator[MutableMapping[str, Any]] = iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> MutableMapping[str, Any]:
        if question := next(questions, None):
            return question
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message.get("body"):  # a connection that takes nothing more
            telling.set()
            await trio.sleep_forever()

    scope: MutableMapping[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/events",
        "query_string": b"",
        "headers": [],
    }
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server._application({}, events, no_recording), scope, receive, send)
            await told_when_heard(events, Event(kind=EventKind.AGENT, id="a1"))
            await telling.wait()
            gone.set()
    assert not events._listeners


async def test_one_listener_too_many_is_told_why_until_another_goes(socket: Path) -> None:
    async with box_at(socket) as box:
        async with AsyncExitStack() as others:
            for _ in range(MOST_LISTENERS):
                assert not isinstance(await others.enter_async_context(box.events()), Refusal)
            async with box.events() as refused:
                assert isinstance(refused, Refusal)
                assert (refused.why, "32 pages" in refused.text) == (Why.NOT_NOW, True)
        while isinstance(answer := await answered(box), Refusal):
            await trio.lowlevel.checkpoint()
        assert answer is None


async def answered(box: Box) -> Refusal | None:
    async with box.events() as told:
        return told if isinstance(told, Refusal) else None


async def test_a_box_that_is_away_tells_nothing(socket: Path) -> None:
    async with Box(socket).events() as told:
        assert told == AWAY
