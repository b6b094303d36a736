"""Between the clock thread and Trio: the test is the clock."""

from __future__ import annotations

import threading

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from app.ports import BYTES_PER_MS, FRAME_BYTES, FRAME_MS
from firmware.audio.call_audio import EARS_FRAMES, RECORDER_FRAMES, CallAudio, Durations
from firmware.audio.mouth import MOUTH_BYTES, SILENCE
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.unit


def frame(number: int) -> bytes:
    return number.to_bytes(2, "little") * (FRAME_BYTES // 2)


def tick(audio: CallAudio, caller: bytes = SILENCE) -> bytes:
    agent = audio.take()
    audio.tick(caller)
    return agent


async def test_ears_get_every_frame_with_its_time_and_then_the_end() -> None:
    audio = CallAudio()
    for number in range(3):
        tick(audio, frame(number))
    audio.close()
    assert [(each.at_ms, each.pcm) async for each in audio.ears()] == [(0, frame(0)), (20, frame(1)), (40, frame(2))]


async def test_nothing_from_the_line_is_silence_that_keeps_time() -> None:
    audio = CallAudio()
    tick(audio, b"")
    tick(audio, frame(1))
    audio.close()
    assert [(each.at_ms, each.pcm) async for each in audio.ears()] == [(0, SILENCE), (20, frame(1))]


async def test_ears_that_are_late_lose_the_oldest_and_the_times_tell() -> None:
    audio = CallAudio()
    for number in range(EARS_FRAMES + 3):
        tick(audio, frame(number))
    audio.close()
    times = [each.at_ms async for each in audio.ears()]
    assert times == [number * FRAME_MS for number in range(3, EARS_FRAMES + 3)]
    assert audio.stats.lost_frames == 3


async def test_a_frame_from_a_thread_wakes_the_reader() -> None:
    audio, got = CallAudio(), []

    async def read() -> None:
        got.append(await anext(audio.ears()))

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read)
            await wait_all_tasks_blocked()
            clock_thread = threading.Thread(target=tick, args=(audio, frame(5)))
            clock_thread.start()
            clock_thread.join()
    assert [each.pcm for each in got] == [frame(5)]


async def test_a_recording_pairs_what_was_said_at_the_same_time_on_both_sides() -> None:
    audio = CallAudio()
    tick(audio, frame(1))
    pairs = audio.both()
    await audio.mouth.play(frame(100) + frame(101))
    tick(audio, frame(2))
    tick(audio, frame(3))
    audio.tick(frame(4))  # on hold: nobody asks for the agent's frame
    audio.close()
    assert [(each.at_ms, each.caller, each.agent) async for each in pairs] == [
        (20, frame(2), frame(100)),
        (40, frame(3), frame(101)),
        (60, frame(4), SILENCE),
    ]


async def test_a_recorder_that_is_late_loses_the_oldest() -> None:
    audio = CallAudio()
    pairs = audio.both()
    for _ in range(RECORDER_FRAMES + 2):
        tick(audio)
    audio.close()
    assert (await anext(pairs)).at_ms == 2 * FRAME_MS
    assert audio.stats.recorder_lost_frames == 2


async def test_the_mouth_holds_200_ms_and_makes_the_rest_wait() -> None:
    audio, done = CallAudio(), []

    async def speak() -> None:
        await audio.mouth.play(bytes(MOUTH_BYTES + 2 * FRAME_BYTES))
        done.append(audio.mouth.clock_ms)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(speak)
        for _ in range(2):
            await wait_all_tasks_blocked()
            assert not done
            tick(audio)
        await wait_all_tasks_blocked()
        assert done == [2 * FRAME_MS]


async def test_chunks_of_any_length_join_without_a_gap() -> None:
    audio = CallAudio()
    await audio.mouth.play(b"\1" * 500)
    await audio.mouth.play(b"\2" * 900)
    assert tick(audio) + tick(audio) + tick(audio) == b"\1" * 500 + b"\2" * 900 + bytes(3 * FRAME_BYTES - 1400)
    assert audio.mouth.played_ms == 1400 // BYTES_PER_MS
    assert audio.mouth.clock_ms == 60


async def test_played_counts_sound_and_the_clock_counts_everything() -> None:
    audio = CallAudio()
    tick(audio)
    await audio.mouth.play(frame(1))
    tick(audio)
    tick(audio)
    assert audio.mouth.played_ms == 20
    assert audio.mouth.clock_ms == 60


async def test_hush_forgets_what_is_queued_and_frees_whoever_waits() -> None:
    audio = CallAudio()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(audio.mouth.play, frame(1) * 12)
        await wait_all_tasks_blocked()
        assert tick(audio) == frame(1)
        nursery.cancel_scope.cancel()
        audio.mouth.hush()
    assert tick(audio) == SILENCE
    assert audio.mouth.played_ms == 20


async def test_drained_returns_when_the_last_sound_went_out() -> None:
    audio = CallAudio()
    await audio.mouth.play(frame(1) * 2)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(audio.mouth.drained)
        for _ in range(2):
            await wait_all_tasks_blocked()
            assert nursery.child_tasks
            tick(audio)
    assert audio.mouth.played_ms == 40


async def test_the_end_of_the_call_frees_the_mouth() -> None:
    audio = CallAudio()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(audio.mouth.play, bytes(10 * MOUTH_BYTES))
        await wait_all_tasks_blocked()
        audio.close()
    await audio.mouth.play(frame(1))
    await audio.mouth.drained()


async def test_a_gap_inside_a_sentence_is_an_underrun_once() -> None:
    audio = CallAudio()
    await audio.mouth.play(frame(1))
    for _ in range(5):
        tick(audio)
    assert audio.stats.underruns == 1
    await audio.mouth.play(frame(1))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(audio.mouth.drained)
        await wait_all_tasks_blocked()
        tick(audio)
    tick(audio)
    assert audio.stats.underruns == 1


async def test_a_hold_keeps_what_is_queued_and_is_no_underrun() -> None:
    audio = CallAudio()
    await audio.mouth.play(frame(1) + frame(2))
    assert tick(audio) == frame(1)
    audio.mouth.hold()
    assert [tick(audio) for _ in range(3)] == [SILENCE] * 3
    assert (audio.mouth.played_ms, audio.mouth.clock_ms) == (20, 80)
    audio.mouth.release()
    assert tick(audio) == frame(2)
    assert audio.stats.underruns == 0


async def test_the_gaps_between_ticks_are_measured() -> None:
    now_ms = iter([100.0, 120.0, 145.5, 165.5])
    shared = Durations()
    audio = CallAudio(shared, now_ns=lambda: int(next(now_ms) * 1e6))
    for _ in range(4):
        tick(audio)
    assert audio.gaps.count == shared.count == 3
    assert audio.stats.gap_max_ms == shared.max_ms == 25.5


def test_quantiles_of_gaps_round_up_to_a_quarter_millisecond() -> None:
    gaps = Durations()
    assert gaps.quantile_ms(0.999) == 0.0
    for _ in range(998):
        gaps.note(20.1)
    gaps.note(31.0)
    gaps.note(5000.0)
    assert gaps.quantile_ms(0.5) == 20.25
    assert gaps.quantile_ms(0.999) == 31.25
    assert gaps.quantile_ms(1.0) == 1000.25
    assert gaps.max_ms == 5000.0
