"""Calls with a real Asterisk on the other side."""

from __future__ import annotations

import gc
import os
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio

from app.ports import FRAME_BYTES, FRAME_MS, Connected, Ended, EndedBy, Frame
from firmware.telephony import BadTargetError, Call, Cause, EndpointConfig, NotConnectedError, account
from tests.office.pbx import Pbx, free_sip_port, office_pbx
from tests.patience import PATIENCE_S
from tests.rules.tree import TREE
from tests.wire.box import (
    answered,
    becomes,
    connection,
    connection_to,
    heard,
    next_call,
    registered,
    served,
    sip_log,
    until,
)
from tests.wire.sound import level, tone

pytestmark = pytest.mark.wire

UNIT = TREE / "image/system/etc/systemd/system/deskbell-phone.service"


async def no_channels(pbx: Pbx) -> None:
    async def none() -> bool:
        return not await pbx.channels()

    await until(none)


@pytest.mark.parametrize(("codec", "narrow_band"), [("opus", False), ("G722", False), ("PCMU", True), ("PCMA", True)])
async def test_each_codec_carries_sound_both_ways(pbx: Pbx, codec: str, narrow_band: bool) -> None:
    async with registered(pbx, config=EndpointConfig(codecs=(codec,))) as box:
        call = await box.dial("600")  # echoes
        assert await call.connected() == Connected(codec, narrow_band)
        await call.mouth.play(tone(1000))
        echo = await heard(call, 75)
        await call.hang_up()
    assert sum(level(frame.pcm) > 3000 for frame in echo) > 35
    assert {len(frame.pcm) for frame in echo} == {FRAME_BYTES}


async def test_opus_is_preferred_then_g722(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        call = await box.dial("602")
        assert await call.connected() == Connected("opus", narrow_band=False)
    async with registered(pbx, config=EndpointConfig(codecs=("G722", "PCMU"))) as box:
        call = await box.dial("602")
        assert await call.connected() == Connected("G722", narrow_band=False)


async def test_a_caller_is_answered_heard_and_hangs_up(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        await pbx.originate("200", "Playback", "tt-monkeys&beep")
        call = await answered(box)
        assert call.direction == "inbound"
        frames = await heard(call, 100)
        assert [frame.at_ms for frame in frames] == list(range(0, 2000, FRAME_MS))
        assert max(level(frame.pcm) for frame in frames) > 500
        await pbx.rx("channel request hangup all")
        assert await call.ended() == Ended(EndedBy.CALLER, 200, "BYE")
        assert not box.calls


async def test_a_caller_who_never_speaks_is_silence_that_keeps_time(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        await pbx.originate("200", "Wait", "60")
        call = await answered(box)
        frames = await heard(call, 100)
        assert [frame.at_ms for frame in frames] == list(range(0, 2000, FRAME_MS))
        assert max(level(frame.pcm) for frame in frames) < 50
        assert call.lost_frames == 0


async def test_the_audio_clock_comes_before_everything_else(pbx: Pbx) -> None:
    """Where that is allowed, as to the unit on the image; in a container it may not be, and calls are the same."""
    highest = os.sched_get_priority_max(os.SCHED_RR)
    assert f"\nLimitRTPRIO={highest}\n" in UNIT.read_text()
    async with registered(pbx) as box:
        await pbx.originate("200", "Echo")
        await heard(await answered(box), 10)
        assert set(clock_priorities()) == {highest if is_allowed(highest) else 0}
        assert os.sched_getscheduler(0) == os.SCHED_OTHER, "only that thread"


def clock_priorities() -> Iterator[int]:
    for thread in Path("/proc/self/task").iterdir():
        if (thread / "comm").read_text() == "clock\n":
            yield os.sched_getparam(int(thread.name)).sched_priority


def is_allowed(priority: int) -> bool:
    """Looked up in a process of its own, which ends with it."""
    ask = f"import os; os.sched_setscheduler(0, os.SCHED_RR, os.sched_param({priority}))"
    return subprocess.run([sys.executable, "-c", ask], stderr=subprocess.DEVNULL, check=False).returncode == 0


async def test_we_hang_up_and_the_pbx_sees_it(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        await pbx.originate("200", "Echo")
        call = await answered(box)
        assert await pbx.channels()
        await call.hang_up()
        assert await call.ended() == Ended(EndedBy.AGENT, 200, "BYE")
        await call.hang_up()
        await no_channels(pbx)


async def test_the_caller_hangs_up_in_the_middle_of_a_sentence(pbx: Pbx) -> None:
    sentence = tone(60_000)
    async with registered(pbx) as box:
        await pbx.originate("200", "Echo")
        call = await answered(box)
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(call.mouth.play, sentence)
                await heard(call, 25)
                await pbx.rx("channel request hangup all")
        assert (await call.ended()).by is EndedBy.CALLER
        assert 300 < call.mouth.played_ms < 5000
        await call.mouth.play(b"more")
        await call.mouth.drained()


@pytest.mark.parametrize(("extension", "code"), [("603", 486), ("604", 503), ("699", 404)])
async def test_dialling_what_does_not_answer(pbx: Pbx, extension: str, code: int) -> None:
    async with registered(pbx) as box:
        call = await box.dial(extension)
        ended = await call.connected()
        assert isinstance(ended, Ended)
        assert (ended.by, ended.sip_code) == (EndedBy.CALLER, code)
        assert call.progress.heard_s is not None
        assert call.progress.rang_s is call.progress.answered_s is None


async def test_dialling_nonsense_or_without_a_way_to_the_pbx(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        for nonsense in ("", "20 0", "sip:a b@c", "101>\r\nX: y", "x" * 65):
            with pytest.raises(BadTargetError):
                await box.dial(nonsense)
    async with served(connection_to("pbx.invalid")) as (_, (box,)):
        with pytest.raises(NotConnectedError):
            await box.dial("101")


async def test_giving_up_while_it_rings(pbx: Pbx) -> None:
    async with served(connection(pbx, "200"), connection(pbx, "201")) as (_, (one, other)):
        await becomes(one, Cause.REGISTERED)
        await becomes(other, Cause.REGISTERED)
        outgoing = await one.dial("201")
        incoming = await next_call(other)
        await until(lambda: rang(outgoing))
        await outgoing.hang_up()
        assert (await outgoing.ended()).by is EndedBy.AGENT
        ended = await incoming.connected()
        assert isinstance(ended, Ended)
        assert ended.by is EndedBy.CALLER
        await incoming.answer()


async def rang(call: Call) -> bool:
    await trio.lowlevel.checkpoint()
    return call.progress.rang_s is not None


@pytest.mark.parametrize(
    ("code", "passed_on"),
    [(486, 486), (480, 480), (603, 403)],  # Asterisk translates by cause: 603 is "rejected", which it calls 403
)
async def test_refusing_a_caller_with_a_code(pbx: Pbx, code: int, passed_on: int) -> None:
    async with served(connection(pbx, "200"), connection(pbx, "201")) as (_, (one, other)):
        await becomes(one, Cause.REGISTERED)
        await becomes(other, Cause.REGISTERED)
        outgoing = await one.dial("201")
        await (await next_call(other)).hang_up(code)
        refused = await outgoing.connected()
        assert isinstance(refused, Ended)
        assert (refused.by, refused.sip_code) == (EndedBy.CALLER, passed_on)


async def test_both_sides_for_a_recording(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        call = await box.dial("600")
        both = call.both()
        await call.connected()
        await call.mouth.play(tone(500))
        pairs = [await anext(both) for _ in range(75)]
        await call.hang_up()
        rest = [pair async for pair in both]
    assert [pair.at_ms for pair in pairs] == list(range(0, 1500, FRAME_MS))
    spoke = [pair.at_ms for pair in pairs if level(pair.agent) > 3000]
    echoed = [pair.at_ms for pair in pairs if level(pair.caller) > 3000]
    assert 440 <= len(spoke) * FRAME_MS <= 560
    assert 0 < echoed[0] - spoke[0] < 300
    assert len(rest) < 25


async def test_what_went_by_until_the_end_is_handed_over(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        call = await box.dial("600")
        both = call.both()
        await call.connected()
        before = await anext(both)
        stands_still_until_s = time.monotonic() + 0.2
        while time.monotonic() < stands_still_until_s:
            pass  # ten ticks, of which the loop hears nothing; and then the call is over
        call.abandon()
        last = [before, *[pair async for pair in both]][-1]
        # Another tick may have gone by while the call was being closed.
        assert call.mouth.clock_ms - 2 * FRAME_MS <= last.at_ms < call.mouth.clock_ms
        assert last.at_ms >= before.at_ms + 180


async def test_hush_is_instant(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        call = await box.dial("602")
        await call.connected()
        began_s = trio.current_time()
        with trio.move_on_after(1.0):
            await call.mouth.play(tone(10_000))
        call.mouth.hush()
        played_ms = call.mouth.played_ms
        took_ms = (trio.current_time() - began_s) * 1000
        await heard(call, 10)
        assert call.mouth.played_ms == played_ms
        assert 500 < played_ms <= took_ms + 100


async def test_ten_calls_one_after_the_other(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        for _ in range(10):
            await pbx.originate("200", "Echo")
            call = await answered(box)
            assert len(await heard(call, 10)) == 10
            await call.hang_up()
            await call.ended()
        await no_channels(pbx)
        assert not box.calls


@pytest.mark.parametrize("count", [4, 16])
async def test_many_at_once(pbx: Pbx, count: int) -> None:
    async with served(connection(pbx)) as (endpoint, (box,)):
        got: list[tuple[list[Frame], int]] = []

        async def talk(call: Call) -> None:
            await call.answer()
            await call.connected()
            got.append((await heard(call, 100), call.lost_frames))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(originate_when_registered, pbx, count)
            for _ in range(count):
                nursery.start_soon(talk, await next_call(box))
        assert [lost for _, lost in got] == [0] * count
        assert all(level(b"".join(frame.pcm for frame in frames)) > 100 for frames, _ in got)
        assert endpoint.gaps.count > 90 * count
    await no_channels(pbx)


async def test_the_collector_leaves_out_what_was_loaded_before() -> None:
    """A full collection holds the GIL, and every answer waits meanwhile: 55 ms with all that a box has loaded."""
    loaded = ["models and modules"]
    async with served():
        assert not any(each is loaded for each in gc.get_objects())
    assert any(each is loaded for each in gc.get_objects())


async def originate_when_registered(pbx: Pbx, count: int) -> None:
    async def known() -> bool:
        return "200" in await pbx.contacts()

    await until(known)
    for _ in range(count):
        await pbx.originate("200", "Playback", "demo-instruct")


async def test_a_call_that_nobody_takes(pbx: Pbx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "UNTAKEN_S", 0.3)
    async with registered(pbx) as box, sip_log(pbx) as logged:
        await pbx.originate("200", "Echo")

        async def sent_away() -> bool:
            return "SIP/2.0 480 " in logged() and not box.calls

        await until(sent_away)


async def test_more_callers_than_can_wait_hear_busy(pbx: Pbx) -> None:
    async with registered(pbx) as box, sip_log(pbx) as logged:
        for _ in range(account.WAITING_CALLS + 1):
            await pbx.originate("200", "Echo")

        async def busy() -> bool:
            return "SIP/2.0 486 " in logged() and len(box.calls) == account.WAITING_CALLS

        await until(busy)


async def test_cancelled_in_a_call_the_pbx_sees_bye_and_unregister(pbx: Pbx) -> None:
    async with sip_log(pbx) as logged:
        with trio.CancelScope() as scope:
            async with registered(pbx) as box:
                await pbx.originate("200", "Echo")
                await answered(box)
                await pbx.originate("200", "Echo")
                await next_call(box)
                scope.cancel()
                await trio.sleep_forever()
        assert "200" not in await pbx.contacts()
        await no_channels(pbx)
        log = logged()
    invited = {header(message, "Call-ID") for message in requests(log, "INVITE")}
    byes = [message for message in requests(log, "BYE") if header(message, "Call-ID") in invited]
    # A busy PBX answers late, and then hears it again: the same transaction.
    assert len({header(message, "Via") for message in byes}) == 1
    assert "SIP/2.0 480 " in log
    assert log.index(byes[0]) < log.rindex("Expires: 0")


def requests(log: str, method: str) -> list[str]:
    """As the PBX received and sent them, up to the end of their headers."""
    return re.findall(rf"^{method} sip:.*?^\r?$", log, re.MULTILINE | re.DOTALL)


def header(message: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\r?$", message, re.MULTILINE)
    assert found, message
    return found[1]


async def test_a_pbx_that_dies_in_a_call_does_not_hold_up_the_stop() -> None:
    async with office_pbx() as pbx:
        async with registered(pbx) as box:
            await pbx.originate("200", "Echo")
            call = await answered(box)
            await pbx.die()
            began = trio.current_time()
            await call.hang_up()
        assert trio.current_time() - began < 5.0


async def test_a_stranger_on_the_network_is_refused(pbx: Pbx) -> None:
    async with registered(pbx) as box:
        port = int((await pbx.contacts())["200"].rpartition(":")[2])
        answers = [line async for line in invite_from("127.0.0.2", port)]
        assert "SIP/2.0 403 Forbidden" in answers
        with pytest.raises(trio.TooSlowError), trio.fail_after(0.5):
            await anext(box.incoming())


async def invite_from(host: str, port: int) -> AsyncIterator[str]:
    """Send an INVITE from that address, yield status lines up to the final one."""
    own = free_sip_port(host)
    sdp = f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {own} RTP/AVP 0\r\n"
    invite = (
        f"INVITE sip:200@127.0.0.1:{port} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{own};branch=z9hG4bK-stranger\r\n"
        f"From: <sip:900@{host}>;tag=s\r\nTo: <sip:200@127.0.0.1>\r\nCall-ID: stranger@{host}\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:900@{host}:{own}>\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n"
        f"Content-Length: {len(sdp)}\r\n\r\n{sdp}"
    )
    with trio.socket.socket(type=trio.socket.SOCK_DGRAM) as socket:
        await socket.bind((host, own))
        await socket.sendto(invite.encode(), ("127.0.0.1", port))
        status = "SIP/2.0 100"
        with trio.fail_after(PATIENCE_S):
            while status.startswith("SIP/2.0 1"):
                status = (await socket.recv(65536)).decode().partition("\r\n")[0]
                yield status
