"""Whether there is a newer version: asked once a day at an address that the owner gave, if one was given. It tells, and
fetches nothing: a person downloads the bundle and uploads it.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import trio

from app.control.updating import NewerVersion
from app.web_addresses import NEEDS_TLS
from firmware.http_asking import at_first_address, host_of, read_up_to
from firmware.newer_versions.listing import NoListing, newer_than
from firmware.private_network import NoSuchName, NotPrivate, is_untrusted, ways_to
from firmware.update.bundle import Box

FIRST_S = 600.0
"""After the start: the box has proven itself by then, and a hundred boxes whose power came back do not ask at once."""

DAY_S = 24 * 3600.0
ANSWER_S = 10.0
ALL_S = 18.0
"""Of one look. Whoever presses the button on the page waits for 20 s."""

_LARGEST = 64 * 1024
_OK, _REDIRECTS = 200, range(300, 400)

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Heard:
    """`problem`: why nothing was learned, as the end of a sentence. `at` None: nobody has looked yet."""

    newer: NewerVersion | None = None
    problem: str = ""
    at: datetime | None = None


class News:
    """`address`: empty for none. `box`: what runs. `trusted`: whose certificates count; the system's authorities if not
    given. `changed` hears that it looked."""

    def __init__(
        self,
        address: Callable[[], Awaitable[str]],
        box: Callable[[], Box],
        changed: Callable[[], None],
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        self._address, self._box, self._changed, self._trusted = address, box, changed, trusted
        self.heard = Heard()

    async def run(self) -> None:
        await trio.sleep(FIRST_S)
        while True:
            await self.look()
            await trio.sleep(DAY_S)

    async def look(self) -> bool:
        """Once; whether there is an address to look at. Never fails."""
        address = await self._address()
        self.heard = await self._heard(address) if address else Heard()
        if self.heard.problem:
            _log.warning("whether there is an update is not known", extra={"problem": self.heard.problem})
        self._changed()
        return bool(address)

    async def _heard(self, address: str) -> Heard:
        at, problem = datetime.now(UTC), f"it did not answer within {ANSWER_S:.0f} s"
        with trio.move_on_after(ALL_S):
            try:
                return Heard(newer_than(self._box(), await self._fetched(address), address), at=at)
            except NoListing as fault:
                problem = str(fault)
            except NoSuchName:
                problem = "its host name cannot be found: check the address, and the network's name server"
            except NotPrivate:
                problem = f"it is not in your own network, and {NEEDS_TLS}: use https://"
            except (httpx.TransportError, httpx.InvalidURL) as fault:
                problem = _why(fault)
        return Heard(problem=problem, at=at)

    async def _fetched(self, address: str) -> bytes:
        """Raises: NoListing, NoSuchName, NotPrivate, httpx.TransportError, httpx.InvalidURL."""
        where = httpx.URL(address)
        hosts = await ways_to(where.scheme, host_of(where), where.port or 80)
        trusted = self._trusted
        if trusted is None:  # in a thread: reading the authorities' certificates takes 20 ms
            trusted = await trio.to_thread.run_sync(ssl.create_default_context)
        async with httpx.AsyncClient(verify=trusted, timeout=ANSWER_S, trust_env=False) as http:
            return await at_first_address(hosts, lambda host: _read(http, where, host))


async def _read(http: httpx.AsyncClient, where: httpx.URL, host: str) -> bytes:
    """Raises: NoListing, httpx.TransportError."""
    headers = {"host": where.netloc.decode("ascii"), "accept-encoding": "identity", "user-agent": "Deskbell"}
    async with http.stream("GET", where.copy_with(host=host), headers=headers) as answer:
        if answer.status_code in _REDIRECTS:
            raise NoListing("it says that it has moved, and redirects are not followed: enter the new address")
        if answer.status_code != _OK:
            raise NoListing(f"it answered {answer.status_code}: check the address")
        text = await read_up_to(answer, _LARGEST)
    if len(text) > _LARGEST:
        raise NoListing("what it answered is too long for a list of versions: check the address")
    return text


def _why(fault: Exception) -> str:
    match fault:
        case httpx.TimeoutException():
            return f"it did not answer within {ANSWER_S:.0f} s"
        case httpx.ConnectError() if is_untrusted(fault):
            return "its certificate is not trusted (made by itself, expired, or for another name)"
        case httpx.ConnectError():
            return "nothing answers at its address: check it, and whether the box may reach the internet"
        case _:
            return "what it answered is not HTTP: check the address"
