"""The demo's box: both processes as `just run` starts them, page included, set up by a file like those on a card."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from app.control import views
from provisioning.client import Box
from tests.office.box import AGENT
from tests.office.pbx import Pbx
from tests.office.program import BoxFailed, program

PORT = 8443  # where `just run` has its page
_READY_S = 60.0  # loading the recognisers takes 1 s for each, several times that on a busy machine
_STOP_S = 35.0  # more than the launcher's own patience
_WORDS = ("amber", "basil", "cedar", "delta", "ember", "fjord", "grape", "heron", "ivory", "joker", "kayak", "lemon")


@dataclass(frozen=True, slots=True)
class DemoBox:
    data: Path
    address: str
    password: str

    @property
    def sessions(self) -> Path:
        return self.data / "deskbell.sqlite"

    @asynccontextmanager
    async def signed_in(self) -> AsyncIterator[httpx.AsyncClient]:
        """A browser in front of the page. Raises: httpx.HTTPError."""
        tls = ssl.create_default_context(cafile=str(self.data / "admin" / "certificate.pem"))
        async with httpx.AsyncClient(verify=tls, base_url=self.address) as browser:
            await browser.post("/sign-in", data={"password": self.password})
            yield browser


@asynccontextmanager
async def demo_box(
    pbx: Pbx, folder: Path, knowledge: str, *, reachable: bool, on_line: Callable[[str], None]
) -> AsyncIterator[DemoBox]:
    """Registered as extension 200, with its page; stopped as Ctrl-C would. `knowledge`: TOML for the end of the agent.
    `reachable`: the page is there for the whole network. `on_line` hears each line of its terminal.

    Raises: BoxFailed if it does not register, or does not end with 0 and without a traceback.
    """
    password = " ".join(secrets.choice(_WORDS) for _ in range(4))
    boot, data, port = folder / "boot", folder / "data", _port()
    boot.mkdir(parents=True, exist_ok=True)
    (boot / "deskbell-setup.toml").write_text(_set_up_file(pbx, password) + knowledge)
    environment = {
        "DESKBELL_DATA": str(data),
        "DESKBELL_ADMIN_FOLDER": str(data / "admin"),
        "DESKBELL_BOOT_FOLDER": str(boot),
        "DESKBELL_ADMIN_PORT": str(port),
        "DESKBELL_ADMIN_HTTP_PORT": "0",
        "DESKBELL_ADMIN_BIND": "[::]" if reachable else "127.0.0.1",
        "DESKBELL_RTP_FIRST_PORT": "24000",
        "DESKBELL_RTP_LAST_PORT": "24099",
    }
    command = [sys.executable, "-m", "image.run", "--show"]
    async with program(command, environment, folder / "box.log", stop_s=_STOP_S, on_line=on_line) as running:
        box = Box(data / "control.sock")
        try:
            await running.comes_up(partial(_is_registered, box), _READY_S)
        finally:
            await box.close()
        yield DemoBox(data, f"https://localhost:{port}", password)


def open_browser(address: str) -> bool:
    """Whether there is a desktop to open it on."""
    opener = shutil.which("xdg-open")
    if opener is None or not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return False
    subprocess.Popen([opener, address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    return True


async def _is_registered(box: Box) -> bool:
    found = await box.ask("list_connections", views.Connections)
    lines = found.items if isinstance(found, views.Connections) else ()
    return any(each.registration is not None and each.registration.registered for each in lines)


def _set_up_file(pbx: Pbx, password: str) -> str:
    """With the example office's agent."""
    host = "127.0.0.1" if pbx.host == "0.0.0.0" else pbx.host  # noqa: S104 - asked for by the demo
    return f"""
[page]
password = "{password}"
[box]
name = "demo"
[[connection]]
name = "Office PBX"
domain = "{host}:{pbx.sip_port}"
user = "200"
password = "{pbx.accounts["200"].password}"
[[agent]]
{AGENT.read_text().replace("[[", "[[agent.")}
"""


def _port() -> int:
    """The usual one, or another one where that is taken."""
    for port in (PORT, 0):
        with socket.socket(socket.AF_INET6 if socket.has_dualstack_ipv6() else socket.AF_INET) as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise BoxFailed("this machine has no free TCP port for the page")
