"""Sound of any rate made into the line's, as it comes: the same as if it had been there at once."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.audio.line_sound import RATES_HZ, LineSound
from firmware.audio.resampling import resampled

pytestmark = pytest.mark.unit


def tone(rate_hz: int, seconds: float = 0.5) -> NDArray[np.int16]:
    at = np.arange(round(rate_hz * seconds)) / rate_hz
    made: NDArray[np.int16] = (8000 * np.sin(2764.6 * at) + 4000 * np.sin(9424.8 * at)).astype("<i2")
    return made


def made(sound: LineSound, data: bytes, step: int) -> bytes:
    pieces = [piece for at in range(0, len(data), step) for piece in sound.feed(data[at : at + step])]
    pieces += sound.end()
    assert all(0 < len(piece) <= 1600 and len(piece) % 2 == 0 for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("step", [1, 333, 100_000])
def test_pieces_make_what_the_whole_does(rate_hz: int, step: int) -> None:
    samples = tone(rate_hz, 0.1 if step == 1 else 0.5)
    heard = np.frombuffer(made(LineSound(rate_hz, 1), samples.tobytes(), step), "<i2")
    whole = resampled(samples.astype(np.float32), rate_hz, 16_000)
    assert abs(len(heard) - len(whole)) <= 1
    length = min(len(heard), len(whole))
    assert np.abs(heard[:length] - whole[:length]).max() <= 1


def test_both_sides_are_heard() -> None:
    both = np.stack([tone(24_000), np.zeros(12_000, np.int16)], axis=1).astype("<i2")
    heard = np.frombuffer(made(LineSound(24_000, 2), both.tobytes(), 999), "<i2")
    assert abs(np.abs(heard).max() - np.abs(tone(24_000)).max() / 2) < 100


def test_a_plain_sound_passes_through() -> None:
    data = tone(16_000).tobytes()
    edges = list(pairwise([0, 1, 4, 999, len(data)]))
    sound = LineSound(16_000, 1)
    assert b"".join(piece for begin, end in edges for piece in sound.feed(data[begin:end])) == data
