"""Which bundles RAUC takes, asked of the very program and settings that are in the image. Installing them on a running
box is another test's work: here is what a box refuses before it writes anything."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from image.make.board import AMD64
from image.make.bundle import SETTINGS, manifest, seal
from image.make.keys import Signer, development_signer

pytestmark = pytest.mark.image

PAYLOAD = random.Random(1).randbytes(2**20)  # that no compression makes smaller: verity wants some blocks


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return development_signer(tmp_path_factory.mktemp("ours"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, ours: Signer) -> Path:
    """Those of the image, with the test's keyring at its place."""
    file = tmp_path_factory.mktemp("settings") / "system.conf"
    text = SETTINGS.read_text().replace("@COMPATIBLE@", AMD64.compatible)
    file.write_text(text.replace("/etc/rauc/keyring.pem", str(ours.keyring)))
    return file


@pytest.fixture
def bundle(tmp_path: Path, ours: Signer) -> Path:
    return _bundle(tmp_path / "good", ours)


def _bundle(folder: Path, by: Signer) -> Path:
    bundle = folder / "bundle.raucb"
    seal(_content(folder), bundle, by)
    return bundle


def _content(folder: Path) -> Path:
    content = folder / "content"
    content.mkdir(parents=True)
    (content / "rootfs.img").write_bytes(PAYLOAD)
    (content / "manifest.raucm").write_text(manifest(AMD64, "1.2.3"))
    return content


def _rauc(settings: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["rauc", f"--conf={settings}", *command], capture_output=True, text=True, timeout=60, check=False
    )


def _refused(settings: Path, bundle: Path) -> str:
    """Why. The test fails if it is taken."""
    asked = _rauc(settings, "info", bundle)
    assert asked.returncode, asked.stdout
    return asked.stderr


def test_ours_is_taken(settings: Path, bundle: Path) -> None:
    asked = _rauc(settings, "info", bundle)
    assert asked.returncode == 0, asked.stderr
    assert "Compatible: \t'deskbell-amd64'" in asked.stdout
    assert "Version:    \t'1.2.3'" in asked.stdout
    assert "Bundle Format: \tverity" in asked.stdout


def test_one_that_another_authority_signed(tmp_path: Path, settings: Path) -> None:
    other = development_signer(tmp_path / "theirs")
    assert "signature verification failed" in _refused(settings, _bundle(tmp_path / "other", other)).lower()


def test_while_a_key_is_rolled_over_both_are_taken(tmp_path: Path, settings: Path, ours: Signer) -> None:
    """The image of the last bundle that the old key signs has both in its keyring, and the next one the new one."""
    new = development_signer(tmp_path / "new")
    both = tmp_path / "both.pem"
    both.write_bytes(ours.keyring.read_bytes() + new.keyring.read_bytes())
    text = settings.read_text()
    (between, after) = (tmp_path / "between.conf", tmp_path / "after.conf")
    between.write_text(text.replace(str(ours.keyring), str(both)))
    after.write_text(text.replace(str(ours.keyring), str(new.keyring)))
    by_old, by_new = _bundle(tmp_path / "by old", ours), _bundle(tmp_path / "by new", new)
    for bundle in (by_old, by_new):
        assert _rauc(between, "info", bundle).returncode == 0
    assert _rauc(after, "info", by_new).returncode == 0
    assert "signature verification failed" in _refused(settings, by_new).lower()
    assert "signature verification failed" in _refused(after, by_old).lower()


def test_one_that_nobody_signed(tmp_path: Path, settings: Path) -> None:
    unsigned = tmp_path / "unsigned.raucb"
    subprocess.run(["mksquashfs", str(_content(tmp_path)), str(unsigned), "-quiet", "-no-progress"], check=True)
    assert "signature" in _refused(settings, unsigned).lower()


def test_one_that_is_cut_short(settings: Path, bundle: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-4096])
    assert "signature" in _refused(settings, bundle).lower()


def test_one_whose_signature_was_changed(settings: Path, bundle: Path) -> None:
    changed = bytearray(bundle.read_bytes())
    changed[-100] ^= 1
    bundle.write_bytes(changed)
    assert "signature" in _refused(settings, bundle).lower()


def test_one_whose_payload_was_changed(tmp_path: Path, settings: Path, bundle: Path) -> None:
    """The signature covers the hashes of the payload, which are compared as it is read, and not before."""
    changed = bytearray(bundle.read_bytes())
    changed[len(PAYLOAD) // 2] ^= 1
    bundle.write_bytes(changed)
    read = _rauc(settings, "extract", bundle, tmp_path / "out")
    assert read.returncode
    assert "bundle payload is corrupted" in read.stderr


def test_one_that_was_signed_when_the_key_had_expired(tmp_path: Path, settings: Path, ours: Signer) -> None:
    """The date that counts is that of the signature: the box's own clock may be in 1970."""
    late = ["faketime", "+40 years", "rauc", "bundle", f"--cert={ours.certificate}", f"--key={ours.key}"]
    subprocess.run([*late, str(_content(tmp_path)), str(tmp_path / "late.raucb")], capture_output=True, check=True)
    assert "expired" in _refused(settings, tmp_path / "late.raucb")


def test_a_box_in_1970_takes_ours(settings: Path, bundle: Path) -> None:
    asked = ["faketime", "1970-01-02", "rauc", f"--conf={settings}", "info", str(bundle)]
    told = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    assert told.returncode == 0, told.stderr
