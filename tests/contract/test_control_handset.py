"""The verbs of calls from the box's own microphone, with a sound card of files."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
import trio

from app.control import verbs
from app.control.call_views import CallView
from app.control.refusals import Refusal, Why
from tests.contract.test_control_calls import box, refused
from tests.fakes.sound_card import SoundCardOfFiles, sound_card_of_files

pytestmark = pytest.mark.contract


@pytest.fixture
def card(tmp_path: Path) -> Generator[SoundCardOfFiles, None, None]:
    with sound_card_of_files(tmp_path) as card:
        yield card


async def test_somebody_at_the_box_calls_and_puts_down(tmp_path: Path, card: SoundCardOfFiles) -> None:
    async with box(tmp_path) as b, trio.open_nursery() as room:
        room.start_soon(card.hear_a_quiet_room)
        started = await b.calls.call_from_handset(verbs.HandsetCall(agent_id="a"))
        assert isinstance(started, CallView)
        assert started.what == "handset"
        await b.becomes(started.id, "talking")
        ended = await b.calls.hang_up_call(verbs.ById(id=started.id))
        assert isinstance(ended, CallView)
        assert (ended.outcome, ended.ended_by) == ("answered", "caller")
        room.cancel_scope.cancel()


async def test_a_device_that_is_not_there_is_a_refusal_with_a_remedy(tmp_path: Path, card: SoundCardOfFiles) -> None:
    async with box(tmp_path, seats=1) as b:
        refusal = await b.calls.call_from_handset(verbs.HandsetCall(agent_id="a", device="nowhere"))
        assert isinstance(refusal, Refusal)
        assert "device" in refusal.fields
        assert (await b.calls.list_calls(verbs.ListCalls())).items == ()
        await b.placed()  # the seat is free again


async def test_a_bug_of_the_sound_card_costs_that_call_and_no_seat(
    tmp_path: Path, card: SoundCardOfFiles, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> bytes:
        raise ZeroDivisionError

    async with box(tmp_path, seats=1) as b:
        with monkeypatch.context() as patched:
            patched.setattr("firmware.audio.sound_card.SoundCard.listen", broken)
            started = await b.calls.call_from_handset(verbs.HandsetCall(agent_id="a"))
            assert isinstance(started, CallView)
            await b.becomes(started.id, "over")
        assert "a call from the box itself failed" in caplog.text
        with monkeypatch.context() as patched:
            patched.setattr("firmware.audio.handset.open_sound_card", broken)
            with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True, allow_unwrapped=True):
                await b.calls.call_from_handset(verbs.HandsetCall(agent_id="a"))
        await b.placed()  # the seat is free again


async def test_an_agent_that_does_not_run_or_is_full_is_not_called_from_here(tmp_path: Path) -> None:
    async with box(tmp_path, running=False) as b:
        refused(await b.calls.call_from_handset(verbs.HandsetCall(agent_id="a")), Why.NOT_NOW, "is not running")
    async with box(tmp_path, seats=1) as b:
        await b.placed()
        refused(await b.calls.call_from_handset(verbs.HandsetCall(agent_id="a")), Why.NOT_NOW, "every seat")
