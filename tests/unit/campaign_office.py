"""A campaign as the box tells of it, for the tests of its pages."""

from __future__ import annotations

from datetime import UTC, datetime

from app.control import views
from app.control.campaigns import (
    AttemptView,
    CampaignLine,
    CampaignList,
    CampaignView,
    CommunicationView,
    Count,
    Imports,
    ImportView,
    ParticipantDetail,
    Participants,
    Problem,
    Problems,
    Progress,
    RowProblem,
)
from app.outbound.campaign import Campaign, ParticipantField
from app.outbound.flow import CallStep, CheckStep, Flow, SetStep, Trigger, WaitStep
from app.settings import Settings
from tests.unit.test_provisioning_pages import _agent

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
FLOW = Flow(
    triggers=(Trigger(on="participant created", then="call"), Trigger(on="other flow", then="call")),
    steps=(
        CallStep(id="call", greeting="Hello {name}, this is the surgery.", then="answered"),
        CheckStep(id="answered", of="result answer", value="yes", match="note", otherwise="wait"),
        SetStep(id="note", field="confirmed", value="{result:answer}", then="end"),
        WaitStep(id="wait", minutes=2880, then="call"),
    ),
)
FIELDS = (
    ParticipantField(name="number", type="phone", required=True),
    ParticipantField(name="name"),
    ParticipantField(name="zone", type="time zone"),
    ParticipantField(name="confirmed", type="yes-no", importable=False),
)
SETTINGS = Campaign(
    name="Reminders", agent_id="a1", fields=FIELDS, time_zone_field="zone", flow=FLOW, description="For the surgery"
)
EMPTY = Progress(participants=0, places=(), communications=(), attempts=(), talk_ms=0, by_hour=(0,) * 24)
BUSY = Progress(
    participants=40,
    places=(Count(name="ready", count=20), Count(name="calling", count=2), Count(name="done", count=18)),
    communications=(Count(name="Completed", count=12), Count(name="NoResponse", count=6)),
    attempts=(Count(name="answered", count=12), Count(name="busy", count=9)),
    talk_ms=240_000,
    by_hour=(*(0,) * 22, 9, 12),
)


def campaign(settings: Campaign = SETTINGS, version: int = 3, **changes: object) -> CampaignView:
    values: dict[str, object] = {
        "id": "c1",
        "version": version,
        "modified_at": AT,
        "settings": settings,
        "state": "inactive",
        "reason": "",
        "next_at": None,
        "problems": (),
        "progress": EMPTY,
    }
    return CampaignView.model_validate(values | changes)


def participant(**changes: object) -> ParticipantDetail:
    call = AttemptView(
        number=1, at=AT, call_id="k1", session_id="s1", outcome="busy", outcome_text="The line was engaged."
    )
    values: dict[str, object] = {
        "id": 7,
        "version": 2,
        "campaign_id": "c1",
        "values": {"number": "+44 20 7946 0123", "name": "=Ada"},
        "place": "waiting",
        "step": "call",
        "due_at": AT,
        "status": "Started",
        "outcome": "busy",
        "outcome_text": "The line was engaged.",
        "attempts": 1,
        "results": {"answer": "yes", "mood": "good"},
        "communications": (
            CommunicationView(step="call", status="Started", reason="", began_at=AT, ended_at=None, attempts=(call,)),
        ),
    }
    return ParticipantDetail.model_validate(values | changes)


def listed(**changes: object) -> ImportView:
    values: dict[str, object] = {
        "id": "i1",
        "campaign_id": "c1",
        "file_name": "list.csv",
        "at": AT,
        "known": "skip",
        "state": "open",
        "expected": 3,
        "rows": 3,
        "good": 2,
        "updated": 0,
        "skipped": 0,
        "bad": 1,
        "problems": (RowProblem(row=2, field="number", text="must be filled in"),),
    }
    return ImportView.model_validate(values | changes)


LINE = CampaignLine(
    id="c1",
    name="Reminders",
    description="For the surgery",
    agent_id="a1",
    agent="Reception",
    modified_at=AT,
    state="running",
    reason="calling hours begin on Monday at 09:00",
    participants=40,
    done=18,
    calls_now=2,
)


def answers() -> dict[str, list[Settings]]:
    agent = _agent()
    one = participant()
    listing = {name: value for name, value in one.model_dump().items() if name != "communications"}
    return {
        "list_campaigns": [CampaignList(items=(LINE,))],
        "get_campaign": [campaign()],
        "check_campaign": [Problems(items=(Problem(where="flow.steps.2.then", text="leads nowhere"),))],
        "list_agents": [views.Agents(items=(agent.view,))],
        "get_agent": [agent],
        "list_connections": [views.Connections(items=())],
        "list_participants": [Participants.model_validate({"items": [listing], "after": None})],
        "get_participant": [one],
        "list_imports": [Imports(items=(listed(),))],
        "get_import": [listed()],
    }
