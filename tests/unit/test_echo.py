"""The echo test on a virtual clock, and how loud is loud."""

from __future__ import annotations

import math
from array import array

import pytest
import trio
from trio.testing import MockClock

from app.echo import DELAY_MS, SILENT_DBFS, Echoed, Level, echo, rms_dbfs
from app.ports import FRAME_BYTES, FRAME_MS, EndedBy, Frame
from tests.fakes.line import LOUD, FakeCall, Utterance

pytestmark = pytest.mark.unit


def square(amplitude: int, samples: int = 320) -> bytes:
    return array("h", [amplitude, -amplitude] * (samples // 2)).tobytes()


async def echoed(call: FakeCall) -> tuple[Echoed, list[float]]:
    told: list[float] = []
    async with trio.open_nursery() as line:
        line.start_soon(call.run)
        await call.answer()
        done = await echo(call, told.append)
        line.cancel_scope.cancel()
    return done, told


def spoken(sent: list[bytes]) -> list[tuple[int, int]]:
    """(at_ms, number) of every frame that was not silence, by the mark in its first sample."""
    marks = [int.from_bytes(frame[:2], "little") for frame in sent]
    return [(at * FRAME_MS, mark - LOUD) for at, mark in enumerate(marks) if mark]


async def test_the_caller_hears_themselves_half_a_second_later(autojump_clock: MockClock) -> None:
    call = FakeCall([Utterance(7, 200, 100), Utterance(9, 1000, 40)], hangs_up_at_ms=2000)
    done, _ = await echoed(call)
    later_ms = DELAY_MS + FRAME_MS  # a frame is whole only when it is over
    assert spoken(call.mouth.sent) == [
        *[(at_ms + later_ms, 7) for at_ms in range(200, 300, FRAME_MS)],
        *[(at_ms + later_ms, 9) for at_ms in range(1000, 1040, FRAME_MS)],
    ]
    assert done.ended.by is EndedBy.CALLER
    assert call.lost_frames == 0


async def test_nothing_is_said_to_somebody_who_says_nothing(autojump_clock: MockClock) -> None:
    call = FakeCall([], hangs_up_at_ms=1500)
    done, told = await echoed(call)
    assert spoken(call.mouth.sent) == []
    assert told == [SILENT_DBFS] * 3
    assert done.loudest_dbfs == SILENT_DBFS


async def test_the_page_is_told_how_loud_each_half_second_was(autojump_clock: MockClock) -> None:
    call = FakeCall([Utterance(16_384 - LOUD, 500, 500)], hangs_up_at_ms=1500)  # half of full scale
    done, told = await echoed(call)
    assert told == [SILENT_DBFS, pytest.approx(-6.02, abs=0.01), SILENT_DBFS]
    assert done.loudest_dbfs == told[1]


async def test_a_call_on_hold_ends_the_test_with_the_call(autojump_clock: MockClock) -> None:
    call = FakeCall([Utterance(7, 0, 5000)], hangs_up_at_ms=3000, held_from_ms=1000)
    done, _ = await echoed(call)
    assert done.ended.by is EndedBy.CALLER
    assert call.lost_frames > 0


@pytest.mark.parametrize(
    ("pcm", "dbfs"),
    [
        (b"", SILENT_DBFS),
        (bytes(FRAME_BYTES), SILENT_DBFS),
        (array("h", [-32768] * 320).tobytes(), 0.0),
        (square(16384), -6.02),
        (square(1), -90.31),
        (array("h", [1] + [0] * 31999).tobytes(), SILENT_DBFS),
    ],
)
def test_loudness(pcm: bytes, dbfs: float) -> None:
    assert rms_dbfs(pcm) == pytest.approx(dbfs, abs=0.01)


def test_a_full_scale_sine_is_3_db_below_a_square_wave() -> None:
    sine = array("h", [round(32767 * math.sin(2 * math.pi * n / 32)) for n in range(320)])
    assert rms_dbfs(sine.tobytes()) == pytest.approx(-3.01, abs=0.01)


def test_the_loudest_half_second_is_kept() -> None:
    level = Level()
    told = [
        loudness
        for at, amplitude in enumerate([100] * 25 + [1000] * 25 + [10] * 25)
        for loudness in level.heard(Frame(at * FRAME_MS, square(amplitude)))
    ]
    assert len(told) == 3
    assert level.loudest_dbfs == max(told) == told[1]
