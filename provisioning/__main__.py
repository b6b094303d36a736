"""`python -m provisioning`: the admin page's own small process. It opens the sockets, says where the page is, and keeps
a worker serving it. Stops on Ctrl-C and SIGTERM. What people type reaches only the workers (`provisioning.life`).
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator

import trio
from pydantic import ValidationError

from provisioning.boot_partition import begun_file, set_up_file
from provisioning.console import keep_telling
from provisioning.kept_sign_ins import KeptSignIns, boot_id
from provisioning.settings import Process
from provisioning.shelf import Shelf
from provisioning.sign_ins import SignIns
from provisioning.slate import Slate
from provisioning.workers import Listening, WorkerFailed, keep_serving

_UNUSABLE = 1
# A page needs some connections; many tabs at once, and the time in which one worker hands over to the next, some more.
_BACKLOG = 100
# Whatever killed it may still be about.
_RETRY_S = 1.0
# The page and its workers: below the audio (0), above the recognisers (5), since a person waits for both.
_NICE = 3


class PageProblem(Exception):
    """The page cannot be had here. The text says why, and what to do."""


def main() -> int:
    os.umask(0o077)
    os.nice(_NICE)
    try:
        process = _settings()
        listening = _listening(process)
    except PageProblem as problem:
        print(f"The page can't start: {problem}", file=sys.stderr)
        return _UNUSABLE
    return _run(process, listening)


def _run(process: Process, listening: Listening) -> int:
    status = 0
    try:
        trio.run(_until_told_to_stop, process, listening)
    except* WorkerFailed:
        print("The page can't start: the reason is above", file=sys.stderr)
        status = _UNUSABLE
    return status


async def _until_told_to_stop(process: Process, listening: Listening) -> None:
    slate = Slate.fresh()
    SignIns(slate, KeptSignIns(process.admin_folder, boot_id())).restore(time.monotonic())
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_stop, signals, nursery.cancel_scope)
            nursery.start_soon(_use_set_up_file, process)
            await nursery.start(keep_serving, listening, slate, Shelf.fresh(slate))
            await keep_telling(process, _say)


async def _stop(signals: AsyncIterator[int], everything: trio.CancelScope) -> None:
    async for _ in signals:
        everything.cancel()


async def _use_set_up_file(process: Process) -> None:
    """In a process of its own, which holds its secrets; begun again if somebody kills it."""
    if set_up_file(process) is None:
        begun_file(process).unlink(missing_ok=True)
        return
    killed = True
    while killed:
        ended = await trio.run_process([sys.executable, "-m", "provisioning.setting_up"], check=False)
        killed = ended.returncode < 0
        await trio.sleep(_RETRY_S)


def _settings() -> Process:
    """With a folder of our own. Raises: PageProblem."""
    try:
        process = Process()
        process.admin_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except ValidationError as fault:
        named = [f"DESKBELL_{each['loc'][0]}".upper() for each in fault.errors(include_input=False, include_url=False)]
        raise PageProblem(f"{', '.join(named)} cannot be used: see docs/installer.md") from None
    except OSError as fault:
        raise PageProblem(
            f"{fault.filename}: {fault.strerror}. Give it a folder that it may write to (DESKBELL_ADMIN_FOLDER)"
        ) from None
    return process


def _listening(process: Process) -> Listening:
    """Raises: PageProblem."""
    try:
        https = [_opened(process.admin_bind, process.admin_port)]
    except OSError as fault:
        raise PageProblem(
            f"port {process.admin_port} cannot be opened ({fault.strerror}). Stop the program that has it, or set "
            "DESKBELL_ADMIN_PORT to another one"
        ) from None
    try:
        http = [_opened(process.admin_bind, process.admin_http_port)] if process.admin_http_port else []
    except OSError:  # somebody else has it: then people type the s of https themselves
        http = []
    return Listening(https, http)


def _opened(bind: str, port: int) -> socket.socket:
    """IPv6 addresses in brackets; "[::]" is every network, IPv4 too, and on a machine without IPv6 IPv4 alone."""
    host, both = bind.strip("[]"), socket.has_dualstack_ipv6()
    if host == "::" and not both:
        host = "0.0.0.0"  # noqa: S104 - the page is for the office network
    if ":" in host:
        opened = socket.create_server((host, port), family=socket.AF_INET6, dualstack_ipv6=both, backlog=_BACKLOG)
    else:
        opened = socket.create_server((host, port), backlog=_BACKLOG)
    opened.setblocking(False)
    return opened


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
