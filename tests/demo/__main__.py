"""`just demo [--once]`: starts the office (Asterisk), the box (extension 200) and two callers, one after the other.

With --once it ends by itself, with 0 only if everything that it announces was found in what the box left behind.
Without, it goes on until Ctrl-C, so that a softphone on the network can call too.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import trio

from firmware.storage import SessionDetail, read_session, read_sessions
from tests.demo.callers import KNOWLEDGE, recorded_human, with_an_errand
from tests.demo.checks import Check, check_errand, check_human
from tests.office.box import Box, BoxFailed, office_box
from tests.office.calling import CallerEvent, make_call
from tests.office.pbx import Pbx, PbxError, free_sip_port, office_pbx
from tests.office.pbx_folder import PbxFolderError
from tests.office.script import Script
from tests.office.sounds import SoundsError

FOLDER = Path(__file__).resolve().parents[2] / "build" / "demo"
SIP_PORT = 5060  # where a softphone looks first
CALL_LIMIT_S = 150.0  # the longer call takes about 80 s


def main() -> int:
    parser = argparse.ArgumentParser(prog="just demo", description="The main job, shown on real parts.")
    parser.add_argument("--once", action="store_true", help="end after the two calls; 0 only if all of it happened")
    once: bool = parser.parse_args().once
    shutil.rmtree(FOLDER, ignore_errors=True)
    try:
        passed = trio.run(_until_stopped, once)
    except* (BoxFailed, PbxError, PbxFolderError, SoundsError) as group:
        print(f"The demo can't go on: {_innermost(group)}", file=sys.stderr)
        passed = False
    return 0 if passed else 1


def _innermost(failure: BaseException) -> BaseException:
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


async def _until_stopped(once: bool) -> bool:
    passed = False
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop_at_signal, signals, nursery.cancel_scope)
            passed = await _office(once)
            nursery.cancel_scope.cancel()
    return passed


async def _stop_at_signal(signals: AsyncIterator[int], scope: trio.CancelScope) -> None:
    async for _ in signals:
        scope.cancel()


async def _office(once: bool) -> bool:
    _tell("office", "starting the PBX (Asterisk 22)")
    host = "127.0.0.1" if once else "0.0.0.0"  # noqa: S104 - so that softphones on the network can register
    async with office_pbx(host=host, sip_port=_sip_port(host)) as pbx:
        _tell("office", f"PBX is up on port {pbx.sip_port}")
        _tell("office", "starting the box: it loads its recognisers, then registers as extension 200")
        async with office_box(pbx, FOLDER, more=KNOWLEDGE, on_line=_tell_box) as box:
            passed = await _two_calls(pbx, box)
            if not once:
                _tell_how_to_call(pbx)
                await trio.sleep_forever()
    return passed


async def _two_calls(pbx: Pbx, box: Box) -> bool:
    human, human_done = await _call("a recorded human dials 200", recorded_human(pbx), pbx, box)
    what = "a caller with three questions and a message dials 200"
    errand, errand_done = await _call(what, await with_an_errand(pbx), pbx, box)
    checks = [
        Check("the recorded human came to the end of her call", human_done),
        *check_human(human),
        Check("the second caller came to the end of the call", errand_done),
        *check_errand(errand),
    ]
    print()
    for check in checks:
        print(f"  {'yes' if check.passed else 'NO '}  {check.what}")
    _tell_where(box, [human, errand])
    return all(check.passed for check in checks)


async def _call(what: str, script: Script, pbx: Pbx, box: Box) -> tuple[SessionDetail, bool]:
    """One call, to its end: its session as the box wrote it, and whether the caller got through its script."""
    print()
    _tell("caller", what)
    made = await make_call(script, pbx.accounts[script.user].password, limit_s=CALL_LIMIT_S, on_event=_tell_caller)
    if made.failure:
        _tell("caller", f"the call did not go as planned: {made.failure}")
    return await _finished_session(box), not made.failure


async def _finished_session(box: Box) -> SessionDetail:
    """The latest session, once the box has closed it (milliseconds after the call)."""
    with trio.move_on_after(10):
        while True:
            latest = await trio.to_thread.run_sync(read_sessions, box.sessions, 1)
            if latest and latest[0].outcome and (session := read_session(box.sessions, latest[0].id)):
                return session
            await trio.sleep(0.1)
    raise BoxFailed("the box did not close the session of the call within 10 s")


def _tell_caller(event: CallerEvent) -> None:
    if event.kind == "connected":
        _tell("caller", f"answered, codec {event.fields['codec']}")
    elif event.kind == "saying":
        _tell("caller", f"says: {event.fields['name']}")


def _tell_box(line: str) -> None:
    _tell("box", line)


def _tell_where(box: Box, sessions: list[SessionDetail]) -> None:
    print("\nWhat the calls left behind:")
    for session in sessions:
        print(f"  {session.summary.recording}   play it with any player: caller left, agent right")
    print(f"  {box.sessions}   transcripts and latencies, an SQLite file\n")


def _tell_how_to_call(pbx: Pbx) -> None:
    account = pbx.accounts["105"]
    print("The office stays open. Call the box from a softphone on this network:")
    print(
        f"  domain {_own_address()}:{pbx.sip_port}   user {account.user}   password {account.password}   then dial 200"
    )
    print("Ctrl-C ends it.\n", flush=True)


def _sip_port(host: str) -> int:
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, SIP_PORT))
        except OSError:
            return free_sip_port(host)
    return SIP_PORT


def _own_address() -> str:
    """Of this machine, as the network sees it. Nothing is sent: connecting a UDP socket only picks a route."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # RFC 5737: an address that is nobody's
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def _tell(who: str, line: str) -> None:
    print(f"{who:<6} | {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
