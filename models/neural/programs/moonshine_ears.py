"""A Moonshine recogniser. Streaming ones hear along; the others hear an utterance once all of it is there."""

from __future__ import annotations

import threading
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from moonshine_voice.moonshine_api import ModelArch
from moonshine_voice.transcriber import Transcriber

RATE_HZ = 16_000

_OPTIONS = {
    "vad_threshold": "0",  # the box knows when somebody speaks
    "identify_speakers": "false",
}
_EACH_S = 0.5
"""Of audio, for a streaming one: seldom enough to have a core left, often enough that little is left at the end."""

_LONGEST_S = 60
"""Nobody says more in one turn; what comes after it is not heard."""


class MoonshinePack:
    """Implements models.neural.programs.serving.Ears. One utterance is worked on at a time, since cores are few."""

    def __init__(self, pack: Path) -> None:
        architecture = tomllib.loads((pack / "pack.toml").read_text())["architecture"]
        self._streams = architecture.endswith("-streaming")
        model = ModelArch[architecture.upper().replace("-", "_")]
        self._transcriber = Transcriber(pack, model, options=_OPTIONS)
        self._alone = threading.Lock()
        first = self.begin()  # the first one is the slowest
        first.feed(bytes(2 * RATE_HZ))
        first.text()
        first.forget()

    def begin(self) -> Utterance:
        """See Ears.begin."""
        return self.opened(along=self._streams)

    def opened(self, *, along: bool) -> Utterance:
        """`along`: it hears while it is fed."""
        return Utterance(self._transcriber, self._alone, along=along)


class Utterance:
    """Implements models.neural.programs.serving.Utterance."""

    def __init__(self, transcriber: Transcriber, alone: threading.Lock, *, along: bool) -> None:
        self._transcriber, self._alone = transcriber, alone
        self._left = 2 * RATE_HZ * _LONGEST_S
        self._pcm = bytearray()
        self._stream: Any = None
        if along:
            with alone:
                self._stream = transcriber.create_stream(update_interval=_EACH_S)
                self._stream.start()

    def feed(self, pcm: bytes) -> None:
        """See Utterance.feed."""
        pcm = pcm[: self._left]
        self._left -= len(pcm)
        if self._stream is None:
            self._pcm += pcm
        elif pcm:
            with self._alone:
                self._stream.add_audio(_samples(pcm), RATE_HZ)

    def text(self) -> str:
        """See Utterance.text."""
        with self._alone:
            heard = (
                self._stream.stop()
                if self._stream is not None
                else self._transcriber.transcribe_without_streaming(_samples(self._pcm), RATE_HZ)
            )
        return " ".join(line.text.strip() for line in heard.lines) if heard else ""

    def forget(self) -> None:
        """See Utterance.forget."""
        if self._stream is not None:
            with self._alone:
                self._stream.close()
            self._stream = None


def _samples(pcm: bytes | bytearray) -> list[float]:
    found: list[float] = (np.frombuffer(bytes(pcm), "<i2").astype(np.float32) / 32768).tolist()
    return found
