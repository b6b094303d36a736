"""RTP packets out of a packet capture. Pure: bytes in, streams out.

Formats: pcap (libpcap's savefile(5)), Ethernet or Linux cooked frames, IPv4 and IPv6, UDP, RTP (RFC 3550, 5.1).
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

CLOCK_HZ = 8000  # RTP's for PCMU, PCMA and, by an old mistake kept in RFC 3551, also for G.722
_BYTE_ORDERS = {b"\xd4\xc3\xb2\xa1": ("<", 1e-6), b"\xa1\xb2\xc3\xd4": (">", 1e-6), b"\x4d\x3c\xb2\xa1": ("<", 1e-9)}
_LINK_HEADER_BYTES = {1: 14, 113: 16, 276: 20}  # Ethernet, Linux cooked v1 and v2
_UDP = 17
_RTCP = range(72, 77)  # what RTCP's packet types 200 to 204 look like in RTP's field


@dataclass(frozen=True, slots=True)
class Datagram:
    """`at_s`: when it was captured, seconds since 1970."""

    at_s: float
    source_port: int
    port: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class RtpPacket:
    at_s: float
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class RtpStream:
    """What one sender sent to one port with one SSRC, in the order of its timestamps, which are unwrapped.

    `lost`: sequence numbers that never came.
    """

    source_port: int
    port: int
    payload_type: int
    packets: tuple[RtpPacket, ...]
    lost: int


def datagrams(pcap: bytes) -> Iterator[Datagram]:
    """The UDP datagrams in a capture; a last one that was cut while being written is left out.

    Raises: ValueError if it is not a capture of a kind that we know.
    """
    if pcap[:4] not in _BYTE_ORDERS:
        raise ValueError("not a pcap file")
    order, fraction_s = _BYTE_ORDERS[pcap[:4]]
    (link,) = struct.unpack_from(f"{order}I", pcap, 20)
    if link not in _LINK_HEADER_BYTES:
        raise ValueError(f"captured on a link of the unknown type {link}")
    at = 24
    while at + 16 <= len(pcap):
        seconds, fraction, length, _ = struct.unpack_from(f"{order}IIII", pcap, at)
        frame = pcap[at + 16 : at + 16 + length]
        at += 16 + length
        if len(frame) == length:
            yield from _udp(seconds + fraction * fraction_s, frame[_LINK_HEADER_BYTES[link] :])


def _udp(at_s: float, ip: bytes) -> Iterator[Datagram]:
    version = ip[0] >> 4 if ip else 0
    if version == 4 and ip[9] == _UDP:
        udp = ip[(ip[0] & 0xF) * 4 :]
    elif version == 6 and ip[6] == _UDP:
        udp = ip[40:]
    else:
        return
    source_port, port, length, _ = struct.unpack_from(">HHHH", udp)
    yield Datagram(at_s, source_port, port, udp[8:length])


def rtp_packet(datagram: Datagram) -> RtpPacket | None:
    """The RTP packet in a datagram; None if it is something else (RTCP, STUN, noise)."""
    data = datagram.payload
    if len(data) < 12 or data[0] >> 6 != 2 or data[1] & 0x7F in _RTCP:
        return None
    _, kind, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", data)
    begin = 12 + 4 * (data[0] & 0xF)
    if data[0] & 0x10:
        (words,) = struct.unpack_from(">H", data, begin + 2)
        begin += 4 + 4 * words
    end = len(data) - (data[-1] if data[0] & 0x20 else 0)
    return RtpPacket(datagram.at_s, kind & 0x7F, sequence, timestamp, ssrc, data[begin:end])


def streams(captured: Iterable[Datagram]) -> list[RtpStream]:
    """The RTP streams in a capture, by the time of their first packet. Each payload type is a stream of its own."""
    grouped: dict[tuple[int, int, int, int], list[RtpPacket]] = defaultdict(list)
    for datagram in captured:
        if packet := rtp_packet(datagram):
            key = (datagram.source_port, datagram.port, packet.ssrc, packet.payload_type)
            grouped[key].append(packet)
    return [_stream(source_port, port, kind, sent) for (source_port, port, _, kind), sent in grouped.items()]


def _stream(source_port: int, port: int, payload_type: int, sent: list[RtpPacket]) -> RtpStream:
    sequence, timestamp = sent[0].sequence, sent[0].timestamp
    numbered: dict[int, RtpPacket] = {}
    for packet in sent:
        sequence += _step(packet.sequence - sequence, 16)
        timestamp += _step(packet.timestamp - timestamp, 32)
        numbered.setdefault(
            sequence,
            RtpPacket(packet.at_s, payload_type, sequence, timestamp, packet.ssrc, packet.payload),
        )
    ordered = tuple(numbered[number] for number in sorted(numbered))
    lost = ordered[-1].sequence - ordered[0].sequence + 1 - len(ordered)
    return RtpStream(source_port, port, payload_type, ordered, lost)


def _step(difference: int, bits: int) -> int:
    """A difference of two counters that wrap, as the small number that it is."""
    half = 1 << bits - 1
    return (difference + half) % (1 << bits) - half
