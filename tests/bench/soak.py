"""`just bench soak`: a thousand calls whose callers hang up when nobody expects it; is everything then as before?

A real Asterisk, the real box, and callers who leave at a random moment of each kind (tests/office/hang_ups.py says
which), several at a time. Those whom they want to speak to sometimes take the call. What the box has open is counted
after the first calls and after the last ones, each time once nobody has been on the line for a while.

    grown         after the calls, against before
    pss_mb_later  memory (PSS of all processes) after each quarter of the calls: does it level off?
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import trio

from firmware.storage import read_sessions
from firmware.telephony import Account, Call, Cause, EndpointConfig
from tests.bench.processes import Open, open_in_tree
from tests.bench.report import publish
from tests.office.box import Box, office_box
from tests.office.hang_ups import VOICES, Moment, Sounds, call_and_leave, sounds
from tests.office.pbx import OfficeAccount, Pbx, office_accounts, office_pbx
from tests.patience import PATIENCE_S
from tests.wire.box import becomes, connection, served

CALLS, AT_ONCE, WARM_UP = 1000, 6, 60
SIP_PORT, PBX_RTP, BOX_RTP = 15_240, (23_000, 23_399), (23_400, 23_599)
# Threads that Trio keeps for the next one leave after 10 s without work.
_QUIET_S = 14.0
_PARTS = 4
_SEATS = 2 * AT_ONCE  # who rings again at once finds one, though the call before is still being written down


@dataclass(frozen=True, slots=True)
class Standing:
    """What the box has open while nobody is on the line."""

    open: Open
    tasks: int
    sessions_open: int
    channels: int

    def figures(self) -> dict[str, float]:
        return {
            **asdict(self.open),
            "tasks": self.tasks,
            "sessions_open": self.sessions_open,
            "channels": self.channels,
        }


@dataclass
class Made:
    """What became of the calls."""

    moments: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    hung: list[str] = field(default_factory=list)
    transfers_taken: int = 0

    @property
    def calls(self) -> int:
        return self.moments.total()


class Office:
    """Callers with a telephone each, whom the others may be put through to."""

    def __init__(self, pbx: Pbx, box: Box, phones: Sequence[Account], spoken: Sequence[Sounds], chance: Random) -> None:
        self._pbx, self._box, self._phones, self._spoken, self._chance = pbx, box, phones, spoken, chance
        self.made = Made()

    async def call(self, calls: int) -> None:
        """So many, each telephone its part."""
        moments = list(itertools.islice(itertools.cycle(Moment), calls))
        self._chance.shuffle(moments)
        left = iter(moments)
        async with trio.open_nursery() as nursery:
            for phone in self._phones:
                nursery.start_soon(self._keep_calling, phone, left)

    async def take_calls(self) -> None:
        """As people do whom somebody is put through to: some let it ring."""
        async with trio.open_nursery() as nursery:
            for phone in self._phones:
                nursery.start_soon(self._take, phone, nursery)

    async def standing(self) -> Standing:
        """Once nobody is on the line, and has not been for a while. Raises: trio.TooSlowError."""
        with trio.fail_after(PATIENCE_S):
            while self._box.stats()["calls"] or await self._pbx.channels() or self._open_sessions():  # noqa: ASYNC110
                await trio.sleep(0.5)
        await trio.sleep(_QUIET_S)
        opened = await trio.to_thread.run_sync(open_in_tree, self._box.pid)
        return Standing(opened, self._box.stats()["tasks"], self._open_sessions(), len(await self._pbx.channels()))

    async def _keep_calling(self, phone: Account, left: Iterator[Moment]) -> None:
        for moment in left:
            try:
                spoken = self._chance.choice(self._spoken)
                answered = await call_and_leave(phone, "200", moment, self._chance, spoken)
                self.made.answered += answered
            except trio.TooSlowError:
                self.made.hung.append(moment.value)
            self.made.moments[moment.value] += 1
            if self.made.calls % 50 == 0:
                print(f"{self.made.calls} calls", flush=True)

    async def _take(self, phone: Account, nursery: trio.Nursery) -> None:
        async for call in phone.incoming():
            nursery.start_soon(self._answer, call)

    async def _answer(self, call: Call) -> None:
        with trio.move_on_after(self._chance.uniform(0.2, 5)):
            await call.ended()
            return
        if self._chance.random() < 0.5:
            await call.answer()
            self.made.transfers_taken += 1
            with trio.move_on_after(self._chance.uniform(0.2, 3)):
                await call.ended()
        await call.hang_up(486)

    def _open_sessions(self) -> int:
        return sum(session.outcome is None for session in read_sessions(self._box.sessions, 100_000))


@asynccontextmanager
async def soaking(folder: Path, at_once: int) -> AsyncGenerator[Office, None]:
    """The box, the PBX that passes a hold on to it, and `at_once` telephones that also take calls."""
    accounts = office_accounts(u200=OfficeAccount("200", more="moh_passthrough = yes"))
    async with AsyncExitStack() as stack:
        pbx = await stack.enter_async_context(office_pbx(sip_port=SIP_PORT, rtp_ports=PBX_RTP, accounts=accounts))
        box = await stack.enter_async_context(office_box(pbx, folder, seats=_SEATS, rtp_ports=BOX_RTP))
        users = [connection(pbx, str(101 + number)) for number in range(at_once)]
        config = EndpointConfig(user_agent="Deskbell/soak", codecs=("G722", "PCMU"))
        _, phones = await stack.enter_async_context(served(*users, config=config))
        for phone in phones:
            await becomes(phone, Cause.REGISTERED)
        office = Office(pbx, box, phones, [await sounds(voice) for voice in VOICES], Random(1))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(office.take_calls)
            yield office
            nursery.cancel_scope.cancel()


def figures(made: Made, standings: Sequence[Standing], calls: int) -> dict[str, Any]:
    """What is published. `standings`: before `calls` calls, and after each part of them."""
    first, last = standings[0].figures(), standings[-1].figures()
    grown = {name: round(last[name] - first[name], 1) for name in first}
    return {
        "calls": calls,
        "answered": made.answered,
        "hung": len(made.hung),
        "transfers_taken": made.transfers_taken,
        "by_moment": dict(made.moments),
        "before": first,
        "after": last,
        "grown": grown,
        "pss_mb_later": [standing.open.pss_mb for standing in standings[1:]],
        "all_hung": made.hung,
    }


def is_as_before(published: dict[str, Any]) -> bool:
    """Whether nothing is left of the calls. Memory is for people to judge."""
    counted = ("processes", "threads", "descriptors", "sockets", "tasks", "sessions_open", "channels")
    return not published["hung"] and all(published["grown"][name] <= 0 for name in counted)


async def measure(calls: int, at_once: int, warm_up: int, folder: Path, *, parts: int = 1) -> dict[str, Any]:
    async with soaking(folder, at_once) as office:
        await office.call(warm_up)
        standings = [await office.standing()]
        for _ in range(parts):
            await office.call(calls // parts)
            standings.append(await office.standing())
        return figures(office.made, standings, calls)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench soak", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, help="fewer: the result is partial")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, choices=range(1, 9), metavar="N")
    given = parser.parse_args(arguments)
    warm_up = min(WARM_UP, given.calls)
    with tempfile.TemporaryDirectory(prefix="bench-soak-") as scratch:
        whole = partial(measure, given.calls, given.at_once, warm_up, Path(scratch), parts=_PARTS)
        result = trio.run(whole)
    publish("soak", {"partial": given.calls < CALLS, **result})
    return 0 if is_as_before(result) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
