"""Sound files as people bring them, other sample rates, and what a telephone leaves of speech."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from firmware.audio.resampling import Samples, resampled
from firmware.audio.telephone import over_telephone
from firmware.audio.wav import WavProblem, read_wav, wav_of

pytestmark = pytest.mark.unit

RATE_HZ = 16_000


def tone(hertz: float, rate_hz: int = RATE_HZ, seconds: float = 0.5) -> Samples:
    sound: Samples = (0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate_hz * seconds)) / rate_hz)).astype(
        np.float32
    )
    return sound


def file_of(sound: Samples, rate_hz: int, kind: str = "WAV", subtype: str = "PCM_16") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, sound, rate_hz, format=kind, subtype=subtype)
    return file.getvalue()


def level_db(sound: Samples) -> float:
    """Against `tone`'s, without the ends, where a filter has no neighbours."""
    middle = sound[len(sound) // 8 : -len(sound) // 8]
    return float(20 * np.log10(np.sqrt(np.mean(np.square(middle))) / (0.5 / np.sqrt(2)) + 1e-9))


@pytest.mark.parametrize("from_hz", [8_000, 11_025, 22_050, 44_100, 48_000])
def test_a_tone_stays_itself_at_another_rate(from_hz: int) -> None:
    made = resampled(tone(1000, from_hz), from_hz, RATE_HZ)
    expected = tone(1000)
    assert abs(len(made) - len(expected)) <= 1
    inner = slice(400, min(len(made), len(expected)) - 400)
    assert np.abs(made[inner] - expected[inner]).max() < 0.001


def test_what_the_lower_rate_cannot_hold_is_gone() -> None:
    assert level_db(resampled(tone(5_000), RATE_HZ, 8_000)) < -60


def test_a_telephone_keeps_the_voice_and_loses_the_hiss() -> None:
    assert level_db(over_telephone(tone(1_000))) == pytest.approx(0, abs=0.3)
    assert level_db(over_telephone(tone(6_000))) < -60


def test_nothing_stays_nothing() -> None:
    assert len(over_telephone(np.zeros(0, np.float32))) == 0


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "FLOAT", "ULAW"])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_usual_recordings_can_be_used(rate_hz: int, subtype: str) -> None:
    sound = read_wav(file_of(tone(700, rate_hz), rate_hz, subtype=subtype))
    assert not isinstance(sound, WavProblem)
    assert level_db(sound) == pytest.approx(0, abs=0.3)


def test_both_sides_of_a_stereo_recording_count() -> None:
    sound = read_wav(file_of(np.stack([tone(700), np.zeros(8_000, np.float32)], axis=1), RATE_HZ))
    assert not isinstance(sound, WavProblem)
    assert level_db(sound) == pytest.approx(-6, abs=0.3)


def test_what_is_written_is_read_again() -> None:
    sound = read_wav(wav_of(tone(700)))
    assert not isinstance(sound, WavProblem)
    assert np.abs(sound - tone(700)).max() < 0.001


WAV = file_of(tone(700), RATE_HZ)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", WavProblem.NOT_WAV),
        (b"not sound at all", WavProblem.NOT_WAV),
        (WAV[:20], WavProblem.NOT_WAV),
        (WAV[:44], WavProblem.EMPTY),
        (b"RIFF\xff\xff\xff\xffWAVE" + bytes(100), WavProblem.NOT_WAV),
        (file_of(tone(700), RATE_HZ, "FLAC"), WavProblem.NOT_WAV),
        (file_of(tone(700, 96_000), 96_000), WavProblem.UNUSUAL),
        (file_of(np.stack([tone(700)] * 3, axis=1), RATE_HZ), WavProblem.UNUSUAL),
        (file_of(tone(700, seconds=10.5), RATE_HZ), WavProblem.TOO_LONG),
    ],
    ids=["empty", "text", "header cut", "header only", "no format", "flac", "96 kHz", "three channels", "10.5 s"],
)
def test_the_rest_is_refused_with_what_to_do(data: bytes, problem: WavProblem) -> None:
    assert read_wav(data) is problem


def test_a_recording_of_no_numbers_is_silence() -> None:
    sound = read_wav(file_of(np.full(1600, np.nan, np.float32), RATE_HZ, subtype="FLOAT"))
    assert not isinstance(sound, WavProblem)
    assert not sound.any()
