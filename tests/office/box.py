"""The real box as a process at the office: `python -m firmware`, registered at the office's PBX."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

from tests.office.pbx import Pbx

AGENT = Path(__file__).with_name("agent.toml")
_REGISTER_S = 60.0  # loading the recognisers takes 1 s for each, several times that on a busy machine
_STOP_S = 10.0  # hanging up, unregistering and the last of a recording: each has a deadline below this


class BoxFailed(Exception):
    """The box did not come up or did not end as it should. The text has what it said last."""


@dataclass(frozen=True, slots=True)
class Box:
    process: trio.Process
    data: Path
    stats_file: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def sessions(self) -> Path:
        return self.data / "deskbell.sqlite"

    def stats(self) -> dict[str, Any]:
        """The counters of its audio clock, at most a second old."""
        return dict(json.loads(self.stats_file.read_text()))


@asynccontextmanager
async def office_box(
    pbx: Pbx,
    folder: Path,
    *,
    user: str = "200",
    seats: int = 2,
    silence_s: float = 60.0,
    more: str = "",
    rtp_ports: tuple[int, int] = (24_000, 24_099),
    on_line: Callable[[str], None] = lambda _: None,
) -> AsyncIterator[Box]:
    """A box with the example office's agent, registered; stopped as Ctrl-C would.

    `folder` gets its configuration and data. `more` is TOML for the end of its configuration. `on_line` hears each
    line of its terminal.

    Raises: BoxFailed if it does not register, or does not end with 0.
    """
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - once, on a local disk
    host = "127.0.0.1" if pbx.host == "0.0.0.0" else pbx.host  # noqa: S104 - asked for by the demo
    config = folder / "box.toml"
    config.write_text(_configuration(f"{host}:{pbx.sip_port}", user, seats, silence_s) + more)
    stats = folder / "stats.json"
    command = [sys.executable, "-m", "firmware", "--config", str(config), "--show", "--stats", str(stats)]
    environment = {
        **os.environ,
        "DESKBELL_SIP_PASSWORD": pbx.accounts[user].password,
        "DESKBELL_DATA": str(folder / "data"),
        "DESKBELL_RTP_FIRST_PORT": str(rtp_ports[0]),
        "DESKBELL_RTP_LAST_PORT": str(rtp_ports[1]),
    }
    async with trio.open_nursery() as reading:
        with (folder / "box.log").open("wb") as log:
            process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE, stderr=log, env=environment)
        try:
            terminal = _Terminal(on_line)
            reading.start_soon(terminal.read, process)
            await terminal.wait_registered(folder / "box.log")
            yield Box(process, folder / "data", stats)
        finally:
            await _stopped(process)
    if process.returncode:
        raise BoxFailed(f"the box ended with status {process.returncode}: {_end_of(folder / 'box.log')}")


class _Terminal:
    def __init__(self, on_line: Callable[[str], None]) -> None:
        self._on_line = on_line
        self._registered, self._over = trio.Event(), trio.Event()

    async def read(self, process: trio.Process) -> None:
        assert process.stdout
        pending = b""
        async for data in process.stdout:
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                text = line.decode(errors="replace")
                self._on_line(text)
                if text.startswith("registered"):
                    self._registered.set()
        self._registered.set()
        self._over.set()

    async def wait_registered(self, log: Path) -> None:
        with trio.move_on_after(_REGISTER_S):
            await self._registered.wait()
        if self._over.is_set() or not self._registered.is_set():
            raise BoxFailed(f"the box did not register: {_end_of(log)}")


async def _stopped(process: trio.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGINT)
    with trio.move_on_after(_STOP_S, shield=True):
        await process.wait()
    process.kill()


def _end_of(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _configuration(domain: str, user: str, seats: int, silence_s: float) -> str:
    """The example agent's file, as the [agent] part of a box's."""
    connection = f'[connection]\nname = "Office PBX"\ndomain = "{domain}"\nuser = "{user}"\n\n'
    agent = AGENT.read_text().replace("[[", "[[agent.")
    return f"{connection}[agent]\nmax_opened_sessions = {seats}\nsilence_s = {silence_s}\n{agent}"
