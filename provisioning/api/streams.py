"""Operations of the REST API whose answer is not one model: recordings, and the stream of events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from functools import partial

import trio
from starlette.requests import Request
from starlette.responses import Response

from app.control.refusals import Refusal
from app.control.verbs import Event
from provisioning.api import bearers
from provisioning.api.answers import refused
from provisioning.web import relaying
from provisioning.web.rendering import door_of

# A line comes each 15 s at the latest, so a revoked token hears nothing more after half a minute.
_CHECKED_AGAIN_S = 15.0


async def recording(request: Request) -> Response:
    answer = await relaying.recording(request)
    return refused(answer) if isinstance(answer, Refusal) else answer


async def events(request: Request) -> Response:
    box, sha256 = door_of(request).box, bearers.sha256_of(request.headers["authorization"])

    async def is_good() -> bool:
        return not isinstance(await bearers.holder(box, sha256), Refusal)

    answer = await relaying.events(request, partial(_lines, is_good), "application/x-ndjson")
    return refused(answer) if isinstance(answer, Refusal) else answer


async def _lines(
    is_good: Callable[[], Awaitable[bool]], told: AsyncIterable[Event | None]
) -> AsyncGenerator[str, None]:
    checked_s = trio.current_time()
    async for event in told:
        if trio.current_time() - checked_s >= _CHECKED_AGAIN_S:
            if not await is_good():
                return
            checked_s = trio.current_time()
        yield f"{event.model_dump_json()}\n" if event else "\n"
