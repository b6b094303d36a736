"""What is on its way to the caller: the same from the ring of the telephone (pjsua2's, in C++) and from the handset's.
The test is the clock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pjsua2 as pj
import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from app.ports import FRAME_BYTES, FRAME_MS
from firmware.audio.call_audio import EARS_FRAMES, CallAudio, Durations
from firmware.audio.mouth import MOUTH_BYTES, SILENCE, OwnRing, Ring
from firmware.telephony.tap import Tap
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.unit

RING_RECORDS = 100


@dataclass(frozen=True)
class Clocked:
    ring: Ring
    take: Callable[[], bytes]


class Line:
    """A tap, and the bridge's two calls in each tick."""

    def __init__(self, event_fd: int) -> None:
        self.event_fd = event_fd
        self.tap = Tap(pj.AudioRing())

    def take(self) -> bytes:
        frame = pj.MediaFrame()
        self.tap.port.onFrameRequested(frame)
        assert (frame.type, frame.size) == (pj.PJMEDIA_FRAME_TYPE_AUDIO, FRAME_BYTES)
        said = bytearray(frame.size)
        frame.buf.copy_to_bytearray(said)
        return bytes(said)

    def tick(self, caller: bytes = SILENCE) -> bytes:
        said = self.take()
        frame = pj.MediaFrame()
        frame.buf.assign_from_bytes(caller)
        frame.size = len(caller)
        self.tap.port.onFrameReceived(frame)
        return said


@pytest.fixture
def line() -> Iterator[Line]:
    event_fd = os.eventfd(0, os.EFD_NONBLOCK)
    yield Line(event_fd)
    os.close(event_fd)


@pytest.fixture(params=["telephone", "handset"])
def clocked(request: pytest.FixtureRequest, line: Line) -> Clocked:
    if request.param == "handset":
        own = OwnRing()
        return Clocked(own, own.take)
    line.tap.port.open(line.event_fd)
    return Clocked(line.tap, line.take)


def sound(number: int, frames: int = 1) -> memoryview:
    return memoryview(number.to_bytes(2, "little") * (FRAME_BYTES // 2) * frames)


def test_it_takes_what_fits_and_gives_it_out_in_order(clocked: Clocked) -> None:
    assert clocked.ring.add(sound(1)) == FRAME_BYTES
    assert clocked.ring.add(sound(2, 100)) == MOUTH_BYTES - FRAME_BYTES
    assert clocked.ring.add(sound(3)) == 0
    assert clocked.ring.queued_bytes == MOUTH_BYTES
    assert [clocked.take() for _ in range(2)] == [sound(1), sound(2)]
    assert (clocked.ring.queued_bytes, clocked.ring.played_bytes) == (MOUTH_BYTES - 2 * FRAME_BYTES, 2 * FRAME_BYTES)


def test_what_ends_in_the_middle_of_speaking_is_a_gap_and_counts_once(clocked: Clocked) -> None:
    clocked.ring.add(sound(1)[:100])
    assert clocked.take() == bytes(sound(1)[:100]) + SILENCE[100:]
    assert (clocked.take(), clocked.ring.underruns, clocked.ring.played_bytes) == (SILENCE, 1, 100)
    clocked.ring.add(sound(1)[:100])
    clocked.ring.settle()
    clocked.take()
    assert clocked.ring.underruns == 1, "nobody was in the middle of speaking"


def test_held_it_keeps_everything_and_hushed_nothing(clocked: Clocked) -> None:
    clocked.ring.add(sound(1, 2))
    clocked.ring.hold(True)
    assert (clocked.take(), clocked.ring.played_bytes) == (SILENCE, 0)
    clocked.ring.hold(False)
    assert clocked.take() == sound(1)
    clocked.ring.hold(True)
    clocked.ring.hush()
    clocked.ring.add(sound(2))
    assert clocked.take() == sound(2), "the hold is over, too"
    assert clocked.ring.underruns == 0


async def test_each_tick_is_told_with_what_both_said(line: Line) -> None:
    audio = CallAudio()
    pairs = aiter(audio.both())
    line.tap.begin(audio, line.event_fd)
    line.tap.add(sound(7))
    line.tick(bytes(sound(1)))
    line.tick(b"")
    assert os.eventfd_read(line.event_fd) == 2, "Trio is woken"
    line.tap.deliver(Durations())
    assert [(each.at_ms, each.caller, each.agent) for each in (await anext(pairs), await anext(pairs))] == [
        (0, sound(1), sound(7)),
        (FRAME_MS, SILENCE, SILENCE),
    ]
    assert audio.gaps.count == 1


async def test_whoever_waits_for_the_caller_is_woken(line: Line) -> None:
    audio, got = CallAudio(), list[bytes]()
    line.tap.begin(audio, line.event_fd)

    async def read() -> None:
        got.append((await anext(audio.ears())).pcm)

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await wait_all_tasks_blocked()
            line.tick(bytes(sound(1)))
            line.tap.deliver(Durations())
    assert got == [sound(1)]


async def test_a_trio_thread_that_stands_still_loses_the_oldest_and_it_is_counted(line: Line) -> None:
    audio, delays = CallAudio(), Durations()
    line.tap.begin(audio, line.event_fd)
    reader = audio.both()
    for _ in range(RING_RECORDS + 3):
        line.tick()
    line.tap.deliver(delays)
    assert audio.stats.recorder_lost_frames == 3
    assert audio.stats.lost_frames == RING_RECORDS + 3 - EARS_FRAMES
    assert (await anext(reader)).at_ms == 3 * FRAME_MS
    assert delays.max_ms > 0


async def test_a_call_keeps_what_it_queued_before_and_what_was_counted_after(line: Line) -> None:
    audio = CallAudio()
    await audio.mouth.play(bytes(sound(1)))
    audio.mouth.hold()
    line.tap.begin(audio, line.event_fd)
    assert line.tick() == SILENCE
    audio.mouth.release()
    assert line.tick() == sound(1)
    line.tick()
    line.tap.end()
    before = (audio.mouth.played_ms, audio.mouth.clock_ms, audio.stats.underruns)
    assert before == (FRAME_MS, 3 * FRAME_MS, 1)
    line.tap.begin(CallAudio(), line.event_fd)
    line.tick()
    assert (audio.mouth.played_ms, audio.mouth.clock_ms, audio.stats.underruns) == before, "another call's is its own"


def test_at_rest_it_is_silent_and_keeps_nothing(line: Line) -> None:
    line.tap.port.open(line.event_fd)
    line.tap.add(sound(1))
    line.tick(bytes(sound(2)))
    line.tap.add(sound(1))
    line.tap.end()
    assert line.tick(bytes(sound(2))) == SILENCE
    line.tap.port.open(line.event_fd)
    assert (line.tap.port.drain(bytearray(5000)), line.tap.ticks, line.tap.played_bytes) == (0, 0, 0)
