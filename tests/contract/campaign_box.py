"""A box with campaigns, on a real database and with the real service: the telephones that are called are the test's,
and so is the clock that campaigns look at."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import trio

from app.agents.reception import Desk, Reception
from app.agents.roster import Roster
from app.control import campaigns as asked
from app.control import verbs
from app.control.refusals import Refusal
from app.control.views import AgentPlan, Attachment
from app.outbound.campaign import WEEKDAYS
from app.settings import Account, Agent, DialRules, ResultField
from firmware.calling import Calling
from firmware.campaigns import Campaigns
from firmware.control.campaigns import CampaignVerbs
from firmware.control.do_not_call import DoNotCallVerbs
from firmware.control.events import Events
from firmware.control.participants import ParticipantVerbs
from firmware.counting import Counts
from firmware.employer import AtWork
from firmware.storage import SqliteLedger, ledger, records
from firmware.switchboard import Switchboard
from firmware.telephony import Cause, Registration
from firmware.told_ledger import ToldLedger
from tests.contract.test_control_calls import Line, Lines, no_recording
from tests.fakes.line import CalledPhone
from tests.fakes.speech import FakeActivity, FakeBeeps, FakeEars, FakeEcho, FakeVoice
from tests.patience import PATIENCE_S
from tests.scene.stage import ScriptedBrain

ALWAYS = ({"days": WEEKDAYS, "begin": "00:00", "end": "24:00"},)
GERMANY = DialRules(country_code="49")


def flow(*steps: dict[str, object], **triggers: str) -> dict[str, object]:
    """`triggers`: the step of each, by its words with _ for the space; without any, the first step is where new
    participants go."""
    given = triggers or {"participant_created": str(steps[0]["id"])}
    return {"triggers": [{"on": on.replace("_", " "), "then": then} for on, then in given.items()], "steps": steps}


@dataclass
class OfficeLine(Line):
    """Registered, unless the test says otherwise."""

    name: str = "Office"
    user: str = "200"
    registration: Registration = field(default_factory=lambda: Registration(Cause.REGISTERED))
    dialled: list[str] = field(default_factory=list)
    on_dial: Callable[[str], Awaitable[None]] | None = None

    async def dial(self, target: str, call_id: str) -> CalledPhone:
        self.dialled.append(target)
        if self.on_dial:
            await self.on_dial(target)
        return cast("CalledPhone", await super().dial(target, call_id))


@dataclass
class CampaignBox:
    store: SqliteLedger
    line: OfficeLine
    service: Campaigns
    campaigns: CampaignVerbs
    participants: ParticipantVerbs
    do_not_call: DoNotCallVerbs
    at_work: dict[str, AtWork]
    events: Events
    calling: Calling
    brain: ScriptedBrain
    reception: Callable[[], Reception]
    webhooks_woken: list[None]
    calls: trio.CancelScope | None = None
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def later(self, **passes: float) -> None:
        """So much time passes, at once."""
        self.ahead += timedelta(**passes)
        self.service.wake()

    def start_agent(self) -> None:
        self.at_work["a"] = AtWork(cast("records.AgentRecord", None), {"c": 1}, self.reception())
        self.events.changed(verbs.EventKind.AGENT, "a")

    def stop_agent(self) -> None:
        """With its calls."""
        del self.at_work["a"]
        assert self.calls
        self.calls.cancel()
        self.events.changed(verbs.EventKind.AGENT, "a")

    async def dialled(self, number: int) -> bool:
        await trio.lowlevel.checkpoint()
        return len(self.line.dialled) >= number

    async def campaign(self, name: str = "Dunning", **settings: object) -> asked.CampaignView:
        values = {"name": name, "agent_id": "a", "hours": ALWAYS, "seats_for_inbound": 0} | settings
        made = await self.campaigns.create_campaign(asked.CreateCampaign.model_validate({"settings": values}))
        assert isinstance(made, asked.CampaignView), made
        return made

    async def running(self, *numbers: str, name: str = "Dunning", **settings: object) -> asked.CampaignView:
        """A campaign with these participants, started."""
        made = await self.campaign(name, **settings)
        for number in numbers:
            await self.add(made.id, number=number)
        return await self.start(made.id)

    async def start(self, campaign_id: str) -> asked.CampaignView:
        started = await self.campaigns.start_campaign(verbs.ById(id=campaign_id))
        assert isinstance(started, asked.CampaignView), started
        return started

    async def add(self, campaign_id: str, **values: str) -> asked.ParticipantDetail:
        made = await self.participants.create_participant(
            asked.CreateParticipant(campaign_id=campaign_id, values=values)
        )
        assert isinstance(made, asked.ParticipantDetail), made
        return made

    async def view(self, campaign_id: str) -> asked.CampaignView:
        found = await self.campaigns.get_campaign(verbs.ById(id=campaign_id))
        assert isinstance(found, asked.CampaignView), found
        return found

    async def everybody(self, campaign_id: str, **asked_for: object) -> tuple[asked.ParticipantView, ...]:
        ask = asked.ListParticipants.model_validate({"campaign_id": campaign_id} | asked_for)
        found = await self.participants.list_participants(ask)
        assert isinstance(found, asked.Participants), found
        return found.items

    async def participant(self, campaign_id: str, place: int = 0) -> asked.ParticipantDetail:
        one = (await self.everybody(campaign_id))[place]
        found = await self.participants.get_participant(asked.GetParticipant(campaign_id=campaign_id, id=one.id))
        assert isinstance(found, asked.ParticipantDetail), found
        return found

    async def places(self, campaign_id: str) -> list[str]:
        return [each.place for each in await self.everybody(campaign_id)]

    async def phone(self, number: int = 1) -> CalledPhone:
        """The telephone of the call of this number, once it rings."""
        with trio.fail_after(PATIENCE_S):
            while len(self.line.phones) < number:  # noqa: ASYNC110 - a list tells nobody
                await trio.sleep(0.005)
        return self.line.phones[number - 1]

    async def answered(self, number: int = 1) -> None:
        """The call of this number is answered, talks, and is ended by who was called."""
        await (await self.phone(number)).answer()
        await self.hang_up(number)

    async def hang_up(self, number: int = 1) -> None:
        """Once the session says that they talk."""
        phone = await self.phone(number)

        async def talk() -> bool:
            asked = "SELECT connected_at FROM sessions WHERE call_id = ?"
            found = await self.store.transact(lambda db: records.rows(db, asked, phone.id))
            return bool(found and found[0]["connected_at"])

        await self.until(talk)
        phone.cancel()

    async def until(self, fact: Callable[[], Awaitable[bool]]) -> None:
        with trio.fail_after(PATIENCE_S):
            while not await fact():  # noqa: ASYNC110 - the store tells nobody
                await trio.sleep(0.005)

    async def are_at(self, campaign_id: str, *places: str) -> None:
        """Until the participants are at these places."""

        async def so() -> bool:
            return await self.places(campaign_id) == list(places)

        await self.until(so)

    async def is_in(self, campaign_id: str, state: str, reason: str = "") -> asked.CampaignView:
        """Until the campaign is in this state, for this reason."""

        async def so() -> bool:
            found = await self.view(campaign_id)
            return found.state == state and reason in found.reason

        await self.until(so)
        return await self.view(campaign_id)

    async def quiet(self) -> None:
        """Until the service has looked at everything: two rounds after now."""
        for _ in range(2):
            rounds = self.service.rounds
            self.service.wake()
            with trio.fail_after(PATIENCE_S):
                while self.service.rounds == rounds:  # noqa: ASYNC110
                    await trio.sleep(0.002)


async def _works(_: str, running: Callable[[], None]) -> None:
    running()
    await trio.sleep_forever()


def office(db: records.Db) -> None:
    """An agent "a" with the connection "c", if they are not there yet."""
    if records.read_agent(db, "a"):
        return
    now = datetime.now(UTC)
    account = Account(name="Office", domain="pbx.lan", user="200", dialling=GERMANY)
    records.write_connection(db, records.ConnectionRecord("c", 1, now, account, None, None))
    brings = (ResultField(name="confirmed", type="yes-no"), ResultField(name="wants"))
    agent = Agent(name="Reception", result_fields=brings)
    plan = AgentPlan(settings=agent, attachments=(Attachment(connection_id="c", inbound=True),))
    records.write_agent(db, records.AgentRecord("a", 1, now, plan, should_run=True))


@asynccontextmanager
async def box(
    folder: Path,
    *,
    seats: int = 1,
    running: bool = True,
    watch: Callable[[SqliteLedger], SqliteLedger] = lambda store: store,
    results: Mapping[str, str] | None = None,
) -> AsyncGenerator[CampaignBox, None]:
    agent, brain = Agent(name="Reception", max_opened_sessions=seats), ScriptedBrain(results=dict(results or {}))
    events, woken, made = Events(), list[None](), list[CampaignBox]()
    async with ledger(folder / "box.sqlite") as store, trio.open_nursery() as nursery:
        await store.transact(office)
        desk = Desk(
            FakeEars({}),
            FakeVoice(),
            ToldLedger(store, lambda _: None),
            lambda _, __: brain,
            FakeActivity,
            FakeEcho,
            FakeBeeps,
            no_recording,
        )

        async def employ(*, task_status: trio.TaskStatus[trio.Nursery]) -> None:
            async with trio.open_nursery() as calls:
                task_status.started(calls)
                await trio.sleep_forever()

        async def posts() -> trio.Nursery:
            calls: trio.Nursery = await nursery.start(employ)
            return calls

        calls = [await posts(), await posts()]

        def reception() -> Reception:
            mine = calls.pop()
            made[0].calls = mine.cancel_scope
            return Reception(desk, agent, mine, lambda: events.changed(verbs.EventKind.AGENT, "a"))

        line, at_work = OfficeLine(nursery, dialling=GERMANY), dict[str, AtWork]()
        board, watched = cast("Switchboard", Lines({"c": line})), watch(store)
        calling = Calling(watched, at_work, board, nursery, events.changed, Counts())
        roster = Roster(nursery, _works, lambda _: None)
        service = Campaigns(
            watched,
            calling,
            at_work,
            board,
            roster,
            events,
            wake_webhooks=lambda: woken.append(None),
            now=lambda: made[0].now(),  # noqa: PLW0108  # it is made below
        )
        verbs_ = CampaignVerbs(store, service, events), ParticipantVerbs(store, service), DoNotCallVerbs(store)
        made.append(CampaignBox(store, line, service, *verbs_, at_work, events, calling, brain, reception, woken))
        if running:
            made[0].start_agent()
        nursery.start_soon(service.run)
        yield made[0]
        nursery.cancel_scope.cancel()


def refused(answer: object) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer
