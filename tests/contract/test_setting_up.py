"""The process that uses a set-up file, with the real verbs, database and vault: once, and killed anywhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from app.control import keeping, verbs, views
from firmware.control import run_control
from firmware.control.events import Events
from firmware.control.setting_up import SetUpVerbs
from firmware.lifetimes import serving
from provisioning.boot_partition import notice
from provisioning.passwords import Passwords
from provisioning.settings import Process
from tests.contract.test_control import no_recording
from tests.contract.test_control_verbs import Verbs, box, connection
from tests.patience import PATIENCE_S
from tests.unit.test_set_up_file import EXAMPLE
from tests.web.canary import holding

pytestmark = pytest.mark.contract

PASSWORD = "three green frogs"  # in the example
SIP_PASSWORD = "the password of extension 200"


@dataclass(frozen=True, slots=True)
class Card:
    """A box with its boot partition, as folders."""

    folder: Path
    verbs: Verbs

    @property
    def process(self) -> Process:
        return Process(data=self.folder, admin_folder=self.folder / "admin", boot_folder=self.folder / "boot")

    @property
    def file(self) -> Path:
        return self.folder / "boot" / "deskbell-setup.toml"

    @property
    def errors(self) -> str:
        return (self.file.parent / "deskbell-setup-errors.txt").read_text()

    @property
    def passwords(self) -> Passwords:
        return Passwords(self.folder / "admin")

    async def start(self, before: str = "") -> subprocess.CompletedProcess[bytes]:
        """The process that the page's process starts. `before`: what it does first, to be killed somewhere."""
        code = f"import os, signal, sys\nfrom provisioning import setting_up\n{before}\nsys.exit(setting_up.main())"
        environment = os.environ | {
            "DESKBELL_DATA": str(self.folder),
            "DESKBELL_ADMIN_FOLDER": str(self.folder / "admin"),
            "DESKBELL_BOOT_FOLDER": str(self.folder / "boot"),
        }
        with trio.fail_after(PATIENCE_S):
            return await trio.run_process(
                [sys.executable, "-c", code], env=environment, check=False, capture_stdout=True, capture_stderr=True
            )

    async def is_set_up(self) -> bool:
        lines = (await self.verbs.connections.list_connections(verbs.Empty())).items
        agents = (await self.verbs.agents.list_agents(verbs.Empty())).items
        assert len(lines) == len(agents) <= 1
        return len(lines) == 1


async def nothing_to_follow(_: verbs.Empty) -> keeping.ResetToFollow:
    return keeping.ResetToFollow(id="", extent="")


@asynccontextmanager
async def card(folder: Path, text: str | None = None) -> AsyncGenerator[Card, None]:
    """With the example as the file, or `text`."""
    (folder / "boot").mkdir()
    (folder / "admin").mkdir()
    (folder / "boot" / "deskbell-setup.toml").write_text(EXAMPLE.read_text() if text is None else text)
    async with box(folder) as b:
        events = Events()
        set_up = SetUpVerbs(b.store, b.connections, b.agents, b.scene.roster, events)
        answers = {"set_up_box": set_up.set_up_box, "get_reset": nothing_to_follow}
        async with serving(run_control, folder / "control.sock", answers, events, no_recording):
            yield Card(folder, b)


async def test_the_example_sets_up_a_box_and_is_gone(tmp_path: Path) -> None:
    async with card(tmp_path) as c:
        ended = await c.start()
        assert (ended.returncode, ended.stderr) == (0, b"")
        assert b"removed" in ended.stdout
        assert await c.is_set_up()
        assert await c.passwords.check(PASSWORD)
        (agent,) = (await c.verbs.agents.list_agents(verbs.Empty())).items
        assert agent.state is not views.AgentState.STOPPED
        assert [(each.name, each.inbound) for each in agent.connections] == [("Office PBX", True)]
        assert _names(tmp_path / "boot") == []
        assert _names(tmp_path / "admin") == ["password"]
    assert holding(tmp_path, SIP_PASSWORD) == []


def _names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


KILLED_AT = {
    "before the password": "setting_up.Passwords.set_first = killed",
    "after the password": "setting_up._set_up_box = killed",
    "in the middle of the question": "setting_up.Box.ask = killed_after(setting_up.Box.ask, 2)",
    "before it is removed": "setting_up.boot_partition.remove_for_good = killed",
    "written over, not removed": "import pathlib; pathlib.Path.unlink = killed_at_toml(pathlib.Path.unlink)",
    "after it is removed": "setting_up.boot_partition.forget_notice = killed",
}
KILLED = """
def killed(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
def killed_after(ask, count):
    async def asked(*what, **question):
        nonlocal count
        count -= 1
        answer = await ask(*what, **question)
        return killed() if count == 0 else answer
    return asked
def killed_at_toml(unlink):
    return lambda path, **how: killed() if path.suffix == ".toml" else unlink(path, **how)
"""


@pytest.mark.parametrize("where", KILLED_AT)
async def test_killed_anywhere_it_goes_on_and_nothing_is_done_twice(tmp_path: Path, where: str) -> None:
    async with card(tmp_path) as c:
        first = await c.start(KILLED + KILLED_AT[where])
        assert first.returncode == -signal.SIGKILL
        second = await c.start()
        assert (second.returncode, second.stderr) == (0, b"")
        assert await c.is_set_up()
        assert await c.passwords.check(PASSWORD)
        assert _names(tmp_path / "boot") == []
    assert holding(tmp_path, SIP_PASSWORD) == []


async def test_a_fault_leaves_the_file_and_says_why_on_it_and_on_the_page(tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace('user = "200"', "user = 200")
    async with card(tmp_path, text) as c:
        ended = await c.start()
        assert ended.returncode == 0
        assert not await c.is_set_up()
        assert not c.passwords.is_set
        assert c.file.read_text() == text
        for told in (ended.stderr.decode(), c.errors, " ".join(notice(c.process))):
            assert "(connection 1, user): Must be text, in quotes." in told
            assert SIP_PASSWORD not in told
        c.file.write_text(EXAMPLE.read_text())
        await c.start()
        assert await c.is_set_up()
        assert _names(tmp_path / "boot") == []
        assert notice(c.process) == ()


async def test_what_only_the_box_can_know_is_told_by_line_too(tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace('# connections = ["Office PBX"]', 'connections = ["Elsewhere"]')
    async with card(tmp_path, text) as c:
        await c.start()
        assert not await c.is_set_up()
        assert "(agent 1, connections): there is no connection named “Elsewhere”" in c.errors
        assert c.file.exists()


async def test_a_box_with_settings_keeps_them_and_its_password(tmp_path: Path) -> None:
    async with card(tmp_path) as c:
        await connection(c.verbs, "By hand")
        await c.passwords.set_first("three blue frogs")
        ended = await c.start()
        assert b"The password in the set-up file was not used" in ended.stdout
        assert "has settings already" in c.errors
        assert "has settings already" in notice(c.process)[0]
        assert await c.passwords.check("three blue frogs")
        (line,) = (await c.verbs.connections.list_connections(verbs.Empty())).items
        assert line.account.name == "By hand"
        assert c.file.exists()


async def test_a_file_that_cannot_be_removed_is_told_and_removed_later(tmp_path: Path) -> None:
    """A link stands for a read-only partition, which root would write to all the same."""
    async with card(tmp_path) as c:
        c.file.rename(tmp_path / "elsewhere.toml")
        c.file.symlink_to(tmp_path / "elsewhere.toml")
        await c.start()
        assert await c.is_set_up()
        assert "the passwords still stand in it" in notice(c.process)[0]
        c.file.unlink()
        assert notice(c.process) == (), "whoever removes it hears no more of it"
        (tmp_path / "elsewhere.toml").rename(c.file)
        await c.start()
        assert await c.is_set_up()
        assert _names(tmp_path / "boot") == []


async def test_windows_may_add_txt_to_its_name(tmp_path: Path) -> None:
    async with card(tmp_path, '[page]\npassword = "three blue frogs"\n') as c:
        c.file.rename(c.file.with_name("deskbell-setup.toml.txt"))
        await c.start()
        assert await c.passwords.check("three blue frogs")
        assert _names(tmp_path / "boot") == []
