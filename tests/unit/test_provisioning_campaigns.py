"""The pages of campaigns: what they show, what they ask of the box, and what they say when it refuses."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from app.control import views
from app.control.campaigns import CampaignList, CreateCampaign, ListParticipants, Participants, UpdateCampaign
from app.control.refusals import Refusal, Why
from tests.unit.campaign_office import BUSY, LINE, SETTINGS, answers, campaign
from tests.unit.test_provisioning_pages import OVERTAKEN, hidden, signed_in
from tests.web.forms import Form, form_to

pytestmark = pytest.mark.unit

FORM = {"content-type": "application/x-www-form-urlencoded"}
PAGES = (
    "/campaigns",
    "/campaigns/new",
    "/campaigns/import",
    "/campaigns/c1",
    "/campaigns/c1/data",
    "/campaigns/c1/flow",
    "/campaigns/c1/flow/text",
    "/campaigns/c1/calling",
    "/campaigns/c1/lists",
    "/campaigns/c1/lists/i1",
    "/campaigns/c1/participants",
    "/campaigns/c1/participants/new",
    "/campaigns/c1/participants/7",
)


def sent(form: Form, csrf: str, **typed: str) -> str:
    """As a browser sends it."""
    return str(httpx.QueryParams(form.filled(csrf=csrf, **typed).fields))


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("state", ["inactive", "running"])
async def test_every_page_is_shown(tmp_path: Path, path: str, state: str) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = answers() | {"get_campaign": [campaign(state=state, progress=BUSY)]}
        answer = await client.get(path)
    assert answer.status_code == 200
    assert len(answer.content) < 60_000


async def test_a_problem_leads_to_where_it_is_mended(tmp_path: Path) -> None:
    problems = (
        {"where": "flow.steps.1.match", "text": "leads to a step that is not there"},
        {"where": "hours", "text": "nobody may ever be called"},
        {"where": "agent_id", "text": "the agent has no connection"},
        {"where": "flow", "text": "it has no beginning"},
        {"where": "flow.triggers.0.then", "text": "leads nowhere"},
    )
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = answers() | {"get_campaign": [campaign(problems=problems)]}
        text = (await client.get("/campaigns/c1")).text
        flow = (await client.get("/campaigns/c1/flow")).text
    for href, label in (
        ("/flow#s1", "Step “answered”"),
        ("/calling", "Calling"),
        ("/data", "Data"),
        ("/flow", "Flow"),
        ("/flow#t0", "Beginning 1"),
    ):
        assert f'<a href="/campaigns/c1{href}">{label}</a>' in text
    assert 'id="s1.match-error">leads to a step that is not there' in flow
    assert "is-wrong" in flow


LIFE = [("start", "start_campaign"), ("pause", "pause_campaign"), ("resume", "resume_campaign")]


@pytest.mark.parametrize(("action", "verb"), LIFE)
async def test_its_life_is_a_button(tmp_path: Path, action: str, verb: str) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers() | {verb: [campaign(state="running")]}
        answer = await client.post(f"/campaigns/c1/{action}", data={"csrf": csrf, "back": "/campaigns"})
    assert answer.headers["location"] == "/campaigns"
    assert len(box.questions(verb)) == 1


async def test_what_keeps_it_from_starting_is_told_on_its_page(tmp_path: Path) -> None:
    no = Refusal(why=Why.NOT_NOW, text="It cannot start yet.", fields={"flow": "it has no beginning"})
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers() | {"start_campaign": [no]}
        answer = await client.post("/campaigns/c1/start", data={"csrf": csrf})
    assert answer.status_code == 409
    assert "It cannot start yet." in answer.text
    assert "it has no beginning" in answer.text


@pytest.mark.parametrize(
    ("action", "verb", "told"),
    [
        ("stop", "stop_campaign", "22 participants are not finished"),
        ("delete", "delete_campaign", "40 participants are in it"),
    ],
)
async def test_who_would_lose_something_is_asked(tmp_path: Path, action: str, verb: str, told: str) -> None:
    path = f"/campaigns/c1/{action}"
    async with signed_in(tmp_path) as (client, box, csrf):
        done = views.Nothing() if action == "delete" else campaign(state="stopped")
        box.answers = answers() | {"get_campaign": [campaign(state="running", progress=BUSY)], verb: [done]}
        asked = await client.post(path, data={"csrf": csrf})
        assert told in asked.text
        assert box.questions(verb) == []
        assert (await client.post(path, data={"csrf": csrf, "confirmed": "yes"})).status_code == 303
    assert len(box.questions(verb)) == 1


async def test_a_copy_has_a_name_of_its_own(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        taken = LINE.model_copy(update={"name": "reminders (copy)"})
        box.answers = answers() | {"list_campaigns": [CampaignList(items=(LINE, taken))]}
        box.answers["create_campaign"] = [campaign()]
        assert (await client.post("/campaigns/c1/copy", data={"csrf": csrf})).status_code == 303
    [asked] = box.questions("create_campaign")
    assert isinstance(asked, CreateCampaign)
    assert asked.settings == SETTINGS.model_copy(update={"name": "Reminders (copy 2)"})


@pytest.mark.parametrize("page", ["data", "calling", "flow"])
async def test_a_form_that_is_sent_as_it_came_changes_nothing(tmp_path: Path, page: str) -> None:
    path = f"/campaigns/c1/{page}"
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers() | {"update_campaign": [campaign(version=4)]}
        form = form_to((await client.get(path)).text, path)
        answer = await client.post(path, content=sent(form, csrf), headers=FORM)
    assert answer.status_code == 303, answer.text
    [asked] = box.questions("update_campaign")
    assert isinstance(asked, UpdateCampaign)
    assert asked.if_version == 3
    assert asked.settings == SETTINGS


@pytest.mark.parametrize("page", ["data", "calling", "flow", "flow/text"])
async def test_the_later_of_two_tabs_is_told_and_can_save_then(tmp_path: Path, page: str) -> None:
    path = f"/campaigns/c1/{page}"
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers() | {"update_campaign": [OVERTAKEN], "get_campaign": [campaign(version=9)]}
        form = form_to((await client.get(path)).text, path)
        told = await client.post(path, content=sent(form, csrf, version="3"), headers=FORM)
    assert told.status_code == 409
    assert OVERTAKEN.text in told.text
    assert hidden(told.text, "version") == "9"


async def test_a_flow_that_runs_is_read_and_not_changed(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers() | {"get_campaign": [campaign(state="running")]}
        text = (await client.get("/campaigns/c1/flow")).text
        assert "The flow cannot be changed while the campaign runs or pauses" in text
        assert 'name="s0.id"' not in text
        for path in ("flow", "flow/text"):
            form = {"csrf": csrf, "version": "3", "text": "steps: []"}
            assert (await client.post(f"/campaigns/c1/{path}", data=form)).status_code == 409
    assert box.questions("update_campaign") == []


async def test_buttons_of_the_flow_show_it_changed_and_save_nothing(tmp_path: Path) -> None:
    path = "/campaigns/c1/flow"
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers()
        form = form_to((await client.get(path)).text, path)
        typed = dict(form.fields) | {"csrf": csrf, "change": "add step", "kind": "webhook", "after": "note"}
        answer = await client.post(path, data=typed)
    assert answer.status_code == 200
    assert "This is not saved yet." in answer.text
    assert 'id="s3.id" name="s3.id" type="text" value="webhook"' in answer.text
    assert box.questions("update_campaign") == []


async def test_mistakes_in_the_text_of_a_flow_have_their_lines_and_the_text_stays(tmp_path: Path) -> None:
    text = "steps:\n- id: call\n  do: call\n  ring_s: 4\n  then: <end>\n"
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers()
        answer = await client.post("/campaigns/c1/flow/text", data={"csrf": csrf, "version": "3", "text": text})
    assert answer.status_code == 422
    assert "<strong>Line 4</strong>: “ring_s”: must be 5 or more." in answer.text
    assert "<strong>Line 5</strong>: “then”" in answer.text
    assert "then: &lt;end&gt;" in answer.text
    assert box.questions("update_campaign") == []


async def test_an_exported_campaign_comes_back_under_another_name(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers() | {"create_campaign": [campaign()]}
        exported = await client.get("/campaigns/c1/export")
        assert exported.headers["content-disposition"] == 'attachment; filename="reminders.yaml"'
        form = {"csrf": csrf, "name": "Spring reminders"}
        answer = await client.post("/campaigns/import", data=form, files={"picked": ("x.yaml", exported.content)})
    assert answer.status_code == 303, answer.text
    [asked] = box.questions("create_campaign")
    assert isinstance(asked, CreateCampaign)
    assert asked.settings == SETTINGS.model_copy(update={"name": "Spring reminders"})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "There is nothing in it."),
        ("- a", "This is no campaign"),
        ("name: x\nagent: Nobody", "<strong>Line 2</strong>: This box has no agent of that name."),
        ("name: x\nagent: reception\nat_once: 99", "<strong>Line 3</strong>: “at_once”: must be 16 or less."),
        ("name: x\nagent: reception\ncolour: red", "<strong>Line 3</strong>: “colour”: is not known here."),
    ],
)
async def test_a_text_that_is_no_campaign_is_told_why(tmp_path: Path, text: str, told: str) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers()
        answer = await client.post("/campaigns/import", data={"csrf": csrf, "text": text})
    assert answer.status_code == 422
    assert told in answer.text
    assert box.questions("create_campaign") == []


async def test_results_are_a_table_of_all_participants_page_by_page(tmp_path: Path) -> None:
    first, last = answers()["list_participants"][0], answers()["list_participants"][0]
    assert isinstance(first, Participants)
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = answers() | {"list_participants": [last, first.model_copy(update={"after": 7})]}
        answer = await client.get("/campaigns/c1/results.csv?separator=semicolon")
    header, *rows = answer.text.splitlines()
    assert header.startswith("\ufeffnumber;name;zone;confirmed;id;place;status;outcome;")
    assert len(rows) == 2
    assert rows[0].startswith("'+44 20 7946 0123;'=Ada;;;7;waiting;Started;busy;The line was engaged.;1;")
    assert rows[0].endswith(';"answer: yes; mood: good"')
    assert [asked.model_dump()["after"] for asked in box.questions("list_participants")] == [None, 7]


async def test_results_that_were_cut_off_say_so(tmp_path: Path) -> None:
    first = answers()["list_participants"][0]
    away = Refusal(why=Why.BOX_FAULT, text="away")
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = answers() | {"list_participants": [away, first.model_copy(update={"after": 7})]}
        answer = await client.get("/campaigns/c1/results.csv")
    assert "This file is not complete" in answer.text.splitlines()[-1]


async def test_a_participant_that_was_typed_wrongly_stays_as_typed(tmp_path: Path) -> None:
    wrong = Refusal(why=Why.INVALID, text="Not saved.", fields={"values.number": "must be a number"})
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers() | {"create_participant": [wrong], "update_participant": [wrong]}
        for path in ("new", "7"):
            form = {"csrf": csrf, "version": "2", "value.number": "nobody's", "value.name": "Ada"}
            answer = await client.post(f"/campaigns/c1/participants/{path}", data=form)
            assert answer.status_code == 422
            assert 'id="value.number-error">must be a number' in answer.text
            assert 'value="nobody&#39;s"' in answer.text


async def test_a_participant_leads_to_the_sessions_of_their_calls(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = answers()
        text = (await client.get("/campaigns/c1/participants/7")).text
    assert 'href="/sessions/s1"' in text
    assert "The line was engaged." in text


async def test_participants_are_asked_for_page_by_page_with_the_filters(tmp_path: Path) -> None:
    first = answers()["list_participants"][0]
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = answers() | {"list_participants": [first.model_copy(update={"after": 7})]}
        text = (await client.get("/campaigns/c1/participants?text=a%26b&status=Completed&after=3")).text
        assert "/campaigns/c1/participants?text=a%26b&amp;status=Completed&amp;after=7" in text
        assert (await client.get("/campaigns/c1/participants?place=nowhere")).status_code == 422
        assert (await client.get("/campaigns/c1/participants/none")).status_code == 404
    asked = box.questions("list_participants")[0]
    assert isinstance(asked, ListParticipants)
    assert (asked.text, asked.status, asked.after) == ("a&b", "Completed", 3)
