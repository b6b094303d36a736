"""`just bench boot`: how large what users get is, and how long they wait for it. Needs root, the image (`just image
amd64`) and two cores to itself for a quarter of an hour: the box is a machine made of software (QEMU), with the tests'
Asterisk as its PBX. `just test-image` boots the same image.

A new box is switched on, given a connection and an agent, and updated; then it is switched off and on again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import trio

from tests.bench.report import publish
from tests.image.bundles import bundle_with
from tests.image.machine import LOOK_S, OFFICE, Machine, machine, trusted
from tests.image.office import ACCOUNTS, BOX, provisioned
from tests.image.owner import BOOT_S, MINUTES_S, PROVEN_S, UPDATE, Owner, counted
from tests.image.subject import IMAGE, SLOT
from tests.office.pbx import Pbx, office_pbx
from tests.web.appliance import PASSWORD
from tests.web.visitor import visitor

NEW = "0.1.1"
PARTS = ("sizes", "times")
CORES = 2
"""Of the machine made of software; a Raspberry Pi has four."""
_MB = 10**6
_AS_GIVEN_AWAY = 15  # the effort of `just bundle`
_PACKING_TIMEOUT_S = 3600


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench boot", description=__doc__)
    parser.add_argument(
        "--parts", nargs="+", choices=PARTS, default=PARTS, help="not all of them: the result is partial"
    )
    parts: Sequence[str] = parser.parse_args(arguments).parts
    if not IMAGE.exists():
        print("there is no image to boot: run sudo just image amd64", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="bench-boot-", dir=IMAGE.parent) as scratch:
        folder = Path(scratch)
        sizes = _sizes(folder) if "sizes" in parts else {}
        times = trio.run(_measure, folder, bundle_with(folder, NEW, {})) if "times" in parts else {}
    publish("boot", {"partial": set(parts) != set(PARTS), **sizes, **times})
    return 0


def _sizes(folder: Path) -> dict[str, Any]:
    bundle = bundle_with(folder, NEW, {}, effort=_AS_GIVEN_AWAY)
    return {"image_mb": _packed_mb(IMAGE), "rootfs_mb": _mb(SLOT.stat().st_size), "bundle_mb": _mb(len(bundle))}


def _packed_mb(image: Path) -> float:
    """As it is downloaded."""
    packed = subprocess.run(
        ["sh", "-c", 'zstd -19 -T1 --quiet --stdout "$0" | wc -c', str(image)],
        capture_output=True,
        timeout=_PACKING_TIMEOUT_S,
        check=True,
    )
    return _mb(int(packed.stdout))


def _mb(size: int) -> float:
    return round(size / _MB, 1)


async def _measure(folder: Path, bundle: bytes) -> dict[str, Any]:
    async with office_pbx(accounts=ACCOUNTS, seen_as=OFFICE) as pbx:
        async with machine(folder, cores=CORES) as box, AsyncExitStack() as open_:
            power_to_page_s, code = await _first_page(box)
            browser = await open_.enter_async_context(visitor(box.address, await trusted(box, folder)))
            await browser.first_boot(code, PASSWORD)
            owner = await provisioned(browser, box, pbx)
            await counted(box, A_OK="1", A_TRY="0")
            await owner.sees(PROVEN_S, "A (runs)", gone="looks whether everything works")
            await owner.uploads(bundle, NEW)
            update_downtime_s = await _updated(owner, pbx)
            await counted(box, B_OK="1", B_TRY="0")
        gone = (await pbx.contacts())[BOX]  # whose plug is pulled says good-bye to nobody
        began = trio.current_time()
        async with machine(folder, cores=CORES):  # at another port of this machine, behind which the box is
            await _until(pbx, lambda contact: contact not in (None, gone))
            power_to_registered_s = round(trio.current_time() - began, 1)
    return {
        "cores": CORES,
        "power_to_page_s": power_to_page_s,
        "power_to_registered_s": power_to_registered_s,
        "update_downtime_s": update_downtime_s,
    }


async def _first_page(box: Machine) -> tuple[float, str]:
    """Seconds until a new box shows it, and the set-up code."""
    began = trio.current_time()
    code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=BOOT_S) as stranger:  # noqa: S501 - read only
        (await stranger.get(f"{box.address}/first-boot")).raise_for_status()
    return round(trio.current_time() - began, 1), code


async def _updated(owner: Owner, pbx: Pbx) -> float:
    """Seconds without telephone: from the restart that somebody asks for to the new version's registration."""
    await owner.presses(f"{UPDATE}/install")
    await owner.sees(MINUTES_S, "Restart the box")
    began = trio.current_time()
    await owner.presses(f"{UPDATE}/restart", when="now")
    await _until(pbx, lambda contact: contact is None)
    await _until(pbx, lambda contact: contact is not None)
    return round(trio.current_time() - began, 1)


async def _until(pbx: Pbx, so: Callable[[str | None], bool]) -> None:
    """Of where the PBX reaches the box."""
    with trio.fail_after(PROVEN_S):
        while not so((await pbx.contacts()).get(BOX)):  # noqa: ASYNC110 - Asterisk calls nobody
            await trio.sleep(LOOK_S)
