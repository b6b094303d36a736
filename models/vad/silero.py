"""Silero's network on tflite-runtime: 32 us for 32 ms of audio on one x86 core, in place beside the call.

The weights (1.2 MB, mapped from the file, read only) are shared by all calls. What the network remembers is handed in
and out at every step, so that it belongs to the call.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from tflite_runtime.interpreter import Interpreter

from models import packs
from models.vad import CHUNK_BYTES, CHUNK_SAMPLES

Floats = npt.NDArray[np.float32]

_CONTEXT_SAMPLES: Final = 64  # of the chunk before, as in training
_STATE_SHAPE: Final = (1, 128)


class SileroModel:
    """The network, loaded once. `open()` gives a call its own voice activity detector.

    Raises: packs.PackProblem when the model file is missing or is not the declared one.
    """

    def __init__(self, path: Path | None = None) -> None:
        # One thread: handing 0.7 million multiplications to a pool costs more than doing them.
        self._interpreter = Interpreter(str(path or packs.path("silero16k_f32")), num_threads=1)
        self._interpreter.allocate_tensors()
        runner = self._interpreter.get_signature_runner()
        # By signature: the interpreter's own order of outputs is not that of their names.
        self._inputs = {name: detail["index"] for name, detail in runner.get_input_details().items()}
        self._outputs = {name: detail["index"] for name, detail in runner.get_output_details().items()}
        self._invoking = threading.Lock()  # invoke() releases the GIL, and an interpreter has one set of tensors

    def open(self) -> Silero:
        return Silero(self)

    def step(self, x: Floats, h: Floats, c: Floats) -> tuple[float, Floats, Floats]:
        """One chunk: x [1, 576] with its context, h and c [1, 128] from the step before. Gives prob, h, c."""
        interpreter = self._interpreter
        with self._invoking:
            for name, value in (("x", x), ("h", h), ("c", c)):
                interpreter.set_tensor(self._inputs[name], value)
            interpreter.invoke()
            prob, h_out, c_out = (interpreter.get_tensor(self._outputs[name]) for name in ("prob", "h_out", "c_out"))
        return float(prob[0, 0]), h_out, c_out


class Silero:
    """The detector of one call."""

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._h = np.zeros(_STATE_SHAPE, np.float32)
        self._c = np.zeros(_STATE_SHAPE, np.float32)
        self._context = np.zeros(_CONTEXT_SAMPLES, np.float32)

    def probability(self, chunk: bytes) -> float:
        """See VoiceActivity.probability."""
        if len(chunk) != CHUNK_BYTES:
            raise ValueError(f"a chunk has {CHUNK_BYTES} bytes ({CHUNK_SAMPLES} samples of 16 bit), not {len(chunk)}")
        samples = np.frombuffer(chunk, "<i2").astype(np.float32) / 32768
        x = np.concatenate((self._context, samples))[np.newaxis]
        self._context = samples[-_CONTEXT_SAMPLES:]
        prob, self._h, self._c = self._model.step(x, self._h, self._c)
        return prob
