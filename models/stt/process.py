"""One recogniser process, seen from the other side of its pipes."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from typing import Any, Final

import trio

from models.stt import english
from models.stt.band import Band
from models.stt.worker import HEADER

_PROGRAM: Final = Path(__file__).with_name("worker.py")
# A pipe takes up to 4096 bytes in one piece or not at all (POSIX's PIPE_BUF on Linux), so that a message can be
# given up half way without the next one being misread.
LARGEST_PAYLOAD: Final = 4096 - HEADER.size
# A worker that takes nothing for this long is stuck. It decodes the 1.8 s that it held back in one go, which takes a slow
# board 9 s and a busy one longer; a decoder that hangs it ends itself after 30 s (worker.STUCK_AFTER_S).
SEND_TIMEOUT_S: Final = 40.0
# Loading takes 0.4 s on x86. A slow board that starts everything else at the same time, or a machine made of software,
# needs a hundred times that, and an agent that gives up there would never start.
LOAD_TIMEOUT_S: Final = 120.0
# Finishing an utterance of a minute takes 5 s on x86; slow boards need ten times that.
REPLY_TIMEOUT_S: Final = 60.0
_GONE_TIMEOUT_S: Final = 2.0  # to be gone after SIGKILL; only a dying disk or kernel makes that long


class WorkerLost(Exception):
    """The process crashed, is stuck or said something senseless. Kill it and take another."""


@dataclass(frozen=True, slots=True)
class WorkerFiles:
    """What the two decoders read: the agent's own language model and dictionary, and the general ones."""

    own_model: Path
    own_dictionary: Path
    general_model: Path = english.LANGUAGE_MODEL
    general_dictionary: Path = english.DICTIONARY
    acoustic_model: Path = english.ACOUSTIC_MODEL

    def arguments(self) -> list[str]:
        return [
            argument
            for name in self.__slots__
            for argument in (f"--{name.replace('_', '-')}", str(getattr(self, name)))
        ]


class Worker:
    """Every method but `kill` raises WorkerLost."""

    def __init__(self, process: trio.Process) -> None:
        if not process.stdin or not process.stdout:
            raise ValueError("a worker is started with a pipe at both ends")
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout
        self._received = bytearray()
        self.busy = False  # owes a reply that nobody waits for any more
        self._loaded = False  # its first reply says that it is

    @classmethod
    async def start(cls, files: WorkerFiles) -> Worker:
        """Start the process. It is warm after the first `open`."""
        # Isolated: neither the environment nor the working folder decides what this interpreter imports.
        command = [sys.executable, "-I", str(_PROGRAM), *files.arguments()]
        return cls(await trio.lowlevel.open_process(command, stdin=PIPE, stdout=PIPE))

    @property
    def pid(self) -> int:
        return self._process.pid

    async def open(self, line: Band) -> None:
        await self._send(b"O", json.dumps({"transform": line.transform, "cepstral_mean": line.cepstral_mean}).encode())
        await self._reply(b"R")

    async def begin(self) -> None:
        await self._send(b"B")

    async def feed(self, pcm: bytes) -> None:
        """At most LARGEST_PAYLOAD bytes. Returns when the pipe has taken them."""
        await self._send(b"F", pcm)

    async def hurry(self) -> None:
        await self._send(b"L")

    async def finish(self) -> dict[str, Any]:
        await self._send(b"E")
        reply: dict[str, Any] = json.loads(await self._reply(b"H"))
        return reply

    async def kill(self) -> None:
        with trio.move_on_after(_GONE_TIMEOUT_S, shield=True):
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            await self._stdin.aclose()
            await self._stdout.aclose()

    async def _send(self, kind: bytes, payload: bytes = b"") -> None:
        try:
            with trio.fail_after(SEND_TIMEOUT_S):
                await self._stdin.send_all(HEADER.pack(kind, len(payload)) + payload)
        except trio.TooSlowError:
            raise WorkerLost("stuck: it takes no more audio") from None
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise WorkerLost("crashed") from None

    async def _reply(self, kind: bytes) -> bytes:
        self.busy = True
        try:
            with trio.fail_after(REPLY_TIMEOUT_S if self._loaded else LOAD_TIMEOUT_S):
                said, length = HEADER.unpack(await self._read(HEADER.size))
                payload = await self._read(length)
        except trio.TooSlowError:
            raise WorkerLost("stuck: it does not answer") from None
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise WorkerLost("crashed") from None
        if said != kind:
            raise WorkerLost("out of step")
        self.busy, self._loaded = False, True
        return payload

    async def _read(self, length: int) -> bytes:
        while len(self._received) < length:
            more = await self._stdout.receive_some()
            if not more:
                raise WorkerLost("crashed")
            self._received += more
        taken = bytes(self._received[:length])
        del self._received[:length]
        return taken
