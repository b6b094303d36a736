"""A machine with two slots, as far as updates see it: `rauc` and `systemctl` as small programs that keep a state file,
the boot loader's choice, and a root program that is there at once. The real ones are in tests/image.
"""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from firmware.update import servant
from firmware.update.places import Places

_LOOK_S = 0.02

# A bundle is a text here: {"version": ..., "compatible": ...}, or the words with which rauc refuses it.
_RAUC = """\
import json, os, pathlib, sys
file = pathlib.Path(os.environ["FAKE_MACHINE"])
state = json.loads(file.read_text())
words = [word for word in sys.argv[1:] if not word.startswith("-")]
state["asked"].append(" ".join([pathlib.Path(sys.argv[0]).name, *words[:2]]))
booted, other = state["booted"], "B" if state["booted"] == "A" else "A"
status = 0


def slot(name):
    known = state["versions"].get(name)
    return {
        "bootname": name,
        "state": "booted" if name == booted else "inactive",
        "boot_status": "good" if state["good"][name] else "bad",
        "slot_status": {"bundle": {"version": known}} if known else {},
    }


def bundle():
    text = pathlib.Path(words[1]).read_text()
    if not text.startswith("{"):
        sys.exit(text)
    return json.loads(text)


match words:
    case ["reboot"]:
        state["reboots"] += 1
    case ["info", _]:
        told = bundle()
        print(json.dumps(told | {"images": [{"rootfs": {"size": told.get("size", 2**20)}}]}))
    case ["install", _]:
        told = bundle()
        print("installing")
        print(" 20% Determining slot states done.")
        print(" 60% Copying image to rootfs.1", flush=True)
        if told.get("breaks"):
            sys.exit("LastError: Installation error: bundle payload is corrupted")
        print("100% Installing done.")
        state["primary"], state["good"][other], state["versions"][other] = other, True, told["version"]
    case ["status", "mark-good", "booted"]:
        status = state.get("no_mark", 0)
        state["good"][booted] = not status
    case ["status", "mark-bad", "booted"]:
        state["good"][booted] = False
    case ["status"]:
        print(json.dumps({"slots": [{"rootfs.0": slot("A")}, {"rootfs.1": slot("B")}]}))
part = file.with_suffix(".part")  # whoever looks meanwhile finds the old or the new
part.write_text(json.dumps(state))
part.replace(file)
sys.exit(status)
"""


class FakeMachine:
    """Runs slot A, with version 1.0.0; nobody has installed anything in B."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._file = folder / "machine.json"
        self.places = Places(folder / "kept", folder / "run", folder / "uploads", folder / "root")
        for made in (self.places.kept, self.places.asked, self.places.told, self.places.uploads):
            made.mkdir(parents=True)
        self._programs(folder / "bin")
        monkeypatch.setenv("PATH", f"{folder / 'bin'}:/usr/bin:/bin")
        monkeypatch.setenv("FAKE_MACHINE", str(self._file))
        self._boots = 0
        start = {"booted": "A", "primary": "A", "good": {"A": True, "B": False}, "versions": {}}
        self.state = start | {"asked": [], "reboots": 0}
        self.starts("A")

    @property
    def state(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self._file.read_text())
        return told

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._file.write_text(json.dumps(state))

    def change(self, **more: object) -> None:
        self.state = self.state | more

    def starts(self, slot: str = "") -> None:
        """The machine, from `slot`, or from the one that the boot loader takes: the first one that is good."""
        state = self.state
        first = str(state["primary"])
        slot = slot or (first if state["good"][first] else "B" if first == "A" else "A")
        self.change(booted=slot)
        self._boots += 1
        version = state["versions"].get(slot, "1.0.0")
        for name, text in (
            ("etc/deskbell-release", f"VERSION={version}\nBOARD=amd64\n"),
            ("proc/cmdline", f"root=PARTUUID=c0ffee00-02 ro rauc.slot={slot}\n"),
            ("proc/sys/kernel/random/boot_id", f"boot-{self._boots}\n"),
        ):
            file = self.places.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    def uploaded(self, version: str = "1.1.0", compatible: str = "deskbell-amd64", **more: object) -> None:
        self.places.bundle.write_text(json.dumps({"version": version, "compatible": compatible, **more}))

    @asynccontextmanager
    async def root_program(self) -> AsyncGenerator[None, None]:
        """As systemd starts it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._serve)
            yield
            nursery.cancel_scope.cancel()

    async def _serve(self) -> None:
        while True:
            await trio.to_thread.run_sync(servant.serve, self.places)
            await trio.sleep(_LOOK_S)

    def _programs(self, folder: Path) -> None:
        folder.mkdir()
        for name in ("rauc", "systemctl"):
            (folder / name).write_text(f"#!{sys.executable} -I\n{_RAUC}")
            (folder / name).chmod(0o755)
