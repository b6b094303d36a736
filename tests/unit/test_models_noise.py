from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from models import packs
from models.stt.noise import Network, NoiseSuppressor, levels_of
from models.stt.train_noise_network import train
from tests.bench.telephone import through_g711
from tests.contract.test_vad import recorded

pytestmark = pytest.mark.unit

Floats = npt.NDArray[np.float64]

BEFORE = 4000  # samples of the line before anybody speaks


@pytest.fixture(scope="module")
def network() -> Network:
    return Network.load(packs.path("noise_network"))


def cleaned(network: Network, pcm: bytes, at_a_time: int = 640) -> Floats:
    suppressor = NoiseSuppressor(network)
    parts = [suppressor.added(pcm[at : at + at_a_time]) for at in range(0, len(pcm), at_a_time)]
    return np.frombuffer(b"".join([*parts, suppressor.caught_up()]), "<i2").astype(float)


def said() -> npt.NDArray[np.int16]:
    """A human over the telephone, with the line before."""
    speech = np.frombuffer(recorded("cannot-complete-as-dialed"), "<i2")
    return through_g711(np.concatenate([np.zeros(BEFORE, np.int16), speech]))


def with_noise(pcm: npt.NDArray[np.int16], sigma: float) -> bytes:
    noise = np.random.default_rng(4).normal(0, sigma, len(pcm))
    return through_g711(np.clip(pcm + noise, -32768, 32767).astype(np.int16)).astype("<i2").tobytes()


def test_noise_between_words_is_gone_and_words_stay(network: Network) -> None:
    speech = said()
    noisy = np.frombuffer(with_noise(speech, 400), "<i2").astype(float)
    found = cleaned(network, noisy.astype("<i2").tobytes())
    line = slice(800, BEFORE - 800)
    assert found[line].std() < noisy[line].std() / 10
    voiced = slice(BEFORE, len(found))
    clean, before, after = (each[voiced].astype(float) for each in (speech, noisy, found))
    assert np.corrcoef(clean, after)[0, 1] > np.corrcoef(clean, before)[0, 1] > 0.5


def test_a_quiet_line_is_left_alone(network: Network) -> None:
    speech = said()
    found = cleaned(network, speech.astype("<i2").tobytes())
    heard = speech[: len(found)].astype(float)
    assert np.corrcoef(heard, found)[0, 1] > 0.99
    assert 0.9 < found.std() / heard.std() < 1.05


@pytest.mark.parametrize("at_a_time", [2, 642, 9000, 10**6])
def test_it_is_the_same_however_the_audio_is_cut(network: Network, at_a_time: int) -> None:
    pcm = with_noise(said()[:16_000], 300)
    # Rounding aside: sums of floats in another order.
    assert np.abs(cleaned(network, pcm, at_a_time) - cleaned(network, pcm)).max() <= 2


def test_at_most_forty_milliseconds_are_kept_back(network: Network) -> None:
    for samples in (3200, 5000, 16_123):
        kept = samples - len(cleaned(network, bytes(2 * samples)))
        assert 0 <= kept < 640 + 160


def test_more_may_come_after_somebody_waited(network: Network) -> None:
    pcm, suppressor = with_noise(said()[:16_000], 300), NoiseSuppressor(network)
    found = suppressor.added(pcm[:14_000]) + suppressor.caught_up()
    found += suppressor.added(pcm[14_000:]) + suppressor.caught_up()
    whole = cleaned(network, pcm)
    assert np.abs(np.frombuffer(found, "<i2") - whole).max() <= 2


def test_what_is_too_short_for_a_frame_is_nothing(network: Network) -> None:
    suppressor = NoiseSuppressor(network)
    assert suppressor.added(bytes(320)) + suppressor.caught_up() == b""


def test_training_makes_a_network_that_can_be_loaded_and_errs_less(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    clips = [np.frombuffer(recorded("conf-kicked"), "<i2").astype(float)] * 4
    found = train.material(clips, random)
    file = tmp_path / "network.npz"
    train.save(train.trained(found, 8, random), file)
    gains = Network.load(file).gains(found.given)
    errors, untouched = (
        np.mean((levels_of(each) - found.meant) ** 2) for each in (gains**2 * found.heard, found.heard)
    )
    assert errors < untouched
