"""The box as its owners have it, both processes, and a browser in front of it."""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Response, expect, sync_playwright

from tests.bench.processes import tree_of
from tests.office.program import Program, program
from tests.patience import PATIENCE_S

PBX_RTP, BOX_RTP = (21_000, 21_099), (26_000, 26_099)
"""Apart from the ports of tests with telephones only, which run at the same time, and below those that the kernel gives
to whoever asks for any."""

SCREENS = Path(__file__).parents[2] / "build" / "screens"
WIDTHS = {"360": 360, "1280": 1280}
PASSWORD = "horse battery staple"
_STOP_S = 35.0  # more than the launcher's own patience
expect.set_options(timeout=PATIENCE_S * 1000)

_CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]

_FAKE_MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]


@dataclass(frozen=True, slots=True)
class Appliance:
    address: str
    set_up_code: str
    data: Path
    log: Path
    program: Program

    def pids(self, module: str) -> list[int]:
        """Of its processes that were started as this module."""
        return [pid for pid in tree_of(self.program.pid) if module.encode() in _words(pid)]


def _words(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


@asynccontextmanager
async def appliance(
    folder: Path, rtp_ports: tuple[int, int] = BOX_RTP, boot: Path | None = None, *, complains: bool = False
) -> AsyncGenerator[Appliance, None]:
    """`just run`, without the `just`. `boot`: the boot partition; then there may be no set-up code. `complains`: see
    `program`, which also says how it must end."""
    port = _free_port()
    environment = {
        "DESKBELL_DATA": str(folder / "data"),
        "DESKBELL_ADMIN_FOLDER": str(folder / "admin"),
        "DESKBELL_ADMIN_PORT": str(port),
        "DESKBELL_RTP_FIRST_PORT": str(rtp_ports[0]),
        "DESKBELL_RTP_LAST_PORT": str(rtp_ports[1]),
    } | ({"DESKBELL_BOOT_FOLDER": str(boot)} if boot else {})
    log, command = folder / "run.log", [sys.executable, "-m", "image.run"]
    async with program(command, environment, log, stop_s=_STOP_S, complains=complains) as running:
        code = "" if boot else await running.says(r"Set-up code: (\d{4} \d{4})", PATIENCE_S)
        await running.says(r"^(ready)$", PATIENCE_S)
        yield Appliance(f"https://localhost:{port}", code, folder / "data", log, running)


@contextmanager
def browser(
    *, script: bool = True, dark: bool = False, microphone: Path | None = None, zone: str = "UTC"
) -> Generator[BrowserContext, None, None]:
    """`zone`: where the browser is. `microphone`: a WAV file that somebody says into it, again and again."""
    heard = [*_FAKE_MICROPHONE, f"--use-file-for-fake-audio-capture={microphone}"] if microphone else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=[*_CHROMIUM, *heard])
        context = chromium.new_context(
            ignore_https_errors=True,
            java_script_enabled=script,
            color_scheme="dark" if dark else "light",
            timezone_id=zone,
        )
        context.set_default_timeout(PATIENCE_S * 1000)
        try:
            yield context
        finally:
            chromium.close()


def first_boot(page: Page, box: Appliance, code: str = "") -> None:
    """A new box gets its password; with another `code` than its first one after a reset."""
    page.goto(box.address)
    typed = {"Set-up code": code or box.set_up_code, "Your password": PASSWORD, "The password again": PASSWORD}
    for label, value in typed.items():
        page.get_by_label(label).fill(value)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="From here to the first call")).to_be_visible()


def sign_in(page: Page, box: Appliance) -> None:
    page.goto(box.address)
    page.get_by_label("Password of this box").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Agents").first).to_be_visible()


def played(page: Page) -> float:
    """Play the page's recording; its length in seconds. Raises if it cannot be played."""
    return float(page.evaluate(_PLAY))


_PLAY = """() => new Promise((heard, failed) => {
  const player = document.querySelector("audio");
  player.ontimeupdate = () => player.currentTime > 0.2 && heard(player.duration);
  player.onerror = () => failed(player.error.message);
  player.play();
})"""


def shown(page: Page, name: str) -> list[str]:
    """Keep how the page looks at both widths, and say which accessibility rules it breaks (WCAG 2.2 AA)."""
    SCREENS.mkdir(parents=True, exist_ok=True)
    found = []
    for width, pixels in WIDTHS.items():
        page.set_viewport_size({"width": pixels, "height": 900})
        page.screenshot(path=SCREENS / f"{name}-{width}.png", full_page=True)
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"{name} at {width} px is {overflow} px too wide"] if overflow > 0 else []
        found += [
            f"{name} at {width} px: {rule['id']}: {rule['nodes'][0]['html'][:200]}"
            for rule in Axe().run(page).response["violations"]
        ]
    return found


def weight(context: BrowserContext, address: str) -> int:
    """Bytes of a page with all that it loads; not its stream of events, which has no end."""
    responses: list[Response] = []
    page = context.new_page()
    page.on("response", lambda response: responses.append(response))  # noqa: PLW0108 - it takes no builtin
    page.goto(address)
    total = sum(len(each.body()) for each in responses if not each.url.endswith("/events"))
    page.close()
    return total


def _free_port() -> int:
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::", 0))
        return int(probe.getsockname()[1])
