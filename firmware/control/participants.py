"""Verbs of participants, and of the lists that they come in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from app.control import campaigns as asked
from app.control import verbs, views
from app.control.refusals import Refusal, Why
from app.outbound.campaign import Campaign
from app.outbound.participants import Row, row
from app.settings import DialRules
from firmware.campaigns import Campaigns
from firmware.campaigns.ground import ground_of, number_of, zone_of
from firmware.control.refusing import missed, not_found
from firmware.storage import SqliteLedger, attempt_records, campaign_records, import_records, participant_records
from firmware.storage.import_records import ImportRecord, StagedRow
from firmware.storage.participant_records import Came, NewParticipant, ParticipantRecord
from firmware.storage.records import Db, miss, new_id

T = TypeVar("T")

_NO_LIST: Final = "list of participants"
LONGEST_PROBLEM: Final = 500
"""Characters: it names the campaign's fields, of which there may be many."""

_CLOSED = Refusal(
    why=Why.NOT_NOW,
    text="Nothing was done: this list was finished or dropped before. Begin a new one.",
)


class ParticipantVerbs:
    def __init__(self, store: SqliteLedger, service: Campaigns) -> None:
        self._store, self._service = store, service

    async def list_participants(self, ask: asked.ListParticipants) -> asked.Participants | Refusal:
        def read(db: Db) -> asked.Participants | Refusal:
            if campaign_records.read_campaign(db, ask.campaign_id) is None:
                return not_found("campaign")
            found = participant_records.find_participants(db, ask)
            items = tuple(asked.ParticipantView(**_fields(each)) for each in found[: ask.limit])
            return asked.Participants(items=items, after=items[-1].id if len(found) > ask.limit else None)

        return await self._store.transact(read)

    async def get_participant(self, ask: asked.GetParticipant) -> asked.ParticipantDetail | Refusal:
        return await self._store.transact(lambda db: _detail(db, ask.campaign_id, ask.id))

    async def create_participant(self, ask: asked.CreateParticipant) -> asked.ParticipantDetail | Refusal:
        def write(db: Db) -> asked.ParticipantDetail | Refusal:
            campaign = campaign_records.read_campaign(db, ask.campaign_id)
            if campaign is None:
                return not_found("campaign")
            settings = campaign.settings
            made = row(ask.values, settings.fields)
            if made.problems:
                return _unfit(made)
            number = number_of(settings, made.values, ground_of(db, settings).rules)
            if participant_records.find_by_number(db, campaign.id, number) is not None:
                return _known(settings)
            new = NewParticipant(made.values, number, zone_of(settings, made.values))
            return _detail(db, campaign.id, participant_records.insert_participant(db, campaign.id, new))

        return self._told(ask.campaign_id, await self._store.transact(write))

    async def update_participant(self, ask: asked.UpdateParticipant) -> asked.ParticipantDetail | Refusal:
        def write(db: Db) -> asked.ParticipantDetail | Refusal:
            campaign = campaign_records.read_campaign(db, ask.campaign_id)
            old = participant_records.read_participant(db, ask.campaign_id, ask.id)
            if why := miss(old.version if old else None, ask.if_version):
                return missed(why, "participant")
            if campaign is None or old is None:
                return not_found("participant")
            return _edit(db, campaign.settings, old, ask.values)

        return self._told(ask.campaign_id, await self._store.transact(write))

    async def delete_participant(self, ask: asked.GetParticipant) -> views.Nothing | Refusal:
        """A call that goes on is finished, and sessions stay."""
        gone = await self._store.make_room(
            lambda db: participant_records.delete_participant(db, ask.campaign_id, ask.id)
        )
        return self._told(ask.campaign_id, views.Nothing() if gone else not_found("participant"))

    # -- lists ---------------------------------------------------------------------------------------------------

    async def begin_import(self, ask: asked.BeginImport) -> asked.ImportView | Refusal:
        def write(db: Db) -> asked.ImportView | Refusal:
            if campaign_records.read_campaign(db, ask.campaign_id) is None:
                return not_found("campaign")
            import_id = new_id()
            import_records.insert_import(db, import_id, ask, datetime.now(UTC))
            return import_records.view(db, import_id) or not_found(_NO_LIST)

        return self._told(ask.campaign_id, await self._store.transact(write))

    async def list_imports(self, ask: asked.ListImports) -> asked.Imports | Refusal:
        def read(db: Db) -> asked.Imports | Refusal:
            if campaign_records.read_campaign(db, ask.campaign_id) is None:
                return not_found("campaign")
            return asked.Imports(items=import_records.views(db, ask.campaign_id))

        return await self._store.transact(read)

    async def get_import(self, ask: verbs.ById) -> asked.ImportView | Refusal:
        return await self._store.transact(lambda db: import_records.view(db, ask.id) or not_found(_NO_LIST))

    async def add_rows(self, ask: asked.AddRows) -> asked.ImportView | Refusal:
        def write(db: Db, record: ImportRecord) -> Refusal | None:
            campaign = campaign_records.read_campaign(db, record.campaign_id)
            if campaign is None:
                return not_found("campaign")
            rules = ground_of(db, campaign.settings).rules
            there = import_records.rows_staged(db, record.id, ask.first, len(ask.rows))
            numbered = enumerate(ask.rows, start=ask.first)
            unread = {each.row: each for each in ask.unread}
            staged = [
                _staged(campaign.settings, rules, number, each, unread.get(number))
                for number, each in numbered
                if number not in there
            ]
            import_records.stage(db, record, staged)
            return None

        if ask.first + len(ask.rows) - 1 > asked.MOST_ROWS:
            return _too_many()
        return await self._on_open(ask.id, write)

    async def finish_import(self, ask: verbs.ById) -> asked.ImportView | Refusal:
        def write(db: Db, record: ImportRecord) -> Refusal | None:
            if missing := import_records.missing(db, record):
                return _half(missing, record.expected)
            import_records.finish(db, record)
            return None

        return await self._on_open(ask.id, write)

    async def drop_import(self, ask: verbs.ById) -> views.Nothing | Refusal:
        def write(db: Db, record: ImportRecord) -> None:
            import_records.drop(db, record)

        dropped = await self._on_open(ask.id, write)
        return dropped if isinstance(dropped, Refusal) else views.Nothing()

    async def _on_open(
        self, import_id: str, work: Callable[[Db, ImportRecord], Refusal | None]
    ) -> asked.ImportView | Refusal:
        def write(db: Db) -> asked.ImportView | Refusal:
            record = import_records.read_import(db, import_id)
            if record is None:
                return not_found(_NO_LIST)
            if record.state != "open":
                return _CLOSED
            return work(db, record) or import_records.view(db, import_id) or not_found(_NO_LIST)

        answer = await self._store.transact(write)
        return self._told(answer.campaign_id, answer) if isinstance(answer, asked.ImportView) else answer

    def _told(self, campaign_id: str, answer: T) -> T:
        if not isinstance(answer, Refusal):
            self._service.changed(campaign_id)
            self._service.wake()
        return answer


def _edit(
    db: Db, settings: Campaign, old: ParticipantRecord, values: Mapping[str, str]
) -> asked.ParticipantDetail | Refusal:
    made = row(values, settings.fields, partial=True)
    if made.problems:
        return _unfit(made)
    merged = {**old.values, **made.values}
    number = number_of(settings, merged, ground_of(db, settings).rules)
    if participant_records.find_by_number(db, old.campaign_id, number) not in (None, old.id):
        return _known(settings)
    changed = tuple(name for name, value in made.values.items() if old.values.get(name, "") != value)
    participant_records.set_values(db, old.id, merged, number, zone_of(settings, merged))
    if changed and old.trigger is None:  # who was not looked at yet comes with all that is known
        participant_records.set_trigger(db, old.id, Came("participant updated", changed))
    return _detail(db, old.campaign_id, old.id)


def _detail(db: Db, campaign_id: str, participant_id: int) -> asked.ParticipantDetail | Refusal:
    found = participant_records.read_participant(db, campaign_id, participant_id)
    if found is None:
        return not_found("participant")
    communications = attempt_records.communications_of(db, participant_id)
    return asked.ParticipantDetail(**_fields(found), communications=communications)


def _fields(record: ParticipantRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "version": record.version,
        "campaign_id": record.campaign_id,
        "values": dict(record.values),
        "place": record.place,
        "step": record.step,
        "due_at": record.due_at,
        "status": record.status,
        "outcome": record.outcome,
        "outcome_text": record.outcome_text,
        "attempts": record.attempts,
        "results": dict(record.results),
    }


def _staged(
    settings: Campaign, rules: DialRules, number: int, values: Mapping[str, str], unread: asked.RowProblem | None
) -> StagedRow:
    if unread:
        return StagedRow(number, {}, "", "", {unread.field: unread.text})
    made = row(values, settings.fields, imported=True)
    problems = {each.name: each.text[:LONGEST_PROBLEM] for each in made.problems}
    zone = zone_of(settings, made.values)
    return StagedRow(number, made.values, number_of(settings, made.values, rules), zone, problems)


def _unfit(made: Row) -> Refusal:
    fields = {f"values.{each.name}": each.text for each in made.problems}
    first = made.problems[0]
    return Refusal(why=Why.INVALID, text=f"The participant was not saved: “{first.name}” {first.text}.", fields=fields)


def _known(settings: Campaign) -> Refusal:
    text = "is the number of another participant of this campaign: change that one, or give another number"
    return Refusal(
        why=Why.TAKEN,
        text=f"The participant was not saved: “{settings.number_field}” {text}.",
        fields={f"values.{settings.number_field}": text},
    )


def _half(missing: int, expected: int) -> Refusal:
    text = (
        f"Nobody was added: {missing} of the {expected} rows of the list did not arrive. Send the list again from its "
        "beginning; rows that arrived are not taken twice."
    )
    return Refusal(why=Why.NOT_NOW, text=text)


def _too_many() -> Refusal:
    text = f"a list may have at most {asked.MOST_ROWS} rows: split it"
    return Refusal(why=Why.INVALID, text=f"The rows were not taken: {text}.", fields={"first": text})
