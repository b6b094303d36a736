"""The admin process's part: one worker that serves the page, replaced when it has seen a secret, or has died.

The next one is serving before the one before it is told to leave, and both have the same listening sockets, so nobody
who visits the page notices.
"""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import trio

from provisioning.shelf import Shelf
from provisioning.slate import Slate

READY, SEEN = b"R", b"S"
"""A worker's words: it serves; it has answered a form that held a secret."""
LEAVE = b"L"
"""The word to a worker that is replaced. The end of the channel instead: everything stops."""

# Importing takes 1 s here, 5 s on a Raspberry Pi, and more than a minute on the smallest one, or a machine made of
# software, that is starting everything else too.
_STARTING_S = 180.0
# Between two replacements, so that somebody who sends one password after the other does not keep a core busy with
# starting workers. So long, and the time of a start, is what a password stays in memory at most.
_APART_S = 10.0
# After a death, so that a worker that dies at once does not keep a core busy either.
_RETRY_S, _LONGEST_RETRY_S = 1.0, 30.0
# A replaced worker has 21 s of its own, a stopped one 1 s.
_LEAVING_S, _STOPPING_S = 25.0, 3.0

_log = logging.getLogger(__name__)


class WorkerFailed(Exception):
    """A worker ended, or did nothing, before it served. It has said why on its stderr."""


@dataclass(frozen=True, slots=True)
class Listening:
    """Open sockets: the pages are on `https`; `http` only sends there."""

    https: list[socket.socket]
    http: list[socket.socket]


@dataclass(frozen=True, slots=True)
class _Worker:
    process: trio.Process
    channel: trio.SocketStream
    began: float

    async def hear(self) -> bytes:
        """Its next word; empty when it is gone."""
        try:
            return await self.channel.receive_some(1)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return b""

    async def ended_by(self, instant: float) -> None:
        """Wait for its end, until `instant` at most."""
        with trio.move_on_at(instant):
            await self.process.wait()

    async def dismiss(self) -> None:
        """Another one is serving: it may finish."""
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            await self.channel.send_all(LEAVE)
        await self.ended_by(trio.current_time() + _LEAVING_S)
        self.process.kill()


async def keep_serving(listening: Listening, slate: Slate, shelf: Shelf, *, task_status: trio.TaskStatus[None]) -> None:
    """Until cancelled; then no worker is left. Raises: WorkerFailed, before `started` only."""
    async with trio.open_nursery() as processes:
        start = partial(_start, processes, listening, slate, shelf)
        worker = await start()
        task_status.started()
        while True:
            apart_s = _APART_S if await worker.hear() == SEEN else _RETRY_S
            await worker.ended_by(worker.began + apart_s)
            fresh = await _start_at_last(start)
            processes.start_soon(worker.dismiss)
            worker = fresh


async def _start_at_last(start: Callable[[], Awaitable[_Worker]]) -> _Worker:
    """However often that takes: the one before may still be serving."""
    pause_s = _RETRY_S
    while True:
        try:
            return await start()
        except WorkerFailed:
            _log.error("the page's next process does not start", extra={"wait_s": pause_s})
        await trio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_RETRY_S)


async def _start(processes: trio.Nursery, listening: Listening, slate: Slate, shelf: Shelf) -> _Worker:
    """A worker that serves. Raises: WorkerFailed."""
    ours, theirs = socket.socketpair()
    channel = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
    with theirs:
        process = await processes.start(_live, listening, slate, shelf, theirs, channel)
    worker = _Worker(process, channel, trio.current_time())
    with trio.move_on_after(_STARTING_S):
        if await worker.hear() == READY:
            return worker
    process.kill()
    raise WorkerFailed


async def _live(
    listening: Listening,
    slate: Slate,
    shelf: Shelf,
    theirs: socket.socket,
    ours: trio.SocketStream,
    *,
    task_status: trio.TaskStatus[trio.Process],
) -> None:
    """The life of one process, its death included."""
    https, http = ([str(each.fileno()) for each in sockets] for sockets in (listening.https, listening.http))
    lists = [str(each) for each in shelf.descriptors]
    handed = ["--https", *https, "--http", *http, "--slate", str(slate.fileno()), "--lists", *lists]
    handed += ["--admin", str(theirs.fileno())]
    async with ours:
        ended = await trio.run_process(
            [sys.executable, "-m", "provisioning.worker", *handed],
            stdin=subprocess.DEVNULL,
            check=False,
            pass_fds=[int(word) for word in handed if word.isdigit()],
            process_group=0,  # Ctrl-C on a terminal reaches the admin process alone
            deliver_cancel=partial(_stop, ours),
            task_status=task_status,
        )
    if ended.returncode:
        _log.error("a process of the page ended", extra={"exit_status": ended.returncode})


async def _stop(channel: trio.SocketStream, process: trio.Process) -> None:
    await channel.aclose()
    with trio.move_on_after(_STOPPING_S):
        await process.wait()
    process.kill()
