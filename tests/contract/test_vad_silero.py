"""Silero on TFLite against the network that it was made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
import pytest
import soundfile

from models import packs
from models.vad import CHUNK_SAMPLES
from models.vad.silero import SileroModel
from tests.bench.telephone import through_g711
from tests.office.sounds import prompts

pytestmark = pytest.mark.contract

Pcm = npt.NDArray[np.int16]


def original() -> Callable[[Pcm], float]:
    session = onnxruntime.InferenceSession(str(packs.path("silero_vad_16k_op15")), providers=["CPUExecutionProvider"])
    state = np.zeros((2, 1, 128), np.float32)
    context = np.zeros(64, np.float32)

    def probability(chunk: Pcm) -> float:
        nonlocal state, context
        samples = chunk.astype(np.float32) / 32768
        x = np.concatenate((context, samples))[np.newaxis]
        context = samples[-64:]
        output, state = session.run(None, {"input": x, "state": state, "sr": np.array(16_000)})
        return float(output[0, 0])

    return probability


def real_speech() -> Iterator[Pcm]:
    """Six prompts with pauses between them: as recorded, by telephone, and with noise at 10 dB."""
    noise = np.random.default_rng(7)
    for number, prompt in enumerate([p for p in prompts() if len(p.text.split()) > 8][::20][:6]):
        pcm = np.pad(soundfile.read(prompt.wav_path, dtype="int16")[0], 8000)
        if number % 3 == 1:
            pcm = through_g711(pcm)
        if number % 3 == 2:
            level = np.sqrt(np.mean(pcm.astype(float) ** 2)) / 10**0.5
            pcm = np.clip(pcm + noise.normal(0, level, len(pcm)), -32768, 32767).astype(np.int16)
        yield pcm


def test_it_decides_as_the_original_does_on_real_speech() -> None:
    model = SileroModel()
    differences, decisions, compared = [], 0, 0
    for pcm in real_speech():
        ours, theirs = model.open(), original()
        for chunk in pcm[: len(pcm) // CHUNK_SAMPLES * CHUNK_SAMPLES].reshape(-1, CHUNK_SAMPLES):
            one, other = ours.probability(chunk.tobytes()), theirs(chunk)
            differences.append(abs(one - other))
            decisions += (one > 0.5) != (other > 0.5)
            compared += 1
    assert compared > 500
    assert max(differences) < 1e-4
    assert decisions == 0


def test_noise_alone_is_not_speech() -> None:
    activity = SileroModel().open()
    noise = np.random.default_rng(3).normal(0, 3000, (60, CHUNK_SAMPLES)).astype("<i2")
    assert max(activity.probability(chunk.tobytes()) for chunk in noise) < 0.5


def test_a_model_file_that_is_missing_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "HERE", tmp_path)
    with pytest.raises(packs.PackMissing, match=r"silero16k_f32\.tflite.*restore it from git"):
        SileroModel()
