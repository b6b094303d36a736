"""Bundles that a running box refuses, uploaded on its page one after the other: it says why, stays with the version and
the settings that it has, and takes a good one afterwards."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
import trio

from image.make.board import AMD64, ARM64, Board
from image.make.bundle import manifest, seal
from image.make.keys import development_signer, signer
from image.make.root import SLOT_MIB
from tests.image.bundles import bundle_with
from tests.image.machine import machine, trusted
from tests.image.owner import BOOT_S, MINUTES_S, PROVEN_S, UPDATE, Owner, counted
from tests.image.subject import BOARD
from tests.web.appliance import PASSWORD
from tests.web.site import filled_well
from tests.web.visitor import visitor

pytestmark = [pytest.mark.image, pytest.mark.timeout(3600)]

NEW = "0.1.1"
CHANNEL = "Office"
NOT_OURS, NO_BUNDLE = "it is not signed with a key that this box trusts", "it is no update, or it is cut short"
SMALL_MIB = 1
RANDOM = random.Random(1).randbytes(SMALL_MIB * 2**20)  # that no compression makes smaller: verity wants some blocks


def small(folder: Path, version: str = NEW, board: Board = BOARD, mib: int = SMALL_MIB) -> Path:
    """The content of a bundle that nobody will ever start."""
    content = folder / "content"
    shutil.rmtree(content, ignore_errors=True)
    content.mkdir()
    with (content / "rootfs.img").open("wb") as slot:
        slot.write(RANDOM)
        slot.truncate(mib * 2**20)
    (content / "manifest.raucm").write_text(manifest(board, version))
    return content


def sealed(folder: Path, content: Path, *, ours: bool = True) -> bytes:
    file = folder / "sealed.raucb"
    seal(content, file, signer() if ours else development_signer(folder / "theirs"), effort=1)
    return file.read_bytes()


def unsigned(folder: Path) -> bytes:
    file = folder / "unsigned.raucb"
    subprocess.run(["mksquashfs", str(small(folder)), str(file), "-quiet", "-no-progress"], check=True)
    return file.read_bytes()


def by_somebody_else(folder: Path) -> bytes:
    return sealed(folder, small(folder), ours=False)


def signed_too_late(folder: Path) -> bytes:
    file, by = folder / "late.raucb", signer()
    late = ["faketime", "+40 years", "rauc", "bundle", f"--cert={by.certificate}", f"--key={by.key}"]
    subprocess.run([*late, str(small(folder)), str(file)], capture_output=True, check=True)
    return file.read_bytes()


def cut_short(folder: Path) -> bytes:
    return sealed(folder, small(folder))[:-4096]


def for_another_board(folder: Path) -> bytes:
    return sealed(folder, small(folder, board=ARM64 if BOARD is AMD64 else AMD64))


def older(folder: Path) -> bytes:
    return sealed(folder, small(folder, version="0.0.9"))


def too_large(folder: Path) -> bytes:
    return sealed(folder, small(folder, mib=SLOT_MIB + 1))


REFUSED: tuple[tuple[Callable[[Path], bytes], str], ...] = (
    (unsigned, NO_BUNDLE),
    (by_somebody_else, NOT_OURS),
    (signed_too_late, "it was signed with a key that had expired"),
    (cut_short, NO_BUNDLE),
    (for_another_board, "it is for another kind of machine"),
    (older, "it is version 0.0.9, which is older"),
    (too_large, f"it needs {SLOT_MIB + 1} MB"),
)


async def test_none_of_these_is_installed(tmp_path: Path) -> None:
    async with machine(tmp_path) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        async with visitor(box.address, await trusted(box, tmp_path)) as browser:
            await browser.first_boot(code, PASSWORD)
            assert (await browser.send(filled_well(await browser.form("/channels/new"), CHANNEL))).is_redirect
            owner = Owner(browser, box)
            await owner.sees(PROVEN_S, "A (runs)", "0.1.0")
            await counted(box, A_OK="1", A_TRY="0")
            browser.client.timeout = httpx.Timeout(MINUTES_S)
            for made, why in REFUSED:
                await _uploaded(owner, await trio.to_thread.run_sync(made, tmp_path))
                assert f"Install {NEW}" not in await owner.sees(MINUTES_S, why), made.__name__
            good = await trio.to_thread.run_sync(bundle_with, tmp_path, NEW, {})
            await owner.uploads(_with_a_changed_byte(good), NEW)  # its signature is good: see test_bundles.py
            await owner.presses(f"{UPDATE}/install")
            await owner.sees(MINUTES_S, f"The update to {NEW} was not installed", "A (runs)")
            await counted(box, A_OK="1", A_TRY="0", B_OK="0")
            assert CHANNEL in await owner.sees(BOOT_S, path="/channels")
            await owner.uploads(good, NEW)


async def _uploaded(owner: Owner, bundle: bytes) -> None:
    answer = await owner.browser.send(await owner.browser.form(UPDATE), chosen=bundle)
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text


def _with_a_changed_byte(bundle: bytes) -> bytes:
    """In its payload."""
    middle = len(bundle) // 2
    return bundle[:middle] + bytes([bundle[middle] ^ 1]) + bundle[middle + 1 :]
