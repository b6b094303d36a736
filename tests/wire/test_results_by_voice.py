"""Calls of the box's own, through a real Asterisk, to somebody who answers its questions by voice: what they said is on
record."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import trio

from app.brains.results import DO_NOT_CALL
from app.control import views
from app.control.call_views import CallView
from firmware.telephony import Account, EndpointConfig
from tests.office.caller import Conversation, ScriptFailed, read_wav
from tests.office.pbx import Pbx
from tests.office.script import Listen, Say
from tests.office.voices import SPEAKERS, say
from tests.patience import PATIENCE_S
from tests.wire.box import answered, registered
from tests.wire.phone_process import Phone, employed, phone

pytestmark = pytest.mark.wire

BOX_RTP, CALLEE_RTP = (27_100, 27_199), 27_200
VOICE = SPEAKERS["rms-small"]
SETTINGS = {
    "name": "Reception",
    "greeting": "Hello {name}.",
    "goodbye": "Thank you, good-bye.",
    "result_fields": [
        {
            "name": "appointment",
            "type": "choice",
            "choices": ["confirm", "cancel", "reschedule"],
            "question": "Your appointment is on {day}. Would you like to confirm, cancel or reschedule it?",
            "required": True,
        },
        {"name": "satisfaction", "type": "number", "question": "How satisfied are you with us, from 1 to 10?"},
    ],
}
CONFIRMS = {
    "Is that right": "yes that's right",
    "cancel or reschedule": "I'd like to confirm it",
    "from 1 to 10": "seven",
}
REFUSES = {"not called again?": "yes please", "cancel or reschedule": "take me off your list"}
MOST_TURNS = 8


async def test_what_somebody_answers_is_on_record_and_who_wants_no_calls_too(pbx: Pbx, tmp_path: Path) -> None:
    config = EndpointConfig(user_agent="Callee", codecs=("PCMU",), rtp_first_port=CALLEE_RTP, rtp_ports=8)
    async with (
        phone(tmp_path, BOX_RTP) as line,
        registered(pbx, "101", config=config) as telephone,
    ):
        agent_id = await employed(line, pbx, SETTINGS)
        confirmed = await called(line, agent_id, telephone, CONFIRMS)
        assert confirmed.results == {"appointment": "confirm", "satisfaction": "7"}
        assert confirmed.view.conclusion == "results taken"
        assert confirmed.messages[0].text.startswith("Hello Anna. Your appointment is on Monday.")
        refused = await called(line, agent_id, telephone, REFUSES)
        assert refused.results[DO_NOT_CALL] == "yes"
        assert refused.view.conclusion == "asked not to be called"


async def called(line: Phone, agent_id: str, telephone: Account, answers: Mapping[str, str]) -> views.SessionDetail:
    """The session of a call to somebody who says what `answers` has for what the agent said last."""
    wavs = {text: await say(VOICE, text) for text in answers.values()}
    variables = {"name": "Anna", "day": "Monday"}
    placed = await line.ask("place_call", CallView, agent_id=agent_id, target="101", variables=variables)
    call = await answered(telephone)
    conversation = Conversation(call, lambda _event, **_fields: None, {wav: read_wav(wav) for wav in wavs.values()})
    for _ in range(MOST_TURNS):
        if not await hears(conversation):
            break
        asked = (await line.ask("get_session", views.SessionDetail, id=placed.session_id)).messages[-1]
        assert asked.speaker == "agent"
        text = next(text for part, text in answers.items() if part in asked.text)
        await conversation.follow((Say(wav=wavs[text], name=text),))
    with trio.fail_after(PATIENCE_S):
        await call.ended()
        while (found := await line.ask("get_session", views.SessionDetail, id=placed.session_id)).view.ended_at is None:  # noqa: ASYNC110
            await trio.sleep(0.1)
    return found


async def hears(conversation: Conversation) -> bool:
    """The agent has said something, and waits; False: it has hung up."""
    over = False
    try:
        await conversation.follow((Listen(quiet_ms=1200),))
    except* ScriptFailed:
        over = True
    return not over
