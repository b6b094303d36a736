"""A server with OpenAI's audio protocol as a program: python -m tests.office.openai_server PHRASE …

It tells on its standard output where it is ("ready PORT"), and what it does ("hears", "speaks"). DESKBELL_KEY: who has
another key is refused.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import wave
from collections.abc import AsyncGenerator
from typing import Any

import trio
from hypercorn.config import Config
from hypercorn.trio import serve
from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.office.speech_engines import VOICE_RATE_HZ, Recogniser, Speaker

KEY = os.environ.get("DESKBELL_KEY", "")


def tell(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def application(recogniser: Recogniser, speaker: Speaker) -> Starlette:
    def refused(request: Request) -> Response | None:
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if KEY and key != KEY:
            return JSONResponse({"error": {"message": f"Incorrect API key provided: {key}"}}, 401)
        return None

    async def transcriptions(request: Request) -> Response:
        if no := refused(request):
            return no
        tell("hears")
        async with request.form() as form:
            upload = form["file"]
            assert isinstance(upload, UploadFile)
            with wave.open(io.BytesIO(await upload.read())) as file:
                pcm = file.readframes(file.getnframes())
        recogniser.begin()
        await trio.to_thread.run_sync(recogniser.feed, pcm)
        return JSONResponse({"text": f" {await trio.to_thread.run_sync(recogniser.text)}"})

    async def speech(request: Request) -> Response:
        if no := refused(request):
            return no
        tell("speaks")
        asked = await request.json()
        kind = "audio/wav" if asked["response_format"] == "wav" else "audio/pcm"
        return StreamingResponse(_spoken(speaker, asked["input"], wav=kind == "audio/wav"), media_type=kind)

    paths = {"/v1/audio/transcriptions": transcriptions, "/v1/audio/speech": speech}
    return Starlette(routes=[Route(path, answer, methods=["POST"]) for path, answer in paths.items()])


async def _spoken(speaker: Speaker, text: str, *, wav: bool) -> AsyncGenerator[bytes, None]:
    """PCM has the protocol's own rate; of a WAV file, the length is not known yet."""
    pcm = bytearray()

    def heard(piece: bytes) -> bool:
        pcm.extend(piece)
        return True

    await trio.to_thread.run_sync(speaker.speak, text, heard)
    if wav:
        form = struct.pack("<HHIIHH", 1, 1, VOICE_RATE_HZ, 2 * VOICE_RATE_HZ, 2, 16)
        yield b"RIFF\xff\xff\xff\xffWAVE" + struct.pack("<4sI", b"fmt ", 16) + form + b"data\xff\xff\xff\xff"
    for at in range(0, len(pcm), 4410):
        yield bytes(pcm[at : at + 4410])


async def main() -> None:
    config = Config()
    config.bind, config.graceful_timeout, config.errorlog = ["127.0.0.1:0"], 0.1, None
    async with trio.open_nursery() as nursery:
        app = application(Recogniser(sys.argv[1:]), Speaker())
        (address,) = await nursery.start(_serve, app, config)
        tell(f"ready {address.rpartition(':')[2]}")


async def _serve(app: Starlette, config: Config, *, task_status: trio.TaskStatus[Any]) -> None:
    await serve(app, config, shutdown_trigger=trio.sleep_forever, task_status=task_status)  # type: ignore[arg-type]


if __name__ == "__main__":
    trio.run(main)
