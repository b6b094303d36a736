"""Power cuts while calls end and the webhook is told: whatever ended is told, and nothing under two names."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import trio

from app.control.webhook import ListDeliveries
from tests.contract.webhook_box import Box, box, eventually
from tests.fakes.webhook_receiver import FAILED, TAKEN, Receiver, receiver
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

CUTS = 6


async def test_whatever_ended_is_told_at_least_once_and_always_under_the_same_name(tmp_path: Path) -> None:
    dice = random.Random(7)
    async with receiver() as there:
        there.answer = lambda _: TAKEN if dice.random() < 0.7 else FAILED
        ended: list[str] = []
        for cut in range(CUTS):
            ended += await lived(tmp_path, there.url, first=1000 * cut, calls=dice.randint(1, 12))
        assert len(ended) >= CUTS
        there.answers(TAKEN)
        async with box(tmp_path) as b:
            await eventually(lambda: nothing_waits(b))
            states = {each.state for each in (await b.verbs.list_deliveries(ListDeliveries(limit=200))).items}
    assert states == {"delivered"}
    names = names_of(there)
    assert set(ended) <= names.keys()
    assert {call: len(ids) for call, ids in names.items() if len(ids) != 1} == {}


async def lived(folder: Path, url: str, *, first: int, calls: int) -> list[str]:
    """Run the victim until it has told of so many calls that they ended, and kill it; those calls."""
    command = [sys.executable, "-m", "tests.contract.webhook_victim", str(folder), url, str(first)]
    process = await trio.lowlevel.open_process(command, stdout=subprocess.PIPE)
    assert process.stdout
    said = b""
    try:
        with trio.fail_after(PATIENCE_S):
            while said.count(b"\n") < calls:
                data = await process.stdout.receive_some()
                assert data, "it ended by itself"
                said += data
    finally:
        process.kill()
        await process.wait()
        await process.stdout.aclose()
    return said.decode().split("\n")[:-1]


async def nothing_waits(b: Box) -> bool:
    untold = "SELECT count(*) FROM sessions WHERE told = 0 AND outcome IS NOT NULL"
    (left,) = await b.store.transact(lambda db: db.execute(untold).fetchone())
    found = await b.verbs.list_deliveries(ListDeliveries(state="waiting"))
    return not left and not found.items


def names_of(there: Receiver) -> dict[str, set[str]]:
    """Each call that was told of, with the deliveries that told of it."""
    names: dict[str, set[str]] = defaultdict(set)
    for told in there.told:
        body = json.loads(told.body)
        names[body["call"]["id"]].add(body["delivery"])
    return names
