"""The support bundle: what helps somebody else to see why a box does not work, and nothing that says whose box it is.

Pure, but for the zip's clock. Nothing gets in because it was not taken out: every value is on a list, is a figure, or
was chosen from words of ours. Of what users typed only its length is told.
"""

from __future__ import annotations

import io
import json
import logging
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.control.views import BoxView, Finding
from firmware.storage.campaign_records import CampaignRecord, Standing
from firmware.storage.records import AgentRecord, ConnectionRecord, ConnectivityRecord

LOG_LINES = 5000
"""Days of an office; about 1 MB before it is packed, 100 KB after."""

REGISTRATIONS = 50

# Values of these fields are figures, or words that stand in our source. Not among them: what an owner calls an agent,
# texts of problems (they name connections), pjproject's own lines (they name hosts).
LOG_FIELDS = frozenset(
    """
    attempt bytes cause codec direction dropped entries evidence exception exit_status expires_s gap_ms lost_entries
    lost_frames next_try_s outcome seats sip_code transport verdict version wait_s work
    """.split()
)
_LONGEST_FIELD = 120
_REGISTRATIONS_FROM = "firmware.telephony.registration_log"
_PSEUDONYMS = {"agent_id": "agent", "call_id": "call"}
"""Made by us, and not told all the same: which lines belong together is enough."""

_CHOSEN = frozenset({"kind", "transport", "srtp", "language", "voice"})
"""Settings that are chosen from words of ours."""
_LEFT_OUT = frozenset({"id", "version", "modified_at", "connection_id", "built_in"})

README = """\
This is a support bundle of a Deskbell box. Whoever helps you can see from it how the box is doing.

box.json            versions, memory, disk, temperature, clock, and how punctual the audio was
findings.json       what Diagnosis found, by kind, how often
settings.json       how many connections, agents and campaigns there are, and how long what you typed is
registrations.json  how the last registrations with the phone system went: causes and times
log.jsonl           what the box noted, one line each, oldest first

Not in it: passwords and keys; names, numbers, domains, addresses and texts that you typed; what callers and agents
said; recordings; who called, and when. It is plain text in a zip file: look into it before you send it to anybody.
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the box. `log`: rows of the table, oldest first. `states`: of agents, by their words."""

    box: BoxView
    platform: Mapping[str, str]
    findings: Sequence[Finding]
    connections: Sequence[ConnectionRecord]
    connectivity: Sequence[ConnectivityRecord]
    agents: Sequence[AgentRecord]
    states: Sequence[str]
    log: Sequence[Mapping[str, Any]] = field(repr=False)
    campaigns: Sequence[tuple[CampaignRecord, Standing]] = ()
    do_not_call: int = 0


def bundle(seen: Seen) -> bytes:
    """The zip file. Takes some 0.1 s for a full log: call it in a thread."""
    lines = list(log_lines(seen.log))
    files = {
        "README.txt": README,
        "box.json": _json(_box(seen)),
        "findings.json": _json(_counted(f"{each.severity.value}: {each.kind}" for each in seen.findings)),
        "settings.json": _json(_settings(seen)),
        "registrations.json": _json([line for line in lines if line["source"] == _REGISTRATIONS_FROM][-REGISTRATIONS:]),
        "log.jsonl": "".join(f"{json.dumps(line)}\n" for line in lines),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in files.items():
            file.writestr(zipfile.ZipInfo(name, _zip_time(seen.box.now)), text, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def log_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Fixed texts, and the fields that are on the list; agents and calls by numbers of this bundle."""
    known: dict[tuple[str, str], str] = {}

    def pseudonym(key: str, value: str) -> str:
        kind = _PSEUDONYMS[key]
        number = 1 + sum(1 for other, _ in known if other == kind)
        return known.setdefault((kind, value), f"{kind} {number}")

    for row in rows:
        fields = json.loads(row["fields"]) | {"agent_id": row["agent_id"]}
        told = {key: str(value)[:_LONGEST_FIELD] for key, value in fields.items() if key in LOG_FIELDS}
        told |= {_PSEUDONYMS[key]: pseudonym(key, fields[key]) for key in _PSEUDONYMS if fields.get(key)}
        level = logging.getLevelName(row["level"])
        yield {"at": row["at"], "level": level, "source": row["source"], "text": row["text"], "fields": told}


def shape(value: object) -> object:
    """Figures as they are, of texts and lists only how much there is."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return f"{len(value)} characters"
        case Mapping():
            return {key: each if key in _CHOSEN else shape(each) for key, each in value.items() if key not in _LEFT_OUT}
        case list() | tuple():
            return f"{len(value)} entries, {_characters(value)} characters"
        case _:
            return type(value).__name__


def _box(seen: Seen) -> dict[str, object]:
    box = seen.box
    return {
        "deskbell": box.software,
        **seen.platform,
        "made_at": box.now.isoformat(),
        "network_interfaces": len(box.network),
        "secrets": box.secrets_bound_by,
        "health": box.health.model_dump(exclude={"storage_problem"}),
        "storage_in_order": not box.health.storage_problem,
    }


def _settings(seen: Seen) -> dict[str, object]:
    return {
        "box": shape(seen.box.settings.model_dump()),
        "connections": [
            {
                "account": shape(each.account.model_dump()),
                "has_password": each.password is not None,
                "has_login": each.login is not None,
            }
            for each in seen.connections
        ],
        "connectivity": [
            {"engine": shape(each.engine.model_dump()), "has_key": each.api_key is not None}
            for each in seen.connectivity
        ],
        "agents": [
            {
                "settings": shape(each.plan.settings.model_dump()),
                "connections": len(each.plan.attachments),
                "inbound": sum(attached.inbound for attached in each.plan.attachments),
                "should_run": each.should_run,
            }
            for each in seen.agents
        ],
        "agent_states": _counted(seen.states),
        "campaigns": [
            {"state": campaign.state, "participants": dict(standing.places), "settings": _shape_of_campaign(campaign)}
            for campaign, standing in seen.campaigns
        ],
        "do_not_call": seen.do_not_call,
    }


def _shape_of_campaign(campaign: CampaignRecord) -> object:
    """With what its steps do, which is chosen from words of ours."""
    settings = campaign.settings
    steps = _counted(each.do for each in settings.flow.steps)
    return {"steps": steps, "others": shape(settings.model_dump(exclude={"flow", "agent_id", "connection_id"}))}


def _characters(value: object) -> int:
    match value:
        case str():
            return len(value)
        case Mapping():
            return sum(map(_characters, value.values()))
        case list() | tuple():
            return sum(map(_characters, value))
        case _:
            return 0


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words))


def _json(value: object) -> str:
    return json.dumps(value, indent=1) + "\n"


def _zip_time(now: datetime) -> tuple[int, int, int, int, int, int]:
    """A zip file knows no year before 1980, a box without a battery clock does."""
    return max(now.year, 1980), now.month, now.day, now.hour, now.minute, now.second
