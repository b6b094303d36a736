"""What every ledger does: the fake of the scenes and the one on the disk."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest
import trio

from app.ports import Ledger, Line, SessionLog
from app.turn_times import Turn
from firmware.storage import SqliteLedger, ledger
from tests.fakes.ledger import TALKED, FakeLedger
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

TURN = Turn(speech_end_ms=2000, commit_ms=2450, first_audio_ms=2520, decode_ms=31.5, brain_ms=0.5, voice_ms=23.0)


class Clock:
    """Each look at it is a second later."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


class Opener(Protocol):
    def __call__(self) -> AbstractAsyncContextManager[SqliteLedger | FakeLedger]: ...


@pytest.fixture(params=["fake", "real"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    clock = Clock()

    @asynccontextmanager
    async def fake() -> AsyncGenerator[FakeLedger, None]:
        yield FakeLedger(clock)

    def real() -> AbstractAsyncContextManager[SqliteLedger]:
        return ledger(tmp_path / "deskbell.db", now=clock)

    return fake if request.param == "fake" else real


def open_session(kept: Ledger, call_id: str = "call-1") -> SessionLog:
    return kept.open_session(call_id=call_id, agent="Reception", direction="inbound", remote="101")


async def settled(kept: SqliteLedger | FakeLedger) -> None:
    with trio.fail_after(PATIENCE_S):
        await kept.settled()


async def test_a_whole_call_is_kept(opened: Opener) -> None:
    async with opened() as kept:
        log = kept.open_session(call_id="call-1", agent="Reception", direction="inbound", remote="101")
        log.connected("G722")
        log.recorded(Path("recordings/call-1.flac"))
        log.line(Line("agent", "Good day.", 0, 900))
        log.line(Line("caller", "Wo können Sie parken? ☎", 1000, 2000))
        log.line(Line("agent", "Behind the", 2520, 3300, interrupted=True))
        log.turn(TURN)
        log.close(TALKED, "message taken", {"message_name": "Zoë"})
        await settled(kept)
        detail = await kept.session(log.id)
        assert detail is not None
        assert detail.lines == (
            Line("agent", "Good day.", 0, 900),
            Line("caller", "Wo können Sie parken? ☎", 1000, 2000),
            Line("agent", "Behind the", 2520, 3300, interrupted=True),
        )
        assert detail.turns == (TURN,)
        call = detail.summary
        assert (call.call_id, call.agent, call.direction, call.remote) == ("call-1", "Reception", "inbound", "101")
        assert (call.codec, call.outcome, call.ended_by) == ("G722", "answered", "caller")
        assert (call.conclusion, call.sip_code, call.sip_reason) == ("message taken", 200, "BYE")
        assert (call.ring_ms, call.talk_ms) == (0, 3000)
        assert call.results == {"message_name": "Zoë"}
        assert call.recording == Path("recordings/call-1.flac")
        assert call.connected_at == call.started_at + timedelta(seconds=1)
        assert call.ended_at == call.started_at + timedelta(seconds=2)
        assert await kept.sessions() == [call]


async def test_notes_and_what_was_found_out_after_the_call_are_kept(opened: Opener) -> None:
    async with opened() as kept:
        log = kept.open_session(call_id="call-1", agent="Reception", direction="inbound", remote="101")
        log.note(1200, "The receptionist answered.")
        log.note(2400, "The receptionist answered.")
        log.close(TALKED, "", {"message_name": "Zoe"})
        log.found({"name": "Zoë", "urgent": "yes"})
        await settled(kept)
        detail = await kept.session(log.id)
        assert detail is not None
        assert [(note.at_ms, note.text) for note in detail.notes] == [
            (1200, "The receptionist answered."),
            (2400, "The receptionist answered."),
        ]
        assert detail.summary.results == {"name": "Zoë", "urgent": "yes"}


async def test_an_open_call_shows_what_it_has_so_far(opened: Opener) -> None:
    async with opened() as kept:
        log = open_session(kept)
        log.line(Line("agent", "Good day.", 0, 900))
        await settled(kept)
        [call] = await kept.sessions()
        assert call.outcome is None
        assert call.ended_at is None
        detail = await kept.session(call.id)
        assert detail is not None
        assert len(detail.lines) == 1


async def test_lines_come_in_the_order_in_which_they_were_said(opened: Opener) -> None:
    """An agent's line is written when it ends: after the caller's that interrupted it."""
    async with opened() as kept:
        log = kept.open_session(call_id="call-1", agent="Reception", direction="inbound", remote="101")
        log.line(Line("caller", "Stop.", 700, 900))
        log.line(Line("agent", "We are", 0, 800, interrupted=True))
        await settled(kept)
        detail = await kept.session(log.id)
        assert detail is not None
        assert [line.speaker for line in detail.lines] == ["agent", "caller"]


async def test_calls_at_once_do_not_mix_and_the_newest_comes_first(opened: Opener) -> None:
    async with opened() as kept:
        logs = [
            kept.open_session(call_id=f"call-{number}", agent="Reception", direction="inbound", remote="101")
            for number in range(5)
        ]
        for number, log in enumerate(logs):
            log.line(Line("caller", f"I am {number}", 0, 100))
        logs[3].close(TALKED, "done", {})
        await settled(kept)
        assert [call.call_id for call in await kept.sessions()] == [f"call-{number}" for number in (4, 3, 2, 1, 0)]
        assert [call.call_id for call in await kept.sessions(limit=2)] == ["call-4", "call-3"]
        assert [call.outcome for call in await kept.sessions()] == [None, "answered", None, None, None]
        for number, log in enumerate(logs):
            detail = await kept.session(log.id)
            assert detail is not None
            assert [line.text for line in detail.lines] == [f"I am {number}"]


async def test_an_unknown_session_is_none(opened: Opener) -> None:
    async with opened() as kept:
        await settled(kept)
        assert await kept.session("nothing") is None
        assert await kept.sessions() == []


async def test_nothing_personal_shows_in_a_repr(opened: Opener) -> None:
    async with opened() as kept:
        log = kept.open_session(call_id="call-1", agent="Reception", direction="inbound", remote="0123456")
        log.line(Line("caller", "my card number", 0, 100))
        log.close(TALKED, "done", {"message_name": "Zoë"})
        await settled(kept)
        shown = repr(await kept.session(log.id))
        assert "call-1" in shown
        assert not [secret for secret in ("0123456", "card", "Zoë") if secret in shown]
