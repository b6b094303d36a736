"""The office PBX itself: several at once, restarts, and nothing left behind. What it says to phones: see beside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio

from tests.office.pbx import OfficeAccount, PbxError, office_accounts, office_pbx
from tests.office.pbx_folder import INSTANCES, pbx_folder
from tests.office.sounds import prompts

pytestmark = pytest.mark.wire


async def test_two_at_once_keep_apart() -> None:
    async with office_pbx() as one, office_pbx() as other:
        assert one.sip_port != other.sip_port
        assert one.accounts["200"].password != other.accounts["200"].password
        for pbx in (one, other):
            assert f"127.0.0.1:{pbx.sip_port}" in await pbx.rx("pjsip show transports")
            assert f"[::1]:{pbx.sip_port}" in await pbx.rx("pjsip show transports")


async def test_accounts_are_as_given() -> None:
    accounts = office_accounts(u200=OfficeAccount("200", login="desk", codecs=("g722",)))
    async with office_pbx(accounts=accounts) as pbx:
        shown = await pbx.rx("pjsip show endpoint 200")
        assert "(g722)" in shown
        assert "200/desk" in shown
        assert "(opus|g722|ulaw|alaw)" in await pbx.rx("pjsip show endpoint 101")


async def test_a_restart_keeps_port_and_passwords_and_forgets_the_rest() -> None:
    async with office_pbx() as pbx:
        await pbx.rx("database put trial key value")
        before = pbx.pid
        await pbx.restart()
        assert pbx.pid != before
        assert "not found" in await pbx.rx("database get trial key")
        assert f"127.0.0.1:{pbx.sip_port}" in await pbx.rx("pjsip show transports")


async def test_its_log_holds_no_complaint_after_start(tmp_path: Path) -> None:
    async with office_pbx(keep_log=tmp_path / "log") as pbx:
        assert await pbx.contacts() == {}
    assert [line for line in (tmp_path / "log").read_text().splitlines() if "ERROR[" in line] == []


async def test_cancellation_stops_it_and_leaves_nothing() -> None:
    instances = pbx_folder() / INSTANCES
    with trio.CancelScope() as scope:
        async with office_pbx() as pbx:
            pid, instance = pbx.pid or 0, pbx.log.parents[1]
            assert pid
            assert instance.parent == instances
            scope.cancel()
            await trio.sleep_forever()
    assert not instance.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_port_that_is_taken_is_said_by_its_log() -> None:
    async with office_pbx() as one:
        with pytest.raises(PbxError, match="Address already in use"):
            async with office_pbx(sip_port=one.sip_port):
                pass


def test_the_prompts_have_words_and_sound() -> None:
    spoken = prompts()
    assert len(spoken) > 500
    for prompt in spoken:
        assert prompt.text, prompt.name
        assert prompt.wav_path.stat().st_size > 44 + 3200, prompt.name  # more than a tenth of a second
