"""A message on an answering machine that a real Asterisk plays: real voice activity, real beep detector, real voice,
and a recording of what was really on the line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import soundfile

from app.agents.reception import Desk
from app.control.call_views import CallView
from firmware.recorder import recorder
from firmware.storage import SessionDetail, SqliteLedger, read_session
from firmware.telephony import Cause, EndpointConfig
from models.beep.spectral import SpectralBeeps
from models.echo.correlation import CorrelatedEcho
from models.tts.flite import flite_voice
from models.vad.silero import SileroModel
from tests.fakes.speech import FakeEars
from tests.office.pbx import Pbx
from tests.scene.stage import ScriptedBrain
from tests.wire.box import becomes, connection
from tests.wire.outgoing import Outgoing, outgoing

pytestmark = pytest.mark.wire

MACHINE = "610"
CALL_S = 60.0
"""Twelve seconds of greeting, some of message, and a machine that is busy with other things."""
LOUD = 0.01  # of full scale; G.711 makes less than a tenth of this of silence
LONGEST_WAIT_S = 1.5
"""From the beep to the message; a machine waits for several seconds."""


@asynccontextmanager
async def office(pbx: Pbx, folder: Path) -> AsyncGenerator[Outgoing, None]:
    vad = SileroModel()
    (folder / "recordings").mkdir()
    async with flite_voice("slt", 1, 100) as voice:

        def desk(store: SqliteLedger) -> Desk:
            return Desk(
                FakeEars(defaultdict(str)),
                voice,
                store,
                lambda agent, _direction: ScriptedBrain(greeting=agent.greeting),
                vad.open,
                CorrelatedEcho,
                SpectralBeeps,
                recorder(folder / "recordings"),
            )

        config = EndpointConfig(user_agent="Deskbell/test", codecs=("PCMU",))
        async with outgoing(connection(pbx), folder, config=config, desk=desk) as box:
            await becomes(box.account, Cause.REGISTERED)
            yield box


def session(folder: Path, call: CallView) -> SessionDetail:
    found = read_session(folder / "box.sqlite", call.session_id)
    assert found
    return found


def sounds(folder: Path, call: CallView) -> tuple[list[float], list[float]]:
    """When the other side and we were to be heard, in seconds of the recording."""
    recording = session(folder, call).summary.recording
    assert recording
    both, rate_hz = soundfile.read(recording, always_2d=True)
    theirs, ours = ((np.flatnonzero(np.abs(both[:, side]) > LOUD) / rate_hz).tolist() for side in (0, 1))
    return theirs, ours


async def test_a_message_is_left_and_begins_after_the_beep(pbx: Pbx, tmp_path: Path) -> None:
    async with office(pbx, tmp_path) as box:
        over = await box.outcome(
            MACHINE, CALL_S, on_machine="leave message", message="This is {who}. Call us.", variables={"who": "Anna"}
        )
    assert (over.outcome, over.ended_by) == ("message left", "agent")
    assert over.outcome_text == "A message was left on the answering machine"
    assert over.results["answered_by"] == "machine"
    theirs, ours = sounds(tmp_path, over)
    assert 8 < theirs[-1] < ours[0] < theirs[-1] + LONGEST_WAIT_S
    assert ours[-1] - ours[0] > 1
    assert [line.text for line in session(tmp_path, over).lines if line.speaker == "agent"] == [
        "This is Anna. Call us."
    ]


async def test_a_machine_is_hung_up_on_and_hears_nothing(pbx: Pbx, tmp_path: Path) -> None:
    async with office(pbx, tmp_path) as box:
        over = await box.outcome(MACHINE, CALL_S, on_machine="hang up")
    assert (over.outcome, over.ended_by) == ("machine", "agent")
    theirs, ours = sounds(tmp_path, over)
    assert theirs
    assert ours == []
