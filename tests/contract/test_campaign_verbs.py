"""What is asked of campaigns, participants, lists and the do-not-call list, on a real database."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from app.control import campaigns as asked
from app.control import verbs, views
from app.control.refusals import Refusal, Why
from firmware.storage import records
from tests.contract.campaign_box import CampaignBox, box, refused

pytestmark = pytest.mark.contract


async def edited(b: CampaignBox, seen: asked.CampaignView, **changes: object) -> asked.CampaignView | Refusal:
    settings = seen.settings.model_dump() | changes
    ask = {"id": seen.id, "if_version": seen.version, "settings": settings}
    return await b.campaigns.update_campaign(asked.UpdateCampaign.model_validate(ask))


async def begun(b: CampaignBox, campaign_id: str, **asked_for: object) -> asked.ImportView:
    ask = {"campaign_id": campaign_id, "file_name": "customers.csv"} | asked_for
    made = await b.participants.begin_import(asked.BeginImport.model_validate(ask))
    assert isinstance(made, asked.ImportView)
    return made


async def sent(b: CampaignBox, import_id: str, first: int, *rows: dict[str, str], **more: object) -> asked.ImportView:
    ask = {"id": import_id, "first": first, "rows": rows} | more
    view = await b.participants.add_rows(asked.AddRows.model_validate(ask))
    assert isinstance(view, asked.ImportView), view
    return view


# -- campaigns -----------------------------------------------------------------------------------------------------


async def test_the_later_of_two_tabs_is_told_and_a_name_is_given_once(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.campaign()
        assert (made.version, made.state, made.problems) == (1, "inactive", ())
        assert isinstance(await edited(b, made, description="first"), asked.CampaignView)
        assert refused(await edited(b, made, description="second")).why is Why.CHANGED_MEANWHILE
        again = asked.CreateCampaign.model_validate({"settings": {"name": "DUNNING", "agent_id": "a"}})
        assert refused(await b.campaigns.create_campaign(again)).why is Why.TAKEN


async def test_while_it_runs_only_what_counts_at_once_may_change(tmp_path: Path) -> None:
    async with box(tmp_path, running=False) as b:
        seen = await b.running("0301234567")
        refusal = refused(await edited(b, seen, fields=[{"name": "number", "type": "phone"}]))
        assert refusal.why is Why.NOT_NOW
        assert refusal.fields.keys() == {"settings.fields"}
        changed = await edited(b, seen, hours=[{"days": ["monday"]}], at_once=2, seats_for_inbound=0)
        assert isinstance(changed, asked.CampaignView)
        assert (changed.version, changed.state, changed.settings.at_once) == (2, "running", 2)


async def test_the_field_that_is_called_stays_while_there_are_participants(tmp_path: Path) -> None:
    fields = [{"name": "number", "type": "phone"}, {"name": "mobile", "type": "phone"}]
    async with box(tmp_path) as b:
        seen = await b.campaign(fields=fields)
        assert isinstance(changed := await edited(b, seen, number_field="mobile"), asked.CampaignView)
        await b.add(seen.id, mobile="0301234567")
        assert refused(await edited(b, changed, number_field="number")).fields.keys() == {"settings.number_field"}


async def test_everybodys_clock_is_read_from_another_field(tmp_path: Path) -> None:
    fields = [{"name": "number", "type": "phone"}, {"name": "home"}, {"name": "zone", "type": "time zone"}]
    async with box(tmp_path) as b:
        seen = await b.campaign(fields=fields)
        await b.add(seen.id, number="0301234567", home="Asia/Tokyo", zone="Europe/Berlin")
        await b.add(seen.id, number="0307654321", home="at the sea", zone="")
        asked_for = "SELECT zone FROM participants ORDER BY id"
        for zone_field, kind, zones in (
            ("zone", "text", ["Europe/Berlin", ""]),
            ("home", "time zone", ["Asia/Tokyo", ""]),
            ("", "text", ["", ""]),
        ):
            fields[1] = {"name": "home", "type": kind}
            changed = await edited(b, seen, fields=fields, time_zone_field=zone_field)
            assert isinstance(changed, asked.CampaignView), changed
            seen = changed
            found = await b.store.transact(partial(records.rows, statement=asked_for))
            assert [row["zone"] for row in found] == zones


async def test_what_cannot_work_is_not_started(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.campaign(agent_id="gone", hours=[])
        assert {each.where for each in made.problems} == {"agent_id", "hours"}
        refusal = refused(await b.campaigns.start_campaign(verbs.ById(id=made.id)))
        assert refusal.why is Why.INVALID
        assert refusal.fields.keys() == {"agent_id", "hours"}
        checked = await b.campaigns.check_campaign(asked.CheckCampaign(settings=made.settings))
        assert checked.items == made.problems


@pytest.mark.parametrize("verb", ["pause_campaign", "resume_campaign", "stop_campaign"])
async def test_what_does_not_run_is_not_paused_or_stopped(tmp_path: Path, verb: str) -> None:
    async with box(tmp_path) as b:
        made = await b.campaign()
        assert refused(await getattr(b.campaigns, verb)(verbs.ById(id=made.id))).why is Why.NOT_NOW
        assert refused(await getattr(b.campaigns, verb)(verbs.ById(id="none"))).why is Why.NOT_FOUND


async def test_a_campaign_that_runs_is_deleted_with_a_confirmation_and_all_that_is_its(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.running("0301234567")
        (await b.phone()).refuse(404)
        await b.are_at(made.id, "done")
        await b.add(made.id, number="0307654321")
        await b.phone(2)
        await begun(b, made.id)
        assert refused(await b.campaigns.delete_campaign(verbs.Delete(id=made.id))).why is Why.IN_USE
        assert await b.campaigns.delete_campaign(verbs.Delete(id=made.id, confirmed=True)) == views.Nothing()
        for table in ("campaigns", "participants", "communications", "attempts", "imports"):
            assert await b.store.transact(partial(records.rows, statement=f"SELECT * FROM {table}")) == []  # noqa: S608
        await b.answered(2)

        async def is_over() -> bool:
            return {each.outcome for each in await b.store.sessions()} == {"answered", "unreachable"}

        await b.until(is_over)


async def test_the_list_tells_how_far_each_came(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.running("0301234567", "0307654321")
        await b.phone()
        [line] = (await b.campaigns.list_campaigns(verbs.Empty())).items
        assert (line.id, line.agent, line.state, line.participants, line.done, line.calls_now) == (
            made.id, "Reception", "running", 2, 0, 1)  # fmt: skip


# -- participants --------------------------------------------------------------------------------------------------


async def test_participants_are_paged_and_found(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.campaign()
        ids = [(await b.add(made.id, number=f"03011111{number:02}", name=f"Zoë {number}%")).id for number in range(7)]
        pages, after = [], None
        while True:
            ask = asked.ListParticipants(campaign_id=made.id, limit=3, after=after)
            page = await b.participants.list_participants(ask)
            assert isinstance(page, asked.Participants)
            pages.append([each.id for each in page.items])
            after = page.after
            if after is None:
                break
        assert pages == [ids[:3], ids[3:6], ids[6:]]
        assert [each.id for each in await b.everybody(made.id, text="ë 3%")] == [ids[3]]
        assert await b.everybody(made.id, text="number") == (), "a field's name is nobody's value"
        assert len(await b.everybody(made.id, place="ready")) == 7
        assert await b.everybody(made.id, place="done", status="Completed") == ()


async def test_values_fit_their_fields_and_a_number_is_there_once(tmp_path: Path) -> None:
    fields = [
        {"name": "number", "type": "phone", "required": True},
        {"name": "due", "type": "date"},
    ]
    async with box(tmp_path) as b:
        made = await b.campaign(fields=fields)
        one = await b.add(made.id, number="030/1234567", due="31.12.2026")
        assert one.values == {"number": "030/1234567", "due": "2026-12-31"}
        for values, why, names in (
            ({"due": "soon"}, Why.INVALID, {"values.number", "values.due"}),
            ({"number": "1", "colour": "red"}, Why.INVALID, {"values.colour"}),
            ({"number": "+49 30 1234567"}, Why.TAKEN, {"values.number"}),
        ):
            ask = asked.CreateParticipant(campaign_id=made.id, values=values)
            refusal = refused(await b.participants.create_participant(ask))
            assert (refusal.why, set(refusal.fields)) == (why, names)
        other = await b.add(made.id, number="0307654321")
        edit = {"campaign_id": made.id, "id": other.id, "if_version": 1, "values": {"number": "0049301234567"}}
        refusal = refused(await b.participants.update_participant(asked.UpdateParticipant.model_validate(edit)))
        assert refusal.why is Why.TAKEN
        edit["values"] = {"due": "2027-01-31"}
        done = await b.participants.update_participant(asked.UpdateParticipant.model_validate(edit))
        assert isinstance(done, asked.ParticipantDetail)
        assert (done.values, done.version) == ({"number": "0307654321", "due": "2027-01-31"}, 2)
        refusal = refused(await b.participants.update_participant(asked.UpdateParticipant.model_validate(edit)))
        assert refusal.why is Why.CHANGED_MEANWHILE
        gone = asked.GetParticipant(campaign_id=made.id, id=other.id)
        assert await b.participants.delete_participant(gone) == views.Nothing()
        assert refused(await b.participants.delete_participant(gone)).why is Why.NOT_FOUND


# -- lists -----------------------------------------------------------------------------------------------------------


async def test_a_list_comes_in_parts_and_is_taken_whole(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.campaign()
        await b.add(made.id, number="0300000001", name="was there")
        opened = await begun(b, made.id)
        rows = [{"number": f"030000000{number}", "name": f"row {number}"} for number in range(5)]
        await sent(b, opened.id, 1, *rows)
        twice = await sent(b, opened.id, 3, *rows[2:], {"number": "+49300000000", "name": "again"}, {"name": "none"})
        assert (twice.rows, twice.good, twice.updated, twice.skipped, twice.bad) == (7, 4, 0, 2, 1)
        assert twice.problems == (asked.RowProblem(row=7, field="number", text="is required and must not be empty"),)
        assert len(await b.everybody(made.id)) == 1
        done = await b.participants.finish_import(verbs.ById(id=opened.id))
        assert isinstance(done, asked.ImportView)
        assert (done.state, done.rows, done.good, done.problems) == ("finished", 7, 4, twice.problems)
        names = [each.values["name"] for each in await b.everybody(made.id)]
        assert names == ["was there", "row 0", "row 2", "row 3", "row 4"]
        assert refused(await b.participants.finish_import(verbs.ById(id=opened.id))).why is Why.NOT_NOW
        assert (await b.participants.list_imports(asked.ListImports(campaign_id=made.id))) == asked.Imports(
            items=(done,)
        )


async def test_known_participants_are_updated_where_that_is_wanted(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.campaign()
        old = await b.add(made.id, number="0300000001", name="old")
        opened = await begun(b, made.id, known="update")
        await sent(b, opened.id, 1, {"number": "+49300000001", "name": "new"}, {"number": "0300000002"})
        await b.participants.finish_import(verbs.ById(id=opened.id))
        first, second = await b.everybody(made.id)
        assert (first.id, first.version, first.values) == (old.id, 2, {"number": "+49300000001", "name": "new"})
        assert second.values == {"number": "0300000002"}


async def test_half_a_list_is_not_taken_and_what_could_not_be_read_is_bad(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.campaign()
        opened = await begun(b, made.id, expected=3)
        unread = [{"row": 2, "field": "", "text": "a quote is not closed"}]
        await sent(b, opened.id, 1, {"number": "0300000001"}, {}, unread=unread)
        refusal = refused(await b.participants.finish_import(verbs.ById(id=opened.id)))
        assert (refusal.why, "1 of the 3 rows" in refusal.text) == (Why.NOT_NOW, True)
        view = await sent(b, opened.id, 3, {"number": "0300000003"})
        assert (view.good, view.bad, view.problems[0].text) == (2, 1, "a quote is not closed")
        assert isinstance(await b.participants.finish_import(verbs.ById(id=opened.id)), asked.ImportView)
        assert len(await b.everybody(made.id)) == 2


async def test_a_list_that_is_dropped_leaves_nothing(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.campaign()
        opened = await begun(b, made.id)
        await sent(b, opened.id, 1, {"number": "0300000001"})
        assert await b.participants.drop_import(verbs.ById(id=opened.id)) == views.Nothing()
        assert await b.everybody(made.id) == ()
        assert await b.store.transact(lambda db: records.rows(db, "SELECT * FROM import_rows")) == []
        too_far = asked.AddRows(id=opened.id, first=asked.MOST_ROWS, rows=({}, {}))
        assert refused(await b.participants.add_rows(too_far)).why is Why.INVALID


async def test_who_came_by_another_way_meanwhile_is_not_there_twice(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        made = await b.campaign()
        opened = await begun(b, made.id)
        await sent(b, opened.id, 1, {"number": "0300000001", "name": "list"})
        await b.add(made.id, number="+49 30 0000001", name="page")
        await b.participants.finish_import(verbs.ById(id=opened.id))
        assert [each.values["name"] for each in await b.everybody(made.id)] == ["page"]


# -- who must not be called ------------------------------------------------------------------------------------------


async def test_the_do_not_call_list_is_paged_searched_and_shortened(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        numbers = tuple(f"030 11111{number:02}" for number in range(5))
        await b.do_not_call.add_do_not_call(asked.AddDoNotCall(numbers=numbers, note="asked in May"))
        first = await b.do_not_call.list_do_not_call(asked.ListDoNotCall(limit=3))
        assert ([each.number for each in first.items], first.total) == (list(numbers[:1:-1]), 5)
        rest = await b.do_not_call.list_do_not_call(asked.ListDoNotCall(limit=3, before=first.before))
        assert ([each.number for each in rest.items], rest.before) == (list(numbers[1::-1]), None)
        for text in ("+49 30 1111103", "in May", "1111103"):
            found = await b.do_not_call.list_do_not_call(asked.ListDoNotCall(text=text))
            assert numbers[3] in [each.number for each in found.items]
        gone = asked.ByNumber(id=first.items[0].id)
        assert await b.do_not_call.remove_do_not_call(gone) == views.Nothing()
        assert refused(await b.do_not_call.remove_do_not_call(gone)).why is Why.NOT_FOUND
