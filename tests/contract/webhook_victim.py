"""A process for tests/contract/test_webhooks_killed.py: calls end in it, one after the other, and the webhook is told.
It prints the id of each call whose end is on the disk. `python -m tests.contract.webhook_victim FOLDER URL FIRST`."""

from __future__ import annotations

import sys
from pathlib import Path

import trio

from tests.contract.webhook_box import box


async def main(folder: Path, url: str, first: int) -> None:
    async with box(folder, delays_s=(0.01,) * 10_000) as b:
        await b.points_to(url)
        for number in range(first, first + 1000):
            await b.ended(f"c{number}")
            await b.store.settled()
            print(f"c{number}", flush=True)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
