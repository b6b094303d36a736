"""SIPp, a stranger's SIP stack, calls the box without a PBX in between, politely and rudely."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from app.ports import Connected, Ended, EndedBy
from firmware.telephony import Account, Cause, EndpointConfig
from tests.office.pbx import Pbx, free_sip_port
from tests.patience import PATIENCE_S
from tests.wire.box import becomes, heard, next_call, registered, until
from tests.wire.callee import free_media_port

pytestmark = pytest.mark.wire

_HEAD = """\
{method} sip:200@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}
From: <sip:900@[local_ip]:[local_port]>;tag=[call_number]
To: <sip:200@[remote_ip]:[remote_port]>{tag}
Call-ID: [call_id]
CSeq: {number} {method}
Contact: <sip:900@[local_ip]:[local_port]>
Max-Forwards: 70
"""
_OFFER = """\
v=0
o=- 1 {version} IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a={direction}
"""


def request(method: str, number: int, *, tag: str = "", branch: str = "[branch]", sdp: str = "") -> str:
    head = _HEAD.format(method=method, number=number, tag=tag, branch=branch)
    body = f"Content-Type: application/sdp\nContent-Length: [len]\n\n{sdp}" if sdp else "Content-Length: 0\n\n"
    return f'<send retrans="500"><![CDATA[\n{head}{body}]]></send>' if method != "ACK" else _unrepeated(head + body)


def _unrepeated(text: str) -> str:
    return f"<send><![CDATA[\n{text}]]></send>"


def receive(code: int, *, optional: bool = False) -> str:
    return f'<recv response="{code}" optional="{str(optional).lower()}"></recv>'


RINGING = receive(100, optional=True) + receive(180)
OFFER = _OFFER.format(version=1, direction="sendrecv")
HOLD = _OFFER.format(version=2, direction="sendonly")
RESUME = _OFFER.format(version=3, direction="sendrecv")
TAG = "[peer_tag_param]"


def branch_of_first(index: int) -> str:
    """CANCEL, and ACK to a refusal, have the branch of the INVITE (RFC 3261 9.1, 17.1.1.3), `index` steps before."""
    return f"[branch-{index}]"


async def sipp(folder: Path, steps: str, port: int) -> None:
    """Run the steps as one call to the box. Fails when SIPp saw anything else than they say."""
    scenario = trio.Path(folder) / "scenario.xml"
    await scenario.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="x">{steps}</scenario>')
    own, media = free_sip_port("127.0.0.1"), free_media_port()
    ours = f"-i 127.0.0.1 -p {own} -mp {media}"
    command = f"sipp 127.0.0.1:{port} -sf {scenario} {ours} -m 1 -timeout {PATIENCE_S:.0f} -nostdin -trace_err"
    done = await trio.run_process(command.split(), capture_stdout=True, capture_stderr=True, check=False, cwd=folder)
    errors = [await path.read_text() for path in await trio.Path(folder).glob("*_errors.log")]
    assert done.returncode == 0, errors or done.stdout.decode()[-1500:]


async def port_of(pbx: Pbx) -> int:
    return int((await pbx.contacts())["200"].rpartition(":")[2])


async def test_a_polite_call(pbx: Pbx, tmp_path: Path) -> None:
    steps = [
        request("INVITE", 1, sdp=OFFER),
        RINGING,
        receive(200),
        request("ACK", 1, tag=TAG),
        '<pause milliseconds="500"/>',
        request("BYE", 2, tag=TAG),
        receive(200),
    ]
    async with registered(pbx) as box, trio.open_nursery() as nursery:
        nursery.start_soon(sipp, tmp_path, "".join(steps), await port_of(pbx))
        call = await next_call(box)
        assert call.remote == "900"
        await call.answer()
        assert await call.connected() == Connected("PCMA", narrow_band=True)
        assert len(await heard(call, 500)) >= 15
        assert await call.ended() == Ended(EndedBy.CALLER, 200, "BYE")


async def test_a_caller_who_changes_their_mind(pbx: Pbx, tmp_path: Path) -> None:
    steps = [
        request("INVITE", 1, sdp=OFFER),
        RINGING,
        '<pause milliseconds="300"/>',
        request("CANCEL", 1, branch=branch_of_first(4)),
        receive(200),
        receive(487),
        request("ACK", 1, tag=TAG, branch=branch_of_first(7)),
    ]
    async with registered(pbx) as box, trio.open_nursery() as nursery:
        nursery.start_soon(sipp, tmp_path, "".join(steps), await port_of(pbx))
        ended = await (await next_call(box)).connected()
        assert isinstance(ended, Ended)
        assert (ended.by, ended.sip_code) == (EndedBy.CALLER, 487)


async def test_a_caller_puts_us_on_hold_and_comes_back(pbx: Pbx, tmp_path: Path) -> None:
    pause = '<pause milliseconds="800"/>'
    steps = [request("INVITE", 1, sdp=OFFER), RINGING, receive(200), request("ACK", 1, tag=TAG), pause]
    for number, sdp in ((2, HOLD), (3, RESUME)):
        again = [request("INVITE", number, tag=TAG, sdp=sdp), receive(100, optional=True), receive(200)]
        steps += [*again, request("ACK", number, tag=TAG), pause]
    steps += [request("BYE", 4, tag=TAG), receive(200)]
    async with registered(pbx) as box, trio.open_nursery() as nursery:
        nursery.start_soon(sipp, tmp_path, "".join(steps), await port_of(pbx))
        call = await next_call(box)
        await call.answer()
        await call.connected()
        told, times = [call.on_hold], []
        with trio.fail_after(PATIENCE_S):
            async for frame in call.ears():
                times.append(frame.at_ms)
                if call.on_hold is not told[-1]:
                    told.append(call.on_hold)
        assert told == [False, True, False]
        assert times == list(range(0, len(times) * 20, 20))
        assert times[-1] >= 600
        assert (await call.ended()).by is EndedBy.CALLER


async def test_a_caller_without_a_codec_that_we_have(pbx: Pbx, tmp_path: Path) -> None:
    offer = OFFER.replace("RTP/AVP 8", "RTP/AVP 3").replace("a=sendrecv", "a=rtpmap:3 GSM/8000\na=sendrecv")
    ack = request("ACK", 1, tag=TAG, branch=branch_of_first(3))
    steps = [request("INVITE", 1, sdp=offer), receive(100, optional=True), receive(488), ack]
    async with registered(pbx) as box:
        await sipp(tmp_path, "".join(steps), await port_of(pbx))
        await nothing_left(box)


async def test_a_caller_who_never_acknowledges_is_let_go_at_the_stop(pbx: Pbx, tmp_path: Path) -> None:
    steps = [request("INVITE", 1, sdp=OFFER), RINGING, receive(200), '<pause milliseconds="200"/>']
    async with registered(pbx) as box:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(sipp, tmp_path, "".join(steps), await port_of(pbx))
            call = await next_call(box)
            await call.answer()
            await heard(call, 10)
        began = trio.current_time()
    assert trio.current_time() - began < 3.0
    assert (await call.ended()).by in (EndedBy.AGENT, EndedBy.NETWORK)


async def test_a_contact_that_must_be_looked_up_does_not_stop_the_clock(pbx: Pbx, tmp_path: Path) -> None:
    elsewhere = "Contact: <sip:900@[local_ip]:[local_port]>", "Contact: <sip:900@pbx.office.example>"
    steps = [request("INVITE", 1, sdp=OFFER).replace(*elsewhere), RINGING, receive(200), request("ACK", 1, tag=TAG)]
    pauses: list[float] = []

    async def beat() -> None:
        while True:
            began = trio.current_time()
            await trio.sleep(0.01)
            pauses.append(trio.current_time() - began)

    with trio.socket.socket(type=trio.socket.SOCK_DGRAM) as silent:
        await silent.bind(("127.0.0.9", 53))
        config = EndpointConfig(name_servers=("127.0.0.9",))
        async with registered(pbx, config=config) as box, trio.open_nursery() as nursery:
            nursery.start_soon(sipp, tmp_path, "".join(steps), await port_of(pbx))
            call = await next_call(box)
            await call.answer()
            await call.connected()
            nursery.start_soon(beat)
            await call.hang_up()
            with trio.fail_after(PATIENCE_S):
                assert b"office" in await silent.recv(2000)
            nursery.cancel_scope.cancel()
    assert max(pauses) < 1.0


async def nothing_left(box: Account) -> None:
    async def empty() -> bool:
        return not box.calls

    await until(empty)
    await becomes(box, Cause.REGISTERED)
