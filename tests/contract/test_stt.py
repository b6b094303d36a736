"""What every recogniser must do."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest
import trio

from app.ports import Ears, Hearing
from models.stt.language_model import build
from models.stt.pool import recogniser_pool
from models.stt.process import SEND_TIMEOUT_S
from tests.contract.test_vad import recorded
from tests.fakes.speech import FakeEars

pytestmark = pytest.mark.contract

# Two prompts of Asterisk's, spoken by a human.
FIRST, FIRST_TEXT = "cannot-complete-as-dialed", "your call cannot be completed as dialed"
SECOND, SECOND_TEXT = "conf-kicked", "you have been kicked from this conference"
FRAME_BYTES = 640


@dataclass(frozen=True)
class Engine:
    """Ears, two utterances with what is said in them, and a second of silence. `get_stuck`: it takes nothing more."""

    ears: Ears
    first: bytes
    second: bytes
    silence: bytes = bytes(32_000)
    get_stuck: Callable[[], None] = lambda: None


@asynccontextmanager
async def fake() -> AsyncIterator[Engine]:
    first, second = (np.full(16_000, mark, "<i2").tobytes() for mark in (1, 2))
    yield Engine(FakeEars({1: FIRST_TEXT, 2: SECOND_TEXT}), first, second)


@asynccontextmanager
async def pocketsphinx() -> AsyncIterator[Engine]:
    async with recogniser_pool(build([FIRST_TEXT, SECOND_TEXT]), 2) as pool:

        def stop() -> None:
            for pid in pool.pids:
                os.kill(pid, signal.SIGSTOP)

        yield Engine(pool, recorded(FIRST), recorded(SECOND), get_stuck=stop)


@pytest.fixture(params=[fake, pocketsphinx], ids=["fake", "pocketsphinx"])
async def engine(request: pytest.FixtureRequest) -> AsyncIterator[Engine]:
    async with request.param() as made:
        yield made


async def feed(hearing: Hearing, pcm: bytes) -> None:
    for at in range(0, len(pcm), FRAME_BYTES):
        await hearing.feed(pcm[at : at + FRAME_BYTES])


@pytest.mark.parametrize("narrow_band", [False, True])
async def test_speech_becomes_text(engine: Engine, narrow_band: bool) -> None:
    async with engine.ears.open(narrow_band=narrow_band) as hearing:
        await hearing.begin()
        await feed(hearing, engine.first)
        heard = await hearing.finish()
    assert heard.own == FIRST_TEXT
    assert set(heard.general.split()) & set(FIRST_TEXT.split())
    assert heard.decode_ms > 0


async def test_silence_and_nothing_are_empty(engine: Engine) -> None:
    async with engine.ears.open(narrow_band=False) as hearing:
        await hearing.begin()
        nothing = await hearing.finish()
        await hearing.begin()
        await feed(hearing, engine.silence)
        silence = await hearing.finish()
    assert (nothing.own, nothing.general) == ("", "")
    assert (silence.own, silence.general) == ("", "")


async def test_a_new_utterance_forgets_the_one_before(engine: Engine) -> None:
    async with engine.ears.open(narrow_band=False) as hearing:
        await hearing.begin()
        await feed(hearing, engine.first)
        await hearing.begin()
        await feed(hearing, engine.second)
        assert (await hearing.finish()).own == SECOND_TEXT
        await hearing.begin()
        await feed(hearing, engine.first)
        assert (await hearing.finish()).own == FIRST_TEXT


async def test_a_caller_who_went_on_is_heard_from_the_beginning(engine: Engine) -> None:
    async with engine.ears.open(narrow_band=False) as hearing:
        await hearing.begin()
        await feed(hearing, engine.first)
        assert (await hearing.finish()).own == FIRST_TEXT
        await feed(hearing, engine.silence)
        await feed(hearing, engine.second)
        assert (await hearing.finish()).own == f"{FIRST_TEXT} {SECOND_TEXT}"


async def test_who_goes_on_although_the_end_was_near_is_heard_from_the_beginning(engine: Engine) -> None:
    async with engine.ears.open(narrow_band=False) as hearing:
        await hearing.begin()
        await feed(hearing, engine.first)
        await hearing.hurry()
        await hearing.hurry()
        await feed(hearing, engine.second)
        await hearing.hurry()
        assert (await hearing.finish()).own.split() == [*FIRST_TEXT.split(), *SECOND_TEXT.split()]


async def test_a_finish_that_was_cancelled_did_not_happen(engine: Engine) -> None:
    async with engine.ears.open(narrow_band=False) as hearing:
        await hearing.begin()
        await feed(hearing, engine.first)
        with trio.move_on_after(0.001):
            await hearing.finish()
        await feed(hearing, engine.silence + engine.second)
        assert (await hearing.finish()).own == f"{FIRST_TEXT} {SECOND_TEXT}"


async def test_finishing_twice_gives_the_same(engine: Engine) -> None:
    async with engine.ears.open(narrow_band=False) as hearing:
        await hearing.begin()
        await feed(hearing, engine.first)
        once, twice = await hearing.finish(), await hearing.finish()
    assert (once.own, once.general) == (twice.own, twice.general)


async def test_two_calls_at_once_do_not_hear_each_other(engine: Engine) -> None:
    async with engine.ears.open(narrow_band=False) as one, engine.ears.open(narrow_band=True) as other:
        await one.begin()
        await other.begin()
        for at in range(0, max(len(engine.first), len(engine.second)), FRAME_BYTES):
            await one.feed(engine.first[at : at + FRAME_BYTES])
            await other.feed(engine.second[at : at + FRAME_BYTES])
        assert (await other.finish()).own == SECOND_TEXT
        assert (await one.finish()).own == FIRST_TEXT


async def test_a_call_hears_the_same_whatever_was_said_in_the_one_before(engine: Engine) -> None:
    found = []
    for before in (engine.silence, engine.second, engine.first):
        async with engine.ears.open(narrow_band=True) as hearing:
            await hearing.begin()
            await feed(hearing, before)
            await hearing.finish()
        async with engine.ears.open(narrow_band=True) as hearing:
            await hearing.begin()
            await feed(hearing, engine.first)
            found.append((await hearing.finish()).general)
    assert len(set(found)) == 1


async def test_feeding_never_waits_for_the_engine(engine: Engine) -> None:
    async with engine.ears.open(narrow_band=True) as hearing:
        await hearing.begin()
        engine.get_stuck()
        with trio.fail_after(SEND_TIMEOUT_S / 2):  # before somebody looks after the engine
            for _ in range(8):  # 20 s of speech, ten times what fits between us
                await feed(hearing, engine.first)


async def test_half_a_sample_is_refused(engine: Engine) -> None:
    async with engine.ears.open(narrow_band=False) as hearing:
        await hearing.begin()
        with pytest.raises(ValueError, match="half a sample"):
            await hearing.feed(b"\0\0\0")


async def test_a_call_that_ends_in_the_middle_leaves_its_place_to_the_next(engine: Engine) -> None:
    for _ in range(3):
        with trio.CancelScope() as call:
            async with engine.ears.open(narrow_band=False) as hearing:
                await hearing.begin()
                await feed(hearing, engine.second)
                call.cancel()
                await hearing.finish()
    async with engine.ears.open(narrow_band=False) as one, engine.ears.open(narrow_band=False) as other:
        for hearing in (one, other):
            await hearing.begin()
            await feed(hearing, engine.first)
            assert (await hearing.finish()).own == FIRST_TEXT
