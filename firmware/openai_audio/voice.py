"""Speaking: POST /audio/speech, played as it comes."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from pydantic import SecretStr

from app.engines import HttpVoice
from firmware.audio.line_sound import LineSound
from firmware.openai_audio.client import Client, Question, open_client
from firmware.openai_audio.wav_stream import WavStream
from firmware.speech_servers.troubles import Trouble, failed

# Of the protocol: 24 kHz, mono.
_PCM_RATE_HZ = 24_000
# 47 s of the best sound there is.
_LARGEST_ANSWER = 20 * 1024 * 1024
_KINDS = ("audio/", "application/octet-stream")


@asynccontextmanager
async def open_http_voice(engine: HttpVoice, key: SecretStr | None) -> AsyncGenerator[HttpSpeaker, None]:
    """Connects when it is asked."""
    async with open_client(engine.base_url, key) as client:
        yield HttpSpeaker(client, engine)


class HttpSpeaker:
    """Implements app.speech_servers.VoiceServer. Made by `open_http_voice`."""

    def __init__(self, client: Client, engine: HttpVoice) -> None:
        self._client, self._sound = client, engine.sound
        self._asked = {"model": engine.model, "voice": engine.voice, "response_format": engine.sound}

    async def speak(self, text: str, hand_over: Callable[[bytes], Awaitable[None]]) -> None:
        """See VoiceServer.speak."""
        sound = WavStream() if self._sound == "wav" else LineSound(_PCM_RATE_HZ, 1)
        left_bytes = _LARGEST_ANSWER

        async def take(data: bytes) -> None:
            nonlocal left_bytes
            left_bytes -= len(data)
            if left_bytes < 0:
                raise failed(Trouble.TOO_LONG)
            for pcm in sound.feed(data):
                await hand_over(pcm)

        body = json.dumps(self._asked | {"input": text}).encode()
        await self._client.ask(Question("/audio/speech", body, "application/json", _KINDS), take)
        for pcm in sound.end():
            await hand_over(pcm)
