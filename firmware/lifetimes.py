"""Services outlive their users.

With two plainly nested nurseries, a cancellation from outside reaches the service as early as the work that uses it:
the SIP stack would go down before the calls have said good-bye. So a service runs behind a shield that only its
own context manager opens, once the body has left.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import trio

Service = Callable[..., Awaitable[None]]
"""`async def service(*args, task_status)`: prepares, calls `task_status.started(value)`, then runs until cancelled."""


class _Started:
    """The `task_status` of a service: from `started` on, only `serving` itself may stop it. Unless its start-up was
    cancelled before that, and it has only not noticed yet: then nobody waits for it, and nobody would stop it."""

    def __init__(self, scope: trio.CancelScope, parent: trio.TaskStatus[tuple[trio.CancelScope, Any]]) -> None:
        self._scope, self._parent = scope, parent

    def started(self, value: object = None) -> None:
        self._scope.shield = trio.current_effective_deadline() > -math.inf
        self._parent.started((self._scope, value))


@asynccontextmanager
async def serving(service: Service, *args: object) -> AsyncIterator[Any]:
    """Run `service(*args)` until the body has left, even while we are being cancelled.

    Yields what the service handed to `started`. A service that fails cancels the body; a body that fails stops the
    service; a cancellation before `started` stops the start-up. Errors come out in an `ExceptionGroup`, start-up
    errors too. Since a running service is shielded, whatever it does after being stopped needs deadlines of its own.
    """

    async def guarded(*, task_status: trio.TaskStatus[tuple[trio.CancelScope, Any]]) -> None:
        with trio.CancelScope() as scope:
            await service(*args, task_status=_Started(scope, task_status))

    async with trio.open_nursery() as nursery:
        scope, value = await nursery.start(guarded)
        try:
            yield value
        finally:
            scope.cancel()


def first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error in a group of groups: for telling a person, who needs one."""
    leaf: BaseException = group
    while isinstance(leaf, BaseExceptionGroup):
        leaf = leaf.exceptions[0]
    return leaf
