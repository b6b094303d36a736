"""A factory reset of the box takes the page along: its password, and with everything its certificate too.

The phone process says that the box was reset until it is told that the page has followed. So it does not matter who
asked for the reset, and whoever is killed in between does it again.
"""

from __future__ import annotations

import logging
from pathlib import Path

import trio

from app.control import keeping, views
from app.control.refusals import Refusal
from app.settings import Box as BoxSettings
from provisioning.client import Box
from provisioning.files import sync_folder
from provisioning.first_boot import password_file
from provisioning.identity import renew
from provisioning.life import Life
from provisioning.names import Names, own_addresses
from provisioning.sign_ins import SignIns

# The phone process is away: after a reset it comes back within some seconds.
_RETRY_S = 2.0

_log = logging.getLogger(__name__)


class Follower:
    """`folder`: the page's own. `life`: of this worker process, which is replaced by one with the new certificate."""

    def __init__(self, box: Box, sign_ins: SignIns, names: Names, folder: Path, life: Life) -> None:
        self._box, self._sign_ins, self._names, self._folder, self._life = box, sign_ins, names, folder, life

    async def follow(self) -> None:
        """Until cancelled: looks whenever the phone process comes."""
        while True:
            if await self._looked():
                await self._until_box_goes()
            await trio.sleep(_RETRY_S)

    async def _until_box_goes(self) -> None:
        async with self._box.events() as told:
            if not isinstance(told, Refusal):
                async for _ in told:
                    pass

    async def _looked(self) -> bool:
        """False: look again soon."""
        match await self._box.ask("get_reset", keeping.ResetToFollow):
            case keeping.ResetToFollow(extent=""):
                return True
            case keeping.ResetToFollow() as reset:
                return await self._followed(reset)
            case _:
                return False

    async def _followed(self, reset: keeping.ResetToFollow) -> bool:
        self._sign_ins.end_all()
        self._names.learn(BoxSettings().name)
        try:
            await trio.to_thread.run_sync(self._forget, reset.extent)
        except OSError as fault:
            _log.error("the box was reset, and the page cannot follow", extra={"problem": fault.strerror})
            return False
        answer = await self._box.ask("reset_followed", views.Nothing, id=reset.id)
        self._life.has_seen_secret.set()
        return isinstance(answer, views.Nothing)

    def _forget(self, extent: str) -> None:
        """Raises: OSError."""
        if extent == "everything":
            renew(self._folder, list(self._names), own_addresses())
        password_file(self._folder).unlink(missing_ok=True)
        sync_folder(self._folder)
