"""`just demo-campaign [--once]`: the office, the box, and a campaign that calls twenty people and machines.

With --once it ends by itself, with 0 only if what the box counted is what the callees did, by the PBX's own log.
Without, the page stays until Ctrl-C.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TypeVar

import httpx
import trio

from app.control import campaigns, views
from app.control.refusals import Refusal
from app.outbound.campaign import Campaign, Retry
from app.outbound.flow import END, CallStep, Flow, Trigger
from app.settings import Agent, ResultField, Settings
from provisioning.client import Box
from tests.demo.box import DemoBox, demo_box, open_browser
from tests.demo.callees import CALLEES, Deed, deeds_in, seat_callees
from tests.demo.checks import Check
from tests.demo.running import run_demo, tell
from tests.office.pbx import Pbx, office_pbx
from tests.office.program import BoxFailed

FOLDER = Path(__file__).resolve().parents[2] / "build" / "demo-campaign"
A = TypeVar("A", bound=Settings)

LIMIT_S = 600.0
"""Twelve talks of half a minute, three at a time, and a second round for who was busy or away take four minutes."""
RING_S = 8

GREETING = "Hello {name}, this is Hartwell Dental. You have an appointment on {day}. Will you be there?"
AGENT = Agent(
    name="Reminders",
    description="Calls people about their appointments",
    greeting=GREETING,
    result_fields=(
        ResultField(
            name="appointment",
            description="whether they come",
            type="choice",
            choices=("confirm", "cancel", "reschedule"),
            required=True,
        ),
    ),
    goodbye="Thank you. Good-bye.",
    max_opened_sessions=4,
)
_EXPECTED: dict[Deed, tuple[str, str, dict[str, str]]] = {
    "confirms": ("Completed", "answered", {"appointment": "confirm"}),
    "cancels": ("Completed", "answered", {"appointment": "cancel"}),
    "moves it": ("Completed", "answered", {"appointment": "reschedule"}),
    "asks not to be called": ("Completed", "answered", {"do not call": "yes"}),
    "is busy": ("NoResponse", "busy", {}),
    "does not answer": ("NoResponse", "no answer", {}),
    "is a machine": ("NoResponse", "machine", {}),
}
"""Status, outcome and results that the box should have for what a callee did."""


def main() -> int:
    shutil.rmtree(FOLDER, ignore_errors=True)
    return run_demo("just demo-campaign", "Twenty calls, and what became of each.", _office)


async def _office(once: bool) -> bool:
    tell("office", "starting the PBX (Asterisk 22), with twenty people and machines at its telephones")
    async with office_pbx() as pbx:
        await seat_callees(pbx)
        tell("office", "starting the box: it loads its recognisers, then registers as extension 200")
        async with demo_box(pbx, FOLDER, "", reachable=False, on_line=lambda _: None) as box:
            tell("page", f"{box.address}/campaigns   password: {box.password}")
            passed = await _campaign(pbx, box)
            if not once:
                open_browser(f"{box.address}/campaigns")
                tell("page", "stays open; Ctrl-C ends it")
                await trio.sleep_forever()
    return passed


async def _campaign(pbx: Pbx, demo: DemoBox) -> bool:
    box = Box(demo.data / "control.sock")
    try:
        campaign_id = await _set_up(box, await _agent(box))
        participants = await _called(box, campaign_id)
        view = _is(campaigns.CampaignView, await box.ask("get_campaign", campaigns.CampaignView, id=campaign_id))
        unwanted = _is(campaigns.DoNotCall, await box.ask("list_do_not_call", campaigns.DoNotCall))
    finally:
        await box.close()
    done = deeds_in(pbx.log.read_text(errors="replace"))
    checks = [
        Check("the campaign came to its end", view.state == "done"),
        *_check_each(participants, done),
        *_check_analytics(view, done),
        Check("who asked not to be called is on the do-not-call list", _askers() == {e.number for e in unwanted.items}),
        *await _check_page(demo, view),
    ]
    print()
    for check in checks:
        print(f"  {'yes' if check.passed else 'NO '}  {check.what}")
    return all(check.passed for check in checks)


# -- setting up ------------------------------------------------------------------------------------------------


async def _agent(box: Box) -> str:
    """A second agent on the same connection, which only calls out; it runs."""
    found = _is(views.Connections, await box.ask("list_connections", views.Connections))
    attached = views.Attachment(connection_id=found.items[0].id)
    plan = views.AgentPlan(
        settings=AGENT, attachments=(attached,), speech_to_text="box-ears", text_to_speech="box-voice-slt"
    )
    made = _is(views.AgentDetail, await box.ask("create_agent", views.AgentDetail, plan=plan))
    _is(views.AgentView, await box.ask("start_agent", views.AgentView, id=made.view.id))
    tell("agent", f"{AGENT.name} is starting: it asks each of them whether they come")
    return made.view.id


async def _set_up(box: Box, agent_id: str) -> str:
    """The campaign with its list, started."""
    answer = await box.ask("create_campaign", campaigns.CampaignView, settings=_settings(agent_id))
    made = _is(campaigns.CampaignView, answer)
    begun = await box.ask("begin_import", campaigns.ImportView, campaign_id=made.id, file_name="appointments.csv")
    sent = _is(campaigns.ImportView, begun)
    rows = [{"number": each.number, "name": each.name, "day": "Monday"} for each in CALLEES]
    _is(campaigns.ImportView, await box.ask("add_rows", campaigns.ImportView, id=sent.id, first=1, rows=rows))
    taken = _is(campaigns.ImportView, await box.ask("finish_import", campaigns.ImportView, id=sent.id))
    tell("list", f"{taken.good} people to call")
    _is(campaigns.CampaignView, await box.ask("start_campaign", campaigns.CampaignView, id=made.id))
    return made.id


def _settings(agent_id: str) -> Campaign:
    """Open all week: the demo is shown on Sundays too."""
    settings = Campaign(name="Appointments", agent_id=agent_id).model_dump(mode="json")
    every_day = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    fields = [
        {"name": "number", "type": "phone", "required": True},
        {"name": "name", "required": True},
        {"name": "day", "required": True},
    ]
    call = CallStep(id="call", ring_s=RING_S, on_machine="hang up", then=END)
    again = [Retry(after=after, attempts=2, wait_minutes=1) for after in ("busy", "no answer")]
    return Campaign.model_validate(
        settings
        | {
            "fields": fields,
            "hours": [{"days": every_day, "begin": "00:00", "end": "24:00"}],
            "retries": again,
            "breaker": {"window": 20, "percent": 100},
            "flow": Flow(triggers=(Trigger(on="participant created", then="call"),), steps=(call,)),
        }
    )


# -- while it calls ----------------------------------------------------------------------------------------------


async def _called(box: Box, campaign_id: str) -> list[campaigns.ParticipantView]:
    """All of them, once the campaign is done."""
    told: set[int] = set()
    with trio.move_on_after(LIMIT_S):
        while len(told) < len(CALLEES):
            for each in await _participants(box, campaign_id):
                if each.place == "done" and each.id not in told:
                    told.add(each.id)
                    _tell_one(each, len(told))
            await trio.sleep(1)
    return await _participants(box, campaign_id)


async def _participants(box: Box, campaign_id: str) -> list[campaigns.ParticipantView]:
    answer = await box.ask("list_participants", campaigns.Participants, campaign_id=campaign_id, limit=500)
    return list(_is(campaigns.Participants, answer).items)


def _tell_one(one: campaigns.ParticipantView, count: int) -> None:
    told = {name: value for name, value in one.results.items() if value and not name.startswith("answered_by")}
    results = "; ".join(f"{name}: {value}" for name, value in told.items())
    tries = f"{one.attempts} calls" if one.attempts != 1 else "1 call"
    line = f"{one.values['number']} {one.values['name']:<7} {one.status:<10} {one.outcome}, {tries}"
    tell(f"{count:>2}/{len(CALLEES)}", f"{line}{f'   {results}' if results else ''}")


# -- what the callees did, against what the box says ---------------------------------------------------------------


def _check_each(participants: list[campaigns.ParticipantView], done: Counter[tuple[str, str]]) -> list[Check]:
    found = {each.values["number"]: each for each in participants}
    checks = [Check("everybody is in the list once", sorted(found) == sorted(each.number for each in CALLEES))]
    for deed in _EXPECTED:
        people = [each for each in CALLEES if each.deed == deed]
        right = [each for each in people if each.number in found and _as_done(found[each.number], deed, done)]
        checks.append(Check(f"who {deed}: {len(right)} of {len(people)} so in the list", len(right) == len(people)))
    return checks


def _as_done(one: campaigns.ParticipantView, deed: Deed, done: Counter[tuple[str, str]]) -> bool:
    """The PBX saw that deed as often as the box says that it called, and nothing else from that number."""
    number = one.values["number"]
    deeds = {what: times for (whose, what), times in done.items() if whose == number}
    status, outcome, results = _EXPECTED[deed]
    told = (one.status, one.outcome) == (status, outcome) and results.items() <= one.results.items()
    return told and deeds == {deed: one.attempts}


def _check_analytics(view: campaigns.CampaignView, done: Counter[tuple[str, str]]) -> list[Check]:
    """By the PBX's log alone."""
    deeds: dict[str, Deed] = {each.number: each.deed for each in CALLEES}
    outcomes = Counter[str]()
    for (number, _), times in done.items():
        outcomes[_EXPECTED[deeds[number]][1]] += times
    statuses = Counter(_EXPECTED[deeds[number]][0] for number in {whose for whose, _ in done})
    progress = view.progress
    return [
        Check(f"calls by outcome: {dict(outcomes)}", _counted(progress.attempts) == outcomes),
        Check(f"communications by status: {dict(statuses)}", _counted(progress.communications) == statuses),
        Check("nobody is left", _counted(progress.places) == Counter(done=len(CALLEES))),
    ]


def _counted(counts: tuple[campaigns.Count, ...]) -> Counter[str]:
    return +Counter({each.name: each.count for each in counts})


def _askers() -> set[str]:
    return {each.number for each in CALLEES if each.deed == "asks not to be called"}


async def _check_page(demo: DemoBox, view: campaigns.CampaignView) -> list[Check]:
    """What a person sees who signs in."""
    try:
        async with demo.signed_in() as browser:
            page = await browser.get(f"/campaigns/{view.id}")
            file = await browser.get(f"/campaigns/{view.id}/results.csv")
    except httpx.HTTPError:
        return [Check("the page opens", passed=False)]
    return [
        Check("the page shows the campaign", page.is_success and view.settings.name in page.text),
        Check("its results as a file have everybody", all(each.number in file.text for each in CALLEES)),
    ]


def _is(model: type[A], answer: A | Refusal) -> A:
    """What was asked for. Raises: BoxFailed."""
    if isinstance(answer, model):
        return answer
    assert isinstance(answer, Refusal)
    raise BoxFailed(f"the box refused: {answer.text}")


if __name__ == "__main__":
    sys.exit(main())
