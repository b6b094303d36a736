"""Sound as servers send it, made into the line's: 16 kHz, mono, as it comes. For whole sounds there is resampling.py.

Each sample is made of the same number of samples around it, weighted by where between them it lies; a rate has few such
places, so their weights are made once.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

from app.ports import SAMPLE_RATE_HZ
from firmware.audio.resampling import Samples, weights

RATES_HZ: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Those that voices have."""

MOST_CHANNELS: Final = 2
# 50 ms: made in 0.3 ms on x86, so the interpreter's lock is soon free for the audio clock.
_SAMPLES_AT_ONCE = 800


class LineSound:
    """16-bit little-endian samples of `rate_hz`, one of RATES_HZ, in; the line's audio out."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._channels = channels
        common = gcd(rate_hz, SAMPLE_RATE_HZ)
        self._up, self._down = SAMPLE_RATE_HZ // common, rate_hz // common
        self._plain = rate_hz == SAMPLE_RATE_HZ
        self._weights = _weights(rate_hz)
        self._reach = self._weights.shape[1] // 2
        self._odd = b""  # half a sample
        self._near: Samples = np.zeros(self._reach - 1, np.float32)  # from before the next sample to be made
        self._first = 1 - self._reach  # where `_near` begins, in samples of what came
        self._made = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What can be made by now, in pieces of at most 50 ms."""
        data = self._odd + data
        whole = len(data) // (2 * self._channels) * 2 * self._channels
        self._odd = data[whole:]
        if self._plain and self._channels == 1:
            step = 2 * _SAMPLES_AT_ONCE
            yield from (data[at : min(at + step, whole)] for at in range(0, whole, step))
            return
        came = np.frombuffer(data[:whole], "<i2").astype(np.float32).reshape(-1, self._channels).mean(axis=1)
        if self._plain:
            yield from (_pcm(came[at : at + _SAMPLES_AT_ONCE]) for at in range(0, len(came), _SAMPLES_AT_ONCE))
        else:
            yield from self._resampled(came)

    def end(self) -> Iterator[bytes]:
        """The last of it."""
        if not self._plain:
            yield from self._resampled(np.zeros(self._reach, np.float32))

    def _resampled(self, came: Samples) -> Iterator[bytes]:
        self._near = np.concatenate([self._near, came])
        # Sample n lies at n * down / up, and needs `reach` samples from there on.
        until = ((self._first + len(self._near) - self._reach) * self._up - 1) // self._down + 1
        while self._made < until:
            wanted = np.arange(self._made, min(until, self._made + _SAMPLES_AT_ONCE), dtype=np.int64)
            yield self._piece(wanted)
            self._made += len(wanted)
        unused = self._made * self._down // self._up + 1 - self._reach - self._first
        self._near, self._first = self._near[max(0, unused) :], self._first + max(0, unused)

    def _piece(self, wanted: NDArray[np.int64]) -> bytes:
        places, phases = np.divmod(wanted * self._down, self._up)
        around = np.arange(1 - self._reach, 1 + self._reach)
        taken = self._near[places[:, None] + around - self._first]
        return _pcm(np.einsum("ij,ij->i", taken, self._weights[phases]))


@lru_cache(maxsize=len(RATES_HZ))
def _weights(rate_hz: int) -> NDArray[np.float32]:
    """A row for each place that a sample can have between two of what comes."""
    places = SAMPLE_RATE_HZ // gcd(rate_hz, SAMPLE_RATE_HZ)
    return weights(np.arange(places) / places, rate_hz, SAMPLE_RATE_HZ)[1].astype(np.float32)


def _pcm(samples: Samples) -> bytes:
    return bytes(np.clip(np.round(samples), -32768, 32767).astype("<i2").tobytes())
