"""What every voice activity detector must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import soundfile

from app.ports import VoiceActivity
from models.vad import CHUNK_BYTES
from models.vad.silero import SileroModel
from tests.fakes.speech import FakeActivity
from tests.office.sounds import prompts

pytestmark = pytest.mark.contract


@dataclass(frozen=True)
class Engine:
    open: Callable[[], VoiceActivity]
    speech: bytes  # at least 2 s, hardly a pause in it


def recorded(name: str) -> bytes:
    (path,) = (prompt.wav_path for prompt in prompts() if prompt.name == name)
    pcm, rate = soundfile.read(path, dtype="int16")
    assert rate == 16_000
    return bytes(pcm.tobytes())


@pytest.fixture(params=["fake", "silero"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "fake":
        return Engine(FakeActivity, np.full(32_000, 1, "<i2").tobytes())
    return Engine(SileroModel().open, recorded("cannot-complete-as-dialed"))


def chunks(pcm: bytes) -> list[bytes]:
    whole = len(pcm) // CHUNK_BYTES * CHUNK_BYTES
    return [pcm[at : at + CHUNK_BYTES] for at in range(0, whole, CHUNK_BYTES)]


def test_speech_is_told_from_silence(engine: Engine) -> None:
    activity = engine.open()
    silent = [activity.probability(bytes(CHUNK_BYTES)) for _ in range(30)]
    spoken = [activity.probability(chunk) for chunk in chunks(engine.speech)]
    assert max(silent) < 0.5
    assert sum(probability > 0.5 for probability in spoken) > 0.7 * len(spoken)


def test_silence_after_speech_is_silence(engine: Engine) -> None:
    activity = engine.open()
    for chunk in chunks(engine.speech):
        activity.probability(chunk)
    after = [activity.probability(bytes(CHUNK_BYTES)) for _ in range(20)]
    assert max(after[10:]) < 0.3


def test_it_is_a_probability(engine: Engine) -> None:
    activity = engine.open()
    assert all(0 <= activity.probability(chunk) <= 1 for chunk in chunks(engine.speech))


def test_calls_do_not_share_their_state(engine: Engine) -> None:
    alone = engine.open()
    expected = [alone.probability(chunk) for chunk in chunks(engine.speech)]
    one, other = engine.open(), engine.open()
    found = []
    for chunk in chunks(engine.speech):
        found.append(one.probability(chunk))
        other.probability(bytes(CHUNK_BYTES))
    assert found == expected


@pytest.mark.parametrize("size", [0, 2, CHUNK_BYTES - 2, CHUNK_BYTES + 2, 2 * CHUNK_BYTES])
def test_a_chunk_of_another_size_is_refused(engine: Engine, size: int) -> None:
    with pytest.raises(ValueError, match="chunk"):
        engine.open().probability(bytes(size))
