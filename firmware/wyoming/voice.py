"""Speaking by a Wyoming server.

→ synthesize; or, to servers that speak before they have read all, synthesize-start, -chunk, -stop
← audio-start, audio-chunk …, audio-stop, of those others again and again, then synthesize-stopped
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from firmware.audio.line_sound import MOST_CHANNELS, RATES_HZ, LineSound
from firmware.speech_servers.troubles import Trouble, failed
from firmware.wyoming.events import Event
from firmware.wyoming.info import described
from firmware.wyoming.line import Line, connected

# 47 s of the best sound there is, and what is said of it.
_MOST_BYTES = 20 * 1024 * 1024
# In the building, a server tells of itself in a millisecond; one that does not is asked in the plain way.
_DESCRIBED_S = 0.3

HandOver = Callable[[bytes], Awaitable[None]]


class WyomingSpeaker:
    """Implements app.speech_servers.VoiceServer. One connection for each clause, since many servers want that."""

    def __init__(self, address: str, voice: str, speaker: str) -> None:
        self._address = address
        names = {"name": voice} | ({"speaker": speaker} if speaker else {})
        self._voice: dict[str, object] = {"voice": names} if voice else {}
        self._streams: bool | None = None

    async def speak(self, text: str, hand_over: HandOver) -> None:
        """See VoiceServer.speak."""
        async with connected(self._address, _MOST_BYTES) as line:
            if self._streams is None:
                self._streams = await _streams(line)
            if self._streams:
                await line.send("synthesize-start", self._voice)
                await line.send("synthesize-chunk", {"text": text})
                await line.send("synthesize-stop", {})
            else:
                await line.send("synthesize", {"text": text} | self._voice)
            await _play(line, hand_over, "synthesize-stopped" if self._streams else "audio-stop")


async def _streams(line: Line) -> bool:
    """Raises: SpeechFailed."""
    with trio.move_on_after(_DESCRIBED_S):
        info = await described(line)
        if not info.speaks:
            raise failed(Trouble.NO_VOICE)
        return info.streams
    return False


async def _play(line: Line, hand_over: HandOver, last: str) -> None:
    """Raises: SpeechFailed."""
    sound, form = None, (0, 0, 0)
    while (event := await line.receive()).type != last:
        if event.type != "audio-chunk":
            continue
        if sound is None or form != _form(event):
            form = _form(event)
            sound = _sound(*form)
        for pcm in sound.feed(event.payload):
            await hand_over(pcm)
    for pcm in sound.end() if sound else ():
        await hand_over(pcm)


def _form(event: Event) -> tuple[int, int, int]:
    """Raises: SpeechFailed."""
    return event.number("rate"), event.number("width"), event.number("channels")


def _sound(rate_hz: int, width: int, channels: int) -> LineSound:
    """Raises: SpeechFailed."""
    if rate_hz not in RATES_HZ or width != 2 or not 1 <= channels <= MOST_CHANNELS:
        raise failed(Trouble.SOUND)
    return LineSound(rate_hz, channels)
