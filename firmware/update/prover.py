"""Looking until a version has proven itself, or its time is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import trio

from firmware.update.proof import Check, Found, Proven, Unproven, verdict
from firmware.update.trial import Trial

LOOK_S = 5.0
"""Between two looks at the same thing: what is looked at is busy starting."""

VERDICT_S = 1.0
"""Nobody waits for it any faster."""

Look = Callable[[Trial | None], Awaitable[Found]]


async def prove(looks: Mapping[Check, Look], asked: Sequence[Check], trial: Trial | None) -> Proven | Unproven:
    """Until there is a verdict, which comes at `proof.LIMIT_S` at the latest."""
    found: dict[Check, Found] = {}
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for check in asked:
            nursery.start_soon(_look, looks[check], check, trial, found)
        said = None
        while said is None:
            await trio.sleep(VERDICT_S)
            said = verdict(asked, found, trio.current_time() - began)
        nursery.cancel_scope.cancel()
    return said


async def _look(look: Look, check: Check, trial: Trial | None, found: dict[Check, Found]) -> None:
    while not (found.get(check) and (found[check].good or found[check].final)):
        found[check] = await look(trial)
        await trio.sleep(LOOK_S)
