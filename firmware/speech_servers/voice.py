"""A server's voice in front of the box's own: where it does not begin in time, or does not come to the end of what it
says, the box's own voice says the rest.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

import trio

from app.ports import BYTES_PER_MS, Voice
from app.speech_servers import (
    LONGEST_SILENCE_MS,
    SPEAKING_S,
    Rest,
    SpeechFailed,
    Told,
    VoiceServer,
    longest_speech_ms,
    unspoken,
)
from firmware.speech_servers.asking import Asking
from firmware.speech_servers.troubles import Trouble, failed
from models.tts.onset import Onset, loud_samples
from models.tts.reading import has_words, readable

_log = logging.getLogger(__name__)

# What is made while nobody has taken it yet: pieces of 50 ms, a second in all.
_PIECES_AHEAD = 20


class ServedVoice:
    """Implements app.ports.Voice for one call. `rest` is shared by all calls of the agent; clauses are made in
    `clauses`, a nursery that outlives them."""

    def __init__(self, box: Voice, server: VoiceServer, rest: Rest, told: Told, clauses: trio.Nursery) -> None:
        self._box, self._server, self._clauses = box, server, clauses
        self._asking = Asking(rest, told)

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        """See Voice.speak."""
        if not has_words(text):
            return
        left = text
        if self._asking.ready():
            making = Making(text)
            self._clauses.start_soon(making.run, self._server)
            try:
                while pcm := await making.more():
                    yield pcm
            finally:
                making.stop()
            left = self._left_after(making)
        if left:
            async with aclosing(self._box.speak(left)) as chunks:
                async for pcm in chunks:
                    yield pcm

    def _left_after(self, making: Making) -> str:
        """Of the text, for the box's own voice."""
        if making.failure is None:
            self._asking.worked()
            return ""
        _log.warning(
            "the text-to-speech server failed; the box speaks by itself",
            extra={
                "problem": str(making.failure),
                "next_try_s": self._asking.failed(making.failure, "The voice on the box spoke"),
            },
        )
        return unspoken(making.text, making.heard_bytes)


class Making:
    """One clause on its way from a server. `heard_bytes`: taken so far, without silence at its end."""

    def __init__(self, text: str) -> None:
        self.text, self.heard_bytes = text, 0
        self.failure: SpeechFailed | None = None
        self._scope = trio.CancelScope()
        self._made, self._taken = trio.open_memory_channel[bytes](_PIECES_AHEAD)
        self._onset, self._silent_bytes = Onset(), 0
        self._left_bytes = longest_speech_ms(text) * BYTES_PER_MS  # of all that the server may send
        self._taken_bytes = 0
        self._first_s: float | None = None

    async def run(self, server: VoiceServer) -> None:
        """Raises nothing: it would end every other call."""
        with self._scope, self._made:
            try:
                await server.speak(readable(self.text), self._hand_over)
                self.failure = None if self._onset.begun else failed(Trouble.MUTE)
            except SpeechFailed as why:
                self.failure = why
            except Exception:  # noqa: BLE001 - the wall: the box's own voice is there
                _log.exception("a bug in speaking by a server")
                self.failure = failed(Trouble.GARBAGE)

    async def more(self) -> bytes:
        """The next audio; nothing at the end, or once there is a `failure` and nothing left from before it."""
        patience_s, pcm = trio.current_time() + SPEAKING_S, b""
        if self._first_s is not None:  # the caller still listens to what came before
            patience_s = max(patience_s, self._first_s + self._taken_bytes / BYTES_PER_MS / 1000 + SPEAKING_S)
        with trio.move_on_at(patience_s) as waiting:
            pcm = await self._next()
        if waiting.cancelled_caught:
            self.failure = failed(Trouble.SLOW)
        self._account(pcm)
        return pcm

    async def _next(self) -> bytes:
        try:
            return await self._taken.receive()
        except trio.EndOfChannel:
            return b""

    def _account(self, pcm: bytes) -> None:
        if pcm and self._first_s is None:
            self._first_s = trio.current_time()
        self._taken_bytes += len(pcm)
        if loud_samples(pcm):
            self.heard_bytes = self._taken_bytes

    def stop(self) -> None:
        self._scope.cancel()
        self._taken.close()

    async def _hand_over(self, pcm: bytes) -> None:
        """Without silence before the first sound, or for longer than between sentences. Raises: SpeechFailed."""
        self._left_bytes -= len(pcm)
        if self._left_bytes < 0:
            raise failed(Trouble.TOO_LONG)
        pcm = self._onset.trimmed(pcm)
        self._silent_bytes = 0 if loud_samples(pcm) else self._silent_bytes + len(pcm)
        if pcm and self._silent_bytes <= LONGEST_SILENCE_MS * BYTES_PER_MS:
            await self._made.send(pcm)
        else:
            await trio.lowlevel.checkpoint()
