"""An inbound agent at its desk: takes every call there is a seat for, and keeps one call's trouble to that call."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

import trio

from app.conversation import converse
from app.ports import Brain, Call, Ears, Ended, Ledger, SessionLog, Voice, VoiceActivity
from app.reply import Parts
from app.settings import Agent

BUSY_HERE = 486
SERVER_INTERNAL_ERROR = 500
# A PBX on the same network answers a BYE within milliseconds; two seconds cover one retransmission (RFC 3261 T1..T2).
_HANG_UP_S = 2.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What an agent works with. `brain`, `activity` and `recording` make a new one for each call."""

    ears: Ears
    voice: Voice
    ledger: Ledger
    brain: Callable[[], Brain]
    activity: Callable[[], VoiceActivity]
    recording: Callable[[Call, SessionLog], AbstractAsyncContextManager[None]]


async def attend(incoming: AsyncIterable[Call], desk: Desk, agent: Agent) -> None:
    """Answer calls until cancelled. A call beyond `max_opened_sessions` hears "busy", and the log says why."""
    taken: set[str] = set()

    async def take(call: Call) -> None:
        try:
            await take_call(call, desk, agent)
        finally:
            taken.discard(call.id)

    async with trio.open_nursery() as calls:
        async for call in incoming:
            if len(taken) < agent.max_opened_sessions:
                taken.add(call.id)
                calls.start_soon(take, call)
            else:
                _log.warning(
                    "call refused with 486 Busy Here: every seat of the agent is taken; raise its Max opened sessions",
                    extra={"call_id": call.id, "agent": agent.name, "seats": agent.max_opened_sessions},
                )
                calls.start_soon(call.hang_up, BUSY_HERE)


async def take_call(call: Call, desk: Desk, agent: Agent) -> None:
    """One call from ringing to its last line in the ledger. Whatever goes wrong in it ends here."""
    session = desk.ledger.open_session(call_id=call.id, agent=agent.name, direction=call.direction, remote=call.remote)
    brain = desk.brain()
    outcome = "box stopped"
    try:
        outcome = await _answered(call, desk, agent, brain, session)
    except Exception:  # noqa: BLE001 - the wall between calls: a bug in one must not end the others
        outcome = "failed: error on the box"
        _log.exception("call failed", extra={"call_id": call.id})
    finally:
        ended_by = "nobody in time"
        with trio.move_on_after(_HANG_UP_S, shield=True):
            await call.hang_up(SERVER_INTERNAL_ERROR)
            ended_by = (await call.ended()).by.value
        session.close(outcome, ended_by, brain.results)


async def _answered(call: Call, desk: Desk, agent: Agent, brain: Brain, session: SessionLog) -> str:
    await call.answer()
    connection = await call.connected()
    if isinstance(connection, Ended):
        return f"ended by {connection.by.value} before it was answered"
    session.connected(connection.codec)
    _log.info("call answered", extra={"call_id": call.id, "codec": connection.codec})
    async with desk.recording(call, session), desk.ears.open(narrow_band=connection.narrow_band) as hearing:
        return await converse(call, Parts(hearing, desk.activity(), desk.voice, brain, session, agent))
