"""What the handset does beyond app.ports.Call, with a sound card of files: which sample goes where,
and every refusal."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from app.ports import FRAME_MS, Ended, EndedBy
from firmware.audio import TwoSided
from firmware.audio.handset import HandsetCall, HandsetProblem, open_handset, sound_devices
from firmware.audio.sound_card import CUSHION, SoundDevice
from tests.fakes.sound_card import SILENCE, SoundCardOfFiles, sound_card_of_files

pytestmark = pytest.mark.contract


@pytest.fixture
def card(tmp_path: Path) -> Generator[SoundCardOfFiles, None, None]:
    with sound_card_of_files(tmp_path) as card:
        yield card


def sound(number: int) -> bytes:
    """20 ms in which every sample can be told apart."""
    return b"".join((number * 320 + sample).to_bytes(2, "little") for sample in range(320))


@asynccontextmanager
async def answered(card: SoundCardOfFiles) -> AsyncGenerator[HandsetCall, None]:
    """A call that is up. Its microphone hears what the test says, and a quiet room once the test is done."""
    async with trio.open_nursery() as room:
        async with open_handset() as call:
            assert isinstance(call, HandsetCall)
            await call.answer()
            yield call
            room.start_soon(card.hear_a_quiet_room)
        room.cancel_scope.cancel()


async def heard(call: HandsetCall, frames: int) -> list[bytes]:
    ears = call.ears()
    return [(await anext(ears)).pcm for _ in range(frames)]


async def test_what_the_microphone_hears_comes_in_order_sample_by_sample(card: SoundCardOfFiles) -> None:
    async with answered(card) as call:
        said = [sound(number) for number in range(20)]
        card.hear(*said)
        assert await heard(call, 20) == said
        call.put_down()


async def test_what_is_played_comes_out_of_the_speaker_sample_by_sample(card: SoundCardOfFiles) -> None:
    async with answered(card) as call:
        said = b"".join(sound(number) for number in range(10))
        await call.mouth.play(said)
        card.hear(*[SILENCE] * 12)
        await call.mouth.drained()
        await heard(call, 12)
        call.put_down()
    assert card.said.startswith(CUSHION + said + SILENCE)
    assert call.mouth.played_ms == 200


async def test_hush_is_at_once_and_to_the_frame(card: SoundCardOfFiles) -> None:
    async with answered(card) as call:
        await call.mouth.play(b"".join(sound(number) for number in range(10)))
        card.hear(*[SILENCE] * 3)
        await heard(call, 3)
        call.mouth.hush()
        card.hear(*[SILENCE] * 3)
        await heard(call, 3)
        call.put_down()
    assert card.said.startswith(CUSHION + sound(0) + sound(1) + sound(2) + 3 * SILENCE)
    assert call.mouth.played_ms == 3 * FRAME_MS


async def test_both_sides_are_given_out_for_the_recording(card: SoundCardOfFiles) -> None:
    async with answered(card) as call:
        assert isinstance(call, TwoSided)
        pairs = call.both()
        await call.mouth.play(sound(7))
        card.hear(sound(1), sound(2))
        await heard(call, 2)
        call.put_down()
        got = [(pair.at_ms, pair.caller, pair.agent) async for pair in pairs]
    assert got[:2] == [(0, sound(1), sound(7)), (20, sound(2), SILENCE)]


async def test_putting_it_down_is_the_callers_end_and_frees_the_card(card: SoundCardOfFiles) -> None:
    for _ in range(2):
        async with answered(card) as call:
            card.hear(sound(1))
            while await heard(call, 1) != [sound(1)]:  # the room after the call before
                pass
            call.put_down()
            call.put_down()
        assert await call.ended() == Ended(EndedBy.CALLER, 200, "put down")


async def test_putting_it_down_before_the_answer_is_giving_up(card: SoundCardOfFiles) -> None:
    async with open_handset() as call:
        assert isinstance(call, HandsetCall)
        call.put_down()
        await call.answer()
        assert await call.connected() == Ended(EndedBy.CALLER, 487, "put down")


async def test_leaving_the_block_hangs_up(card: SoundCardOfFiles) -> None:
    async with answered(card) as call:
        assert "ringing" not in repr(call)
    assert await call.ended() == Ended(EndedBy.AGENT, 200, "hung up here")


async def test_a_card_is_listed_under_its_name(card: SoundCardOfFiles) -> None:
    assert await trio.to_thread.run_sync(sound_devices) == [SoundDevice("default", True, True)]


@pytest.mark.parametrize(
    ("device", "says"),
    [
        ("no-such-card", 'the microphone "no-such-card" did not open, because the box has none under this name'),
        ("unplugged", 'the microphone "unplugged" did not open, because the box has none under this name'),
        ("deaf", 'the microphone "deaf" did not open'),
        ("stereo", 'the microphone "stereo" offers 16000 Hz, 2 channel(s), S16_LE, and a call needs 16000 Hz, one'),
    ],
)
async def test_a_device_of_no_use_is_refused_with_what_to_do(card: SoundCardOfFiles, device: str, says: str) -> None:
    async with open_handset(device) as refused:
        assert isinstance(refused, HandsetProblem)
        assert refused.text.startswith(f"No call from here: {says}")
        assert "hoose" in refused.text
