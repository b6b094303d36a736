"""One side of a call as captured: its sound, on the capture's clock, and where in it somebody speaks.

A sample's time is when its packet reached the PBX, without the jitter of single packets: the median over the second
around it. So two tracks of one capture can be compared, and what is measured is what was on the wire.

Speech is where the level (RMS of 10 ms, looked at each 2 ms) is above -50 dBFS, from the middle of the first such
window to the middle of the last. Callers and agent talk at about -23 dBFS; what lies between their words is digital
silence, which G.711 and G.722 turn into less than -70.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tests.office.rtp import CLOCK_HZ, RtpStream

PCMU, PCMA, G722 = 0, 8, 9  # RFC 3551
CODECS = {PCMU: "PCMU", PCMA: "PCMA", G722: "G722"}
WINDOW_S, STEP_S = 0.01, 0.002
"""Windows side by side would lose or find a last faint sound depending on where in the call it falls."""
SPEECH_DBFS = -50.0
_SMOOTHED_PACKETS = 51  # one second
# Shorter sounds are clicks of a codec that starts.
_SHORTEST_SOUND_S = 0.03

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Span:
    """When somebody spoke: seconds since 1970."""

    start_s: float
    end_s: float


@dataclass(frozen=True)
class Track:
    """`samples` from the first packet on, silence where packets are missing; `positions` and `arrivals_s` say at
    which sample each packet begins and when it came (smoothed)."""

    codec: str
    rate_hz: int
    samples: Samples
    positions: npt.NDArray[np.int64]
    arrivals_s: npt.NDArray[np.float64]
    lost_packets: int

    def at_s(self, position: float) -> float:
        """When the sample at `position` reached the PBX."""
        packet = max(int(np.searchsorted(self.positions, position, side="right")) - 1, 0)
        return float(self.arrivals_s[packet] + (position - self.positions[packet]) / self.rate_hz)

    @cached_property
    def levels_dbfs(self) -> npt.NDArray[np.float64]:
        """The level of the 10 ms from each 2 ms on."""
        step, steps = round(STEP_S * self.rate_hz), round(WINDOW_S / STEP_S)
        whole = self.samples[: len(self.samples) // step * step].astype(np.float64) / 32768
        power = np.mean(np.square(whole.reshape(-1, step)), axis=1)
        smoothed = np.convolve(power, np.full(steps, 1 / steps), mode="valid") if len(power) >= steps else power[:0]
        return np.asarray(10 * np.log10(smoothed + 1e-12))

    def speech(self, bridged_s: float) -> list[Span]:
        """Where somebody speaks; silences shorter than `bridged_s` belong to the speech around them."""
        step, middle = round(STEP_S * self.rate_hz), round(WINDOW_S / 2 * self.rate_hz)
        return [
            Span(self.at_s(start * step + middle), self.at_s((end - 1) * step + middle))
            for start, end in _runs(self.levels_dbfs > SPEECH_DBFS, round(bridged_s / STEP_S))
            if (end - start) * STEP_S >= _SHORTEST_SOUND_S
        ]


def decode(stream: RtpStream) -> Track:
    """Raises: ValueError if the codec is none of PCMU, PCMA and G722."""
    if stream.payload_type not in CODECS:
        raise ValueError(f"payload type {stream.payload_type} is none of {', '.join(CODECS.values())}")
    rate_hz = 16_000 if stream.payload_type == G722 else 8_000
    first = stream.packets[0].timestamp
    clock = np.array([packet.timestamp - first for packet in stream.packets], dtype=np.int64)
    positions = clock * (rate_hz // CLOCK_HZ)
    sounds = _sounds(stream, rate_hz)
    samples = np.zeros(int(positions[-1]) + len(sounds[-1]), dtype=np.int16)
    for position, sound in zip(positions, sounds, strict=True):
        samples[position : position + len(sound)] = sound
    came = np.array([packet.at_s for packet in stream.packets]) - clock / CLOCK_HZ
    arrivals_s = _rolling_median(came) + clock / CLOCK_HZ
    return Track(CODECS[stream.payload_type], rate_hz, samples, positions, arrivals_s, stream.lost)


def _sounds(stream: RtpStream, rate_hz: int) -> list[Samples]:
    payloads = [packet.payload for packet in stream.packets]
    if stream.payload_type == G722:
        decoded = _decoded_g722(b"".join(payloads))
        per_byte = rate_hz // CLOCK_HZ
    else:
        table = MU_LAW if stream.payload_type == PCMU else A_LAW
        decoded = table[np.frombuffer(b"".join(payloads), dtype=np.uint8)]
        per_byte = 1
    ends = np.cumsum([len(payload) * per_byte for payload in payloads])
    return np.split(decoded, ends[:-1])


def _decoded_g722(data: bytes) -> Samples:
    command = "ffmpeg -v error -f g722 -i pipe:0 -f s16le -ar 16000 pipe:1".split()
    done = subprocess.run(command, input=data, capture_output=True, check=True)
    decoded = np.frombuffer(done.stdout, dtype="<i2")
    return np.pad(decoded, (0, max(2 * len(data) - len(decoded), 0)))[: 2 * len(data)]


def _rolling_median(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    padded = np.pad(values, _SMOOTHED_PACKETS // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, _SMOOTHED_PACKETS)
    return np.asarray(np.median(windows, axis=1))


def _runs(voiced: npt.NDArray[np.bool_], bridged: int) -> list[tuple[int, int]]:
    """First and end of each run of True, with gaps shorter than `bridged` closed."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], voiced, [False])).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if runs and start - runs[-1][1] < bridged:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs


def _mu_law() -> Samples:
    """G.711 mu-law codes to 16-bit samples (ITU-T G.711, table 2)."""
    code = ~np.arange(256, dtype=np.uint8)
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    magnitude = ((mantissa << 3) + 132 << exponent) - 132
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _a_law() -> Samples:
    """G.711 A-law codes to 16-bit samples (ITU-T G.711, table 1)."""
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    exponent, mantissa = (code >> 4 & 7).astype(np.int32), (code & 15).astype(np.int32)
    magnitude = np.where(exponent > 0, (mantissa << 4) + 264 << np.maximum(exponent - 1, 0), (mantissa << 4) + 8)
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


MU_LAW, A_LAW = _mu_law(), _a_law()
