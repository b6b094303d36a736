"""A server's ears in front of the box's own: both hear each utterance, and the server's words count where they come in
time. No call costs the box more than without a server, and no turn is lost with one.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import trio

from app.ports import Ears, Heard, Hearing, Recognition
from app.speech_servers import HEARING_S, EarsServer, Rest, SpeechFailed, Told
from firmware.speech_servers.asking import Asking
from firmware.speech_servers.troubles import Trouble, failed

_log = logging.getLogger(__name__)

# As much as the box's own ears listen to at a stretch (models/stt/hearing.py): 1.9 MB.
_LONGEST_BYTES = 60 * 32_000


class ServedEars:
    """Implements app.ports.Ears for one call. `rest` is shared by all calls of the agent."""

    def __init__(self, box: Ears, server: EarsServer, rest: Rest, told: Told) -> None:
        self._box, self._server, self._rest, self._told = box, server, rest, told

    def open(self, *, narrow_band: bool) -> AbstractAsyncContextManager[Hearing]:
        """See Ears.open."""
        return self._open(narrow_band)

    @asynccontextmanager
    async def _open(self, narrow_band: bool) -> AsyncIterator[Hearing]:
        async with self._box.open(narrow_band=narrow_band) as box, trio.open_nursery() as attempts:
            yield ServedHearing(box, self._server, Asking(self._rest, self._told), attempts)
            attempts.cancel_scope.cancel()


class ServedHearing:
    """Implements app.ports.Hearing."""

    def __init__(self, box: Hearing, server: EarsServer, asking: Asking, attempts: trio.Nursery) -> None:
        self._box, self._server, self._asking, self._attempts = box, server, asking, attempts
        self._utterance = bytearray()
        self._expected = ""
        self._attempt = Attempt(self._utterance)

    async def begin(self, expected: str = "") -> None:
        """See Hearing.begin."""
        self._expected = expected
        self._utterance = bytearray()
        self._try()
        await self._box.begin(expected)

    async def feed(self, pcm: bytes) -> None:
        """See Hearing.feed."""
        if self._attempt.complete:
            self._try()  # the caller goes on: all of it is heard again
        self._utterance += pcm[: max(0, _LONGEST_BYTES - len(self._utterance))]
        self._attempt.notify()
        await self._box.feed(pcm)

    async def hurry(self) -> None:
        await self._box.hurry()

    async def finish(self) -> Recognition:
        """See Hearing.finish. Where the caller goes on meanwhile, what they say then is awaited, too."""
        self._attempt.end()
        while True:
            attempt = self._attempt
            await attempt.over.wait()
            if attempt.heard:
                return attempt.heard

    def _try(self) -> None:
        self._attempt.forget()
        self._attempt = Attempt(self._utterance)
        self._attempts.start_soon(self._run, self._attempt, self._expected)

    async def _run(self, attempt: Attempt, expected: str) -> None:
        with attempt.scope:
            async with trio.open_nursery() as both:
                both.start_soon(self._hear_beside, attempt)
                if self._asking.ready():
                    await attempt.ask(self._server)
                    self._tell(attempt)
                await attempt.ended()
                attempt.heard = await self._chosen(attempt, expected)
                both.cancel_scope.cancel()
        attempt.over.set()

    async def _hear_beside(self, attempt: Attempt) -> None:
        await attempt.ended()
        attempt.hear_beside(await self._box.finish())

    def _tell(self, attempt: Attempt) -> None:
        if attempt.failure is None:
            self._asking.worked()
            return
        _log.warning(
            "the speech-to-text server failed; the box hears by itself",
            extra={
                "problem": str(attempt.failure),
                "next_try_s": self._asking.failed(attempt.failure, "The recogniser on the box heard this"),
            },
        )

    async def _chosen(self, attempt: Attempt, expected: str) -> Recognition:
        """Of what is read out, the box's own readings are kept too: for where the server's turns out wrong."""
        text = attempt.text
        if text is None:
            return await attempt.heard_beside()
        others: tuple[str, ...] = ()
        if expected:
            own = await attempt.heard_beside()
            others = tuple(dict.fromkeys(each for each in (text, own.own, *own.others) if each))
        return Heard(text, text, (trio.current_time() - attempt.ended_s) * 1000, others=others)


class Attempt:
    """One utterance at a server, until it is over or the caller goes on. `audio` grows meanwhile."""

    def __init__(self, audio: bytearray) -> None:
        self.scope, self.over = trio.CancelScope(), trio.Event()
        self.heard: Recognition | None = None
        self.text: str | None = None
        self.failure: SpeechFailed | None = None
        self.complete, self.ended_s = False, 0.0
        self._beside: Recognition | None = None
        self._audio = audio
        self._patience = trio.CancelScope()
        self._changed = trio.Event()

    def notify(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def end(self) -> None:
        """Nothing more is said; from now on it is waited for. Once."""
        if not self.complete:
            self.complete, self.ended_s = True, trio.current_time()
            self._patience.deadline = self.ended_s + HEARING_S
            self.notify()

    def forget(self) -> None:
        self.scope.cancel()
        self.over.set()

    async def ended(self) -> None:
        while not self.complete:
            await self._changed.wait()

    def hear_beside(self, found: Recognition) -> None:
        self._beside = found
        self.notify()

    async def heard_beside(self) -> Recognition:
        """By the box's own ears."""
        while self._beside is None:
            await self._changed.wait()
        return self._beside

    async def ask(self, server: EarsServer) -> None:
        """Sets `text` or `failure`."""
        with self._patience:
            try:
                self.text = " ".join((await server.transcribe(_Growing(self))).split())
            except SpeechFailed as why:
                self.failure = why
            except Exception:  # noqa: BLE001 - the wall: the box's own ears are there
                _log.exception("a bug in hearing by a server")
                self.failure = failed(Trouble.GARBAGE)
        if self._patience.cancelled_caught:
            self.failure = failed(Trouble.SLOW)

    async def more_after(self, taken: int) -> bytes:
        """What came after so many bytes; nothing at the end."""
        while len(self._audio) == taken and not self.complete:
            await self._changed.wait()
        return bytes(self._audio[taken:])


class _Growing:
    """The audio of an attempt, as it comes."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt, self._taken = attempt, 0

    def __aiter__(self) -> _Growing:
        return self

    async def __anext__(self) -> bytes:
        pcm = await self._attempt.more_after(self._taken)
        if not pcm:
            raise StopAsyncIteration
        self._taken += len(pcm)
        return pcm
