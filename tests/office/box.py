"""The real box as a process at the office: `python -m firmware`, registered at the office's PBX."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.office.pbx import Pbx
from tests.office.program import program
from tests.patience import PATIENCE_S

AGENT = Path(__file__).with_name("agent.toml")
_STOP_S = 30.0  # hanging up, unregistering and the last of a recording: each has a deadline below 10 s


@dataclass(frozen=True, slots=True)
class Box:
    pid: int
    data: Path
    stats_file: Path

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
    greeting: str = "",
    more: str = "",
    rtp_ports: tuple[int, int] = (24_000, 24_099),
    on_line: Callable[[str], None] = lambda _: None,
    complains: bool = False,
) -> AsyncIterator[Box]:
    """A box with the example office's agent, registered; stopped as Ctrl-C would.

    `folder` gets its configuration and data. `greeting`: instead of the agent's own. `more` is TOML for the end of its
    configuration. `on_line` hears each
    line of its terminal. `complains`: see `program`.

    Raises: BoxFailed if it does not register, or does not end with 0 and without a traceback.
    """
    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240 - once, on a local disk
    host = "127.0.0.1" if pbx.host == "0.0.0.0" else pbx.host  # noqa: S104 - asked for by the demo
    config = folder / "box.toml"
    config.write_text(_configuration(f"{host}:{pbx.sip_port}", user, seats, silence_s, greeting) + more)
    stats = folder / "stats.json"
    command = [sys.executable, "-m", "firmware", "--config", str(config), "--show", "--stats", str(stats)]
    environment = {
        "DESKBELL_SIP_PASSWORD": pbx.accounts[user].password,
        "DESKBELL_DATA": str(folder / "data"),
        "DESKBELL_RTP_FIRST_PORT": str(rtp_ports[0]),
        "DESKBELL_RTP_LAST_PORT": str(rtp_ports[1]),
    }
    said: list[str] = []

    def hear(line: str) -> None:
        said.append(line)
        on_line(line)

    async def is_registered() -> bool:
        return any(line.startswith("registered") for line in said)

    log = folder / "box.log"
    async with program(command, environment, log, stop_s=_STOP_S, on_line=hear, complains=complains) as box:
        await box.comes_up(is_registered, PATIENCE_S)
        yield Box(box.pid, folder / "data", stats)


def _configuration(domain: str, user: str, seats: int, silence_s: float, greeting: str) -> str:
    """The example agent's file, as the [agent] part of a box's."""
    connection = f'[connection]\nname = "Office PBX"\ndomain = "{domain}"\nuser = "{user}"\n\n'
    agent = AGENT.read_text().replace("[[", "[[agent.")
    if greeting:
        agent = re.sub("^greeting = .*$", f'greeting = "{greeting}"', agent, flags=re.MULTILINE)
    return f"{connection}[agent]\nmax_opened_sessions = {seats}\nsilence_s = {silence_s}\n{agent}"
