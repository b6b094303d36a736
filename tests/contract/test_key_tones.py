"""What every detector of keys by their tones must do, and what the real one makes of telephones and of voices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from app.listening import KeyTones
from models.tones import CHUNK_BYTES
from models.tones.spectral import SpectralTones
from tests.bench.telephone import through_g711
from tests.fakes.line import TONES
from tests.fakes.speech import KEYS, FakeTones
from tests.office.voices import SPEAKERS, samples, say

pytestmark = pytest.mark.contract

Pcm = npt.NDArray[np.int16]
CHUNK = CHUNK_BYTES // 2
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)
PAD = ("123A", "456B", "789C", "*0#D")
SENTENCES = ("My number is five five five, oh one four two.", "We are in the old mill, behind the river.", "Oooh, eee!")


@dataclass(frozen=True)
class Telephone:
    """What it sounds like to press a key for so many milliseconds."""

    open: Callable[[], KeyTones]
    press: Callable[[str, int], Pcm]


def marked(key: str, ms: int) -> Pcm:
    return np.full(ms * 16, TONES - ord(key), np.int16)


def dual(key: str, ms: int, *, low_db: float = -10, high_db: float = -10, off: float = 1.0) -> Pcm:
    row = next(place for place, keys in enumerate(PAD) if key in keys)
    times = np.arange(ms * 16) / 16_000
    pitches = (ROWS[row] * off, low_db), (COLUMNS[PAD[row].index(key)] * off, high_db)
    waves = sum(10 ** (db / 20) * np.sin(2 * np.pi * hz * times) for hz, db in pitches)
    return np.asarray(32_000 * waves, np.int16)


@pytest.fixture(params=["fake", "spectral"])
def telephone(request: pytest.FixtureRequest) -> Telephone:
    return Telephone(FakeTones, marked) if request.param == "fake" else Telephone(SpectralTones, dual)


def quiet(ms: int) -> Pcm:
    return np.zeros(ms * 16, np.int16)


def found(tones: KeyTones, pcm: Pcm) -> tuple[str, int]:
    """The keys, and in how many chunks tones were heard."""
    keys, sounding = "", 0
    for begin in range(0, len(pcm) - CHUNK + 1, CHUNK):
        keys += tones.feed(pcm[begin : begin + CHUNK].tobytes())
        sounding += tones.sounding
    return keys, sounding


def test_each_press_is_told_once(telephone: Telephone) -> None:
    pcm = np.concatenate([each for key in KEYS for each in (telephone.press(key, 120), quiet(120))])
    keys, sounding = found(telephone.open(), pcm)
    assert keys == KEYS
    assert sounding >= 3 * len(KEYS)


def test_a_long_press_is_one_and_the_same_key_again_is_another(telephone: Telephone) -> None:
    pcm = np.concatenate((telephone.press("5", 2_000), quiet(120), telephone.press("5", 120), quiet(120)))
    assert found(telephone.open(), pcm)[0] == "55"


def test_silence_is_none(telephone: Telephone) -> None:
    assert found(telephone.open(), quiet(1_000)) == ("", 0)


@pytest.mark.parametrize("length", [0, 640, 1_023, 2_048])
def test_another_length_is_an_error(telephone: Telephone, length: int) -> None:
    with pytest.raises(ValueError, match="1024"):
        telephone.open().feed(bytes(length))


@pytest.mark.parametrize("after_ms", [0, 3, 7, 13, 19, 27])
@pytest.mark.parametrize(
    ("low_db", "high_db", "off"),
    [(-10, -10, 1.0), (-10, -17, 1.0), (-17, -10, 1.0), (-30, -30, 1.0), (-10, -10, 1.01), (-12, -10, 0.99)],
)
def test_short_presses_over_a_telephone_line(low_db: float, high_db: float, off: float, after_ms: int) -> None:
    """45 ms each, as machines dial: one tone louder, both soft, pitches that are not quite right; and some noise."""
    one = [each for key in KEYS for each in (dual(key, 45, low_db=low_db, high_db=high_db, off=off), quiet(50))]
    clean = np.concatenate((quiet(40 + after_ms), *one, quiet(64)))
    noise = np.random.default_rng(7).normal(0, 30, len(clean))
    assert found(SpectralTones(), through_g711((clean + noise).round().astype(np.int16)))[0] == KEYS


@pytest.mark.parametrize("speaker", ["slt", "rms", "ked", "slt-hts", "rms-small"])
async def test_no_voice_presses_a_key(speaker: str) -> None:
    for text in SENTENCES:
        pcm = samples(await say(SPEAKERS[speaker], text))
        assert found(SpectralTones(), pcm) == ("", 0)
        assert found(SpectralTones(), through_g711(pcm)) == ("", 0)


@pytest.mark.parametrize("pitches", [(425,), (350, 440), (1_000,), (1_100,), (2_100,), (941,), (1_336,), (480, 620)])
def test_other_tones_of_the_telephone_are_none(pitches: tuple[int, ...]) -> None:
    times = np.arange(16_000) / 16_000
    pcm = np.asarray(6_000 * sum(np.sin(2 * np.pi * hz * times) for hz in pitches), np.int16)
    assert found(SpectralTones(), pcm) == ("", 0)
