"""What the recipe of the image decides before it runs anything, and where two of its files must agree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from firmware.newer_versions.listing import newer_than
from firmware.update.bundle import Box
from image.make import bundle, raspberry
from image.make.application import ENVIRONMENT, HOME
from image.make.board import AMD64, ARM64, board
from image.make.bundle import checked_version, list_version, manifest
from image.make.disk import BOOT
from image.make.engines import ENGINES, folder_name, put_engines
from image.make.keys import signer
from image.make.parts import python_parts
from image.make.root import OVERLAY
from image.make.wheels import LOCK, SOURCES, listed
from image.setup.debian import wanted
from image.setup.mirror import Repository, repositories
from image.setup.running import SetupFailed
from models.neural import engines as neural_engines
from models.neural import pack_file

pytestmark = pytest.mark.unit

LISTS = (
    "debian-packages.txt",
    "kit-packages-arm64.txt",
    "make-packages-arm64.txt",
    "make-packages.txt",
    "system-packages.txt",
)
UNITS = OVERLAY / "etc/systemd/system"


def test_a_board_without_a_recipe_is_said_to_have_none() -> None:
    with pytest.raises(SetupFailed, match='"toaster": there are amd64 and arm64'):
        board("toaster")


def test_the_box_speaks_on_the_serial_lines_of_its_kernel() -> None:
    assert (AMD64.lines, ARM64.lines) == (("ttyS0",), ("ttyAMA0", "ttyS1"))


def test_a_list_has_the_last_version_of_each_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle, "IMAGE_BUILD", tmp_path)
    for made_for, version in ((AMD64, "0.1.0"), (ARM64, "0.1.0"), (AMD64, "0.2.0")):
        listing = list_version(made_for, tmp_path / f"deskbell-{made_for.name}-{version}.raucb", version)
    text, address = listing.read_bytes(), f"https://updates.example.com/{listing.name}"
    newer = newer_than(Box("0.1.0", "amd64"), text, address)
    assert newer
    assert newer.address == "https://updates.example.com/deskbell-amd64-0.2.0.raucb"
    assert newer_than(Box("0.1.0", "arm64"), text, address) is None


def test_a_raspberry_starts_with_what_its_settings_name(tmp_path: Path) -> None:
    for name in raspberry.FIRMWARE:
        _file(tmp_path / "kit/usr/lib/raspi-firmware" / name)
    _file(tmp_path / "kit/usr/lib/u-boot/rpi_arm64/u-boot.bin")
    with pytest.raises(SetupFailed, match=r"bcm2\*"):
        raspberry.first_programs(tmp_path / "kit", tmp_path / "root")
    _file(tmp_path / "root/usr/lib/linux-image-6/broadcom/bcm2837-rpi-3-b.dtb")
    names = [file.name for file in raspberry.first_programs(tmp_path / "kit", tmp_path / "root")]
    assert "bcm2837-rpi-3-b.dtb" in names
    assert re.findall(r"^kernel=(.*)$", raspberry.CONFIG.read_text(), re.MULTILINE)[0] in names
    (tmp_path / "kit/usr/lib/raspi-firmware/start4.elf").unlink()
    with pytest.raises(SetupFailed, match=r"no start4\.elf any more"):
        raspberry.first_programs(tmp_path / "kit", tmp_path / "root")


def _file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def test_every_package_of_the_lock_is_published_or_built_and_keeps_its_hashes() -> None:
    with listed(lambda name: name in SOURCES) as built, listed(lambda name: name not in SOURCES) as published:
        one, other = built.read_text(), published.read_text()
    assert [line.partition("==")[0] for line in one.splitlines() if "==" in line] == list(SOURCES)
    whole = LOCK.read_text()
    for kind in ("==", "--hash=sha256:"):
        assert one.count(kind) + other.count(kind) == whole.count(kind)


@pytest.mark.parametrize("version", ["1", "1.2", "1.2.3-rc1", "1.2.3\n", "", "v1.2.3", "../../etc", "00001.2.3"])
def test_a_version_that_no_box_could_compare(version: str) -> None:
    with pytest.raises(SetupFailed, match="not a version"):
        checked_version(version)


def test_a_bundle_says_which_board_it_is_for() -> None:
    assert "compatible=deskbell-amd64\nversion=1.4.0\n" in manifest(AMD64, checked_version("1.4.0"))
    assert "format=verity" in manifest(AMD64, "1.4.0")


def test_half_a_release_key_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DESKBELL_SIGNING_CERT", str(tmp_path / "release.pem"))
    monkeypatch.delenv("DESKBELL_SIGNING_KEY", raising=False)
    with pytest.raises(SetupFailed, match="DESKBELL_SIGNING_KEY"):
        signer()


def test_a_release_key_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DESKBELL_SIGNING_CERT", str(tmp_path / "release.pem"))
    monkeypatch.setenv("DESKBELL_SIGNING_KEY", str(tmp_path / "release-key.pem"))
    with pytest.raises(SetupFailed, match="no such file"):
        signer()


def test_a_mirror_that_somebody_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_DEBIAN_MIRROR", "http://mirror.example/debian")
    assert repositories("bookworm", "bookworm-security") == [
        Repository("bookworm", "http://mirror.example/debian", "main")
    ]
    assert repositories("bookworm", components="main non-free-firmware")[0].line == (
        "deb http://mirror.example/debian bookworm main non-free-firmware"
    )


@pytest.mark.parametrize("name", LISTS)
def test_every_package_has_one_line(name: str) -> None:
    names = wanted((OVERLAY.parent / name).read_text())
    assert names
    assert sorted(set(names)) == sorted(names)


def test_the_slots_are_the_same_partitions_for_grub_and_rauc() -> None:
    grub, rauc = (BOOT / "grub.cfg").read_text(), (OVERLAY / "etc/rauc/system.conf").read_text()
    started = re.findall(r"root=PARTUUID=(c0ffee00-0\d) .*rauc\.slot=([AB])", grub)
    installed = re.findall(r"by-partuuid/(c0ffee00-0\d)\ntype=raw\nbootname=([AB])", rauc)
    assert started == installed == [("c0ffee00-02", "A"), ("c0ffee00-03", "B")]


def test_grub_loads_from_the_partition_that_it_tells_the_kernel() -> None:
    text = (BOOT / "grub.cfg").read_text()
    assert re.findall(r"msdos(\d)\)/boot/vmlinuz root=PARTUUID=c0ffee00-0(\d)", text) == [("2", "2"), ("3", "3")]


@pytest.mark.parametrize("unit", ["deskbell-phone", "deskbell-admin"])
def test_no_unit_runs_as_root_or_may_gain_rights(unit: str) -> None:
    text = (UNITS / f"{unit}.service").read_text()
    assert f"User={unit}\n" in text
    for promise in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "SystemCallFilter="):
        assert f"\n{promise}" in text


def test_only_root_may_ask_rauc() -> None:
    policy = (OVERLAY / "usr/share/dbus-1/system.d/de.pengutronix.rauc.conf").read_text()
    assert re.findall(r'<policy user="([^"]+)">', policy) == ["root"]
    assert '<deny send_destination="de.pengutronix.rauc"/>' in policy.partition('context="default"')[2]


def test_an_engine_lies_where_the_box_looks_for_it_and_its_packages_are_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "packages"
    (packages / "piper_tts-1.8.0.dist-info").mkdir(parents=True)
    (packages / "piper_tts-1.8.0.dist-info/METADATA").write_text(
        "Metadata-Version: 2.1\nName: piper-tts\nVersion: 1.8.0\nLicense: GPL-3.0-or-later\n"
    )
    (packages / "piper_tts-1.8.0.dist-info/RECORD").write_text("piper_tts-1.8.0.dist-info/METADATA,,\n")
    monkeypatch.setattr("image.make.engines.engine_packages", lambda *_: packages)
    put_engines(tmp_path / "root", ARM64, ["piper"])
    monkeypatch.setenv("DESKBELL_ENGINES", str(tmp_path / "root/usr/lib/deskbell/engines"))
    assert neural_engines.is_installed("piper")
    assert not neural_engines.is_installed("moonshine")
    assert f"DESKBELL_ENGINES=/{HOME}/engines\n" in ENVIRONMENT
    [part] = python_parts(tmp_path / "root")
    assert (part.name, part.licence) == ("piper-tts", "GPL-3.0-or-later")
    assert part.text == f"/{HOME}/engines/{folder_name('piper')}/piper_tts-1.8.0.dist-info"


def test_every_engine_of_packs_can_be_in_an_image() -> None:
    assert set(ENGINES) == set(pack_file.ENGINES)
