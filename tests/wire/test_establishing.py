"""Calls that are not established because of their audio: what the other side offered is remembered."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from app.establishing import Encryption, Offer, Reason, Seen
from app.ports import Connected, Ended, EndedBy
from firmware.telephony import CODECS, Account, Cause
from tests.office.pbx import Pbx
from tests.patience import PATIENCE_S
from tests.wire.box import answered, becomes, connection_to, heard, registered, served, sip_log, until
from tests.wire.rude_server import RudeServer, rude_server
from tests.wire.sound import level, tone
from tests.wire.test_sipp import OFFER, branch_of_first, port_of, receive, request, sipp

pytestmark = pytest.mark.wire

OURS = Offer(CODECS)
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
GSM = f"{SDP}m=audio 9000 RTP/AVP 3\r\n"


async def _remembers(box: Account, true: Callable[[Seen], object]) -> Seen:
    async def remembers() -> bool:
        return bool(true(box.memory.seen()))

    await until(remembers)
    return box.memory.seen()


@asynccontextmanager
async def _registered(server: RudeServer) -> AsyncGenerator[Account, None]:
    async with served(connection_to(server.address)) as (_, (box,)):
        await becomes(box, Cause.REGISTERED)
        yield box


# -- callers ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("codec", ["gsm", "ilbc", "speex", "g726"])
async def test_the_pbx_has_only_a_codec_that_we_lack(pbx: Pbx, codec: str) -> None:
    async with registered(pbx, codec) as box:
        await pbx.originate(codec, "Wait", "30")
        [failed] = (await _remembers(box, lambda seen: seen.failed)).failed
        assert (failed.direction, failed.sip_code, failed.ours) == ("inbound", 488, OURS)
        assert failed.theirs is not None
        assert [each.casefold().partition("-")[0] for each in failed.theirs.codecs] == [codec]
        assert failed.reasons == (Reason.NO_COMMON_CODEC,)
        assert box.memory.seen().inbound_at is not None
        assert not box.calls


async def test_the_pbx_requires_encryption(pbx: Pbx) -> None:
    async with registered(pbx, "encrypted") as box:
        await pbx.originate("encrypted", "Wait", "30")
        [failed] = (await _remembers(box, lambda seen: seen.failed)).failed
        assert failed.theirs is not None
        assert failed.theirs.encryption is Encryption.SDES
        assert "opus" in failed.theirs.codecs
        assert failed.reasons == (Reason.ENCRYPTION_REQUIRED,)


async def test_we_require_encryption_and_the_pbx_has_none(pbx: Pbx) -> None:
    async with registered(pbx, srtp="mandatory") as box:
        await pbx.originate("200", "Wait", "30")
        [failed] = (await _remembers(box, lambda seen: seen.failed)).failed
        assert failed.reasons == (Reason.ENCRYPTION_MISSING,)


OFFERS = {
    "GSM and G.729": ("RTP/AVP 3 18", Offer(("GSM", "G729")), Reason.NO_COMMON_CODEC),
    "a browser's": ("UDP/TLS/RTP/SAVPF 8", Offer(("PCMA",), Encryption.DTLS), Reason.ENCRYPTION_REQUIRED),
}


@pytest.mark.parametrize("name", OFFERS)
async def test_a_stranger_s_stack_offers_what_we_lack(pbx: Pbx, tmp_path: Path, name: str) -> None:
    medium, theirs, reason = OFFERS[name]
    ack = request("ACK", 1, tag="[peer_tag_param]", branch=branch_of_first(3))
    invite = request("INVITE", 1, sdp=OFFER.replace("RTP/AVP 8", medium))
    steps = [invite, receive(100, optional=True), receive(488), ack]
    async with registered(pbx) as box:
        await sipp(tmp_path, "".join(steps), await port_of(pbx))
        [failed] = (await _remembers(box, lambda seen: seen.failed)).failed
        assert (failed.theirs, failed.reasons) == (theirs, (reason,))


async def test_a_refusal_that_is_not_about_audio_is_a_call_all_the_same() -> None:
    async with rude_server("200 OK", "Expires: 300\r\n") as server, _registered(server) as box:
        assert await server.invite(SDP) == 400  # no medium at all
        seen = await _remembers(box, lambda seen: seen.inbound_at)
        assert seen.failed == ()


async def test_a_call_that_is_established_is_remembered_too(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        assert box.memory.seen().registered_at is not None
        assert box.memory.seen().inbound_at is None
        await pbx.originate("200", "Echo")
        await answered(box)
        seen = box.memory.seen()
        assert seen.inbound_at is not None
        assert [direction for direction, _ in seen.established_at] == ["inbound"]
        assert seen.failed == ()


# -- calls that we place ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["gsm", "encrypted"])
async def test_the_pbx_does_not_take_our_audio_and_does_not_say_why(pbx: Pbx, user: str) -> None:
    async with registered(pbx, user) as box:
        ended = await (await box.dial("602")).connected()
        assert isinstance(ended, Ended)
        assert (ended.by, ended.sip_code) == (EndedBy.CALLER, 488)
        [failed] = box.memory.seen().failed
        assert (failed.direction, failed.sip_code, failed.reasons) == ("outbound", 488, (Reason.NOT_TOLD,))


@pytest.mark.parametrize("status", ["415 Unsupported Media Type", "488 Not Acceptable Here", "606 Not Acceptable"])
async def test_a_refusal_that_says_what_it_would_take(status: str) -> None:
    async with rude_server("200 OK", "Expires: 300\r\n") as server, _registered(server) as box:
        server.answers["INVITE"] = (status, GSM)
        ended = await (await box.dial("300")).connected()
        assert isinstance(ended, Ended)
        assert ended.sip_code == int(status[:3])
        [failed] = box.memory.seen().failed
        assert (failed.theirs, failed.reasons) == (Offer(("GSM",)), (Reason.NO_COMMON_CODEC,))


@pytest.mark.parametrize(("answer", "theirs"), [(GSM, Offer(("GSM",))), (SDP, None), ("this is no SDP", None)])
async def test_an_answer_that_we_cannot_use_ends_the_call(answer: str, theirs: Offer | None) -> None:
    async with rude_server("200 OK", "Expires: 300\r\n") as server, _registered(server) as box:
        server.answers["INVITE"] = ("200 OK", answer)
        with trio.fail_after(PATIENCE_S):
            ended = await (await box.dial("300")).connected()
        assert isinstance(ended, Ended)
        assert (ended.by, ended.sip_code) == (EndedBy.CALLER, 415)
        [failed] = box.memory.seen().failed
        assert (failed.direction, failed.theirs) == ("outbound", theirs)


async def test_busy_is_no_trouble_with_audio(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        await (await box.dial("603")).connected()
        assert box.memory.seen().failed == ()


# -- encrypted audio -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("srtp", ["optional", "mandatory"])
async def test_encrypted_calls_from_the_pbx_carry_sound_both_ways(pbx: Pbx, srtp: str) -> None:
    async with registered(pbx, "encrypted", srtp=srtp) as box, sip_log(pbx) as logged:
        await pbx.originate("encrypted", "Echo")
        call = await answered(box)
        await call.mouth.play(tone(1000))
        echo = await heard(call, 75)
        assert sum(level(frame.pcm) > 3000 for frame in echo) > 35
        assert logged().count("RTP/SAVP") == 2  # the offer and our answer
        assert box.memory.seen().failed == ()


async def test_an_encrypted_call_to_the_pbx_carries_sound_both_ways(pbx: Pbx) -> None:
    async with registered(pbx, "encrypted", srtp="mandatory") as box:
        call = await box.dial("600")  # echoes
        assert await call.connected() == Connected("opus", narrow_band=False)
        await call.mouth.play(tone(1000))
        echo = await heard(call, 75)
        assert sum(level(frame.pcm) > 3000 for frame in echo) > 35


async def test_optional_encryption_takes_a_plain_call(pbx: Pbx) -> None:
    async with registered(pbx, srtp="optional") as box:
        await pbx.originate("200", "Echo")
        assert await (await answered(box)).connected() == Connected("opus", narrow_band=False)
        assert await (await box.dial("602")).connected() == Connected("opus", narrow_band=False)
