"""Scripted callers started as processes, for the demo and the benches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import trio

from tests.office.script import Script

_PASSWORD = "DESKBELL_CALLER_PASSWORD"
_STOP_S = 5.0  # the caller says BYE and un-registers within 4


@dataclass(frozen=True, slots=True)
class CallerEvent:
    """`at_s`: seconds since 1970, on the clock of this machine, which packet captures use too."""

    kind: str
    at_s: float
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CallMade:
    events: tuple[CallerEvent, ...]
    failure: str
    """Empty if the caller came to the end of its script."""

    def named(self, kind: str) -> dict[str, float]:
        """When each "saying" or "said" was, by the name of the line."""
        return {event.fields["name"]: event.at_s for event in self.events if event.kind == kind}


async def make_call(
    script: Script, password: str, *, limit_s: float, on_event: Callable[[CallerEvent], None] = lambda _: None
) -> CallMade:
    """Run a caller to the end of its call; stopped, and reported as a failure, after `limit_s`."""
    events: list[CallerEvent] = []
    process = await trio.lowlevel.open_process(
        [sys.executable, "-m", "tests.office.caller"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, _PASSWORD: password},
    )
    assert process.stdin
    assert process.stdout
    with trio.move_on_after(limit_s) as limit:
        try:
            async with process.stdin as stdin:
                await stdin.send_all(script.model_dump_json().encode())
            async for event in _events(process.stdout):
                events.append(event)
                on_event(event)
            await process.wait()
        finally:
            await _stopped(process)
    failed = [str(event.fields["why"]) for event in events if event.kind == "failed"]
    if limit.cancelled_caught:
        failed.append(f"the call was not over after {limit_s:g} s")
    elif process.returncode and not failed:
        failed.append(f"the caller ended with status {process.returncode}")
    return CallMade(tuple(events), "; ".join(failed))


async def _events(stdout: trio.abc.ReceiveStream) -> AsyncIterator[CallerEvent]:
    pending = b""
    async for data in stdout:
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            fields = json.loads(line)
            yield CallerEvent(fields.pop("event"), fields.pop("at"), fields)


async def _stopped(process: trio.Process) -> None:
    if process.returncode is None:
        process.terminate()
    with trio.move_on_after(_STOP_S, shield=True):
        await process.wait()
    process.kill()
