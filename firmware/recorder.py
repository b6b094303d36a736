"""Recordings of calls, each under its session's name."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import trio

from app.ports import FRAME_BYTES, FRAME_MS, Call, SessionLog
from firmware.audio import Pair, Recording, TwoSided, recording

# After the last frame of a call, its recording gets this long to take what is still in the line's 10 s ring.
_LAST_FRAMES_S = 1.0
_SILENCE = bytes(FRAME_BYTES)

RecordCall = Callable[[Call, SessionLog], AbstractAsyncContextManager[None]]


def recorder(folder: Path) -> RecordCall:
    """Recordings in `folder`."""

    @asynccontextmanager
    async def recorded(call: Call, session: SessionLog) -> AsyncIterator[None]:
        if not isinstance(call, TwoSided):
            raise TypeError(f"only calls that give out both sides are recorded, not {type(call).__name__}")
        path = folder / f"{session.id}.flac"
        session.recorded(path)
        async with recording(path) as file, trio.open_nursery() as copying:
            copying.start_soon(copy_line, call.both(), file)
            yield
            copying.cancel_scope.deadline = trio.current_time() + _LAST_FRAMES_S

    return recorded


async def copy_line(pairs: AsyncIterable[Pair], file: Recording) -> None:
    """Each frame to its place on the call's audio clock, as in the transcript: silence fills what lies before the
    recording's start, and what was lost on the way."""
    next_ms = 0
    async for pair in pairs:
        for _ in range(next_ms, pair.at_ms, FRAME_MS):
            file.add(_SILENCE, _SILENCE)
        file.add(pair.caller, pair.agent)
        next_ms = pair.at_ms + FRAME_MS
