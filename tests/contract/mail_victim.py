"""A process for tests/contract/test_mail_killed.py: calls end in it, one after the other, and somebody is told by
e-mail. It prints the number of each call whose end is on the disk. `python -m tests.contract.mail_victim FOLDER PORT
FIRST`."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from firmware.storage import letter_records
from tests.contract.mail_box import OWNER, box


async def main(folder: Path, port: int, first: int) -> None:
    letter_records.RESULTS_S = -1.0  # no language model writes down results
    async with box(folder, delays_s=(0.01,) * 10_000) as b:
        await b.has_agent(OWNER)
        await b.sends_by(port)
        for number in range(first, first + 1000):
            b.ended(str(number))
            await b.store.settled()
            print(number, flush=True)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
