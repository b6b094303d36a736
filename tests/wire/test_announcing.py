"""An announced transfer, by voice, through a real Asterisk: whoever is called hears who it is first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from firmware.telephony import Call
from tests.office.pbx import Pbx
from tests.office.script import AgentVoice
from tests.office.voices import say
from tests.patience import PATIENCE_S
from tests.wire.box import answered, until
from tests.wire.phone_process import employed, phone
from tests.wire.put_through import asks, desks, ended_as, last_session, talk
from tests.wire.test_transfer import GREETING, VOICE

pytestmark = pytest.mark.wire

BOX_RTP = (27_300, 27_399)
SETTINGS = {
    "name": "Reception",
    "greeting": GREETING,
    "silence_s": 600,
    "announcement": "Call from {caller}.",
    "announced_take_by_key": True,
    "directory": [{"name": "Anna Miller", "extension": "201", "also": ["sales"]}],
}
PUTTING = "I am putting you through to Anna Miller."
WISH = "Put me through to sales, please."


async def is_told(call: Call) -> None:
    """Until somebody has spoken, and waits."""
    voice = AgentVoice()
    async for frame in call.ears():
        voice.feed(frame.at_ms, frame.pcm)
        if voice.spoke and voice.quiet_ms >= 1_500:
            return
    raise AssertionError("the call ended, and nothing was announced")


async def test_declined_by_a_key_then_taken_by_one(pbx: Pbx, tmp_path: Path) -> None:
    wish, no = await say(VOICE, WISH), await say(VOICE, "No, thank you.")
    async with phone(tmp_path, BOX_RTP) as line, desks(pbx) as people:
        await employed(line, pbx, SETTINGS)
        caller = await people.call(wish)
        with trio.fail_after(PATIENCE_S):
            anna = await answered(people.desk)
            await is_told(anna)
            await anna.press("2")
            await anna.ended()
        await asks(caller, [no, wish])
        with trio.fail_after(PATIENCE_S):
            anna = await answered(people.desk)
            await is_told(anna)
            assert (await last_session(line)).view.outcome != "transferred", "she has not taken it yet"
            await anna.press("1")
            await until(lambda: ended_as(line, "transferred"))
        await talk(caller, anna)
        session = await last_session(line)
    said = [each.text for each in session.messages if each.speaker == "agent"]
    assert (said[0], said[1], said[-1]) == (GREETING, PUTTING, PUTTING)
    assert said[2].endswith("Shall I take a message for Anna Miller?")
    assert [each.text for each in session.notes] == ["Anna Miller could not be reached: 480 they did not take the call"]


async def test_who_is_not_here_today_is_not_called_but_whoever_stands_in(pbx: Pbx, tmp_path: Path) -> None:
    wish = await say(VOICE, WISH)
    another_day = f"{datetime.now(UTC) + timedelta(days=3):%a} 8-18"
    directory = [
        {"name": "Anna Miller", "extension": "603", "also": ["sales"], "hours": another_day, "stand_in": "David Brown"},
        {"name": "David Brown", "extension": "201"},
    ]
    async with phone(tmp_path, BOX_RTP) as line, desks(pbx) as people:
        agent = {"name": "Reception", "greeting": GREETING, "silence_s": 600, "directory": directory}
        await employed(line, pbx, agent)
        caller = await people.call(wish)
        await talk(caller, await people.put_through(line))
        session = await last_session(line)
    said = [each.text for each in session.messages if each.speaker == "agent"]
    assert said == [GREETING, "Anna Miller is not here now. I am putting you through to David Brown."]
    assert session.view.conclusion == "transferred to David Brown"
    assert session.results["wanted"] == "Anna Miller"
