"""A sound card of files: ALSA's file plug-in, with a pipe for the microphone and a file for the speaker.

ALSA's null device, which lies under the plug-in, has no clock: it takes and gives at any speed. The pipe is the clock
instead: who reads an empty one waits, so the call goes on by 20 ms for each 20 ms that the test puts in.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import trio

from app.ports import FRAME_BYTES, FRAME_MS, Connected
from firmware.audio.handset import HandsetCall, open_handset

SILENCE = bytes(FRAME_BYTES)

_CONFIGURATION = """
pcm.microphone {{ type file slave.pcm {{ type null }} file "/dev/null" infile "{microphone}" format raw }}
pcm.speaker {{ type file slave.pcm {{ type null }} file "{speaker}" format raw }}
pcm.default {{ type asym capture.pcm microphone playback.pcm speaker hint {{ show on description "a card of files" }} }}
pcm.deaf {{ type asym playback.pcm speaker }}
pcm.unplugged {{ type hw card 0 }}
pcm.stereo {{
    type multi
    slaves {{ a {{ pcm {{ type null }} channels 1 }} b {{ pcm {{ type null }} channels 1 }} }}
    bindings {{ 0 {{ slave a channel 0 }} 1 {{ slave b channel 0 }} }}
}}
"""


class SoundCardOfFiles:
    """`hear` puts frames into the microphone; `said` is what the speaker has got, in full once the card is closed."""

    def __init__(self, folder: Path) -> None:
        self._microphone, self._speaker = folder / "microphone", folder / "speaker"
        os.mkfifo(self._microphone)
        self._pipe = os.open(self._microphone, os.O_RDWR | os.O_NONBLOCK)  # ALSA's opening would wait for a writer
        self.configuration = folder / "asound.conf"
        text = _CONFIGURATION.format(microphone=self._microphone, speaker=self._speaker)
        self.configuration.write_text(text)

    def hear(self, *frames: bytes) -> None:
        for frame in frames:
            os.write(self._pipe, frame)

    async def hear_a_quiet_room(self) -> None:
        """20 ms by 20 ms, for ever: a microphone never pauses."""
        due = trio.current_time()
        while True:
            due += FRAME_MS / 1000
            await trio.sleep_until(due)
            self.hear(SILENCE)

    def close(self) -> None:
        """Also ends the waiting of a thread that still listens."""
        os.close(self._pipe)

    @property
    def said(self) -> bytes:
        return self._speaker.read_bytes()


@contextmanager
def sound_card_of_files(folder: Path) -> Generator[SoundCardOfFiles, None, None]:
    """ALSA knows this card as "default", and nothing of the machine's own."""
    card = SoundCardOfFiles(folder)
    before = os.environ.get("ALSA_CONFIG_PATH")
    os.environ["ALSA_CONFIG_PATH"] = str(card.configuration)
    try:
        yield card
    finally:
        card.close()
        if before is None:
            del os.environ["ALSA_CONFIG_PATH"]
        else:
            os.environ["ALSA_CONFIG_PATH"] = before


@asynccontextmanager
async def handset_in_a_quiet_room(folder: Path, puts_down_at_ms: int) -> AsyncGenerator[HandsetCall, None]:
    """A call that rings, from somebody who says nothing and puts the handset down so long after the answer."""
    with sound_card_of_files(folder) as card:
        async with trio.open_nursery() as room:
            async with open_handset() as call:
                assert isinstance(call, HandsetCall)
                room.start_soon(_put_down, call, card, puts_down_at_ms)
                yield call
            room.cancel_scope.cancel()


async def _put_down(call: HandsetCall, card: SoundCardOfFiles, at_ms: int) -> None:
    if isinstance(await call.connected(), Connected):
        async with trio.open_nursery() as room:
            room.start_soon(card.hear_a_quiet_room)
            await trio.sleep(at_ms / 1000)
            call.put_down()
