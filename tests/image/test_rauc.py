"""The root program of updates with the real RAUC: its daemon, on a bus of its own, with the image's settings, two files
in place of the slots, and a real environment of the boot loader. What needs the machine, installing and starting, is
in test_update.py."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest

from firmware.update import servant
from firmware.update.places import Places
from firmware.update.telling import slots_of
from image.make.board import AMD64
from image.make.bundle import SETTINGS, manifest, seal
from image.make.keys import Signer, development_signer

pytestmark = pytest.mark.image

PATIENCE_S = 30.0
BUS = """\
<busconfig><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
<allow own="*"/></policy>
</busconfig>
"""
FRESH = ("ORDER=A B", "A_OK=1", "A_TRY=1", "B_OK=0", "B_TRY=0")  # as GRUB leaves it at the first start


@dataclass(frozen=True, slots=True)
class Machine:
    places: Places
    folder: Path
    signer: Signer

    def asks(self, wish: str) -> dict[str, Any]:
        """What the root program tells when it has done it."""
        (self.places.asked / wish).touch()
        servant.serve(self.places)
        told: dict[str, Any] = json.loads((self.places.told / f"{wish}.json").read_text())
        return told

    def counts(self) -> dict[str, str]:
        told = subprocess.run(["grub-editenv", self.folder / "grubenv", "list"], capture_output=True, check=True)
        return dict(line.split("=", 1) for line in told.stdout.decode().splitlines())

    def restarts(self) -> int:
        log = self.folder / "restarts"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def uploads(self, version: str, by: Signer | None = None) -> None:
        content = self.folder / f"content-{version}"
        content.mkdir()
        (content / "rootfs.img").write_bytes(random.Random(1).randbytes(2**20))
        (content / "manifest.raucm").write_text(manifest(AMD64, version))
        seal(content, self.places.bundle, by or self.signer, 1)


@contextmanager
def machine(
    folder: Path, monkeypatch: pytest.MonkeyPatch, env: tuple[str, ...] = FRESH
) -> Generator[Machine, None, None]:
    """Runs from slot A, version 1.0.0."""
    places = Places(folder / "kept", folder / "run", folder / "uploads", folder / "root")
    for made in (places.kept, places.asked, places.told, places.uploads, places.root / "etc", folder / "bin"):
        made.mkdir(parents=True)
    (places.root / "etc/deskbell-release").write_text("VERSION=1.0.0\nBOARD=amd64\n")
    signer = development_signer(folder / "keys")
    subprocess.run(["grub-editenv", folder / "grubenv", "create"], check=True)
    subprocess.run(["grub-editenv", folder / "grubenv", "set", *env], check=True)
    conf = _settings(folder, signer)
    _program(folder / "bin/rauc", f'exec /usr/bin/rauc --conf={conf} "$@"')
    _program(folder / "bin/systemctl", f'echo "$@" >> {folder / "restarts"}')
    monkeypatch.setenv("PATH", f"{folder / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={folder / 'bus'}")
    (folder / "bus.conf").write_text(BUS.format(socket=folder / "bus"))
    bus = ["dbus-daemon", f"--config-file={folder / 'bus.conf'}", "--nofork", "--nopidfile", "--print-address=1"]
    daemon = ["/usr/bin/rauc", f"--conf={conf}", "service", "--override-boot-slot=A"]
    box = Machine(places, folder, signer)
    with _running(bus, lambda says: says.readline()), _running(daemon, lambda _: box.asks("look")["ok"]):
        yield box


def _settings(folder: Path, signer: Signer) -> Path:
    """The image's, at places of the test's own."""
    text = SETTINGS.read_text().replace("@COMPATIBLE@", AMD64.compatible)
    for there, here in {
        "/etc/rauc/keyring.pem": signer.keyring,
        "/boot/efi/EFI/BOOT/grubenv": folder / "grubenv",
        "/data/rauc": folder / "rauc",
        "/run/rauc": folder / "mounts",
        "/dev/disk/by-partuuid/c0ffee00-02": folder / "slot-a",
        "/dev/disk/by-partuuid/c0ffee00-03": folder / "slot-b",
    }.items():
        assert there in text
        text = text.replace(there, str(here))
    for made in ("rauc", "mounts"):
        (folder / made).mkdir()
    for made in ("slot-a", "slot-b"):
        (folder / made).write_bytes(bytes(2**21))
    (folder / "system.conf").write_text(re.sub(r"pre-install=.*", "", text))
    return folder / "system.conf"


def _program(file: Path, does: str) -> None:
    file.write_text(f"#!/bin/sh\n{does}\n")
    file.chmod(0o755)


@contextmanager
def _running(command: list[str], is_there: Callable[[IO[bytes]], object]) -> Generator[None, None, None]:
    """`is_there`: of what it says, or by asking it, which takes a moment."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    until = time.monotonic() + PATIENCE_S
    try:
        assert process.stdout
        while not is_there(process.stdout):
            assert time.monotonic() < until
        yield
    finally:
        process.terminate()
        process.communicate()


def test_the_slot_that_runs_is_marked_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RAUC finds it bad until then, since the boot loader has counted a try."""
    with machine(tmp_path, monkeypatch) as box:
        before = slots_of(box.asks("look")["status"], "A", "1.0.0", None)
        assert [(slot.name, slot.runs, slot.good) for slot in before] == [("A", True, False), ("B", False, False)]
        assert box.asks("good")["ok"]
        assert box.counts() == {"ORDER": "A B", "A_OK": "1", "A_TRY": "0", "B_OK": "0", "B_TRY": "0"}
        after = slots_of(box.asks("look")["status"], "A", "1.0.0", None)
        assert [(slot.name, slot.version, slot.good) for slot in after] == [("A", "1.0.0", True), ("B", "", False)]


def test_a_version_that_gives_up_goes_back_to_the_other_if_that_was_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with machine(tmp_path, monkeypatch, ("ORDER=A B", "A_OK=1", "A_TRY=1", "B_OK=1", "B_TRY=0")) as box:
        assert box.asks("give-up")["ok"], box.asks("look")
        assert (box.counts()["A_OK"], box.counts()["B_OK"], box.counts()["B_TRY"]) == ("0", "1", "0")
        assert box.restarts() == 1


@pytest.mark.parametrize("other", [("B_OK=0", "B_TRY=0"), ("B_OK=1", "B_TRY=3")])
def test_it_stays_where_the_other_is_not_known_to_be_good(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: tuple[str, str]
) -> None:
    with machine(tmp_path, monkeypatch, ("ORDER=A B", "A_OK=1", "A_TRY=1", *other)) as box:
        assert not box.asks("give-up")["ok"]
        assert (box.counts()["A_OK"], box.restarts()) == ("1", 0)


def test_what_is_uploaded_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with machine(tmp_path, monkeypatch) as box:
        assert not box.asks("check")["ok"], "nothing was uploaded"
        box.uploads("1.1.0")
        told = box.asks("check")
        assert (told["ok"], told["version"]) == (True, "1.1.0")
        box.places.bundle.write_bytes(box.places.bundle.read_bytes()[:-4096])
        assert "cut short" in box.asks("check")["text"]
        box.uploads("0.9.0")
        told = box.asks("install")
        assert (told["ok"], "older" in told["text"]) == (False, True)
        box.uploads("1.2.0", development_signer(tmp_path / "theirs"))
        assert "not signed with a key" in box.asks("check")["text"]


def test_a_restart_is_asked_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with machine(tmp_path, monkeypatch) as box:
        assert box.asks("restart")["ok"]
        assert (tmp_path / "restarts").read_text() == "reboot\n"
