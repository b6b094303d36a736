"""A program of the box as a process: it comes up, is stopped as Ctrl-C would, and is judged by how it ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path

import trio

_KILLED_S = 5.0  # the kernel takes a killed process away at once, but for one that waits for a disk
_LOOK_EVERY_S = 0.1
_LAST_LINES = 12
_TRACEBACK = "Traceback (most recent call last)"


class BoxFailed(Exception):
    """The box did not come up or did not end as it should. The text has what it said last."""


class Program:
    """A running one. `log`: what it writes to its standard error."""

    def __init__(self, process: trio.Process, log: Path, *, complains: bool) -> None:
        self.log = log
        self._process, self._complains = process, complains
        self._is_to_be_dead = False

    @property
    def pid(self) -> int:
        return self._process.pid

    async def comes_up(self, is_up: Callable[[], Awaitable[bool]], within_s: float) -> None:
        """Raises: BoxFailed if it ends before, or is not up in time."""
        with trio.move_on_after(within_s):
            while self._process.returncode is None:
                if await is_up():
                    return
                await trio.sleep(_LOOK_EVERY_S)  # another process does not announce itself
        raise BoxFailed(f"the box did not come up: {self._last_words()}")

    async def says(self, pattern: str, within_s: float) -> str:
        """The first group of `pattern`, once its log has it. Raises: BoxFailed as above."""
        found: list[str] = []

        async def said() -> bool:
            found[:] = re.findall(pattern, await trio.Path(self.log).read_text(errors="replace"), re.MULTILINE)
            return bool(found)

        await self.comes_up(said, within_s)
        return found[0]

    async def die(self) -> None:
        """A power cut: its status will tell nothing."""
        self._is_to_be_dead = True
        await self._kill()

    async def stop(self, within_s: float) -> str:
        """What was wrong with how it ended; empty if nothing was."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGINT)
            with trio.move_on_after(within_s, shield=True):
                await self._process.wait()
        if self._process.returncode is None:
            await self._kill()
            return f"the box did not stop within {within_s:g} s, and was killed: {self._last_words()}"
        if self._process.returncode and not self._is_to_be_dead:
            return f"the box ended with status {self._process.returncode}: {self._last_words()}"
        return "" if self._complains else self._traceback()

    async def _kill(self) -> None:
        self._process.kill()
        with trio.CancelScope(shield=True, deadline=trio.current_time() + _KILLED_S):
            await self._process.wait()

    def _traceback(self) -> str:
        said = self.log.read_text(errors="replace")
        return f"the box wrote a traceback: {said[said.index(_TRACEBACK) :]}" if _TRACEBACK in said else ""

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:])


@asynccontextmanager
async def program(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    stop_s: float,
    on_line: Callable[[str], None] | None = None,
    complains: bool = False,
) -> AsyncGenerator[Program, None]:
    """For as long as the body runs. `environment`: beside ours. `on_line` hears each line of its standard output, which
    goes into `log` too where nobody hears it. `complains`: the body makes it write tracebacks on purpose.

    Raises: BoxFailed if the body went well and the program did not end with 0 within `stop_s`, or wrote a traceback.
    """
    with log.open("wb") as out:
        process = await trio.lowlevel.open_process(
            command, stdout=subprocess.PIPE if on_line else out, stderr=out, env={**os.environ, **environment}
        )
    running = Program(process, log, complains=complains)
    async with _heard(process, on_line):
        try:
            yield running
        finally:
            wrong = await running.stop(stop_s)
    if wrong:
        raise BoxFailed(wrong)


def _heard(process: trio.Process, on_line: Callable[[str], None] | None) -> AbstractAsyncContextManager[None]:
    return _lines_told(process, on_line) if on_line else nullcontext()


@asynccontextmanager
async def _lines_told(process: trio.Process, on_line: Callable[[str], None]) -> AsyncIterator[None]:
    """Until it ends."""
    async with trio.open_nursery() as reading:
        reading.start_soon(_read, process, on_line)
        yield


async def _read(process: trio.Process, on_line: Callable[[str], None]) -> None:
    assert process.stdout
    pending = b""
    async for data in process.stdout:
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            on_line(line.decode(errors="replace"))
