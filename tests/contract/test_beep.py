"""What every detector of an answering machine's beep must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from app.ports import BYTES_PER_MS
from app.screening import Beeps
from models.beep import CHUNK_BYTES
from models.beep.spectral import SpectralBeeps
from tests.bench.answerers import tone
from tests.fakes.line import BEEP
from tests.fakes.speech import FakeBeeps

pytestmark = pytest.mark.contract

CHUNK_MS = CHUNK_BYTES // BYTES_PER_MS
SOON_MS = 200
"""Nobody waits longer after a beep before they begin to speak."""


@dataclass(frozen=True)
class Engine:
    open: Callable[[], Beeps]
    beep: Callable[[int], bytes]  # of so many ms


@pytest.fixture(params=["fake", "spectral"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "fake":
        return Engine(FakeBeeps, lambda length_ms: np.full(length_ms * 16, BEEP, "<i2").tobytes())
    return Engine(SpectralBeeps, lambda length_ms: tone(1000, length_ms).tobytes())


def told_ms(beeps: Beeps, pcm: bytes) -> list[int]:
    """When the detector says that a beep is over."""
    starts = range(0, len(pcm) // CHUNK_BYTES * CHUNK_BYTES, CHUNK_BYTES)
    return [at // BYTES_PER_MS + CHUNK_MS for at in starts if beeps.heard(pcm[at : at + CHUNK_BYTES])]


def quiet(length_ms: int) -> bytes:
    return bytes(length_ms * BYTES_PER_MS)


@pytest.mark.parametrize("length_ms", [160, 300, 1_000])
def test_a_beep_is_told_once_and_only_when_it_is_over(engine: Engine, length_ms: int) -> None:
    [at_ms] = told_ms(engine.open(), quiet(512) + engine.beep(length_ms) + quiet(1_024))
    assert 512 + length_ms < at_ms <= 512 + length_ms + SOON_MS


def test_silence_and_a_click_are_no_beeps(engine: Engine) -> None:
    assert told_ms(engine.open(), quiet(512) + engine.beep(32) + quiet(1_024)) == []


def test_calls_do_not_share_their_state(engine: Engine) -> None:
    one, other = engine.open(), engine.open()
    assert told_ms(one, engine.beep(300)) == []
    assert told_ms(other, quiet(1_024)) == []
    assert len(told_ms(one, quiet(1_024))) == 1


@pytest.mark.parametrize("size", [0, 2, CHUNK_BYTES - 2, CHUNK_BYTES + 2])
def test_a_chunk_of_another_size_is_refused(engine: Engine, size: int) -> None:
    with pytest.raises(ValueError, match="chunk"):
        engine.open().heard(bytes(size))
