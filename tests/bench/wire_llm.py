"""`just bench wire-llm`: what a language model adds to the time until an agent answers, on the wire.

The callers, lines and edges of `just bench wire`, over G.711, to two agents of one box in turn: one thinks on the box,
the other asks a language model over real HTTP, on the same machine, that answers at once and has all the tools that it
would have in an office. So what is added is ours: asking, reading, cutting into clauses.

    over_offline_ms  median response with the model, minus that without, in the same run

Nothing is said of how long a real model thinks: that comes on top, and is the model's.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from app.control.connectivity import ConnectivityView
from tests.bench.report import percentiles, publish
from tests.bench.turn_taking import Answer
from tests.bench.wire import BOX_RTP, LINES, PBX_RTP, SIP_PORT, VOICES, Measured, one_call, tell
from tests.fakes.model_server import ModelServer, Script, model_server
from tests.office.box import AGENT
from tests.office.pbx import OfficeAccount, Pbx, office_accounts, office_pbx
from tests.wire.phone_process import Phone, employed, phone

CALLS = 8  # to each of the two, of four turns: 32 turns each
CODEC = "PCMU"
OFFLINE, WITH_MODEL = "200", "201"  # their extensions
# As long as the answers of the example office, so that the voice has as much to make of its first clause.
ANSWER = "We are at 12 Harbour Street, on the first floor. It is next to the library, and the bus stops in front of it."


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="just bench wire-llm", description=__doc__)
    parser.add_argument("--calls", type=int, default=CALLS, help="to each of the two; fewer: the result is partial")
    calls: int = parser.parse_args(arguments).calls
    offline, with_model, asked = trio.run(_measure, calls)
    found = figures(offline, with_model, asked, partial=calls < CALLS)
    publish("wire-llm", found)
    return 0 if found["over_offline_ms"] is not None and asked else 1


async def _measure(calls: int) -> tuple[list[Measured], list[Measured], int]:
    """Without, with, and how often the model was asked. One call after the other, so that both see the same machine."""
    found: dict[str, list[Measured]] = {OFFLINE: [], WITH_MODEL: []}
    async with _office() as (pbx, line, server, folder):
        for number, voice in zip(range(calls), itertools.cycle(VOICES), strict=False):
            lines = LINES[(number + number // len(VOICES)) % len(LINES)]
            for user, measured in found.items():
                pcap = folder / f"{user}-{number}.pcap"
                made = await one_call(pbx, line.data / "deskbell.sqlite", CODEC, voice, lines, pcap, dial=user)
                measured.append(made)
                tell(f"{'with the model' if user == WITH_MODEL else 'offline'} {number + 1}/{calls}", made)
        return found[OFFLINE], found[WITH_MODEL], len(server.questions)


@asynccontextmanager
async def _office() -> AsyncGenerator[tuple[Pbx, Phone, ModelServer, Path], None]:
    account = {user: OfficeAccount(user, codecs=("ulaw",)) for user in (OFFLINE, WITH_MODEL)}
    accounts = office_accounts(u200=account[OFFLINE], u201=account[WITH_MODEL])
    agent = tomllib.loads(AGENT.read_text())
    with tempfile.TemporaryDirectory(prefix="bench-wire-llm-") as scratch:
        async with (
            office_pbx(sip_port=SIP_PORT, rtp_ports=PBX_RTP, accounts=accounts) as pbx,
            model_server(Script([f"{word} " for word in ANSWER.split()])) as server,
            phone(Path(scratch), BOX_RTP) as line,
        ):
            await employed(line, pbx, agent, user=OFFLINE)
            engine = {"kind": "language-model", "base_url": server.base_url, "model": "stub"}
            model = await line.ask("create_connectivity", ConnectivityView, draft={"name": "Stub", "engine": engine})
            named = agent | {"name": "Reception with a model"}
            await employed(line, pbx, named, user=WITH_MODEL, language_model=model.id)
            yield pbx, line, server, Path(scratch)


def figures(
    offline: Sequence[Measured], with_model: Sequence[Measured], asked: int, *, partial: bool
) -> dict[str, Any]:
    """What is published."""
    without, with_ = _side(offline), _side(with_model)
    medians = with_["response_ms"]["p50"], without["response_ms"]["p50"]
    return {
        "partial": partial,
        "over_offline_ms": None if None in medians else medians[0] - medians[1],
        "offline": without,
        "model": with_,
        "questions_to_the_model": asked,
        "all": [{"brain": "offline", **each} for call in offline for each in call.details()]
        + [{"brain": "model", **each} for call in with_model for each in call.details()],
    }


def _side(measured: Sequence[Measured]) -> dict[str, Any]:
    turns = [turn for call in measured for turn in call.turns]
    answered = Counter(turn.answer for turn in turns)[Answer.ANSWERED]
    return {
        "response_ms": percentiles([turn.response_ms for turn in turns if turn.response_ms is not None]),
        "turns": len(turns),
        "turns_wrong": len(turns) - answered,
        "calls_failed": sum(bool(call.failure) for call in measured),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
