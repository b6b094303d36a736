"""A Piper voice: an ONNX network of VITS' kind, and what piper-tts makes of text for it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import onnxruntime
from piper import PiperVoice
from piper.config import PiperConfig


class PiperPack:
    """Implements models.neural.programs.serving.Voice. Threads may speak side by side."""

    def __init__(self, pack: Path) -> None:
        (model,) = pack.glob("*.onnx")
        config = PiperConfig.from_dict(json.loads(Path(f"{model}.json").read_text()))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = max(1, (os.cpu_count() or 1) - 1)  # one core is for calls
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads would take it
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._voice = PiperVoice(session=session, config=config)
        self.rate_hz = config.sample_rate
        for _ in self.speak("Ready."):
            pass  # the first sentence is the slowest one

    def speak(self, text: str) -> Iterator[bytes]:
        """See Voice.speak. One piece for each sentence, each as loud as samples can be, which is what the box's own
        voices are."""
        for sentence in self._voice.synthesize(text):
            yield sentence.audio_int16_bytes
