"""Hearing: POST /audio/transcriptions with the whole utterance. It is asked once the caller pauses, and again with more
audio where they go on."""

from __future__ import annotations

import io
import secrets
import wave
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

from pydantic import SecretStr

from app.engines import HttpEars
from app.ports import SAMPLE_RATE_HZ
from app.speech_servers import LONGEST_HEARD
from firmware.openai_audio.client import Client, Question, open_client
from firmware.openai_audio.faults import object_in
from firmware.speech_servers.troubles import Trouble, failed

# Words; some servers tell of each one when it was said.
_LARGEST_ANSWER = 256 * 1024


@asynccontextmanager
async def open_http_recogniser(engine: HttpEars, key: SecretStr | None) -> AsyncGenerator[HttpRecogniser, None]:
    """Connects when it is asked."""
    async with open_client(engine.base_url, key) as client:
        yield HttpRecogniser(client, engine.model)


class HttpRecogniser:
    """Implements app.speech_servers.EarsServer. Made by `open_http_recogniser`."""

    def __init__(self, client: Client, model: str) -> None:
        self._client = client
        self._asked = {"model": model, "language": "en", "response_format": "json", "temperature": "0"}

    async def transcribe(self, audio: AsyncIterator[bytes]) -> str:
        """See EarsServer.transcribe."""
        pcm, answer = bytearray(), bytearray()
        async for piece in audio:
            pcm += piece

        async def take(data: bytes) -> None:
            answer.extend(data)
            if len(answer) > _LARGEST_ANSWER:
                raise failed(Trouble.TOO_LONG)

        body, kind = form_of(self._asked, _wav(bytes(pcm)))
        await self._client.ask(Question("/audio/transcriptions", body, kind, ("application/json",)), take)
        return _text(bytes(answer))


def form_of(fields: Mapping[str, str], wav: bytes) -> tuple[bytes, str]:
    """A form with a file, as browsers send it (RFC 7578), and its content type."""
    mark = secrets.token_hex(16)
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    parts.append(b'name="file"; filename="speech.wav"\r\ncontent-type: audio/wav\r\n\r\n' + wav)
    begin = f"--{mark}\r\ncontent-disposition: form-data; ".encode()
    body = b"".join(begin + part + b"\r\n" for part in parts)
    return body + f"--{mark}--\r\n".encode(), f"multipart/form-data; boundary={mark}"


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE_HZ)
        sound.writeframes(pcm)
    return file.getvalue()


def _text(answer: bytes) -> str:
    """Raises: SpeechFailed."""
    text = (object_in(answer) or {}).get("text")
    if not isinstance(text, str):
        raise failed(Trouble.GARBAGE)
    if len(text) > LONGEST_HEARD:
        raise failed(Trouble.TOO_LONG)
    return text
