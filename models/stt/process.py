"""A decoder's processes, seen from the other side of their sockets: the one that is loaded, and one of its calls."""

from __future__ import annotations

import array
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import trio

from models.stt.decoder import CALL, HEADER, LOADED, PROCESS_NUMBER, REQUEST_NUMBER

_PROGRAM: Final = Path(__file__).with_name("decoder.py")
# What Linux makes 1.8 s of audio of: who decodes what was held back takes nothing meanwhile, and nobody has to wait.
_BUFFER_BYTES: Final = 32_768
# What is handed over at a time; small against that.
LARGEST_PAYLOAD: Final = 4096 - HEADER.size
# A process that takes nothing for this long is stuck. It decodes the 1.8 s that it held back in one go, which takes a
# slow board 9 s and a busy one longer; a decoder that hangs it ends itself after 30 s (decoder.STUCK_AFTER_S).
SEND_TIMEOUT_S: Final = 40.0
# Loading takes 0.4 s on x86. A slow board that starts everything else at the same time, or a machine made of software,
# needs a hundred times that, and an agent that gives up there would never start.
LOAD_TIMEOUT_S: Final = 120.0
# Finishing an utterance of a minute takes 5 s on x86; slow boards need ten times that.
REPLY_TIMEOUT_S: Final = 60.0
# A fork takes milliseconds, on a board that is out of memory and swaps, longer.
FORK_TIMEOUT_S: Final = 10.0
_GONE_TIMEOUT_S: Final = 2.0  # to be gone after SIGKILL; only a dying disk or kernel makes that long
_LARGEST_READ: Final = 65_536


class DecoderLost(Exception):
    """A process crashed, is stuck or said something senseless. Kill it and take another."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a decoder made of an utterance of `frames` times 10 ms. `log_score`: how likely it is, in nats, the language
    model's part included. `others`: what a dictated one may have been, too, best first."""

    text: str
    log_score: float
    frames: int
    others: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DecoderFiles:
    """What a decoder reads, and how widely it searches: options of the engine. `transform`: see Band. `dictation`:
    further language models, by the names under which an utterance may be begun. `nice`: see nice(2)."""

    language_model: Path
    dictionary: Path
    acoustic_model: Path
    transform: str
    search: Mapping[str, float]
    nice: int
    dictation: Mapping[str, Path] = field(default_factory=dict)

    def arguments(self) -> list[str]:
        files = ("language_model", "dictionary", "acoustic_model", "transform")
        dictation = {name: str(path) for name, path in self.dictation.items()}
        return [
            *(f"--{name.replace('_', '-')}={getattr(self, name)}" for name in files),
            f"--search={json.dumps(dict(self.search))}",
            f"--dictation={json.dumps(dictation)}",
            f"--nice={self.nice}",
        ]


class LoadedDecoder:
    """The process that has loaded everything, and serves no call itself."""

    def __init__(self, process: trio.Process, control: trio.socket.SocketType) -> None:
        self._process, self._control = process, control

    @classmethod
    async def start(cls, files: DecoderFiles) -> LoadedDecoder:
        """Start the process. It is warm after `loaded`."""
        ours, theirs = socket.socketpair()
        with theirs:
            # Isolated: neither the environment nor the working folder decides what this interpreter imports.
            command = [sys.executable, "-I", str(_PROGRAM), *files.arguments()]
            try:
                process = await trio.lowlevel.open_process(command, stdin=theirs.fileno())
            except BaseException:
                ours.close()
                raise
        return cls(process, trio.socket.from_stdlib_socket(ours))

    @property
    def pid(self) -> int:
        return self._process.pid

    async def loaded(self) -> None:
        """Raises: DecoderLost."""
        try:
            with trio.fail_after(LOAD_TIMEOUT_S):
                said = await self._control.recv(1)
        except trio.TooSlowError:
            raise DecoderLost("stuck: it does not get ready") from None
        except OSError:
            raise DecoderLost("crashed") from None
        if said != LOADED:
            raise DecoderLost("crashed")

    async def fork(self) -> DecoderProcess:
        """A process for a call. Raises: DecoderLost."""
        ours, theirs = socket.socketpair()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        call = trio.socket.from_stdlib_socket(ours)
        try:
            with trio.fail_after(FORK_TIMEOUT_S):
                with theirs:
                    handed_over = array.array("i", [theirs.fileno()])
                    await self._control.sendmsg([CALL], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handed_over)])
                return await _introduced(call)
        except BaseException as failure:
            call.close()  # whose other end then ends by itself
            if isinstance(failure, OSError):
                raise DecoderLost("crashed") from None
            if isinstance(failure, trio.TooSlowError):
                raise DecoderLost("stuck: it does not begin a call") from None
            raise

    async def kill(self) -> None:
        with trio.move_on_after(_GONE_TIMEOUT_S, shield=True):
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        self._control.close()


async def _introduced(call: trio.socket.SocketType) -> DecoderProcess:
    """The process at the other end of `call`. Raises: DecoderLost."""
    descriptors = array.array("i")
    number, ancillary, _, _ = await call.recvmsg(PROCESS_NUMBER.size, socket.CMSG_LEN(descriptors.itemsize))
    if len(number) < PROCESS_NUMBER.size or not ancillary:
        raise DecoderLost("crashed")
    descriptors.frombytes(ancillary[0][2])
    return DecoderProcess(trio.SocketStream(call), PROCESS_NUMBER.unpack(number)[0], descriptors[0])


class DecoderProcess:
    """A call's process. Every method but `kill` raises DecoderLost. `descriptor`: pidfd_open(2)'s, ours to close."""

    def __init__(self, stream: trio.SocketStream, pid: int, descriptor: int) -> None:
        self._stream, self.pid, self._descriptor = stream, pid, descriptor
        self._received = bytearray()
        self._asked = 0

    async def open(self, cepstral_mean: str) -> None:
        await self._send(b"O", cepstral_mean.encode())

    async def begin(self, expected: str = "") -> None:
        await self._send(b"B", expected.encode())

    async def feed(self, pcm: bytes) -> None:
        """At most LARGEST_PAYLOAD bytes. Returns when the socket has taken them."""
        await self._send(b"F", pcm)

    async def hurry(self) -> None:
        await self._send(b"L")

    async def finish(self) -> None:
        """Ask for what `found` waits for."""
        self._asked += 1
        await self._send(b"E", REQUEST_NUMBER.pack(self._asked))

    async def found(self) -> Found:
        """Of what `finish` asked for last. May be cancelled, and asked again."""
        while True:
            reply = await self._reply(b"H")
            number, found = reply[: REQUEST_NUMBER.size], reply[REQUEST_NUMBER.size :]
            if number == REQUEST_NUMBER.pack(self._asked):  # or else nobody waits for that any more
                return Found(**json.loads(found))

    async def give_up(self) -> None:
        """Nobody waits for `found` any more."""
        await self._send(b"X")

    async def kill(self) -> None:
        with trio.move_on_after(_GONE_TIMEOUT_S, shield=True):
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, signal.SIGKILL)
            await trio.lowlevel.wait_readable(self._descriptor)
        os.close(self._descriptor)
        self._stream.socket.close()

    async def _send(self, kind: bytes, payload: bytes = b"") -> None:
        try:
            with trio.fail_after(SEND_TIMEOUT_S):
                await self._stream.send_all(HEADER.pack(kind, len(payload)) + payload)
        except trio.TooSlowError:
            raise DecoderLost("stuck: it takes no more audio") from None
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise DecoderLost("crashed") from None

    async def _reply(self, kind: bytes) -> bytes:
        """The next one. Cancelled, it loses nothing."""
        try:
            with trio.fail_after(REPLY_TIMEOUT_S):
                said, length = HEADER.unpack(await self._has(HEADER.size))
                message = await self._has(HEADER.size + length)
        except trio.TooSlowError:
            raise DecoderLost("stuck: it does not answer") from None
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise DecoderLost("crashed") from None
        if said != kind:
            raise DecoderLost("out of step")
        del self._received[: len(message)]
        return message[HEADER.size :]

    async def _has(self, length: int) -> bytes:
        """The first bytes of what has come, which stay there."""
        while len(self._received) < length:
            more = await self._stream.receive_some(_LARGEST_READ)
            if not more:
                raise DecoderLost("crashed")
            self._received += more
        return bytes(self._received[:length])
