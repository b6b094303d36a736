"""Every outcome that a call can have, through real signalling: our stack, a real Asterisk, and SIPp as the telephone
that is called."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from app.control.call_views import CallView
from app.control.refusals import Why
from firmware.storage import read_sessions
from firmware.telephony import Cause, EndpointConfig
from tests.office.pbx import Pbx, office_pbx
from tests.wire.box import becomes, connection, connection_to, until
from tests.wire.callee import ANSWERS, HUNG_UP, INVITED, IS_CANCELLED, RINGS, callee, refuses, says
from tests.wire.outgoing import Outgoing, outgoing

pytestmark = pytest.mark.wire

SHORT_RING_S = 5
"""As short as may be asked for."""


@asynccontextmanager
async def at_work(
    pbx: Pbx, folder: Path, user: str = "200", *, seats: int = 2, config: EndpointConfig | None = None
) -> AsyncGenerator[Outgoing, None]:
    async with outgoing(connection(pbx, user), folder, seats=seats, config=config) as box:
        await becomes(box.account, Cause.REGISTERED)
        yield box


def told(call: CallView) -> tuple[str | None, int | None, str | None]:
    return call.outcome, call.sip_code, call.ended_by


async def test_answered_and_ended_by_either_side(pbx: Pbx, tmp_path: Path) -> None:
    async with at_work(pbx, tmp_path) as box:
        async with callee(tmp_path, RINGS, '<pause milliseconds="1500"/>', ANSWERS, HUNG_UP, says(200)) as number:
            call = await box.place(number)
            await box.becomes(call, "talking")
            await trio.sleep(1)
            over = await box.hang_up(call)
        assert told(over) == ("answered", 200, "agent")
        assert over.ring_ms is not None
        assert over.talk_ms is not None
        assert 1_400 <= over.ring_ms <= 4_000
        assert 900 <= over.talk_ms <= 4_000
        call = await box.place("602")
        await box.becomes(call, "talking")
        await pbx.rx("channel request hangup all")
        assert told(await box.becomes(call, "over")) == ("answered", 200, "callee")


TELEPHONES = (
    (RINGS + refuses(486), "busy", 486),
    (INVITED + refuses(600), "busy", 486),  # Asterisk passes causes on, not codes: 600 is "user busy" too
    (RINGS + refuses(603), "declined", 403),
    (RINGS + refuses(403), "declined", 403),
    (RINGS + refuses(480), "no answer", 480),
    (INVITED + refuses(480), "no answer", 480),
    (RINGS + refuses(408), "no answer", 408),
    (INVITED + refuses(404), "unreachable", 404),
    (INVITED + refuses(484), "unreachable", 484),
    (INVITED + refuses(410), "unreachable", 410),
    (INVITED + refuses(500), "network error", 500),
    (INVITED + refuses(503), "network error", 503),
    (INVITED + refuses(488), "failed", 488),
)
"""What the telephone says; the outcome and the code that it has with us."""

ASTERISK = (
    ("603", "busy", 486),
    ("604", "network error", 503),
    ("605", "failed", 403),
    ("606", "unreachable", 484),
    ("607", "unreachable", 410),
    ("608", "network error", 408),  # a time-out, and nothing rang
    ("699", "unreachable", 404),
    ("101", "unreachable", 404),  # an extension whose telephone is not there
)
"""Numbers that the PBX answers for itself."""


async def test_what_the_telephone_says(pbx: Pbx, tmp_path: Path) -> None:
    found = []
    async with at_work(pbx, tmp_path) as box:
        for steps, *_ in TELEPHONES:
            async with callee(tmp_path, steps) as number:
                over = await box.outcome(number)
            [session] = [each for each in read_sessions(tmp_path / "box.sqlite") if each.id == over.session_id]
            assert (session.outcome, session.sip_code, session.direction) == (over.outcome, over.sip_code, "outbound")
            found.append((steps, over.outcome, over.sip_code))
    assert found == list(TELEPHONES)


async def test_what_the_pbx_says_itself(pbx: Pbx, tmp_path: Path) -> None:
    found = []
    async with at_work(pbx, tmp_path) as box:
        for number, *_ in ASTERISK:
            over = await box.outcome(number)
            assert over.ring_ms == over.talk_ms == 0
            found.append((number, over.outcome, over.sip_code))
    assert found == list(ASTERISK)


async def test_nobody_picks_up(pbx: Pbx, tmp_path: Path) -> None:
    async with at_work(pbx, tmp_path) as box, callee(tmp_path, RINGS, IS_CANCELLED) as number:
        over = await box.outcome(number, ring_s=SHORT_RING_S)
    assert told(over) == ("no answer", 487, "agent")
    assert over.ring_ms is not None
    assert 3_000 <= over.ring_ms <= 6_000
    assert over.outcome_text.startswith("No answer: it rang for ")


async def test_cancelled_while_it_rings(pbx: Pbx, tmp_path: Path) -> None:
    async with at_work(pbx, tmp_path) as box, callee(tmp_path, RINGS, IS_CANCELLED) as number:
        call = await box.place(number)
        await until(lambda: _rings(box))
        over = await box.hang_up(call)
    assert told(over) == ("cancelled", 487, "agent")


async def _rings(box: Outgoing) -> bool:
    await trio.lowlevel.checkpoint()
    return any(call.progress.rang_s for call in box.account.calls)


async def test_no_codec_in_common(pbx: Pbx, tmp_path: Path) -> None:
    config = EndpointConfig(codecs=("PCMU",))
    async with at_work(pbx, tmp_path, "alaw", config=config) as box:
        over = await box.outcome("600")
    assert told(over) == ("failed", 488, "network")
    assert "no codec in common" in over.outcome_text


async def test_the_pbx_is_dead(tmp_path: Path) -> None:
    async with office_pbx() as pbx, at_work(pbx, tmp_path) as box:
        await pbx.die()
        over = await box.outcome("101", ring_s=SHORT_RING_S)
    assert (over.outcome, over.sip_code, over.ring_ms) == ("network error", 0, 0)


async def test_nothing_listens_on_tcp(tmp_path: Path) -> None:
    async with outgoing(connection_to("127.0.0.1:9", transport="tcp"), tmp_path) as box:
        await becomes(box.account, Cause.UNREACHABLE)
        over = await box.outcome("101")
    assert (over.outcome, over.sip_code, over.ended_by) == ("network error", 0, "network")


async def test_the_pbx_is_in_no_directory(tmp_path: Path) -> None:
    async with outgoing(connection_to("pbx.invalid"), tmp_path) as box:
        await becomes(box.account, Cause.DOMAIN_NOT_FOUND)
        over = await box.outcome("101")
    assert told(over) == ("network error", 0, "network")
    assert "no connection to the PBX" in over.outcome_text


async def test_no_seat_for_a_call_in_or_out(pbx: Pbx, tmp_path: Path) -> None:
    async with at_work(pbx, tmp_path, seats=1) as box, callee(tmp_path, RINGS, IS_CANCELLED) as number:
        call = await box.place(number)
        assert (await box.refused("602")).why is Why.NOT_NOW
        await pbx.originate("200", "Wait", "30")
        await until(lambda: _refused_one(tmp_path))
        assert (await box.hang_up(call)).outcome == "cancelled"
        free = await box.place("602")
        await box.becomes(free, "talking")
        assert (await box.hang_up(free)).outcome == "answered"


async def _refused_one(folder: Path) -> bool:
    found = await trio.to_thread.run_sync(read_sessions, folder / "box.sqlite")
    return [each.sip_code for each in found if each.outcome == "capacity"] == [486]
