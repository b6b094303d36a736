"""The recogniser's process: one call, two decoders, told what to do on stdin.

PocketSphinx holds the interpreter's lock for as long as a call into it lasts, up to seconds, which would be a hole in
the audio of every call. So it lives here, by itself. The file is run by its path in an isolated interpreter
(`python -I worker.py …`), imports the standard library and pocketsphinx only, and is about 130 MB of memory, nearly
all of it the general language model.

Messages both ways: one byte of kind, four of length (big endian), then that many bytes.

    O  JSON {"transform", "cepstral_mean"}   a call begins, with these of its band               answered by R
    B  -                                   an utterance begins, what was before is forgotten
    F  PCM, 16 kHz mono 16 bit             more of it
    L  -                                   it may be over: what is held back is decoded
    E  -                                   it is complete                                        answered by H

    R  -                                   ready
    H  JSON {"own", "general", "decode_ms", "off_topic"}   what was understood: the fields of models.stt.Heard

The process ends when stdin does, so it does not outlive its parent. A decoder that is stuck gets the process killed
by its own alarm, even where nobody is left to kill it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import struct
import sys
import time
from array import array
from typing import Any, BinaryIO, Protocol

HEADER = struct.Struct(">cI")

# A block of 100 ms takes 25 ms to decode on x86 and ten times that on a slow board; a decoder is stuck well after.
BLOCK_BYTES = 3200
STUCK_AFTER_S = 30

# The first 1.8 s of an utterance, 0.3 s of which are what the turn-taking hands over from before its onset, say enough
# about a line, and decoding them late costs 0.2 s when nothing comes after. Once 6 s were heard, the mean that the
# engine keeps is as good.
HOLD_BYTES = 57_600
LEARN_BYTES = 192_000
# At the end of a word, so much is let go early: the mean of 0.6 s of speech is nearly as good. Less is decoded in no
# time, and is more often the beginning of a sentence than all of it.
HURRIED_BYTES = 28_800
_PRIOR_FRAMES = 50
_SHORTEST_MEAN_BYTES = 6_400
_WINDOW_SAMPLES, _STEP_SAMPLES = 410, 160  # the engine's frames: 25.6 ms every 10 ms
# Below the audio (0 or real-time), above nothing: a recogniser that is late makes a pause, audio that is late a hole.
NICE = 5

# Searched less widely than the engine does by itself, and without its second pass (fwdflat): a tenth of the time to
# finish, a third of the work, for two words in a hundred. README.md beside this file has the measurements.
_OWN: dict[str, float] = {"fwdflat": False}
_GENERAL: dict[str, float] = {"fwdflat": False, "maxwpf": 5, "maxhmmpf": 3000}

# The engine sums senone scores that it cut by ten bits (SENSCR_SHIFT), and hands over what e is raised to by that.
_SCORE_UNIT = 1024


class Hypothesis(Protocol):
    hypstr: str
    score: float


class Decoder(Protocol):
    """What is used of pocketsphinx.Decoder, which has no types of its own."""

    def start_utt(self) -> None: ...
    def end_utt(self) -> None: ...
    def process_raw(self, data: bytes, no_search: bool = False) -> int: ...
    def hyp(self) -> Hypothesis | None: ...
    def n_frames(self) -> int: ...
    def get_cmn(self, update: bool) -> str: ...
    def set_cmn(self, cmn: str) -> None: ...


class Recogniser:
    """Two decoders over the same audio, `own` and `general`.

    Every line and voice colours speech, which shows as a shift of its cepstra. The engine takes their mean away, but
    learns it slowly: a caller's first words would be decoded with somebody else's mean, and half of them wrongly
    (0.77 word errors over G.711 instead of 0.39, first utterances only). So as long as little was heard of a call, the
    beginning of each utterance is held back until the mean can be taken from it.
    """

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._files = arguments
        self._transform: str | None = None
        self._decoders: tuple[Decoder, ...] = ()
        self._held: bytearray | None = None
        self._heard_bytes = 0
        self._in_utterance = False

    def open(self, transform: str, cepstral_mean: str) -> None:
        """Be as new, with decoders for the band that `transform` and `cepstral_mean` belong to."""
        self._end()
        if transform != self._transform:
            self._decoders = ()  # the old ones go first: two of each do not fit into the memory of a small board
            files = self._files
            self._decoders = (
                _decoder(files.acoustic_model, files.own_dictionary, files.own_model, transform, **_OWN),
                _decoder(files.acoustic_model, files.general_dictionary, files.general_model, transform, **_GENERAL),
            )
            self._transform = transform
        self._heard_bytes = 0
        self._set_mean(cepstral_mean)

    def begin(self) -> None:
        self._end()
        self._held = bytearray() if self._heard_bytes < LEARN_BYTES else None
        if self._held is None:
            self._start()

    def feed(self, pcm: bytes) -> None:
        self._heard_bytes += len(pcm)
        if self._held is None:
            self._decode(pcm)
        else:
            self._held += pcm
            if len(self._held) >= HOLD_BYTES:
                self._let_go(self._held)

    def hurry(self) -> None:
        if self._held is not None and len(self._held) >= HURRIED_BYTES:
            self._let_go(self._held)

    def finish(self) -> dict[str, object]:
        started = time.perf_counter()
        if self._held is not None:
            self._let_go(self._held)
        self._end()
        own, general = (decoder.hyp() for decoder in self._decoders)
        return {
            "own": own.hypstr if own else "",
            "general": general.hypstr if general else "",
            "decode_ms": (time.perf_counter() - started) * 1000,
            "off_topic": _ratio(general, own) / self._decoders[0].n_frames() if own and general else 0.0,
        }

    def _let_go(self, held: bytearray) -> None:
        self._held = None
        speech = _from_onset(bytes(held[:HOLD_BYTES]))
        if len(speech) >= _SHORTEST_MEAN_BYTES:
            self._set_mean(_mean_with(self._decoders[0], speech))
        self._start()
        self._decode(bytes(held))

    def _set_mean(self, cepstral_mean: str) -> None:
        for decoder in self._decoders:
            decoder.set_cmn(cepstral_mean)

    def _start(self) -> None:
        for decoder in self._decoders:
            decoder.start_utt()
        self._in_utterance = True

    def _decode(self, pcm: bytes) -> None:
        for at in range(0, len(pcm), BLOCK_BYTES):
            for decoder in self._decoders:
                signal.alarm(STUCK_AFTER_S)
                decoder.process_raw(pcm[at : at + BLOCK_BYTES])

    def _end(self) -> None:
        if self._in_utterance:
            self._in_utterance = False
            for decoder in self._decoders:
                signal.alarm(STUCK_AFTER_S)
                decoder.end_utt()


def _from_onset(pcm: bytes) -> bytes:
    """`pcm` without what lies before its first 20 ms that reach a tenth of its peak: silence has another mean."""
    samples = array("h", pcm)
    peaks = [max(map(abs, samples[at : at + 320])) for at in range(0, len(samples), 320)]
    first = next((frame for frame, peak in enumerate(peaks) if peak * 10 >= max(peaks)), 0)
    return pcm[first * 640 :]


def _mean_with(decoder: Decoder, pcm: bytes) -> str:
    """The cepstral mean of `pcm` and of what the decoder knew before, which counts as much as _PRIOR_FRAMES."""
    before = _numbers(decoder.get_cmn(False))
    decoder.start_utt()
    decoder.process_raw(pcm, no_search=True)
    after = _numbers(decoder.get_cmn(True))
    decoder.end_utt()
    frames = (len(pcm) // 2 - _WINDOW_SAMPLES) // _STEP_SAMPLES + 1
    # The engine lets its old mean count as 500 frames (cmn.h, CMN_WIN): take the sum over the new ones out of that.
    new = (mixed * (500 + frames) - 500 * old for mixed, old in zip(after, before, strict=True))
    mean = ((total + _PRIOR_FRAMES * old) / (frames + _PRIOR_FRAMES) for total, old in zip(new, before, strict=True))
    return ",".join(f"{value:.3f}" for value in mean)


def _numbers(cepstral_mean: str) -> list[float]:
    return [float(value) for value in cepstral_mean.split(",")]


def _decoder(acoustic_model: str, dictionary: str, language_model: str, transform: str, **search: float) -> Decoder:
    # Here: the parent imports this module for the format of messages, and must not load the engine.
    from pocketsphinx import Decoder as PocketSphinx

    settings: dict[str, Any] = {"mllr": transform, **search} if transform else search
    return PocketSphinx(  # type: ignore[no-any-return]
        hmm=acoustic_model,
        dict=dictionary,
        lm=language_model,
        samprate=16_000,
        loglevel="FATAL",  # its log holds what was said
        **settings,
    )


def _ratio(one: Hypothesis, other: Hypothesis) -> float:
    """By how much `one` is likelier than `other`, in nats. Both scores hold the language model's part."""
    return (math.log(one.score) - math.log(other.score)) * _SCORE_UNIT


def serve(recogniser: Recogniser, requests: BinaryIO, replies: BinaryIO) -> None:
    """Do what is asked until there is nobody left to ask."""
    while header := requests.read(HEADER.size):
        kind, length = HEADER.unpack(header)
        payload = requests.read(length)
        if len(payload) < length:
            return
        if kind == b"O":
            recogniser.open(**json.loads(payload))
            _reply(replies, b"R", b"")
        elif kind == b"B":
            recogniser.begin()
        elif kind == b"F":
            recogniser.feed(payload)
        elif kind == b"L":
            recogniser.hurry()
        elif kind == b"E":
            _reply(replies, b"H", json.dumps(recogniser.finish()).encode())
        signal.alarm(0)


def _reply(replies: BinaryIO, kind: bytes, payload: bytes) -> None:
    replies.write(HEADER.pack(kind, len(payload)) + payload)
    replies.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("acoustic-model", "own-dictionary", "own-model", "general-dictionary", "general-model"):
        parser.add_argument(f"--{name}", required=True)
    arguments = parser.parse_args()
    os.nice(NICE)
    for to_all in (signal.SIGINT, signal.SIGHUP):  # Ctrl-C and a closed terminal reach all of its processes
        signal.signal(to_all, signal.SIG_IGN)  # ending is the parent's word
    try:
        serve(Recogniser(arguments), sys.stdin.buffer, sys.stdout.buffer)
    except (BrokenPipeError, struct.error):
        return 1  # the parent went away in the middle of a message
    return 0


if __name__ == "__main__":
    sys.exit(main())
