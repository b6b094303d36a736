"""Campaigns and the do-not-call list in a backup, on a real database and vault."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.control import keeping
from app.outbound.campaign import Campaign
from firmware.storage import campaign_records, do_not_call_records, participant_records, records
from firmware.storage.campaign_records import CampaignRecord
from firmware.storage.do_not_call_records import NewEntry
from firmware.storage.participant_records import NewParticipant
from tests.contract.test_control_backups import Parts, box, furnished, made, previewed

pytestmark = pytest.mark.contract


async def with_campaign(parts: Parts, agent_id: str, campaign_id: str, name: str = "Dunning") -> None:
    """That runs, with a participant and a number that must not be called."""
    settings = Campaign(name=name, agent_id=agent_id)
    entry = NewEntry("030 1234567", "+49301234567", "1234567", "caller", "asked", "s1")

    def write(db: records.Db) -> None:
        campaign_records.write_campaign(db, CampaignRecord(campaign_id, 3, datetime.now(UTC), settings, "running"))
        participant_records.insert_participant(db, campaign_id, NewParticipant({"number": "1"}, "1"))
        do_not_call_records.add(db, entry, datetime(2026, 5, 1, tzinfo=UTC))

    await parts.store.transact(write)


async def campaigns_of(parts: Parts) -> list[tuple[str, str, str, int]]:
    def read(db: records.Db) -> list[tuple[str, str, str, int]]:
        return [
            (each.id, each.settings.name, each.state, campaign_records.read_standing(db, each.id).participants)
            for each in campaign_records.read_campaigns(db)
        ]

    return await parts.store.transact(read)


async def test_campaigns_come_without_participants_and_do_not_run(tmp_path: Path) -> None:
    async with box(tmp_path / "there") as other:
        await with_campaign(other, await furnished(other), "c1")
        content = await made(other)
    async with box(tmp_path / "here") as parts:
        preview = await previewed(parts, content)
        assert (preview.brings.campaigns, preview.brings.do_not_call) == (("Dunning",), 1)
        await parts.backups.restore_backup(keeping.RestoreBackup(id=preview.id))
        assert await campaigns_of(parts) == [("c1", "Dunning", "inactive", 0)]
        [entry] = await parts.store.transact(do_not_call_records.read_all)
        assert (entry["number"], entry["canonical"], entry["ending"]) == ("030 1234567", "+49301234567", "1234567")
        assert (entry["source"], entry["session_id"], entry["added_at"][:10]) == ("caller", "s1", "2026-05-01")


async def test_a_campaign_of_this_box_keeps_its_participants_and_is_paused(tmp_path: Path) -> None:
    """And whoever must not be called here stays so, whatever an older backup knows."""
    async with box(tmp_path) as parts:
        agent_id = await furnished(parts, running=False)
        before = await made(parts)
        await with_campaign(parts, agent_id, "c1")
        content = await made(parts)
        await with_campaign(parts, agent_id, "c2", "Survey")
        preview = await previewed(parts, content)
        await parts.backups.restore_backup(keeping.RestoreBackup(id=preview.id))
        assert await campaigns_of(parts) == [("c1", "Dunning", "paused", 1)]
        preview = await previewed(parts, before)
        await parts.backups.restore_backup(keeping.RestoreBackup(id=preview.id))
        assert await campaigns_of(parts) == []
        assert await parts.store.transact(do_not_call_records.count) == 1
