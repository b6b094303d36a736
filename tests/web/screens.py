"""`python -m tests.web.screens`: every page of a box in use, as pictures, and the pictures of the documents.

All of them land in build/screens/showroom; `--docs` also writes those that the documents show into docs/.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import trio
from playwright.sync_api import BrowserContext, Page, ViewportSize

from tests.web.appliance import SCREENS, Appliance, browser, first_boot, shown
from tests.web.showroom import add_trouble, showroom

FOLDER = SCREENS / "showroom"
DOCS = Path(__file__).parents[2] / "docs"
PICTURES = ("overview", "first-boot", "trial", "agent", "call", "campaign-flow", "campaign-analytics")
"""Of the documents, by name."""

_DOCS_SIZE: ViewportSize = {"width": 1000, "height": 640}
_OVERVIEW_SIZE: ViewportSize = {"width": 1280, "height": 880}
_PAGES = {
    "overview": "/",
    "agents": "/agents",
    "agent-new": "/agents/new",
    "agent-import": "/agents/import",
    "campaigns": "/campaigns",
    "campaign-new": "/campaigns/new",
    "campaign-import": "/campaigns/import",
    "do-not-call": "/do-not-call",
    "sessions": "/sessions",
    "sessions-none": "/sessions?text=nobody+said+this",
    "diagnosis": "/diagnosis",
    "test": "/test",
    "channels": "/channels",
    "channel-new": "/channels/new",
    "connectivity": "/connectivity",
    "connectivity-new": "/connectivity/new?kind=language-model",
    "packs": "/connectivity/packs",
    "box": "/box",
    "tokens": "/box/tokens",
    "api": "/box/api",
    "certificate": "/box/certificate",
    "backup": "/box/backup",
    "restore": "/box/restore",
    "reset": "/box/reset",
    "support": "/box/support",
    "update": "/box/update",
    "webhook": "/box/webhook",
    "mail-server": "/box/mail",
    "password": "/password",
    "set-up": "/set-up",
    "nothing-there": "/nowhere",
}
_FIRST_OF = {
    "agent": ("/agents", r"/agents/[0-9a-f]{8,}"),
    "channel": ("/channels", r"/channels/[0-9a-f]{8,}#details"),
    "campaign": ("/campaigns", r"/campaigns/[0-9a-f]{8,}"),
    "session": ("/sessions?text=Elizabeth", r"/sessions/\d{8}T[\w-]+"),
    "connectivity-entry": ("/connectivity", r"/connectivity/box-[\w-]+"),
}

TOOLS = ("/agents/{id}/tools/new", "/agents/{id}/tools/{tool_id}")
"""Of the first agent."""

WORKFLOW = {"agent-workflow": "/agents/{id}/workflow", "agent-workflow-text": "/agents/{id}/workflow/text"}

_CAMPAIGN_TABS = ("data", "flow", "flow/text", "calling", "lists", "participants", "participants/new")


async def main() -> int:
    parser = argparse.ArgumentParser(prog="just screens", description="pictures of every page of a box in use")
    parser.add_argument("--docs", action="store_true", help="also remake the pictures in docs/")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        broken = await taken(Path(folder))
    if arguments.docs:
        for name in PICTURES:
            shutil.copyfile(FOLDER / f"docs-{name}.png", DOCS / f"{name}.png")
    print(*broken, f"The pictures are in {FOLDER}.", sep="\n")
    return 1 if broken else 0


async def taken(folder: Path) -> list[str]:
    """Which pages break a rule of accessibility, or are too wide for their screen."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    async with showroom(folder) as room:
        cookies = await trio.to_thread.run_sync(_of_documents, room.page)
        await add_trouble(room.box)
        broken: list[str] = []
        async with trio.open_nursery() as both:
            for scheme in ("light", "dark"):
                both.start_soon(_look, room.page, cookies, scheme, broken)
        return broken


async def _look(box: Appliance, cookies: list[Any], scheme: str, broken: list[str]) -> None:
    broken += await trio.to_thread.run_sync(_of_pages, box, cookies, scheme)


def _of_documents(box: Appliance) -> list[Any]:
    """Returns the cookies of who is signed in."""
    with browser() as context:
        _documents(context.new_page(), box)
        return [*context.cookies()]


def _of_pages(box: Appliance, cookies: list[Any], scheme: str) -> list[str]:
    broken = []
    with browser(dark=scheme == "dark") as context:
        context.add_cookies(cookies)
        page = context.new_page()
        for name, path in _paths(context, box).items():
            page.goto(box.address + path)
            broken += shown(page, f"{FOLDER.name}/{name}-{scheme}")
    return broken


def _paths(context: BrowserContext, box: Appliance) -> dict[str, str]:
    """Of all pages, by the names of their pictures."""
    firsts = {name: _first(context, box, *where) for name, where in _FIRST_OF.items()}
    of_agents = [path.replace("{id}", firsts["agent"].rpartition("/")[2]) for path in TOOLS]
    firsts["agent-tool-new"] = of_agents[0]
    firsts |= {name: path.replace("/agents/{id}", firsts["agent"]) for name, path in WORKFLOW.items()}
    firsts["agent-tool"] = _first(context, box, firsts["agent"], of_agents[1].replace("{tool_id}", "[0-9a-f]{8,}"))
    tabs = {f"campaign-{tab.replace('/', '-')}": f"{firsts['campaign']}/{tab}" for tab in _CAMPAIGN_TABS}
    return _PAGES | firsts | tabs


def _documents(page: Page, box: Appliance) -> None:
    """In the order of the walk-through; the set-up code is used up on the way."""
    page.set_viewport_size(_DOCS_SIZE)
    page.goto(box.address)
    _picture(page, "first-boot")
    first_boot(page, box)
    page.goto(f"{box.address}/channels")
    page.get_by_role("link", name="Office PBX").click()
    page.get_by_role("button", name="Try to register").click()
    page.get_by_text("It works").wait_for()
    _picture(page, "trial")
    page.goto(f"{box.address}/agents")
    page.get_by_role("link", name="Reception").first.click()
    page.get_by_role("heading", name="What it knows").evaluate("heading => heading.scrollIntoView()")
    _picture(page, "agent")
    page.goto(f"{box.address}/sessions?text=Elizabeth")
    page.get_by_role("table").get_by_role("link").first.click()
    _picture(page, "call")
    page.goto(f"{box.address}/campaigns")
    page.get_by_role("link", name="Appointments of next week").click()
    page.set_viewport_size(_OVERVIEW_SIZE)
    _picture(page, "campaign-analytics")
    page.get_by_role("link", name="Flow", exact=True).click()
    page.get_by_role("heading", name="The flow").evaluate("heading => heading.scrollIntoView()")
    _picture(page, "campaign-flow")
    page.goto(box.address)
    _picture(page, "overview")


def _picture(page: Page, name: str) -> None:
    page.screenshot(path=FOLDER / f"docs-{name}.png")


def _first(context: BrowserContext, box: Appliance, list_path: str, pattern: str) -> str:
    """The path of the first one that a list leads to."""
    page = context.new_page()
    page.goto(box.address + list_path)
    found = re.search(rf'href="({pattern})"', page.content())
    page.close()
    assert found, f"{list_path} leads to none"
    return found[1]


if __name__ == "__main__":
    sys.exit(trio.run(main))
