"""A decoder: one of the two language models of an agent, loaded once, and a process of its own for each call.

PocketSphinx holds the interpreter's lock for as long as a call into it lasts, up to seconds, which would be a hole in
the audio of every call. So it lives here, by itself; and the two decoders of a call live apart, so that neither waits
for the other. What is loaded is nine tenths of a decoder's memory and never changes: this process loads it and is
forked for each call, so that calls share it and begin within milliseconds. The file is run by its path in an isolated
interpreter (`python -I decoder.py …`), and imports the standard library and pocketsphinx only.

Its stdin is a Unix socket. It says one byte when it is loaded. Each byte that comes then brings a stream socket
(SCM_RIGHTS), which is a call; over that it sends the process number of who serves it (four bytes, big endian) together
with a descriptor of that process (pidfd_open(2)). From then on it carries messages both ways: one byte of kind, four of
length (big endian), then that many bytes.

    O  the cepstral mean of the call's band  a call begins
    B  what is expected, or nothing        an utterance begins, what was before is forgotten
    F  PCM, 16 kHz mono 16 bit             more of it
    L  -                                   it may be over: what is held back is decoded
    E  four bytes                          it is complete                                        answered by H
    X  -                                   nobody waits for it any more: nothing is answered

    H  E's four bytes, then JSON {"text", "log_score", "frames", "others"}  what was understood: the fields of
       models.stt.process.Found

What comes is read ahead between blocks of audio: once an utterance is begun or given up, what was before is decoded no
further, and its E is not answered.

Each process ends when its socket does, so none outlives its parent. A decoder that is stuck gets its process killed by
an alarm of its own, even where nobody is left to kill it.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import math
import os
import signal
import socket
import struct
import sys
from array import array
from collections import deque
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from typing import Any, Protocol

HEADER = struct.Struct(">cI")
PROCESS_NUMBER = struct.Struct(">I")
REQUEST_NUMBER = struct.Struct(">I")
LOADED, CALL = b"L", b"C"

# A block of 100 ms takes 25 ms to decode on x86 and ten times that on a slow board; a decoder is stuck well after.
BLOCK_BYTES = 3200
STUCK_AFTER_S = 30

# The first 1.8 s of an utterance, 0.3 s of which are what the turn-taking hands over from before its onset, say enough
# about a line, and decoding them late costs 0.2 s when nothing comes after.
HOLD_BYTES = 57_600
# At the end of a word, so much is let go early: the mean of 0.6 s of speech is nearly as good. Less is decoded in no
# time, and is more often the beginning of a sentence than all of it.
HURRIED_BYTES = 28_800
# Of a caller who has said so much, the mean is known, and the engine keeps it: README.md has the measurements.
LEARN_BYTES = HURRIED_BYTES
_PRIOR_FRAMES = 50
_SHORTEST_MEAN_BYTES = 6_400
_WINDOW_SAMPLES, _STEP_SAMPLES = 410, 160  # the engine's frames: 25.6 ms every 10 ms
_LARGEST_READ = 65_536
_OF_AN_UTTERANCE, _FORGETS_IT = (b"F", b"L", b"E"), (b"B", b"X")

# What else a dictated utterance may have been: the right name or number is among so many, if it is at all.
_OTHERS = 150

# The engine sums senone scores that it cut by ten bits (SENSCR_SHIFT), and hands over what e is raised to by that.
_SCORE_UNIT = 1024


class Hypothesis(Protocol):
    hypstr: str
    score: float


class Engine(Protocol):
    """What is used of pocketsphinx.Decoder, which has no types of its own."""

    def start_utt(self) -> None: ...
    def end_utt(self) -> None: ...
    def process_raw(self, data: bytes, no_search: bool = False) -> int: ...
    def hyp(self) -> Hypothesis | None: ...
    def nbest(self) -> Iterable[Hypothesis | None]: ...
    def activate_search(self, name: str | None = None) -> None: ...
    def n_frames(self) -> int: ...
    def get_cmn(self, update: bool) -> str: ...
    def set_cmn(self, cmn: str) -> None: ...


class Decoder:
    """An engine in a call, and what it has to know of the line.

    Every line and voice colours speech, which shows as a shift of its cepstra. The engine takes their mean away, but
    learns it slowly: a caller's first words would be decoded with somebody else's mean, and half of them wrongly
    (0.77 word errors over G.711 instead of 0.39, first utterances only). So the beginning of a call's first
    utterance is held back until the mean can be taken from it.
    """

    def __init__(
        self, engine: Engine, expectable: Collection[str] = (), is_moot: Callable[[], bool] = lambda: False
    ) -> None:
        """`expectable`: language models of the engine besides its own one, by name. `is_moot`: nobody waits any more
        for what is being decoded."""
        self._engine, self._expectable, self.is_moot = engine, expectable, is_moot
        self._dictated = False
        self._held: bytearray | None = None
        self._heard_bytes = 0
        self._in_utterance = False

    def open(self, cepstral_mean: str) -> None:
        self._engine.set_cmn(cepstral_mean)

    def begin(self, expected: str = "") -> None:
        """`expected`: which of `expectable` is heard with; an unknown one is no reason to hear nothing."""
        self._end()
        self._expect(expected if expected in self._expectable else "")
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
        if self._held is not None:
            self._let_go(self._held)
        self._end()
        found = self._engine.hyp()
        if not found:
            return {"text": "", "log_score": 0.0, "frames": 0, "others": []}
        log_score = math.log(found.score) * _SCORE_UNIT
        others = self._others() if self._dictated else []
        return {"text": found.hypstr, "log_score": log_score, "frames": self._engine.n_frames(), "others": others}

    def give_up(self) -> None:
        """Forget the utterance. What was learned of the line stays."""
        self._held = None
        self._end()

    def _expect(self, expected: str) -> None:
        if self._expectable:
            self._engine.activate_search(expected or None)
        self._dictated = bool(expected)

    def _others(self) -> list[str]:
        """Best first, each once. The engine has nothing to say of a path without words."""
        found = itertools.islice(self._engine.nbest(), _OTHERS)
        return list(dict.fromkeys(each.hypstr for each in found if each and each.hypstr))

    def _let_go(self, held: bytearray) -> None:
        self._held = None
        speech = _from_onset(bytes(held[:HOLD_BYTES]))
        if len(speech) >= _SHORTEST_MEAN_BYTES:
            self._engine.set_cmn(_mean_with(self._engine, speech))
        self._start()
        self._decode(bytes(held))

    def _start(self) -> None:
        self._engine.start_utt()
        self._in_utterance = True

    def _decode(self, pcm: bytes) -> None:
        for at in range(0, len(pcm), BLOCK_BYTES):
            if at and self.is_moot():
                return
            signal.alarm(STUCK_AFTER_S)
            self._engine.process_raw(pcm[at : at + BLOCK_BYTES])

    def _end(self) -> None:
        if self._in_utterance:
            self._in_utterance = False
            signal.alarm(STUCK_AFTER_S)
            self._engine.end_utt()


def _from_onset(pcm: bytes) -> bytes:
    """`pcm` without what lies before its first 20 ms that reach a tenth of its peak: silence has another mean."""
    samples = array("h", pcm)
    peaks = [max(map(abs, samples[at : at + 320])) for at in range(0, len(samples), 320)]
    first = next((frame for frame, peak in enumerate(peaks) if peak * 10 >= max(peaks)), 0)
    return pcm[first * 640 :]


def _mean_with(engine: Engine, pcm: bytes) -> str:
    """The cepstral mean of `pcm` and of what the engine knew before, which counts as much as _PRIOR_FRAMES."""
    before = _numbers(engine.get_cmn(False))
    engine.start_utt()
    engine.process_raw(pcm, no_search=True)
    after = _numbers(engine.get_cmn(True))
    engine.end_utt()
    frames = (len(pcm) // 2 - _WINDOW_SAMPLES) // _STEP_SAMPLES + 1
    # The engine lets its old mean count as 500 frames (cmn.h, CMN_WIN): take the sum over the new ones out of that.
    new = (mixed * (500 + frames) - 500 * old for mixed, old in zip(after, before, strict=True))
    mean = ((total + _PRIOR_FRAMES * old) / (frames + _PRIOR_FRAMES) for total, old in zip(new, before, strict=True))
    return ",".join(f"{value:.3f}" for value in mean)


def _numbers(cepstral_mean: str) -> list[float]:
    return [float(value) for value in cepstral_mean.split(",")]


def _engine(arguments: argparse.Namespace) -> Engine:
    # Here: the parent imports this module for the format of messages, and must not load the engine.
    from pocketsphinx import Decoder as PocketSphinx

    settings: dict[str, Any] = {"mllr": arguments.transform} if arguments.transform else {}
    engine = PocketSphinx(
        hmm=arguments.acoustic_model,
        dict=arguments.dictionary,
        lm=arguments.language_model,
        samprate=16_000,
        loglevel="FATAL",  # its log holds what was said
        **settings,
        **json.loads(arguments.search),
    )
    # A second pass over few words costs little, and twice as many spelled names are then among what may be meant.
    engine.config["fwdflat"] = True
    for name, path in json.loads(arguments.dictation).items():
        engine.add_lm_file(name, path)
    return engine  # type: ignore[no-any-return]


class Requests:
    """What is asked for, read ahead: at most an utterance, since what is forgotten in the end is not kept."""

    def __init__(self, call: socket.socket) -> None:
        self._call = call
        self._bytes = bytearray()
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._over = False  # nobody is left to ask

    def is_moot(self) -> bool:
        """Whether nobody has any use for the utterance: it is given up, or another one begins."""
        with suppress(BlockingIOError):  # that was all so far
            while not self._over:
                self._take_in(socket.MSG_DONTWAIT)
        return self._over or any(kind in _FORGETS_IT for kind, _ in self._waiting)

    def next(self) -> tuple[bytes, bytes] | None:
        """Kind and payload; None once there is nobody left to ask."""
        while self.is_moot() and self._waiting and self._waiting[0][0] in _OF_AN_UTTERANCE:
            self._waiting.popleft()
        while not (self._waiting or self._over):
            self._take_in()
        return None if self._over else self._waiting.popleft()

    def _take_in(self, flags: int = 0) -> None:
        """Raises: BlockingIOError."""
        data = self._call.recv(_LARGEST_READ, flags)
        self._over = not data
        self._bytes += data
        while len(self._bytes) >= HEADER.size:
            kind, length = HEADER.unpack_from(self._bytes)
            end = HEADER.size + length
            if len(self._bytes) < end:
                break
            self._waiting.append((kind, bytes(self._bytes[HEADER.size : end])))
            del self._bytes[:end]


def serve(decoder: Decoder, requests: Requests, call: socket.socket) -> None:
    """Do what is asked until there is nobody left to ask."""
    decoder.is_moot = requests.is_moot
    while request := requests.next():
        kind, payload = request
        if kind == b"O":
            decoder.open(payload.decode())
        elif kind == b"B":
            decoder.begin(payload.decode())
        elif kind == b"F":
            decoder.feed(payload)
        elif kind == b"L":
            decoder.hurry()
        elif kind == b"E":
            found = decoder.finish()
            call.sendall(_message(b"H", payload + json.dumps(found).encode()))
        elif kind == b"X":
            decoder.give_up()
        signal.alarm(0)


def _message(kind: bytes, payload: bytes) -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def next_call(control: socket.socket) -> socket.socket | None:
    """A call, in the process that is to serve it; None in the first process, once nobody can ask any more."""
    while True:
        _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not descriptors:
            return None
        call = socket.socket(fileno=descriptors[0])
        call.setblocking(True)
        _bury()
        process_number = os.fork()
        if not process_number:
            control.close()
            return call
        with call:
            _introduce(process_number, call)


def _introduce(process_number: int, call: socket.socket) -> None:
    """A descriptor, since the number alone may belong to somebody else by the time it is used."""
    process = os.pidfd_open(process_number)
    try:
        socket.send_fds(call, [PROCESS_NUMBER.pack(process_number)], [process])
    except BrokenPipeError:
        return  # the call was over before it began, which its process will see too
    finally:
        os.close(process)


def _bury() -> None:
    """Those whose calls ended since the last one: only we may, and until then their numbers are not given away."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return  # there are none


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("acoustic-model", "dictionary", "language-model", "search", "transform", "dictation"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--nice", type=int, required=True)
    arguments = parser.parse_args()
    os.nice(arguments.nice)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # whoever handles audio is not put off when we wake up
    for to_all in (signal.SIGINT, signal.SIGHUP):  # Ctrl-C and a closed terminal reach all of its processes
        signal.signal(to_all, signal.SIG_IGN)  # ending is the parent's word
    control = socket.socket(fileno=sys.stdin.fileno())
    decoder = Decoder(_engine(arguments), json.loads(arguments.dictation))
    gc.freeze()  # nothing that is here now is to be touched, and so copied, by a call's collector
    try:
        control.sendall(LOADED)
        call = next_call(control)
        if call:
            with call:
                serve(decoder, Requests(call), call)
    except (BrokenPipeError, ConnectionResetError, struct.error):
        return 1  # the parent went away in the middle of a message
    return 0


if __name__ == "__main__":
    sys.exit(main())
