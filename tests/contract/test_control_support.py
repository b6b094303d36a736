"""The support bundle of a real database and vault: nothing of a call, a setting or a secret is in it."""

from __future__ import annotations

import base64
import io
import json
import logging
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
import trio

from app.agents.roster import Roster
from app.control import keeping, verbs, views
from app.outbound.campaign import Campaign
from app.outbound.flow import Flow, SetStep
from app.ports import Line, Outcome, Result
from app.settings import Account, Agent
from firmware import telephony
from firmware.board.home import Home
from firmware.control.agents import AgentVerbs
from firmware.control.box import BoxVerbs
from firmware.control.events import Events
from firmware.control.look import Scene
from firmware.control.support import SupportVerbs
from firmware.storage import (
    SqliteLedger,
    campaign_records,
    do_not_call_records,
    ledger,
    participant_records,
    records,
)
from firmware.storage.campaign_records import CampaignRecord
from firmware.storage.participant_records import NewParticipant
from firmware.switchboard import Switchboard
from firmware.vault import open_vault
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

CANARY, NUMBER = "canary", "+49301234567"
NO_CALLS = cast(
    "telephony.Endpoint", SimpleNamespace(gaps=SimpleNamespace(quantile_ms=lambda _: 0.0, max_ms=0.0))
)  # no call was ever made


async def test_what_was_set_said_and_logged_is_not_in_the_bundle(tmp_path: Path) -> None:
    vault, events = open_vault(tmp_path / "vault"), Events()
    async with ledger(tmp_path / "box.sqlite") as store, trio.open_nursery() as nursery:
        roster = Roster(nursery, cast("object", None), lambda _: None)  # type: ignore[arg-type]  # nobody starts
        scene = Scene(roster, {}, Switchboard(NO_CALLS, nursery, lambda _: None), vault)
        box = BoxVerbs(store, scene, NO_CALLS, events, tmp_path, Home(tmp_path), "0.1.0")
        await plant(store, AgentVerbs(store, scene, events))
        with trio.fail_after(PATIENCE_S):
            await store.settled()
        file = await SupportVerbs(store, scene, box).get_support_bundle(verbs.Empty())
        nursery.cancel_scope.cancel()
    assert file.name.startswith("deskbell-support-2")
    assert file.media_type == "application/zip"
    texts = opened(file)
    assert "call answered" in texts["log.jsonl"]
    settings = json.loads(texts["settings.json"])
    [campaign] = settings["campaigns"]
    assert (campaign["state"], campaign["participants"], campaign["settings"]["steps"]) == (
        "inactive", {"ready": 1}, {"set": 1})  # fmt: skip
    assert settings["do_not_call"] == 1
    for planted in (CANARY, NUMBER):
        assert [name for name, text in texts.items() if planted in text] == []
        assert planted not in repr(file)


async def plant(store: SqliteLedger, agents: AgentVerbs) -> None:
    account = Account(name=CANARY, domain=f"{CANARY}.lan", user=NUMBER)
    sealed = records.Sealed(CANARY.encode(), 1)
    record = records.ConnectionRecord("c1", 1, datetime.now(UTC), account, sealed, sealed)
    await store.transact(lambda db: records.write_connection(db, record))
    plan = views.AgentPlan(settings=Agent(name=CANARY, greeting=CANARY, vocabulary=(CANARY,)))
    await agents.create_agent(verbs.CreateAgent(plan=plan))
    await store.transact(plant_campaign)
    session = store.open_session(call_id=CANARY, agent=CANARY, direction="inbound", remote=NUMBER)
    session.line(Line("caller", CANARY, 0, 1000))
    outcome = Outcome(Result.ANSWERED, 200, CANARY, ring_ms=0, talk_ms=1000, ended_by="caller")
    session.close(outcome, CANARY, {CANARY: CANARY})
    fields = f'{{"agent": "{CANARY}", "problem": "{CANARY}", "call_id": "{CANARY}"}}'
    store.log_event(datetime.now(UTC), logging.INFO, "app.agents", "a1", "call answered", fields)


def plant_campaign(db: records.Db) -> None:
    flow = Flow(triggers=(), steps=(SetStep(id=CANARY, field=CANARY, value=CANARY, then=CANARY),))
    settings = Campaign(name=CANARY, agent_id=CANARY, description=CANARY, flow=flow)
    campaign_records.write_campaign(db, CampaignRecord(CANARY, 1, datetime.now(UTC), settings))
    participant_records.insert_participant(db, CANARY, NewParticipant({CANARY: NUMBER}, NUMBER))
    entry = do_not_call_records.NewEntry(NUMBER, NUMBER, NUMBER, "person", CANARY)
    do_not_call_records.add(db, entry, datetime.now(UTC))


def opened(file: keeping.FileView) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(file.content_base64))) as packed:
        return {name: packed.read(name).decode() for name in packed.namelist()}
