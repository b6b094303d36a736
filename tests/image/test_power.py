"""The plug is pulled at random moments: while an update is installed, at the first start after it, and at the first
start of all. Each time the box comes up again, with its settings, with a version that works, and can be updated.

One machine installs one update and starts it. At each of the moments it stands still while its disk is copied: that is
the card which a pulled plug would have left. Each card is looked at from outside, and started.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from tests.image.bundles import bundle_with
from tests.image.cards import Card, connections, note
from tests.image.machine import Machine, machine, trusted
from tests.image.owner import BOOT_S, MINUTES_S, PROVEN_S, UPDATE, Owner, counted
from tests.image.subject import SLOT
from tests.web.appliance import PASSWORD
from tests.web.site import filled_well
from tests.web.visitor import visitor

pytestmark = [pytest.mark.image, pytest.mark.timeout(5400)]

SEED = 20261127
WHILE_INSTALLING, WHILE_STARTING = 10, 10
INSTALL_S, START_S = 120.0, 240.0
"""In a machine made of software, on a core of its own: the moments are spread over so much."""

OLD, NEW = "0.1.0", "0.1.1"
CHANNEL = "Office"
GROWING_S = (10.0, 90.0)
"""After the boot loader: the first stage lets the partition grow, and the system its file system a minute later."""

FIRST_CUTS = 3


@dataclass(frozen=True, slots=True)
class Left:
    """`cards`: in the order of time. `certificate`: of the page. `new`: what the second slot holds after the update."""

    cards: list[Path]
    certificate: Path
    new: Path


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    """Takes twenty minutes and as many gigabytes."""
    folder = tmp_path_factory.mktemp("power")
    yield trio.run(_cut, folder)
    shutil.rmtree(folder)


async def _cut(folder: Path) -> Left:
    dice = random.Random(SEED)
    print(f"moments by seed {SEED}")
    new = folder / "new.img"
    bundle = await trio.to_thread.run_sync(bundle_with, folder, NEW, {}, new)
    cards: list[Path] = []
    async with machine(folder) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        certificate = await trusted(box, folder)
        async with visitor(box.address, certificate) as browser:
            await browser.first_boot(code, PASSWORD)
            assert (await browser.send(filled_well(await browser.form("/channels/new"), CHANNEL))).is_redirect
            owner = Owner(browser, box)
            await owner.sees(PROVEN_S, "A (runs)", OLD)
            await counted(box, A_OK="1", A_TRY="0")
            await owner.uploads(bundle, NEW)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_leave, box, WHILE_INSTALLING, INSTALL_S, dice, cards)
                await owner.presses(f"{UPDATE}/install")
                await owner.sees(MINUTES_S, "Restart the box")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_leave, box, WHILE_STARTING, START_S, dice, cards)
                await owner.presses(f"{UPDATE}/restart", when="now")
                await owner.sees(PROVEN_S, "B (runs)", f"{NEW}, which works")
    return Left(cards, certificate, new)


async def _leave(box: Machine, number: int, within_s: float, dice: random.Random, cards: list[Path]) -> None:
    """So many cards, at random moments."""
    began = trio.current_time()
    for moment in sorted(dice.uniform(0, within_s) for _ in range(number)):
        await trio.sleep_until(began + moment)
        card = box.serial.with_name(f"card-{len(cards)}.img")
        await trio.to_thread.run_sync(box.leave, card)
        cards.append(card)


ALL = range(WHILE_INSTALLING + WHILE_STARTING)


@pytest.mark.parametrize("number", ALL)
def test_what_is_left_is_whole(left: Left, number: int, tmp_path: Path) -> None:
    """Before anything starts from it, which mends what it can."""
    card = Card(left.cards[number])
    assert card.loader_is_whole()
    assert card.slot_is("A", SLOT), "what runs is not touched"
    counts = card.counts()
    assert counts.keys() >= {"ORDER", "A_OK", "A_TRY", "B_OK", "B_TRY"}
    assert counts["A_OK"] == "1"
    if counts["B_OK"] == "1":
        assert card.slot_is("B", left.new), "nothing starts that is half written"
    with card.data(tmp_path) as data:
        assert connections(data) == [CHANNEL]
        trial = note(data)
        assert trial is None or trial.version == NEW
        assert trial is not None or counts["B_OK"] == "0", "what is installed is noted: it has to prove itself"


@pytest.mark.parametrize("number", ALL)
async def test_it_comes_up_again(left: Left, number: int, tmp_path: Path) -> None:
    left.cards[number].rename(tmp_path / "disk.img")
    async with machine(tmp_path) as box, visitor(box.address, left.certificate) as browser:
        owner = Owner(browser, box)
        text = await owner.sees(BOOT_S, "(runs)")
        slot, version = ("B", NEW) if "B (runs)" in text else ("A", OLD)
        assert f"Deskbell {version}" in text
        await counted(box, PROVEN_S, **{f"{slot}_OK": "1", f"{slot}_TRY": "0"})
        assert CHANNEL in await owner.sees(BOOT_S, path="/channels")
        await _can_be_updated(owner)


async def _can_be_updated(owner: Owner) -> None:
    """By the bundle that was uploaded before, if it was not installed."""
    text = await owner.sees(BOOT_S, "A newer version")
    if "An update lies here" in text:
        await owner.presses(f"{UPDATE}/check")
        await owner.sees(MINUTES_S, f"Install {NEW}")


async def test_the_first_start_of_all_while_the_data_partition_grows(tmp_path: Path) -> None:
    """Each start goes on where the one before was cut. Three are all that the boot loader gives a slot, and then there
    is no other one to take."""
    dice = random.Random(SEED)
    for start in range(1, FIRST_CUTS + 1):
        async with machine(tmp_path) as box:
            await box.said(r"(Booting `Slot A')", BOOT_S, times=start)
            await trio.sleep(dice.uniform(*GROWING_S))
            box.pull_the_plug()
    async with machine(tmp_path) as box:
        await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        await counted(box, A_OK="1", A_TRY="0")
        grown = box.data_bytes()
        box.pull_the_plug()
    card = Card(tmp_path / "disk.img")
    with card.data(tmp_path) as data:
        assert connections(data) == []
    assert 0 <= grown - card.data_file_system_bytes() < 2**20
