"""What a sound card does that files cannot: come late, run dry, be full, stop. And what a person reads then."""

from __future__ import annotations

import errno
import os
import select
import threading
from collections.abc import Generator, Sequence

import alsaaudio
import pytest
import trio

from app.ports import FRAME_BYTES, Ended, EndedBy
from firmware.audio import handset, sound_card
from firmware.audio.handset import HandsetCall, open_handset
from firmware.audio.sound_card import CUSHION, Role, SoundCard, SoundCardGone, explain
from firmware.lifetimes import serving

pytestmark = pytest.mark.unit

FRAME = bytes([1]) * FRAME_BYTES


class Pcm:
    """alsaaudio.PCM as a script: what `read` hands over and what `write` answers, each time. It is `ready` at once."""

    def __init__(
        self, *, heard: Sequence[bytes] = (), fails: str = "", written: Sequence[int] = (), ready: int = -1
    ) -> None:
        self._heard, self._fails, self._written, self._ready = list(heard), fails, list(written), ready
        self.said: list[bytes] = []
        self.closed = False

    def read(self) -> tuple[int, bytes]:
        if self._fails and not self._heard:
            raise alsaaudio.ALSAAudioError(self._fails)
        pcm = self._heard.pop(0) if self._heard else b""
        return len(pcm) // 2, pcm

    def write(self, pcm: bytes) -> int:
        self.said.append(pcm)
        return self._written.pop(0)

    def polldescriptors(self) -> list[tuple[int, int]]:
        return [(self._ready, select.POLLIN)]

    def polldescriptors_revents(self, ready: list[tuple[int, int]]) -> int:
        assert all(fd == self._ready for fd, _ in ready)
        return len(ready)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def sound_is_there() -> Generator[int, None, None]:
    """A file descriptor that can be read."""
    reading, writing = os.pipe()
    os.write(writing, b"!")
    yield reading
    os.close(reading)
    os.close(writing)


def test_a_microphone_that_is_late_is_waited_for(sound_is_there: int) -> None:
    card = SoundCard(Pcm(heard=[b"", b"", FRAME], ready=sound_is_there), Pcm())
    assert card.listen() == FRAME


def test_a_microphone_that_stops_is_gone(sound_is_there: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_card, "STALLED_S", 0.001)
    card = SoundCard(Pcm(ready=sound_is_there), Pcm())
    with pytest.raises(SoundCardGone, match="the microphone failed in the call: nothing came from it"):
        card.listen()


def test_a_speaker_that_ran_dry_gets_its_cushion_again(sound_is_there: int) -> None:
    speaker = Pcm(written=[960, 320, -errno.EPIPE, 960, 320])
    card = SoundCard(Pcm(ready=sound_is_there), speaker)
    for _ in range(5):
        card.say(FRAME)
    assert speaker.said == [CUSHION + FRAME, FRAME, FRAME, CUSHION + FRAME, FRAME]
    assert card.left_out == 0


def test_a_speaker_that_is_full_is_not_waited_for(sound_is_there: int) -> None:
    speaker = Pcm(written=[960, 0, 100, 320])
    card = SoundCard(Pcm(ready=sound_is_there), speaker)
    for _ in range(4):
        card.say(FRAME)
    assert speaker.said == [CUSHION + FRAME, FRAME, FRAME, FRAME]
    assert card.left_out == 2


async def test_a_card_that_fails_ends_the_call_and_says_so(sound_is_there: int) -> None:
    speaker = Pcm(written=[960, 320])
    card, call = (
        SoundCard(Pcm(heard=[FRAME, FRAME], fails="No such device [hw:1]", ready=sound_is_there), speaker),
        HandsetCall(),
    )
    async with serving(call.run, card):
        await call.answer()
        ended = await call.ended()
        assert [frame.pcm async for frame in call.ears()] == [FRAME, FRAME]
    why = "the microphone failed in the call: No such device. Plug it in again, then call again."
    assert ended == Ended(EndedBy.NETWORK, 503, why)
    assert speaker.closed


class HangingCard:
    """Gives nothing and does not come back until the test is over."""

    left_out = 0

    def __init__(self) -> None:
        self.listening, self.released = threading.Event(), threading.Event()

    def listen(self) -> bytes:
        self.listening.set()
        assert self.released.wait(20)
        return b""

    def close(self) -> None:
        self.listening.clear()


async def test_a_card_that_hangs_does_not_hold_up_the_end(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    card = HangingCard()
    monkeypatch.setattr(handset, "CLOSING_S", 0.01)
    monkeypatch.setattr(handset, "open_sound_card", lambda _: card)
    async with open_handset() as call:
        assert isinstance(call, HandsetCall)
        await call.answer()
        assert await trio.to_thread.run_sync(card.listening.wait, 20)
    assert await call.ended() == Ended(EndedBy.AGENT, 200, "hung up here")
    assert "the sound card does not let go; unplug it, then plug it in again" in caplog.messages
    assert card.listening.is_set()
    card.released.set()


@pytest.mark.parametrize(
    ("role", "code", "why", "what_to_do"),
    [
        ("microphone", errno.ENOENT, "the box has none under this name", "Plug in a headset"),
        ("speaker", errno.ENODEV, "the box has none under this name", "Plug in a headset"),
        ("microphone", errno.EBUSY, "another call or program uses it", "End that one"),
        ("speaker", errno.EACCES, "Deskbell may not use it", 'the group "audio"'),
        ("speaker", errno.EIO, "Input/output error", "unplug this one"),
    ],
)
def test_a_refusal_says_what_happened_why_and_what_to_do(role: Role, code: int, why: str, what_to_do: str) -> None:
    text = explain(role, "plughw:CARD=Headset", os.strerror(code))
    assert text.startswith(f'No call from here: the {role} "plughw:CARD=Headset" did not open')
    assert why in text
    assert what_to_do in text
