"""Letters to a mail server, from Trio: who waits, and for how long."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial

import trio

from firmware.mail.line import Line, Way
from firmware.mail.troubles import Cause, Trouble
from firmware.private_network import NoSuchName, NotPrivate, addresses_of, private_addresses
from firmware.storage.letter_records import Letter

ALL_S = 60.0
"""To log in, and for each letter: four answers as slow as they may be. Whoever tries it on the page waits for 20 s in
all: see firmware/control/mail.py."""

_ADDRESSES = 3
"""Of a name: with CONNECT_S for each, a thread that is left behind ends within a quarter of a minute."""

_GOOD_BYE_S = 2.0
"""What was taken is taken, with and without a good-bye."""

Noted = Callable[[Letter, Trouble | None], Awaitable[None]]


@asynccontextmanager
async def open_mail(trusted: ssl.SSLContext | None = None) -> AsyncGenerator[MailClient, None]:
    """`trusted`: whose certificates count; the system's authorities if not given."""
    # In a thread: reading the authorities' certificates takes 20 ms.
    if trusted is None:
        trusted = await trio.to_thread.run_sync(ssl.create_default_context)
    yield MailClient(trusted)


class MailClient:
    """Made by `open_mail`."""

    def __init__(self, trusted: ssl.SSLContext) -> None:
        self._trusted = trusted

    async def post(self, way: Way, letters: Sequence[Letter], noted: Noted) -> Trouble | None:
        """Send them one after the other over one connection; `noted` hears of each before the next is sent. Returns
        what keeps the mail server from taking any; those that were not noted were not sent. Never fails but as `noted`
        does."""
        line = await self._line(way)
        if isinstance(line, Trouble):
            return line
        try:
            return await _in_time(line, line.open) or await _sent(line, letters, noted)
        finally:
            with trio.move_on_after(_GOOD_BYE_S, shield=True):
                await _in_time(line, line.close)

    async def _line(self, way: Way) -> Line | Trouble:
        look_up = private_addresses if way.server.security == "none" else addresses_of
        with trio.move_on_after(ALL_S):
            try:
                found = await look_up(way.server.host, way.server.port)
            except NoSuchName:
                return Trouble(Cause.NAME)
            except NotPrivate:
                return Trouble(Cause.PUBLIC)
            return Line(way, found[:_ADDRESSES], self._trusted)
        return Trouble(Cause.NAME)


async def _sent(line: Line, letters: Sequence[Letter], noted: Noted) -> Trouble | None:
    for letter in letters:
        trouble = await _in_time(line, partial(line.send, letter))
        if trouble and trouble.is_the_servers:
            return trouble
        await noted(letter, trouble)
    return None


async def _in_time(line: Line, work: Callable[[], Trouble | None]) -> Trouble | None:
    """Whoever is cancelled, or waits for too long, cuts the connection: so the thread ends, too."""
    done = False
    try:
        with trio.move_on_after(ALL_S):
            trouble = await trio.to_thread.run_sync(work, abandon_on_cancel=True)
            done = True
            return trouble
    finally:
        if not done:
            line.cut()
    return Trouble(Cause.SILENT)
