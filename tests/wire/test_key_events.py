"""Keys as RFC 4733 events, packet by packet, as telephones really send them: with and without the marker bit, with
packets that never came, and without an end. The packets are ours; the call is SIPp's, straight to the box."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import trio

from tests.office.pbx import Pbx
from tests.wire.box import next_call, pressed, registered
from tests.wire.test_sipp import RINGING, TAG, port_of, receive, request, sipp

pytestmark = pytest.mark.wire

OFFER = """\
v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio {port} RTP/AVP 8 101
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=sendrecv
"""
KEYS = "0123456789*#ABCD"
PACKET_MS = 20
TICKS = 160
"""Of RTP's clock, in a packet."""


class Telephone:
    """Sends RTP to wherever the box sends its own from."""

    def __init__(self, socket: trio.socket.SocketType, box: tuple[str, int]) -> None:
        self._socket, self._box = socket, box
        self._sequence, self._time = 1_000, 50_000

    async def talk(self, packets: int) -> None:
        """Silence, in A-law."""
        for _ in range(packets):
            await self._send(8, b"\xd5" * TICKS, self._time, marker=False)
            self._time += TICKS
            await trio.sleep(PACKET_MS / 1000)

    async def press(self, key: str, *, marker: bool, lost: frozenset[int] = frozenset(), ends: int = 3) -> None:
        """80 ms. `lost`: which packets of it never come. `ends`: how often its end is told."""
        lengths = [*((TICKS * part, False) for part in range(1, 5)), *[(TICKS * 4, True)] * ends]
        for place, (length, is_end) in enumerate(lengths):
            event = struct.pack(">BBH", KEYS.index(key), 0x80 * is_end | 10, length)
            if place in lost:
                self._sequence += 1
            else:
                await self._send(101, event, self._time, marker=marker and place == 0)
            await trio.sleep(0 if is_end else PACKET_MS / 1000)
        self._time += TICKS * 4

    async def _send(self, kind: int, payload: bytes, at: int, *, marker: bool) -> None:
        head = struct.pack(">BBHII", 0x80, 0x80 * marker | kind, self._sequence & 0xFFFF, at, 0x1234)
        self._sequence += 1
        await self._socket.sendto(head + payload, self._box)


WAYS: dict[str, dict[str, object]] = {
    "with the marker bit": {"marker": True},
    "without": {"marker": False},
    "its first packet is lost": {"marker": True, "lost": frozenset({0})},
    "its first half is lost": {"marker": True, "lost": frozenset({0, 1})},
    "no end comes": {"marker": True, "ends": 0},
    "one end": {"marker": False, "ends": 1},
}


@pytest.mark.parametrize("way", list(WAYS))
async def test_each_press_is_one_key(pbx: Pbx, tmp_path: Path, way: str) -> None:
    socket = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    with socket:
        await socket.bind(("127.0.0.1", 0))
        steps = [
            request("INVITE", 1, sdp=OFFER.format(port=socket.getsockname()[1])),
            RINGING,
            receive(200),
            request("ACK", 1, tag=TAG),
            '<pause milliseconds="4000"/>',
            request("BYE", 2, tag=TAG),
            receive(200),
        ]
        async with registered(pbx) as box, trio.open_nursery() as nursery:
            nursery.start_soon(sipp, tmp_path, "".join(steps), await port_of(pbx))
            call = await next_call(box)
            await call.answer()
            await call.connected()
            assert call.has_key_events
            _, seen_at = await socket.recvfrom(2_000)
            telephone = Telephone(socket, seen_at)
            await telephone.talk(5)
            for key in "55*D":
                await telephone.press(key, **WAYS[way])  # type: ignore[arg-type]
                await telephone.talk(4)
            assert await pressed(call, 4) == "55*D"
            await call.ended()
