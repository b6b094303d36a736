"""What a campaign stands on: its connection, dial rules and clock, as they are stored now. Inside one transaction of
`SqliteLedger.transact`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.outbound.campaign import Campaign
from app.outbound.do_not_call import canonical, index_key, is_listed
from app.settings import DialRules
from firmware.storage import do_not_call_records, records


@dataclass(frozen=True, slots=True)
class Ground:
    """`connection_id`: what the campaign calls through; None where that is not clear. `zone`: of participants who have
    none of their own."""

    connection_id: str | None
    rules: DialRules
    zone: str


def ground_of(db: records.Db, campaign: Campaign) -> Ground:
    connection_id = campaign.connection_id or _only_connection(db, campaign.agent_id)
    connection = records.read_connection(db, connection_id) if connection_id else None
    _, box = records.read_box(db)
    rules = connection.account.dialling if connection else DialRules()
    return Ground(connection.id if connection else None, rules, campaign.time_zone or box.time_zone)


def house_rules(db: records.Db) -> DialRules:
    """For numbers of nobody's campaign: those of the box's connections, if one of them knows its country."""
    found = [each.account.dialling for each in records.read_connections(db)]
    return next((rules for rules in found if rules.country_code), found[0] if found else DialRules())


def number_of(campaign: Campaign, values: Mapping[str, str], rules: DialRules) -> str:
    """The canonical number that a participant is called at; empty for none."""
    written = values.get(campaign.number_field, "")
    return canonical(written, rules) if written else ""


def zone_of(campaign: Campaign, values: Mapping[str, str]) -> str:
    """The participant's own zone; empty for the campaign's. One that no clock knows counts as none."""
    named = values.get(campaign.time_zone_field, "") if campaign.time_zone_field else ""
    return named if is_zone(named) else ""


def must_not_be_called(db: records.Db, number: str) -> bool:
    """`number`: canonical."""
    return bool(number) and is_listed(number, do_not_call_records.alike(db, index_key(number)))


def _only_connection(db: records.Db, agent_id: str) -> str | None:
    agent = records.read_agent(db, agent_id)
    attached = agent.plan.attachments if agent else ()
    return attached[0].connection_id if len(attached) == 1 else None


def is_zone(name: str) -> bool:
    """Whether a clock knows it."""
    try:
        return bool(name) and ZoneInfo(name) is not None
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False
