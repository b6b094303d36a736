"""Campaigns, and how far they came, as rows. Inside one transaction of `SqliteLedger.transact`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from pydantic import TypeAdapter

from app.control.campaigns import Count, Place, Progress, State
from app.outbound.breaker import Breaker
from app.outbound.campaign import Campaign
from firmware.storage.records import Db, Taken, name_taken, rows
from firmware.storage.schema import timestamp

_BREAKER = TypeAdapter(Breaker)
HOURS = 24
"""Of calls by the hour: a day is what a person compares with the one before."""


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """`problem`: why it is in the state "error"."""

    id: str
    version: int
    modified_at: datetime
    settings: Campaign
    state: State = "inactive"
    problem: str = ""
    breaker: Breaker = field(default_factory=Breaker)


@dataclass(frozen=True, slots=True)
class Standing:
    """How many participants a campaign has at each place."""

    places: Mapping[str, int] = field(default_factory=dict)

    @property
    def participants(self) -> int:
        return sum(self.places.values())

    def at(self, place: Place) -> int:
        return self.places.get(place, 0)


def read_campaigns(db: Db) -> list[CampaignRecord]:
    return [_campaign(row) for row in rows(db, "SELECT * FROM campaigns ORDER BY name")]


def read_campaign(db: Db, campaign_id: str) -> CampaignRecord | None:
    found = rows(db, "SELECT * FROM campaigns WHERE id = ?", campaign_id)
    return _campaign(found[0]) if found else None


def find_campaign(db: Db, name: str) -> CampaignRecord | None:
    """By its name, in whichever case, or by its id."""
    found = rows(db, "SELECT * FROM campaigns WHERE id = ?1 OR name = ?1 COLLATE NOCASE ORDER BY id != ?1", name)
    return _campaign(found[0]) if found else None


def write_campaign(db: Db, record: CampaignRecord) -> Taken | None:
    """Insert, or replace what was set; the state of one that is there stays."""
    if taken := name_taken(db, "campaigns", record.settings.name, record.id):
        return taken
    db.execute(
        "INSERT INTO campaigns (id, version, modified_at, name, settings, state) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET version = excluded.version, modified_at = excluded.modified_at,"
        " name = excluded.name, settings = excluded.settings",
        (
            record.id,
            record.version,
            timestamp(record.modified_at),
            record.settings.name,
            record.settings.model_dump_json(),
            record.state,
        ),
    )
    return None


def forget_names(db: Db) -> None:
    """Before all get new ones, in any order."""
    db.execute("UPDATE campaigns SET name = id")


def set_state(db: Db, campaign_id: str, state: State, problem: str = "") -> None:
    db.execute("UPDATE campaigns SET state = ?, problem = ? WHERE id = ?", (state, problem, campaign_id))


def set_breaker(db: Db, campaign_id: str, breaker: Breaker) -> None:
    written = _BREAKER.dump_json(breaker).decode()
    db.execute("UPDATE campaigns SET breaker = ? WHERE id = ?", (written, campaign_id))


def delete_campaign(db: Db, campaign_id: str) -> None:
    """With its participants, and what became of them. Sessions of its calls stay."""
    db.execute("DELETE FROM campaigns WHERE id = ?", (campaign_id,))


# -- how far they came -----------------------------------------------------------------------------------------


def read_standings(db: Db) -> dict[str, Standing]:
    """Of all campaigns that have participants, by id."""
    found = rows(db, "SELECT campaign_id, place, count(*) AS number FROM participants GROUP BY campaign_id, place")
    places: dict[str, dict[str, int]] = {}
    for row in found:
        places.setdefault(row["campaign_id"], {})[row["place"]] = row["number"]
    return {campaign_id: Standing(at) for campaign_id, at in places.items()}


def read_standing(db: Db, campaign_id: str) -> Standing:
    return Standing(_counted(db, "participants", "place", campaign_id))


def read_progress(db: Db, campaign_id: str, now: datetime) -> Progress:
    standing = read_standing(db, campaign_id)
    (talk,) = rows(db, "SELECT coalesce(sum(talk_ms), 0) AS ms FROM attempts WHERE campaign_id = ?", campaign_id)
    return Progress(
        participants=standing.participants,
        places=_counts(standing.places),
        communications=_counts(_counted(db, "communications", "status", campaign_id)),
        attempts=_counts(_counted(db, "attempts", "outcome", campaign_id)),
        talk_ms=talk["ms"],
        by_hour=_by_hour(db, campaign_id, now - timedelta(hours=HOURS)),
    )


def _counted(db: Db, table: str, column: str, campaign_id: str) -> dict[str, int]:
    asked = (
        f"SELECT {column} AS word, count(*) AS number FROM {table}"  # noqa: S608  # our own names
        f" WHERE campaign_id = ? AND {column} IS NOT NULL GROUP BY {column}"
    )
    return {row["word"]: row["number"] for row in rows(db, asked, campaign_id)}


def _counts(counted: Mapping[str, int]) -> tuple[Count, ...]:
    return tuple(Count(name=name, count=number) for name, number in counted.items())


def _by_hour(db: Db, campaign_id: str, begin: datetime) -> tuple[int, ...]:
    """A day of 16 calls at a time has some thousands of attempts: they are counted here, by the hour since `begin`."""
    found = rows(db, "SELECT at FROM attempts WHERE campaign_id = ? AND at >= ?", campaign_id, timestamp(begin))
    hours = Counter(
        min(HOURS - 1, int((datetime.fromisoformat(row["at"]) - begin) / timedelta(hours=1))) for row in found
    )
    return tuple(hours[hour] for hour in range(HOURS))


def _campaign(row: Mapping[str, Any]) -> CampaignRecord:
    return CampaignRecord(
        id=row["id"],
        version=row["version"],
        modified_at=datetime.fromisoformat(row["modified_at"]),
        settings=Campaign.model_validate_json(row["settings"], extra="ignore"),
        state=cast("State", row["state"]),
        problem=row["problem"],
        breaker=_BREAKER.validate_json(row["breaker"]) if row["breaker"] else Breaker(),
    )
