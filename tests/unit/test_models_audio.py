import numpy as np
import pytest

from models.stt.dither import SIGMA, Dither
from tests.bench.telephone import decode_mu_law, encode_mu_law, through_g711

pytestmark = pytest.mark.unit


def test_dither_adds_its_noise_to_silence() -> None:
    noise = np.frombuffer(Dither().added_to(bytes(64_000)), "<i2")
    assert abs(noise.std() - SIGMA) < 1
    assert abs(noise.mean()) < 1


def test_dither_is_the_same_however_the_audio_is_cut() -> None:
    audio = np.arange(-20_000, 20_000, dtype="<i2").tobytes()
    pieces = Dither()
    assert b"".join(pieces.added_to(audio[at : at + 642]) for at in range(0, len(audio), 642)) == Dither().added_to(
        audio
    )


def test_dither_goes_on_where_it_was() -> None:
    dither = Dither()
    assert dither.added_to(bytes(640)) != dither.added_to(bytes(640))


def test_dither_clips_instead_of_turning_over() -> None:
    loud = np.frombuffer(Dither().added_to(np.full(8000, 32767, "<i2").tobytes()), "<i2")
    assert loud.min() > 32_000


# Rows of the table in ITU-T G.711, on the scale of 16-bit samples.
@pytest.mark.parametrize(
    ("code", "sample"),
    [(0x00, -32124), (0x0F, -16764), (0x10, -15996), (0x1F, -8316), (0x20, -7932), (0x80, 32124), (0xFE, 8), (0xFF, 0)],
)
def test_mu_law_codes(code: int, sample: int) -> None:
    assert decode_mu_law(np.array([code], np.uint8))[0] == sample
    assert encode_mu_law(np.array([sample], np.int16))[0] == code


def test_mu_law_is_as_exact_as_its_steps() -> None:
    pcm = np.arange(-32_000, 32_000, dtype=np.int16)
    error = np.abs(decode_mu_law(encode_mu_law(pcm)).astype(int) - pcm)
    assert (error <= np.abs(pcm.astype(int)) / 32 + 5).all()


def test_decoding_and_encoding_again_changes_nothing() -> None:
    codes = np.arange(256, dtype=np.uint8)
    again = decode_mu_law(encode_mu_law(decode_mu_law(codes)))
    assert (again == decode_mu_law(codes)).all()


def test_a_telephone_takes_away_what_is_above_its_band() -> None:
    seconds = np.arange(16_000) / 16_000
    low, high = (np.asarray(8000 * np.sin(2 * np.pi * hertz * seconds), np.int16) for hertz in (1000, 6000))
    assert through_g711(low).astype(float).std() > 5000
    assert through_g711(high).astype(float).std() < 100
