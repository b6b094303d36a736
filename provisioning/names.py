"""Under which names and addresses people find this box: what may stand in a browser's address line, and what its
certificate is made for. The box's own name is theirs to change, so it is learnt from the phone process, time and again.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterable, Iterable, Iterator
from pathlib import Path

import trio

from app.control import views
from app.control.refusals import Refusal
from app.control.verbs import Event, EventKind
from app.settings import Box as BoxSettings
from provisioning.client import Box
from provisioning.files import replace_file

# The phone process is away: it comes back within seconds, and until then the name that was learnt last counts.
_RETRY_S = 2.0

_log = logging.getLogger(__name__)


class Names:
    """The host names that are ours, in small letters. `fixed`: of the machine, and those its owner added. `folder`:
    the page's own, which remembers the box's name for the time when nobody can be asked. Raises: OSError."""

    def __init__(self, fixed: Iterable[str], folder: Path) -> None:
        self._fixed, self._file = tuple(fixed), folder / "box-name"
        self.box = self._file.read_text() if self._file.exists() else BoxSettings().name

    def __contains__(self, name: object) -> bool:
        return name in self._fixed or name in self.of_box

    def __iter__(self) -> Iterator[str]:
        """The box's own first."""
        return iter(dict.fromkeys((*self.of_box, *self._fixed)))

    @property
    def of_box(self) -> tuple[str, str]:
        return f"{self.box}.local", self.box

    def learn(self, box: str) -> None:
        """Counts at once; a disk that does not take it is logged."""
        if box == self.box:
            return
        self.box = box
        try:
            replace_file(self._file, box.encode())
        except OSError as fault:
            _log.warning("the name of the box cannot be remembered", extra={"problem": fault.strerror})


async def keep_learning(names: Names, box: Box) -> None:
    """Until cancelled: after each change of settings, whoever made it, and now and then in between."""
    while True:
        await _learn(names, box)
        async with box.events() as told:
            if not isinstance(told, Refusal):
                await _learn_from(told, names, box)
        await trio.sleep(_RETRY_S)


async def _learn_from(told: AsyncIterable[Event | None], names: Names, box: Box) -> None:
    async for event in told:
        if event is None or event.kind is EventKind.SETTINGS:
            await _learn(names, box)


async def _learn(names: Names, box: Box) -> None:
    match await box.ask("get_box", views.BoxView):
        case views.BoxView(settings=settings):
            names.learn(settings.name)


def own_addresses() -> list[str]:
    """Of this machine: the loopback, and those from which it would talk to a distant network."""
    found = ["127.0.0.1", "::1"]
    for family, distant in ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1")):
        found += _address_towards(family, distant)
    return list(dict.fromkeys(found))


def _address_towards(family: socket.AddressFamily, distant: str) -> list[str]:
    """Nothing is sent: connecting a UDP socket only picks a route. The addresses are those of documents, nobody's."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((distant, 9))
            return [str(probe.getsockname()[0]).partition("%")[0]]
    except OSError:  # no network, or none of this family
        return []
