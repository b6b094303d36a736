"""Speech servers as programs of their own, over real sockets, which can be killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import trio

from tests.office.program import Program, program
from tests.patience import PATIENCE_S

Kind = Literal["wyoming", "openai"]
PHRASES = ("where can i park", "what are your opening hours", "when are you open", "is there parking")


class SpeechServer:
    """`address`: host and port."""

    def __init__(self, running: Program, address: str) -> None:
        self.address = address
        self.is_dead = False
        self._running = running

    @property
    def base_url(self) -> str:
        return f"http://{self.address}/v1"

    def did(self, what: str) -> int:
        """How often it was asked to."""
        return self._running.log.read_text().splitlines().count(what)

    async def does(self, what: str, times: int = 1) -> None:
        with trio.fail_after(PATIENCE_S):
            while self.did(what) < times:  # noqa: ASYNC110  # another process: it sends no event
                await trio.sleep(0.02)

    def freeze(self) -> None:
        """It takes connections, and does nothing any more."""
        os.kill(self._running.pid, signal.SIGSTOP)

    def crash(self) -> None:
        """At once, without waiting for its end."""
        os.kill(self._running.pid, signal.SIGKILL)

    async def die(self) -> None:
        self.is_dead = True
        await self._running.die()


@asynccontextmanager
async def speech_server(kind: Kind, folder: Path, **environment: str) -> AsyncGenerator[SpeechServer, None]:
    """One that knows PHRASES, and speaks with a man's voice. `environment`: see the programs."""
    command = [sys.executable, "-m", f"tests.office.{kind}_server", *PHRASES]
    await trio.Path(folder).mkdir(parents=True, exist_ok=True)
    async with program(command, environment, folder / f"{kind}.log", stop_s=5.0, complains=True) as running:
        port = await running.says(r"^ready (\d+)$", PATIENCE_S)
        server = SpeechServer(running, f"127.0.0.1:{port}")
        try:
            yield server
        finally:
            await server.die()
