"""A recogniser and a voice that are somebody else's: for the speech servers that tests talk to."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import soxr
from pocketsphinx import Decoder as PocketSphinx

from models.stt import band, english
from models.stt.language_model import build
from models.tts.libflite import SAMPLE_RATE_HZ, LibFlite

VOICE_RATE_HZ = 22_050
"""As Piper's: not the telephone's."""


class Recogniser:
    """Knows some phrases, over a telephone. One utterance after the other."""

    def __init__(self, phrases: Sequence[str]) -> None:
        model, line = build(phrases), band.narrow()
        with tempfile.TemporaryDirectory() as folder:
            arpa, words = Path(folder) / "own.arpa", Path(folder) / "own.dict"
            arpa.write_text(model.arpa)
            words.write_text(model.dictionary)
            self._engine = PocketSphinx(
                hmm=str(english.ACOUSTIC_MODEL),
                dict=str(words),
                lm=str(arpa),
                mllr=line.transform,
                samprate=16_000,
                loglevel="FATAL",
            )
        self._engine.set_cmn(line.cepstral_mean)
        self._in_utterance = False

    def begin(self) -> None:
        """The one before is forgotten."""
        if self._in_utterance:
            self._engine.end_utt()
        self._engine.start_utt()
        self._in_utterance = True

    def feed(self, pcm: bytes) -> None:
        """Decodes along, so that little is left to do at the end. Blocks."""
        self._engine.process_raw(pcm)

    def text(self) -> str:
        """As servers write, with a capital and a full stop, which nothing on the box does. Blocks."""
        self._engine.end_utt()
        self._in_utterance = False
        found = self._engine.hyp()
        return f"{found.hypstr.capitalize()}." if found and found.hypstr else ""


class Speaker:
    """A man's voice, at VOICE_RATE_HZ."""

    def __init__(self) -> None:
        self._engine = LibFlite("rms")

    def speak(self, text: str, heard: Callable[[bytes], bool]) -> None:
        """`heard` gets 16-bit samples as they are made, and returns whether to go on. Blocks."""
        stream = soxr.ResampleStream(SAMPLE_RATE_HZ, VOICE_RATE_HZ, 1, dtype="int16")

        def made(pcm: bytes) -> bool:
            return heard(stream.resample_chunk(np.frombuffer(pcm, "<i2")).tobytes())

        self._engine.synthesize(text, 1600, made)
        heard(stream.resample_chunk(np.zeros(0, np.int16), last=True).tobytes())
