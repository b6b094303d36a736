"""A telephone of its own process, so that what kills it does not kill the tests.

`python -m tests.wire.victim HOST:PORT [srtp]` registers there, prints each registration cause, answers every call,
and ends when its standard input does.
"""

from __future__ import annotations

import sys

import trio

from firmware.telephony import Account
from tests.wire.box import connection_to, served


async def tell(line: Account) -> None:
    async for registration in line.registrations():
        print(registration.cause.name, flush=True)


async def answer(line: Account) -> None:
    async for call in line.incoming():
        await call.answer()


async def main(address: str, options: list[str]) -> None:
    srtp = "optional" if "srtp" in options else "off"
    async with served(connection_to(address, srtp=srtp)) as (_, (line,)), trio.open_nursery() as nursery:
        nursery.start_soon(tell, line)
        nursery.start_soon(answer, line)
        await trio.to_thread.run_sync(sys.stdin.read, abandon_on_cancel=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    trio.run(main, sys.argv[1], sys.argv[2:])
