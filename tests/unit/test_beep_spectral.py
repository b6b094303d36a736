"""Which sounds are an answering machine's beep, over a telephone line."""

from __future__ import annotations

import numpy as np
import pytest

from models.beep import CHUNK_BYTES
from models.beep.spectral import SpectralBeeps
from tests.bench.answerers import music, tone
from tests.bench.telephone import through_g711
from tests.office.voices import Samples

pytestmark = pytest.mark.unit


def quiet(length_ms: int) -> Samples:
    return np.zeros(length_ms * 16, np.int16)


def beeps(*parts: Samples, lead_ms: int = 500) -> int:
    pcm = through_g711(np.concatenate([quiet(lead_ms), *parts, quiet(1_000)])).tobytes()
    detector = SpectralBeeps()
    return sum(detector.heard(pcm[at : at + CHUNK_BYTES]) for at in range(0, len(pcm) - CHUNK_BYTES + 1, CHUNK_BYTES))


def two_tones(low_hz: float, high_hz: float, length_ms: int) -> Samples:
    return np.asarray(tone(low_hz, length_ms) + tone(high_hz, length_ms))


@pytest.mark.parametrize("hz", [400, 440, 480, 697, 850, 1000, 1004, 1400, 1777, 2100, 2500])
@pytest.mark.parametrize("length_ms", [128, 200, 500, 850])
def test_a_tone_of_any_pitch_and_length(hz: int, length_ms: int) -> None:
    assert [beeps(tone(hz, length_ms), lead_ms=lead_ms) for lead_ms in (500, 507, 513, 522)] == [1, 1, 1, 1]


def test_a_soft_one_in_hiss() -> None:
    soft = tone(1000, 400, amplitude=0.03)
    hiss = np.random.default_rng(1).normal(0, 60, len(soft)).astype(np.int16)
    assert beeps(np.asarray(soft + hiss)) == 1


def test_one_right_after_a_greeting_of_noise() -> None:
    noise = np.random.default_rng(2).normal(0, 3_000, 16_000).astype(np.int16)
    assert beeps(noise, tone(1000, 300)) == 1


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([two_tones(440, 480, 2_000)], id="it rings, America"),
        pytest.param([tone(425, 1_000)], id="it rings, Europe"),
        pytest.param([tone(440, 1_500)], id="it rings, France"),
        pytest.param([two_tones(400, 450, 400)], id="it rings, Britain"),
        pytest.param([tone(425, 500), quiet(500), tone(425, 500)], id="busy"),
        pytest.param([two_tones(480, 620, 500)], id="busy, America"),
        pytest.param([tone(950, 330), tone(1400, 330), tone(1800, 330)], id="no such number"),
        pytest.param([tone(2100, 3_000)], id="a fax machine"),
        pytest.param([tone(1000, 60)], id="too short"),
        pytest.param([tone(300, 500)], id="too low"),
        pytest.param([tone(3_000, 500)], id="too high"),
        pytest.param([tone(1000, 500, amplitude=0.002)], id="crosstalk"),
        pytest.param([music(20_000, 4_000)], id="music"),
    ],
)
def test_what_is_no_beep(parts: list[Samples]) -> None:
    assert beeps(*parts) == 0


@pytest.mark.parametrize("low_hz", [697, 770, 852, 941])
@pytest.mark.parametrize("high_hz", [1209, 1336, 1477, 1633])
def test_keys_are_no_beeps(low_hz: int, high_hz: int) -> None:
    assert beeps(two_tones(low_hz, high_hz, 250)) == 0


def test_a_tune_of_pure_tones_is_none() -> None:
    assert beeps(*(tone(hz, 250) for hz in (523, 587, 659, 784, 659, 523))) == 0
