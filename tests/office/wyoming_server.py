"""A Wyoming server as a program, made with the protocol's own library: python -m tests.office.wyoming_server PHRASE …

It tells on its standard output where it is ("ready PORT"), and what it does ("hears", "speaks"). DESKBELL_STREAMS: it
says words and sound piece by piece; DESKBELL_PACED: it makes sound no faster than it is played.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from functools import partial

from wyoming.asr import Transcribe, Transcript, TranscriptChunk, TranscriptStart, TranscriptStop
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.info import AsrModel, AsrProgram, Attribution, Describe, Info, TtsProgram, TtsVoice
from wyoming.server import AsyncEventHandler, AsyncTcpServer
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped

from tests.office.speech_engines import VOICE_RATE_HZ, Recogniser, Speaker

STREAMS, PACED = bool(os.environ.get("DESKBELL_STREAMS")), bool(os.environ.get("DESKBELL_PACED"))
_MAKER = Attribution("Deskbell", "")
INFO = Info(
    asr=[AsrProgram("sphinx", _MAKER, True, "", "1", [AsrModel("en", _MAKER, True, "", "1", ["en"])])],
    tts=[
        TtsProgram(
            "flite",
            _MAKER,
            True,
            "",
            "1",
            [TtsVoice("rms", _MAKER, True, "", "1", ["en"])],
            supports_synthesize_streaming=STREAMS,
        )
    ],
)


def tell(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


class Handler(AsyncEventHandler):
    def __init__(self, recogniser: Recogniser, speaker: Speaker, *streams: asyncio.StreamReader) -> None:
        super().__init__(*streams)  # type: ignore[arg-type]
        self._recogniser, self._speaker = recogniser, speaker
        self._text = ""

    async def handle_event(self, event: Event) -> bool:
        if Describe.is_type(event.type):
            await self.write_event(INFO.event())
        elif Transcribe.is_type(event.type):
            tell("hears")
            self._recogniser.begin()
        elif AudioChunk.is_type(event.type):
            await asyncio.to_thread(self._recogniser.feed, AudioChunk.from_event(event).audio)
        elif AudioStop.is_type(event.type):
            await self._tell_words(await asyncio.to_thread(self._recogniser.text))
            return False
        elif SynthesizeStart.is_type(event.type):
            self._text = ""
        elif SynthesizeChunk.is_type(event.type):
            self._text += SynthesizeChunk.from_event(event).text
        elif SynthesizeStop.is_type(event.type):
            await self._say(self._text)
            await self.write_event(SynthesizeStopped().event())
            return False
        elif Synthesize.is_type(event.type):
            await self._say(Synthesize.from_event(event).text)
            return False
        return True

    async def _tell_words(self, text: str) -> None:
        if STREAMS:
            await self.write_event(TranscriptStart().event())
            for word in text.split():
                await self.write_event(TranscriptChunk(f"{word} ").event())
        await self.write_event(Transcript(text).event())
        if STREAMS:
            await self.write_event(TranscriptStop().event())

    async def _say(self, text: str) -> None:
        tell("speaks")
        made: asyncio.Queue[bytes] = asyncio.Queue()
        loop = asyncio.get_running_loop()

        def heard(pcm: bytes) -> bool:
            loop.call_soon_threadsafe(made.put_nowait, pcm)
            return True

        making = asyncio.create_task(asyncio.to_thread(self._speaker.speak, text, heard))
        making.add_done_callback(lambda _: made.put_nowait(b""))
        await self.write_event(AudioStart(VOICE_RATE_HZ, 2, 1).event())
        while pcm := await made.get():
            await self.write_event(AudioChunk(VOICE_RATE_HZ, 2, 1, pcm).event())
            if PACED:
                await asyncio.sleep(len(pcm) / 2 / VOICE_RATE_HZ)
        await self.write_event(AudioStop().event())


async def main() -> None:
    recogniser, speaker = Recogniser(sys.argv[1:]), Speaker()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    server = AsyncTcpServer("127.0.0.1", port)
    await server.start(partial(Handler, recogniser, speaker))
    tell(f"ready {port}")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
