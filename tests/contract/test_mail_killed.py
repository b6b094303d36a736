"""Power cuts while calls end and e-mails are sent: whatever ended is told of, and always under the same Message-ID."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest
import trio

from firmware.storage import letter_records
from tests.contract.mail_box import Box, box
from tests.contract.webhook_box import eventually
from tests.fakes.mail_server import TAKEN, Post, mail_server
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

CUTS = 5


async def test_whatever_ended_is_mailed_and_always_under_the_same_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letter_records, "RESULTS_S", -1.0)
    dice = random.Random(7)
    async with mail_server() as post:
        post.of_message = lambda _: dice.choice((TAKEN, TAKEN, TAKEN, "451 4.3.0 later", None))
        ended: list[str] = []
        for cut in range(CUTS):
            ended += await _lived(tmp_path, post.port, first=1000 * cut, calls=dice.randint(1, 10))
        assert len(ended) >= CUTS
        post.of_message = lambda _: TAKEN
        async with box(tmp_path) as b:
            await eventually(lambda: _nothing_waits(b))
            assert set(await b.states()) == {"delivered"}
        names = _names_of(post)
    assert set(ended) <= names.keys()
    assert {call: ids for call, ids in names.items() if len(ids) != 1} == {}


async def _lived(folder: Path, port: int, *, first: int, calls: int) -> list[str]:
    """Run the victim until it has told of so many calls that they ended, and kill it; those calls."""
    command = [sys.executable, "-m", "tests.contract.mail_victim", str(folder), str(port), str(first)]
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


async def _nothing_waits(b: Box) -> bool:
    unmailed = "SELECT count(*) FROM sessions WHERE mailed = 0 AND outcome IS NOT NULL"
    (left,) = await b.store.transact(lambda db: db.execute(unmailed).fetchone())
    return not left and "waiting" not in await b.states()


def _names_of(post: Post) -> dict[str, set[str]]:
    """Each call that was told of, with the Message-IDs that told of it."""
    names: dict[str, set[str]] = defaultdict(set)
    for message in post.got:
        names[message["Subject"].rpartition(" ")[2]].add(message["Message-ID"])
    return names
