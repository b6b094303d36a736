"""The recogniser's process: one call, two decoders, told what to do on stdin.

PocketSphinx holds the interpreter's lock for as long as a call into it lasts, up to seconds, which would be a hole in
the audio of every call. So it lives here, by itself. The file is run by its path in an isolated interpreter
(`python -I worker.py …`), imports the standard library and pocketsphinx only, and is about 130 MB of memory, nearly
all of it the general language model.

Messages both ways: one byte of kind, four of length (big endian), then that many bytes.

    O  JSON {"transform": path or ""}     a call begins: load the transform of its band         answered by R
    B  -                                   an utterance begins, what was before is forgotten
    F  PCM, 16 kHz mono 16 bit             more of it
    E  -                                   it is complete                                        answered by H

    R  -                                   ready
    H  JSON {"own", "general", "decode_ms"}   what was understood, and what finishing took

The process ends when stdin does, so it does not outlive its parent. A decoder that is stuck gets the process killed
by its own alarm, even where nobody is left to kill it.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import struct
import sys
import time
from typing import Any, BinaryIO, Protocol

HEADER = struct.Struct(">cI")

# A block of 100 ms takes 25 ms to decode on x86 and ten times that on a slow board; a decoder is stuck well after.
BLOCK_BYTES = 3200
STUCK_AFTER_S = 30
# Below the audio (0 or real-time), above nothing: a recogniser that is late makes a pause, audio that is late a hole.
NICE = 5

# Searched less widely than the engine does by itself, and without its second pass (fwdflat): a tenth of the time to
# finish, a third of the work, for two words in a hundred. README.md beside this file has the measurements.
_OWN: dict[str, float] = {"fwdflat": False}
_GENERAL: dict[str, float] = {"fwdflat": False, "maxwpf": 5, "maxhmmpf": 3000}


class Hypothesis(Protocol):
    hypstr: str


class Decoder(Protocol):
    """What is used of pocketsphinx.Decoder, which has no types of its own."""

    def start_utt(self) -> None: ...
    def end_utt(self) -> None: ...
    def process_raw(self, data: bytes) -> int: ...
    def hyp(self) -> Hypothesis | None: ...
    def get_cmn(self, update: bool) -> str: ...
    def set_cmn(self, cmn: str) -> None: ...


class Recogniser:
    """Two decoders over the same audio, `own` and `general`."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._files = arguments
        self._transform: str | None = None
        self._decoders: tuple[Decoder, ...] = ()
        self._cmn = ""
        self._in_utterance = False

    def open(self, transform: str) -> None:
        """Be as new, with decoders for the band that `transform` belongs to."""
        self._end()
        if transform != self._transform:
            self._decoders = ()  # the old ones go first: two of each do not fit into the memory of a small board
            files = self._files
            self._decoders = (
                _decoder(files.acoustic_model, files.own_dictionary, files.own_model, transform, **_OWN),
                _decoder(files.acoustic_model, files.general_dictionary, files.general_model, transform, **_GENERAL),
            )
            self._transform = transform
            self._cmn = self._decoders[0].get_cmn(False)
        for decoder in self._decoders:
            decoder.set_cmn(self._cmn)  # what it learned of the last caller's line

    def begin(self) -> None:
        self._end()
        for decoder in self._decoders:
            decoder.start_utt()
        self._in_utterance = True

    def feed(self, pcm: bytes) -> None:
        for at in range(0, len(pcm), BLOCK_BYTES):
            block = pcm[at : at + BLOCK_BYTES]
            for decoder in self._decoders:
                signal.alarm(STUCK_AFTER_S)
                decoder.process_raw(block)

    def finish(self) -> dict[str, object]:
        started = time.perf_counter()
        self._end()
        own, general = (_text(decoder) for decoder in self._decoders)
        return {"own": own, "general": general, "decode_ms": (time.perf_counter() - started) * 1000}

    def _end(self) -> None:
        if self._in_utterance:
            self._in_utterance = False
            for decoder in self._decoders:
                signal.alarm(STUCK_AFTER_S)
                decoder.end_utt()


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


def _text(decoder: Decoder) -> str:
    hypothesis = decoder.hyp()
    return hypothesis.hypstr if hypothesis else ""


def serve(recogniser: Recogniser, requests: BinaryIO, replies: BinaryIO) -> None:
    """Do what is asked until there is nobody left to ask."""
    while header := requests.read(HEADER.size):
        kind, length = HEADER.unpack(header)
        payload = requests.read(length)
        if len(payload) < length:
            return
        if kind == b"O":
            recogniser.open(json.loads(payload)["transform"])
            _reply(replies, b"R", b"")
        elif kind == b"B":
            recogniser.begin()
        elif kind == b"F":
            recogniser.feed(payload)
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; ending is the parent's word
    try:
        serve(Recogniser(arguments), sys.stdin.buffer, sys.stdout.buffer)
    except (BrokenPipeError, struct.error):
        return 1  # the parent went away in the middle of a message
    return 0


if __name__ == "__main__":
    sys.exit(main())
