"""SIPp as a telephone that is called: it does what its steps say, once, and complains of anything else."""

from __future__ import annotations

import random
import socket
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import trio

from tests.office.pbx import free_sip_port
from tests.patience import PATIENCE_S

_RESPONSE = """\
<send{retrans}><![CDATA[
SIP/2.0 {code} {reason}
[last_Via:]
[last_From:]
[last_To:];tag=[pid]callee[call_number]
[last_Call-ID:]
[last_CSeq:]
Contact: <sip:callee@[local_ip]:[local_port]>
{body}]]></send>
"""
_EMPTY = "Content-Length: 0\n\n"
_ANSWER = """\
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 8
a=sendrecv
"""

INVITED = """\
<recv request="INVITE"><action>
<ereg regexp="[0-9]+" search_in="hdr" header="CSeq:" assign_to="1"/>
</action></recv>
<Reference variables="1"/>
"""
ACKNOWLEDGED = '<recv request="ACK"></recv>'
CANCELLED = '<recv request="CANCEL"></recv>'
HUNG_UP = '<recv request="BYE"></recv>'


def says(code: int, reason: str = "Whatever") -> str:
    """A response. What is repeated until it is acknowledged, SIPp repeats."""
    return _RESPONSE.format(code=code, reason=reason, retrans=' retrans="500"' if code >= 300 else "", body=_EMPTY)


def refuses(code: int) -> str:
    return says(code) + ACKNOWLEDGED


_MEDIA_PORTS = range(31_200, 32_200, 4)

RINGS = INVITED + says(180, "Ringing")
ANSWERS = _RESPONSE.format(code=200, reason="OK", retrans=' retrans="500"', body=_ANSWER) + ACKNOWLEDGED
# 487 belongs to the INVITE, whose number the CANCEL does not repeat (RFC 3261 9.2).
IS_CANCELLED = CANCELLED + says(200, "OK") + refuses(487).replace("[last_CSeq:]", "CSeq: [$1] INVITE")


@asynccontextmanager
async def callee(folder: Path, *steps: str) -> AsyncGenerator[str, None]:
    """What to dial at the office's PBX. At the end, SIPp has seen what the steps say, and nothing else."""
    own, media = free_sip_port("127.0.0.1"), free_media_port()
    scenario = trio.Path(folder) / f"callee-{own}.xml"
    text = "".join(steps)
    await scenario.write_text(f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="callee">{text}</scenario>')
    ours = f"-i 127.0.0.1 -p {own} -mp {media}"
    command = f"sipp -sf {scenario} {ours} -m 1 -timeout {PATIENCE_S:.0f} -nostdin -trace_err"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_run, command)
        yield f"9{own}"


async def _run(command: str) -> None:
    done = await trio.run_process(command.split(), capture_stdout=True, capture_stderr=True, check=False)
    assert done.returncode == 0, (done.stderr or done.stdout).decode()[-2000:]


def free_media_port() -> int:
    """SIPp takes it for audio and its RTCP, and the next two for video that nobody asked for. Any of many: who asks at
    the same time has not taken theirs yet."""
    for port in random.sample(_MEDIA_PORTS, len(_MEDIA_PORTS)):
        with ExitStack() as held, suppress(OSError):
            for each in range(port, port + 4):
                held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(("127.0.0.1", each))
            return port
    raise AssertionError("no four ports beside one another are free")
