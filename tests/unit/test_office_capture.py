"""From the bytes of a capture to the instants at which somebody speaks, with captures made here."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import numpy as np
import pytest

from tests.office.rtp import Datagram, datagrams, streams
from tests.office.track import A_LAW, G722, MU_LAW, PCMA, PCMU, Samples, Track, decode

pytestmark = pytest.mark.unit

BEGAN_S = 1_700_000_000.0
CALLER, PBX = 22_300, 22_010


def rtp(number: int, payload: bytes, *, kind: int = PCMU, late_s: float = 0.0, header: bytes = b"") -> Datagram:
    """Packet `number` of a stream of 20 ms packets whose counters wrap soon after its beginning."""
    fixed = struct.pack(">BBHII", 0x80, kind, (65_530 + number) % 2**16, (2**32 - 800 + 160 * number) % 2**32, 77)
    return Datagram(BEGAN_S + number * 0.02 + late_s, CALLER, PBX, (header or fixed) + payload)


def pcap(sent: Iterable[Datagram], order: str = "<", magic: int = 0xA1B2C3D4, per_s: int = 1_000_000) -> bytes:
    parts = [struct.pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, 65_535, 1)]
    for datagram in sent:
        udp = struct.pack(">HHHH", datagram.source_port, datagram.port, 8 + len(datagram.payload), 0) + datagram.payload
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0, b"\x7f\0\0\1", b"\x7f\0\0\1") + udp
        frame = bytes(12) + b"\x08\0" + ip
        whole_s, rest_s = divmod(datagram.at_s, 1)
        parts.append(struct.pack(f"{order}IIII", int(whole_s), round(rest_s * per_s), len(frame), len(frame)) + frame)
    return b"".join(parts)


def encoded(sound: Samples) -> bytes:
    """mu-law by looking for the nearest code: slow, and independent of any encoder."""
    values, place = np.unique(MU_LAW, return_index=True)
    nearest = np.clip(np.searchsorted(values, sound), 0, len(values) - 1)
    return place[nearest].astype(np.uint8).tobytes()


def call(talk: Iterable[tuple[float, float]], length_s: float) -> list[Datagram]:
    """A caller of mu-law packets who talks (a tone) at those times."""
    at_s = np.arange(round(length_s * 8000)) / 8000
    sound = np.zeros(len(at_s))
    for start_s, end_s in talk:
        sound += np.where((at_s >= start_s) & (at_s < end_s), 3000 * np.sin(2 * np.pi * 440 * at_s), 0)
    codes = encoded(sound.astype(np.int16))
    return [rtp(number, codes[number * 160 : number * 160 + 160]) for number in range(len(codes) // 160)]


def track_of(sent: Iterable[Datagram]) -> Track:
    [stream] = streams(sent)
    return decode(stream)


def edges(track: Track, bridged_s: float = 0.3) -> list[float]:
    """When speech starts, ends, starts, ...: seconds since the capture began."""
    return [at_s - BEGAN_S for span in track.speech(bridged_s) for at_s in (span.start_s, span.end_s)]


@pytest.mark.parametrize("form", [("<", 0xA1B2C3D4, 10**6), (">", 0xA1B2C3D4, 10**6), ("<", 0xA1B23C4D, 10**9)])
def test_a_capture_is_read_in_each_byte_order_and_unit(form: tuple[str, int, int]) -> None:
    sent = [rtp(number, bytes([number])) for number in range(3)]
    got = list(datagrams(pcap(sent, *form)))
    assert [(d.source_port, d.port, d.payload) for d in got] == [(d.source_port, d.port, d.payload) for d in sent]
    assert [d.at_s for d in got] == pytest.approx([d.at_s for d in sent], abs=1e-6)


def test_a_capture_that_was_cut_loses_only_its_last_packet() -> None:
    whole = pcap(rtp(number, bytes(160)) for number in range(3))
    assert len(list(datagrams(whole[:-1]))) == 2


def test_another_file_is_refused() -> None:
    with pytest.raises(ValueError, match="not a pcap"):
        list(datagrams(b"RIFF" + bytes(100)))


def test_only_rtp_is_a_stream() -> None:
    rtcp = Datagram(BEGAN_S, CALLER, PBX, struct.pack(">BBHI", 0x80, 200, 6, 77) + bytes(20))
    assert streams([rtcp, Datagram(BEGAN_S, CALLER, PBX, b"hello"), Datagram(BEGAN_S, CALLER, PBX, b"")]) == []


def test_extensions_sources_and_padding_are_no_sound() -> None:
    fixed = struct.pack(">BBHII", 0x80 | 0x20 | 0x10 | 1, PCMU, 1, 0, 77)
    header = fixed + b"src1" + struct.pack(">HH", 0xBEDE, 1) + b"extn"
    [stream] = streams([Datagram(BEGAN_S, CALLER, PBX, header + b"sound" + b"\0\0\3")])
    assert stream.packets[0].payload == b"sound"


def test_counters_wrap_packets_overtake_and_come_twice() -> None:
    sent = [rtp(number, bytes([number] * 160)) for number in range(12)]
    [stream] = streams([sent[0], sent[2], sent[1], sent[1], *sent[3:9], sent[10], sent[11]])
    assert [packet.payload[0] for packet in stream.packets] == [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]
    assert stream.lost == 1
    assert {b.timestamp - a.timestamp for a, b in zip(stream.packets, stream.packets[1:], strict=False)} == {160, 320}


def test_the_codes_of_g711() -> None:
    assert [MU_LAW[code] for code in (0xFF, 0x7F, 0x00, 0x80, 0xF0)] == [0, 0, -32124, 32124, 120]
    assert [A_LAW[code] for code in (0xD5, 0x55, 0x2A, 0xAA, 0x80)] == [8, -8, -32256, 32256, 5504]
    assert len(set(MU_LAW.tolist())) == 255
    assert len(set(A_LAW.tolist())) == 256


@pytest.mark.parametrize("later_s", [0, 0.003, 0.005, 0.0085])
def test_speech_is_found_to_five_milliseconds_wherever_it_falls(later_s: float) -> None:
    talk = np.array([(0.5, 1.2), (1.4, 2.0), (3.0, 3.5)]) + later_s
    track = track_of(call(talk, 4))
    assert edges(track) == pytest.approx(np.array([0.5, 2.0, 3.0, 3.5]) + later_s, abs=0.0056)


def test_a_click_is_not_speech() -> None:
    assert edges(track_of(call([(0.5, 0.515)], 1))) == []


def test_lost_packets_are_silence_and_move_nothing() -> None:
    sent = call([(0.5, 1.0), (2.0, 2.5)], 3)
    track = track_of(sent[:30] + sent[35:])
    assert track.lost_packets == 5
    assert edges(track, 0.05) == pytest.approx([0.5, 0.6, 0.7, 1.0, 2.0, 2.5], abs=0.0056)


def test_the_jitter_of_single_packets_does_not_move_the_sound() -> None:
    late_s = np.random.default_rng(1).exponential(0.004, 200)
    sent = [
        Datagram(packet.at_s + float(late), packet.source_port, packet.port, packet.payload)
        for packet, late in zip(call([(1.0, 2.0)], 4), late_s, strict=True)
    ]
    late = float(np.median(late_s))
    assert edges(track_of(sent)) == pytest.approx([1.0 + late, 2.0 + late], abs=0.012)


def test_a_clock_that_drifts_is_followed() -> None:
    sent = [
        Datagram(BEGAN_S + (packet.at_s - BEGAN_S) * 1.01, CALLER, PBX, packet.payload) for packet in call([(8, 9)], 10)
    ]
    assert edges(track_of(sent)) == pytest.approx([8.08, 9.09], abs=0.012)


def test_a_law_and_g722_are_decoded_too() -> None:
    silence = [rtp(number, b"\xd5" * 160, kind=PCMA) for number in range(5)]
    assert set(track_of(silence).samples.tolist()) == {8}
    wide = track_of([rtp(number, bytes([0xFA] * 160), kind=G722) for number in range(5)])
    assert (wide.codec, wide.rate_hz, len(wide.samples)) == ("G722", 16_000, 1600)


def test_a_codec_that_we_do_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="96 is none of PCMU"):
        track_of([rtp(0, bytes(60), kind=96)])
