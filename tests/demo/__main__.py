"""`just demo [--once]`: starts the office (Asterisk), the box (extension 200, with its page) and two callers, one after
the other.

With --once it ends by itself, with 0 only if everything that it announces was found in what the box left behind.
Without, the page is opened where there is a desktop, and it goes on until Ctrl-C, so that a softphone on the network
can call too.
"""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path

import trio

from firmware.storage import SessionDetail, read_session, read_sessions
from tests.demo.box import DemoBox, demo_box, open_browser
from tests.demo.callers import KNOWLEDGE, recorded_human, with_an_errand
from tests.demo.checks import Check, check_errand, check_human, check_page
from tests.demo.running import run_demo, tell
from tests.office.calling import CallerEvent, make_call
from tests.office.pbx import Pbx, free_sip_port, office_pbx
from tests.office.program import BoxFailed
from tests.office.script import Script

FOLDER = Path(__file__).resolve().parents[2] / "build" / "demo"
SIP_PORT = 5060  # where a softphone looks first
CALL_LIMIT_S = 150.0  # the longer call takes about 80 s


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    return run_demo("just demo", "The main job, shown on real parts.", _office)


async def _office(once: bool) -> bool:
    tell("office", "starting the PBX (Asterisk 22)")
    host = "127.0.0.1" if once else "0.0.0.0"  # noqa: S104 - so that softphones on the network can register
    async with office_pbx(host=host, sip_port=_sip_port(host)) as pbx:
        tell("office", f"PBX is up on port {pbx.sip_port}")
        tell("office", "starting the box: it loads its recognisers, then registers as extension 200")
        async with demo_box(pbx, FOLDER, KNOWLEDGE, reachable=not once, on_line=_tell_box) as box:
            _tell_page(box)
            if not once and open_browser(box.address):
                tell("page", "it is open in your browser")
            passed = await _two_calls(pbx, box)
            if not once:
                _tell_how_to_call(pbx)
                await trio.sleep_forever()
    return passed


async def _two_calls(pbx: Pbx, box: DemoBox) -> bool:
    human, human_done = await _call("a recorded human dials 200", recorded_human(pbx), pbx, box)
    what = "a caller with three questions and a message dials 200"
    errand, errand_done = await _call(what, await with_an_errand(pbx), pbx, box)
    checks = [
        Check("the recorded human came to the end of her call", human_done),
        *check_human(human),
        Check("the second caller came to the end of the call", errand_done),
        *check_errand(errand),
        *await check_page(box, [human, errand]),
    ]
    print()
    for check in checks:
        print(f"  {'yes' if check.passed else 'NO '}  {check.what}")
    _tell_where(box, [human, errand])
    return all(check.passed for check in checks)


async def _call(what: str, script: Script, pbx: Pbx, box: DemoBox) -> tuple[SessionDetail, bool]:
    """One call, to its end: its session as the box wrote it, and whether the caller got through its script."""
    print()
    tell("caller", what)
    made = await make_call(script, pbx.accounts[script.user].password, limit_s=CALL_LIMIT_S, on_event=_tell_caller)
    if made.failure:
        tell("caller", f"the call did not go as planned: {made.failure}")
    return await _finished_session(box), not made.failure


async def _finished_session(box: DemoBox) -> SessionDetail:
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
        tell("caller", f"answered, codec {event.fields['codec']}")
    elif event.kind == "saying":
        tell("caller", f"says: {event.fields['name']}")


def _tell_box(line: str) -> None:
    tell("box", line)


def _tell_page(box: DemoBox) -> None:
    tell("page", f"{box.address}/   password: {box.password}")
    tell("page", "the browser asks once about its certificate, which is the box's own")


def _tell_where(box: DemoBox, sessions: list[SessionDetail]) -> None:
    print("\nWhat the calls left behind:")
    for session in sessions:
        print(f"  {session.summary.recording}   play it with any player: caller left, agent right")
    print(f"  {box.address}/sessions   both calls on the page (password: {box.password})")
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


if __name__ == "__main__":
    sys.exit(main())
