"""A pack at work: its engine as a process of its own, started again when it dies, asked as a Wyoming server is.

It has its own packages, no network address, no secret in its environment, and it ends with us, whatever ends us.
"""

from __future__ import annotations

import logging
import os
import subprocess
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, Literal

import trio

from app.speech_servers import SpeechFailed
from firmware.lifetimes import first_of
from firmware.packs.store import Packs
from firmware.wyoming import WyomingRecogniser, WyomingSpeaker
from models.neural import engines
from models.packs import PackProblem

FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0
"""What dies at once would keep a core busy with being loaded."""

LOADING_S: Final = 60.0
"""63 MB from a slow card, and what an engine makes of it: 2 s on x86."""

_TOLD_EACH = 10
"""Tries, which are ten minutes: often enough for who looks now, and the log holds other things, too."""

_log = logging.getLogger(__name__)


@asynccontextmanager
async def open_pack(packs: Packs | None, name: str, kind: Literal["ears", "voice"]) -> AsyncGenerator[PackEngine, None]:
    """`kind`: what it is to be. Loads behind: whoever asks before it is ready waits, or gives up as with any server."""
    with tempfile.TemporaryDirectory(prefix="deskbell-pack-") as folder:
        engine = PackEngine(packs, name, kind, Path(folder) / "socket")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(engine.run)
            yield engine
            nursery.cancel_scope.cancel()


class PackEngine:
    """Implements app.speech_servers.EarsServer and VoiceServer, of which a pack is one."""

    def __init__(self, packs: Packs | None, name: str, kind: str, socket: Path) -> None:
        self._packs, self._name, self._kind, self._socket = packs, name, kind, socket
        self._ready = trio.Event()
        self._why = ""
        """Why it cannot be asked; also while it is started again."""

    async def loaded(self) -> None:
        """Until it can be asked. Raises: SpeechFailed, if it cannot be."""
        await self._asked_at()

    async def transcribe(self, audio: AsyncIterator[bytes]) -> str:
        """See EarsServer.transcribe."""
        return await WyomingRecogniser(await self._asked_at(), "").transcribe(audio)

    async def speak(self, text: str, hand_over: Callable[[bytes], Awaitable[None]]) -> None:
        """See VoiceServer.speak."""
        await WyomingSpeaker(await self._asked_at(), "", "").speak(text, hand_over)

    async def run(self) -> None:
        """Until cancelled."""
        tries = 0
        while True:
            was_ready = False
            try:
                was_ready = await self._run_once()
            except* (SpeechFailed, PackProblem, OSError) as faults:  # one of starting a process comes in a group
                self._why = str(first_of(faults))
            tries = 1 if was_ready else tries + 1
            if tries in (1, 2) or tries % _TOLD_EACH == 0:
                _log.error("a neural pack cannot be used", extra={"pack": self._name, "problem": self._why})
            self._ready.set()  # whoever waits is told why
            await trio.sleep(_retry_s(tries))

    async def _run_once(self) -> bool:
        """Whether it could be asked, before it ended. Raises: SpeechFailed, PackProblem, OSError; possibly in an
        ExceptionGroup."""
        command = await self._command()
        self._socket.unlink(missing_ok=True)
        self._ready = self._ready if not self._ready.is_set() else trio.Event()
        async with trio.open_nursery() as nursery:
            started = partial(
                trio.run_process,
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                check=False,
                env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "MOONSHINE_ORT_SINGLE_THREAD": "1"},
            )
            process: trio.Process = await nursery.start(started)
            if process.stdout is None:
                raise RuntimeError("a process without the pipe that was asked for")
            told = b""
            with trio.move_on_after(LOADING_S):
                told = await _line(process.stdout)
            if told != b"ready":
                nursery.cancel_scope.cancel()
                self._why = _not_loaded(self._name, told)
                return False
            self._why = ""
            self._ready.set()
            _log.info("a neural pack is loaded", extra={"pack": self._name})
            await process.wait()
            self._why = f"the neural pack “{self._name}” broke off, and is started again"
            return True
        return False

    async def _command(self) -> list[str]:
        """Raises: SpeechFailed."""
        found = await self._packs.one(self._name) if self._packs else None
        if found is None or self._packs is None:
            raise SpeechFailed(
                f"the neural pack “{self._name}” is not on this box. Upload it under Connectivity > Neural packs, or "
                "choose another connection"
            )
        if found.kind != self._kind:
            raise SpeechFailed(
                f"the neural pack “{self._name}” {'speaks' if found.kind == 'voice' else 'hears'}, and does nothing "
                "else. Choose another one"
            )
        if not await trio.to_thread.run_sync(engines.is_installed, found.engine):
            raise SpeechFailed(no_engine(found.engine))
        return engines.command(found.engine, self._packs.folder_of(self._name), self._socket)

    async def _asked_at(self) -> str:
        """Raises: SpeechFailed."""
        await self._ready.wait()
        if self._why:
            raise SpeechFailed(self._why)
        return str(self._socket)


def _retry_s(tries: int) -> float:
    return min(LONGEST_RETRY_S, FIRST_RETRY_S * 2.0 ** min(tries - 1, 10))


def no_engine(engine: str) -> str:
    return (
        f"the engine {engine.capitalize()} is not on this machine: it does not come with the image by itself. Make the "
        f"image or update with --with {engine}, or, where Deskbell runs by `just run`, make a pack for it with `just "
        "models --with` there (docs/speech-packs.md)"
    )


async def _line(stdout: trio.abc.ReceiveStream) -> bytes:
    """Its only line, of which not more than a word or two is expected."""
    told = bytearray()
    while b"\n" not in told and len(told) < 200 and (more := await stdout.receive_some(200)):
        told += more
    return bytes(told).partition(b"\n")[0]


def _not_loaded(name: str, told: bytes) -> str:
    fault = told.decode(errors="replace").removeprefix("failed").strip()
    kind = f" ({fault})" if fault.isidentifier() else ""
    return (
        f"the neural pack “{name}” could not be loaded{kind}. Its files may not be those of its engine, or memory is "
        "short: make it again, or take a smaller one"
    )
