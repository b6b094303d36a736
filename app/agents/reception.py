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
# `Call.hang_up` itself gives up after two seconds, which cover the first retransmissions of a BYE (RFC 3261, T1).
_HANG_UP_S = 3.0
# RFC 3261's 64*T1: whoever has not acknowledged or opened the media by then never will. (A call that begins on hold.)
_MEDIA_S = 32.0

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
    """One call from ringing to its last line in the ledger: the wall between calls. A bug in one ends that one."""
    session: SessionLog | None = None
    brain: Brain | None = None
    outcome = "box stopped"
    try:
        session = desk.ledger.open_session(
            call_id=call.id, agent=agent.name, direction=call.direction, remote=call.remote
        )
        brain = desk.brain()
        outcome = await _answered(call, desk, agent, brain, session)
    except* Exception:  # noqa: BLE001 - the wall; a cancellation in the same group goes on
        outcome = "failed: error on the box"
        _log.exception("call failed", extra={"call_id": call.id})
    finally:
        ended_by = await _hung_up(call)
        if session:
            session.close(outcome, ended_by, brain.results if brain else {})


async def _hung_up(call: Call) -> str:
    """Hang up unless it is done already; who ended the call."""
    with trio.move_on_after(_HANG_UP_S, shield=True):
        await call.hang_up(SERVER_INTERNAL_ERROR)
        return (await call.ended()).by.value
    return "nobody in time"


async def _answered(call: Call, desk: Desk, agent: Agent, brain: Brain, session: SessionLog) -> str:
    await call.answer()
    connection = None
    with trio.move_on_after(_MEDIA_S):
        connection = await call.connected()
    if connection is None:
        return "failed: no audio"
    if isinstance(connection, Ended):
        return f"ended by {connection.by.value} before it was answered"
    session.connected(connection.codec)
    _log.info("call answered", extra={"call_id": call.id, "codec": connection.codec})
    async with desk.recording(call, session), desk.ears.open(narrow_band=connection.narrow_band) as hearing:
        return await converse(call, Parts(hearing, desk.activity(), desk.voice, brain, session, agent))
