"""A real call, with real Asterisk, to an agent that hears with Moonshine and speaks with Piper: packs, uploaded to the
box, and nothing but the box itself."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import trio

from app.control import packs, views
from app.control.connectivity import ConnectivityTest, ConnectivityView
from firmware.data_folder import PACKS
from tests.office.neural_packs import TONE_HZ, moonshine_pack, tone_pack
from tests.office.pbx import Pbx
from tests.patience import PATIENCE_S
from tests.wire.phone_process import Phone, employed, phone
from tests.wire.test_speech_servers import AGENT, BOX_RTP, KNOWN, asks, over

pytestmark = pytest.mark.wire


async def test_packs_hear_and_speak(pbx: Pbx, tmp_path: Path) -> None:
    left = tmp_path / "data" / PACKS / ".received"
    left.parent.mkdir(parents=True, mode=0o700)
    left.write_bytes(b"by a power cut")
    async with phone(tmp_path, BOX_RTP) as line:
        assert not left.exists()
        for pack in (await trio.to_thread.run_sync(moonshine_pack), tone_pack(tmp_path / "made")):
            await uploaded(line, pack)
        ids = {
            "speech_to_text": await entry(line, kind="pack-speech-to-text", pack="moonshine-tiny"),
            "text_to_speech": await entry(line, kind="pack-text-to-speech", pack="tone"),
        }
        await employed(line, pbx, AGENT, **ids)
        await loaded(line)
        await asks(pbx, times=1)
        session = await over(line)
        log = line.log.read_text()
    assert [each.text for each in session.lines] == ["Good day.", "Where can I park?", KNOWN]
    assert session.notes == ()
    assert "park" not in log, "what was said is in no log"
    assert session.summary.recording
    sound, rate_hz = soundfile.read(session.summary.recording)
    assert abs(pitch_hz(sound[:, 1], rate_hz) - TONE_HZ) < 20, "the voice of the pack, and not the box's"


async def loaded(line: Phone) -> None:
    """The agent's packs, besides those that were tested: it answers before, with the box's own ears and voice."""
    with trio.fail_after(PATIENCE_S):
        while line.log.read_text().count("a neural pack is loaded") < 4:  # noqa: ASYNC110  # another process's file
            await trio.sleep(0.2)


async def uploaded(line: Phone, pack: Path) -> None:
    data = await trio.Path(pack).read_bytes()
    for at in range(0, len(data), packs.LARGEST_PART):
        piece = data[at : at + packs.LARGEST_PART]
        await line.ask("add_pack_part", views.Nothing, at=at, data=b64encode(piece))
    answer = await line.ask("take_pack", packs.Packs)
    with trio.fail_after(PATIENCE_S):
        while answer.checking:
            answer = await line.ask("list_packs", packs.Packs)
    assert answer.problem == ""


async def entry(line: Phone, **engine: str) -> str:
    """An entry of Connectivity, once it works."""
    made = await line.ask("create_connectivity", ConnectivityView, draft={"name": engine["kind"], "engine": engine})
    tested = await line.ask("test_connectivity", ConnectivityTest, id=made.id)
    assert tested.first_ms or tested.took_ms, tested.text
    return made.id


def pitch_hz(samples: np.ndarray[Any, np.dtype[np.float64]], rate_hz: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * rate_hz / len(samples)
