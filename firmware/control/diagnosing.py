"""What the diagnosis needs to know, gathered at one moment. Nothing here changes anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.control import views
from app.diagnosis import SILENCE_DAYS, CampaignFact, Engine, EngineTrouble, Facts, History, MailFact
from app.engines import Role, role_of
from firmware.control.agents import agent_views
from firmware.control.look import Scene, connection_view, network_view
from firmware.employer import opened_secret
from firmware.mail import opened_password
from firmware.storage import campaign_records, letter_records, records, searching, tool_records
from firmware.storage.campaign_records import CampaignRecord
from firmware.vault import Unreadable, Vault

_ENGINES: Mapping[str, Engine] = {
    "models.stt": "Speech-To-Text",
    "models.tts": "Text-To-Speech",
    "app.brains": "language model",
    "firmware.speech_servers.ears": "ears of a server",
    "firmware.speech_servers.voice": "voice of a server",
    "firmware.packs.program": "neural pack",
}
"""By how a logger's name begins."""

_TROUBLE_S = 3600.0
"""What an engine complained of an hour ago is over, or it has complained since."""

_LETTERS_OF = timedelta(days=7)
"""E-mails that were given up before that are nobody's concern any more."""


def facts_of(db: records.Db, scene: Scene, now: datetime) -> Facts:
    stored, (_, box) = records.read_agents(db), records.read_box(db)
    connections = [connection_view(scene, each, stored) for each in records.read_connections(db)]
    return Facts(
        now=now,
        zone=ZoneInfo(box.time_zone),
        agents=agent_views(db, scene),
        plans={each.id: each.plan for each in stored},
        connections=connections,
        network=network_view(),
        seen={each.id: scene.switchboard.seen(each.id) for each in connections},
        histories={each.plan.settings.name: _history(db, each.plan.settings.name, now) for each in stored},
        locked={each.id: tuple(_locked(db, scene, each)) for each in stored},
        troubles={each.id: tuple(_troubles(db, scene, each, now)) for each in stored},
        tools={each.id: [one.tool.name for one in tool_records.read_tools(db, each.id)] for each in stored},
        campaigns=[_campaign(each) for each in campaign_records.read_campaigns(db)],
        mail=_mail(db, scene.vault, now),
    )


def _mail(db: records.Db, vault: Vault, now: datetime) -> MailFact:
    server = letter_records.read_server(db)
    password = opened_password(vault, server)
    given_up, stuck = letter_records.in_vain(db, now - _LETTERS_OF)
    return MailFact(bool(server.settings.host), isinstance(password, Unreadable), given_up, stuck)


def _campaign(record: CampaignRecord) -> CampaignFact:
    settings = record.settings
    return CampaignFact(
        record.id,
        settings.name,
        settings.agent_id,
        runs=record.state == "running",
        problem=record.problem if record.state == "error" else "",
        held_until=record.breaker.until,
    )


def _locked(db: records.Db, scene: Scene, agent: records.AgentRecord) -> Iterator[tuple[Role, str]]:
    """What it hears, speaks and thinks by, if the key for that cannot be read."""
    for entry_id in (agent.plan.speech_to_text, agent.plan.text_to_speech, agent.plan.language_model):
        entry = records.read_one_connectivity(db, entry_id or "")
        if entry and isinstance(opened_secret(scene.vault, entry, "api_key", entry.api_key), Unreadable):
            yield role_of(entry.engine), entry.name


def _history(db: records.Db, agent: str, now: datetime) -> History:
    found = searching.history_of(db, agent, now - timedelta(days=SILENCE_DAYS))
    silence_at = datetime.fromisoformat(found["silence_at"]) if found["silence_at"] else None
    return History(bool(found["was_called"]), found["ended_in_silence"], silence_at)


def _troubles(db: records.Db, scene: Scene, agent: records.AgentRecord, now: datetime) -> Iterator[EngineTrouble]:
    """Of an agent that runs, since it was started: a restart is a remedy."""
    at_work = scene.at_work.get(agent.id)
    if at_work is None or scene.roster.state(agent.id) is not views.AgentState.RUNNING:
        return
    since = max(at_work.since, now - timedelta(seconds=_TROUBLE_S))
    for row in searching.engine_warnings(db, agent.id, since):
        fields = json.loads(row["fields"])
        yield EngineTrouble(
            engine=next(engine for begin, engine in _ENGINES.items() if row["source"].startswith(begin)),
            times=row["times"],
            last_at=datetime.fromisoformat(row["last_at"]),
            problem=str(fields.get("problem") or fields.get("exception") or ""),
        )
