"""What the demos have in common: they are told, they stop at Ctrl-C, and say in one line why they cannot go on."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import trio

from tests.office.pbx import PbxError
from tests.office.pbx_folder import PbxFolderError
from tests.office.program import BoxFailed
from tests.office.sounds import SoundsError

Office = Callable[[bool], Awaitable[bool]]
"""Shows it, to the end with True; whether all of it happened."""


def run_demo(command: str, what: str, office: Office) -> int:
    """The status to exit with."""
    parser = argparse.ArgumentParser(prog=command, description=what)
    parser.add_argument("--once", action="store_true", help="end after the calls; 0 only if all of it happened")
    once: bool = parser.parse_args().once
    try:
        passed = trio.run(_until_stopped, office, once)
    except* (BoxFailed, PbxError, PbxFolderError, SoundsError) as group:
        print(f"The demo can't go on: {_innermost(group)}", file=sys.stderr)
        passed = False
    return 0 if passed else 1


def tell(who: str, line: str) -> None:
    print(f"{who:<6} | {line}", flush=True)


def _innermost(failure: BaseException) -> BaseException:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


async def _until_stopped(office: Office, once: bool) -> bool:
    passed = False
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_at_signal, signals, nursery.cancel_scope)
            passed = await office(once)
            nursery.cancel_scope.cancel()
    return passed


async def _stop_at_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()
