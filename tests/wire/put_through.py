"""A caller outside and somebody at a desk, with the box between them: who puts whom through, by voice."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from app.control import views
from app.ports import FRAME_MS
from app.reply import A_MOMENT_MORE, JUST_A_MOMENT
from firmware.telephony import Account, Call, Cause, EndpointConfig
from tests.office.caller import Conversation, read_wav
from tests.office.pbx import Pbx
from tests.office.script import Listen, Say
from tests.patience import PATIENCE_S
from tests.wire.box import answered, becomes, connection, served, until
from tests.wire.phone_process import Phone
from tests.wire.sound import level, tone

BRIDGES = (JUST_A_MOMENT, A_MOMENT_MORE)
"""What the agent says while a busy machine takes long to hear."""

LOUD = 1_000
TONE_FRAMES = 200 // FRAME_MS
"""As long as this, without a gap, is a tone."""
OFFICE_RTP = 27_400


@dataclass(frozen=True, slots=True)
class Desks:
    """`outside`: extension 101, who calls. `desk`: 201, who is asked for."""

    outside: Account
    desk: Account

    async def call(self, *wavs: Path) -> Call:
        """The box, and say these to it."""
        caller = await self.outside.dial("200")
        await caller.connected()
        await asks(caller, list(wavs))
        return caller

    async def put_through(self, line: Phone) -> Call:
        """At the desk, once it has picked up and the box is out of it."""
        with trio.fail_after(PATIENCE_S):
            taken = await answered(self.desk)
            await until(lambda: ended_as(line, "transferred"))
        return taken


@asynccontextmanager
async def desks(pbx: Pbx) -> AsyncGenerator[Desks, None]:
    config = EndpointConfig(user_agent="Office", rtp_first_port=OFFICE_RTP, rtp_ports=16)
    async with served(connection(pbx, "101"), connection(pbx, "201"), config=config) as (_, (outside, desk)):
        for each in (outside, desk):
            await becomes(each, Cause.REGISTERED)
        yield Desks(outside, desk)


async def talk(caller: Call, taken: Call) -> None:
    """Both hear each other, until the caller hangs up."""
    assert await hears(taken, caller)
    assert await hears(caller, taken)
    await caller.hang_up()
    await taken.ended()


async def hears(listener: Call, speaker: Call) -> bool:
    """Whether a tone of the speaker's reaches the listener, however late the bridge between them stands."""
    heard: list[float] = []
    with trio.move_on_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_sounds, speaker)
            async for frame in listener.ears():
                heard.append(level(frame.pcm))
                if _is_tone(heard):
                    break
            speaker.mouth.hush()
            nursery.cancel_scope.cancel()
    print(f"{len(heard)} frames came, {sum(each > LOUD for each in heard)} of them loud")  # pytest shows it if it fails
    return _is_tone(heard)


def _is_tone(heard: list[float]) -> bool:
    return len(heard) >= TONE_FRAMES and min(heard[-TONE_FRAMES:]) > LOUD


async def _sounds(speaker: Call) -> None:
    while True:
        await speaker.mouth.play(tone(5_000))


async def asks(caller: Call, wavs: list[Path]) -> None:
    """One after the other, each once the agent is silent."""
    conversation = Conversation(caller, lambda _event, **_fields: None, {wav: read_wav(wav) for wav in wavs})
    for wav in wavs:
        await conversation.follow((Listen(quiet_ms=2_500, timeout_s=PATIENCE_S), Say(wav=wav)))


async def last_session(line: Phone) -> views.SessionDetail:
    """Without BRIDGES."""
    found = (await line.ask("list_sessions", views.Sessions)).items[0]
    detail = await line.ask("get_session", views.SessionDetail, id=found.id)
    said = tuple(each for each in detail.messages if each.text not in BRIDGES)
    return detail.model_copy(update={"messages": said})


async def ended_as(line: Phone, outcome: str) -> bool:
    return (await last_session(line)).view.outcome == outcome
