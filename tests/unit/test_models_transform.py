import struct

import numpy as np
import pytest

from models import packs
from models.stt import english
from models.stt.train_phone_transform import compose, mixture_weights

pytestmark = pytest.mark.unit


def test_mixture_weights_of_the_shipped_model_are_read() -> None:
    weights = mixture_weights.weights_of((english.ACOUSTIC_MODEL / "sendump").read_bytes())
    assert weights.shape == (5126, 3, 128)
    assert np.allclose(weights.sum(axis=2), 1, atol=1e-4)


def test_mixture_weights_are_written_with_shape_and_checksum() -> None:
    weights = np.full((2, 3, 4), 0.25, "<f4")
    data = mixture_weights.sphinx3_file(weights)
    start = data.index(b"endhdr\n") + len(b"endhdr\n")
    assert struct.unpack_from("<I4i", data, start) == (0x11223344, 2, 3, 4, 24)
    assert len(data) == start + 20 + 24 * 4 + 4


def test_the_committed_transform_is_read_and_written_back() -> None:
    text = packs.path("mllr_phone").read_text()
    again = compose.written(compose.read(text))
    assert [float(field) for field in again.split()] == [float(field) for field in text.split()]


def test_two_transforms_in_one_do_what_they_do_one_after_the_other() -> None:
    random = np.random.default_rng(1)
    first, second = (compose.Stream(random.normal(size=(3, 3)), random.normal(size=3), np.ones(3)) for _ in range(2))
    both, mean = compose.composed(first, second), random.normal(size=3)
    expected = second.matrix @ (first.matrix @ mean + first.shift) + second.shift
    assert np.allclose(both.matrix @ mean + both.shift, expected)


def test_a_transform_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="one class"):
        compose.read("2 3 13")
