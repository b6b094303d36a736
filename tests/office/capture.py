"""RTP as it reaches the PBX, captured by tcpdump on the loopback interface."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from tests.office.rtp import datagrams, streams
from tests.office.track import CODECS, Track, decode

_START_S = 10.0
_STOP_S = 5.0
_BUFFER_KB = 8192  # 40 s of 16 calls, for a machine that is busy

_DROPPED = re.compile(rb"(\d+) packets? dropped by kernel")


class CaptureFailed(Exception):
    """tcpdump cannot capture, or lost packets. The text says why and what to do."""


@asynccontextmanager
async def capturing(pcap: Path, ports: tuple[int, int]) -> AsyncGenerator[None, None]:
    """Write the UDP packets that go to the PBX's ports, first to last, into `pcap` while the body runs.

    Raises: CaptureFailed, also at the end if the kernel dropped packets.
    """
    wanted = f"udp and dst portrange {ports[0]}-{ports[1]}"
    # As root, or tcpdump would change to a user of its own that may not write here.
    command = ["tcpdump", "-i", "lo", "-n", "-U", "-Z", "root", "-B", str(_BUFFER_KB), "-w", str(pcap), wanted]
    try:
        process = await trio.lowlevel.open_process(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise CaptureFailed("tcpdump is not installed. Run: sudo apt-get install tcpdump") from None
    said = b""
    try:
        await _listening(process)
        yield
    finally:
        with trio.move_on_after(_STOP_S, shield=True):
            said = await _stopped(process)
        process.kill()
    if (dropped := _DROPPED.search(said)) and int(dropped[1]):
        raise CaptureFailed(f"the kernel dropped {int(dropped[1])} captured packets: is the machine too busy?")


def tracks_by_sender(pcap: Path) -> dict[int, list[Track]]:
    """The tracks in a capture by their sender's port, in the order of their beginning.

    Comfort noise, telephone events and codecs that we cannot decode are left out.
    """
    by_sender: dict[int, list[Track]] = {}
    for stream in streams(datagrams(pcap.read_bytes())):
        if stream.payload_type in CODECS:
            by_sender.setdefault(stream.source_port, []).append(decode(stream))
    return by_sender


async def _listening(process: trio.Process) -> None:
    assert process.stderr
    said = b""
    with trio.move_on_after(_START_S):
        async for data in process.stderr:
            said += data
            if b"listening on" in said:
                return
    raise CaptureFailed(
        f"tcpdump does not capture: {said.decode(errors='replace').strip() or 'it says nothing'}. "
        "Capturing needs root, or the capability CAP_NET_RAW for tcpdump"
    )


async def _stopped(process: trio.Process) -> bytes:
    assert process.stderr
    process.send_signal(signal.SIGINT)
    said = b"".join([data async for data in process.stderr])
    await process.wait()
    return said
