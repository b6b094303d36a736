"""Hearing by a Wyoming server: the audio goes there while the caller still speaks.

→ transcribe, audio-start, audio-chunk …, audio-stop
← transcript, or transcript-start, transcript-chunk …, transcript, transcript-stop
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

import trio

from app.ports import BYTES_PER_MS, SAMPLE_RATE_HZ
from app.speech_servers import LONGEST_HEARD, SpeechFailed
from firmware.speech_servers.troubles import Trouble, failed
from firmware.wyoming.line import Line, connected

_FORMAT = {"rate": SAMPLE_RATE_HZ, "width": 2, "channels": 1}
# Words, and what servers tell besides.
_MOST_BYTES = 1024 * 1024
# As Home Assistant has them: servers need not take more at once.
_CHUNK_BYTES = 64 * BYTES_PER_MS


class WyomingRecogniser:
    """Implements app.speech_servers.EarsServer. One connection for each utterance, since many servers want that."""

    def __init__(self, address: str, model: str) -> None:
        self._address = address
        self._asked = {"language": "en"} | ({"name": model} if model else {})

    async def transcribe(self, audio: AsyncIterator[bytes]) -> str:
        """See EarsServer.transcribe."""
        failure, text, sending = None, "", _Sending(audio)
        async with connected(self._address, _MOST_BYTES) as line:
            await line.send("transcribe", self._asked)
            async with trio.open_nursery() as both:
                both.start_soon(sending.run, line)
                try:
                    text = await _transcript(line)
                except SpeechFailed as why:
                    failure = why
                both.cancel_scope.cancel()
        if failure:
            raise failure
        if not sending.complete:
            raise failed(Trouble.EARLY)
        return text


class _Sending:
    """`complete`: the server has all of it."""

    def __init__(self, audio: AsyncIterator[bytes]) -> None:
        self.complete = False
        self._audio = audio

    async def run(self, line: Line) -> None:
        with suppress(SpeechFailed):  # whoever reads is told the same, and why
            await line.send("audio-start", _FORMAT)
            async for pcm in self._audio:
                for at in range(0, len(pcm), _CHUNK_BYTES):
                    await line.send("audio-chunk", _FORMAT, pcm[at : at + _CHUNK_BYTES])
            self.complete = True
            await line.send("audio-stop", {})


async def _transcript(line: Line) -> str:
    """Raises: SpeechFailed."""
    pieces, text = [""], None
    while text is None:
        event = await line.receive()
        match event.type:
            case "transcript":
                text = event.text("text")
            case "transcript-chunk":
                pieces.append(event.text("text"))
            case "transcript-stop":
                text = "".join(pieces)
            case _:
                pass
    if len(text) > LONGEST_HEARD:
        raise failed(Trouble.TOO_LONG)
    return text
