"""Callers whom nobody would like to have on the line, through a real PBX: the call goes on or ends politely."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import trio

from app.ports import SAMPLE_RATE_HZ
from firmware.storage import SessionDetail, read_session, read_sessions
from firmware.telephony import Account, Cause, Endpoint, EndpointConfig
from tests.bench.answerers import music
from tests.office.box import Box, office_box
from tests.office.pbx import Pbx
from tests.office.voices import SPEAKERS, Samples, samples, say
from tests.patience import PATIENCE_S
from tests.wire.box import becomes, connection, served

pytestmark = pytest.mark.wire

RTP = (20_400, 20_499)
SILENCE_S = 8.0
GOODBYE = "Thank you for calling Hartwell Dental. Good-bye."
CHECK_IN = "Are you still there?"
_AFTER_MS = 4_000
"""The greeting is over by then."""
_LOST_PERCENT = 30


async def call_with(phone: Account, sound: Samples, stays_s: float) -> None:
    """Let the agent greet, play `sound`, and stay on the line until the agent hangs up, or for so long."""
    call = await phone.dial("200")
    await call.connected()
    with trio.move_on_after(stays_s):
        await trio.sleep(_AFTER_MS / 1000)
        await call.mouth.play(sound.astype("<i2").tobytes())
        await call.ended()
    await call.hang_up()


async def ended(box: Box, calls: int) -> Mapping[str, SessionDetail]:
    """What became of the calls, by who called."""
    with trio.fail_after(PATIENCE_S):
        while len(over := [each for each in read_sessions(box.sessions) if each.outcome]) < calls:  # noqa: ASYNC110
            await trio.sleep(0.2)
    details = [read_session(box.sessions, each.id) for each in over]
    return {detail.summary.remote: detail for detail in details if detail}


async def all_at_once(pbx: Pbx, folder: Path, sounds: list[Samples], stays_s: float) -> list[SessionDetail]:
    """A call with each of `sounds`, and what the box wrote down of it; in their order."""
    users = [str(101 + number) for number in range(len(sounds))]
    config = EndpointConfig(user_agent="Deskbell/bad", codecs=("PCMU",))
    async with office_box(pbx, folder, seats=len(sounds), silence_s=SILENCE_S, rtp_ports=RTP) as box:
        async with served(*(connection(pbx, user) for user in users), config=config) as (_, phones):
            for phone in phones:
                await becomes(phone, Cause.REGISTERED)
            async with trio.open_nursery() as nursery:
                for phone, sound in zip(phones, sounds, strict=True):
                    nursery.start_soon(call_with, phone, sound, stays_s)
        found = await ended(box, len(sounds))
        with trio.fail_after(PATIENCE_S):
            while box.stats()["calls"]:  # noqa: ASYNC110 - as old as a second
                await trio.sleep(0.2)
    return [found[user] for user in users]


def said_by(detail: SessionDetail, speaker: str) -> list[str]:
    return [line.text for line in detail.lines if line.speaker == speaker]


async def test_sounds_that_are_nobody_are_asked_once_and_told_good_bye(pbx: Pbx, tmp_path: Path) -> None:
    length_s = 45
    chance = np.random.default_rng(1)
    hum = chance.normal(0, 32_768 * 10 ** (-50 / 20), length_s * SAMPLE_RATE_HZ).astype(np.int16)
    sounds = [music(length_s * 1000, 2_000.0), fax_calling(length_s), hum]
    for detail in await all_at_once(pbx, tmp_path, sounds, 60.0):
        assert detail.summary.conclusion == "silence"
        assert detail.summary.ended_by == "agent"
        assert said_by(detail, "agent")[1:] == [CHECK_IN, GOODBYE], detail.lines


def fax_calling(length_s: int) -> Samples:
    """CNG: 1100 Hz, half a second of each three and a half (ITU-T T.30)."""
    time_s = np.arange(length_s * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    return np.asarray(4_000 * np.sin(2 * np.pi * 1100 * time_s) * (time_s % 3.5 < 0.5), np.int16)


async def test_whoever_talks_too_much_too_loud_too_soft_or_says_the_same_again_is_answered(
    pbx: Pbx, tmp_path: Path
) -> None:
    question = samples(await say(SPEAKERS["ked"], "Where can I park?"))
    hello = samples(await say(SPEAKERS["ked"], "Hello?"))
    endless = without_pauses(np.tile(question, 20))
    shouted = np.clip(question.astype(np.int32) * 30, -32_768, 32_767).astype(np.int16)
    greetings = np.concatenate([np.concatenate((hello, np.zeros(2 * SAMPLE_RATE_HZ, np.int16)))] * 6)
    found = await all_at_once(pbx, tmp_path, [endless, shouted, whispered(question), greetings], 60.0)
    for detail in found:
        assert detail.summary.ended_by == "agent", "whoever says nothing more is told good-bye"
        assert said_by(detail, "agent")[-1] == GOODBYE, detail.lines
    talker, shouter, whisperer, greeter = (said_by(detail, "agent") for detail in found)
    assert len(talker) > 1
    assert len(shouter) > 2 or "car park" in " ".join(shouter)
    assert whisperer
    assert len(greeter) > 3, "it answers a hello, and does not fall silent"


def without_pauses(speech: Samples) -> Samples:
    """Nobody breathes."""
    frames = speech[: len(speech) // 320 * 320].reshape(-1, 320)
    return np.asarray(frames[np.abs(frames).max(axis=1) > 300].ravel(), np.int16)


def whispered(speech: Samples) -> Samples:
    """The same sounds without a voice, 25 dB softer: noise with the envelope of each 10 ms."""
    frames = speech[: len(speech) // 160 * 160].reshape(-1, 160).astype(np.float64)
    level = np.sqrt(np.mean(np.square(frames), axis=1, keepdims=True))
    noise = np.random.default_rng(2).normal(0, 1, frames.shape)
    return np.asarray((noise * level * 10 ** (-25 / 20)).ravel(), np.int16)


async def test_a_line_that_loses_a_third_is_no_reason_to_hang(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lossless: Callable[[Endpoint], object] = Endpoint._settings

    def lossy(endpoint: Endpoint) -> object:
        settings = lossless(endpoint)
        settings.medConfig.txDropPct = _LOST_PERCENT  # type: ignore[attr-defined]  # pjsua2 has no types
        return settings

    monkeypatch.setattr(Endpoint, "_settings", lossy)
    question = samples(await say(SPEAKERS["ked"], "Where can I park?"))
    gap = np.zeros(8 * SAMPLE_RATE_HZ, np.int16)
    (detail,) = await all_at_once(pbx, tmp_path, [np.concatenate((question, gap, question))], 60.0)
    assert said_by(detail, "agent")[-1] == GOODBYE, detail.lines
    assert len(said_by(detail, "agent")) > 2, "it answered, or asked again"
