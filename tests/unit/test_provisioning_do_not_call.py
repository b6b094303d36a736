"""The page of numbers that nobody calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.control import views
from app.control.campaigns import AddDoNotCall, Added, DoNotCall, DoNotCallEntry, ListDoNotCall
from app.control.refusals import Refusal, Why
from app.settings import Settings
from tests.unit.campaign_office import AT
from tests.unit.test_provisioning_pages import signed_in

pytestmark = pytest.mark.unit

PERSON = DoNotCallEntry(id=1, number="+44 20 7946 0123", note="=letter", source="person", session_id="", added_at=AT)
CALLER = DoNotCallEntry(id=2, number="<b>101</b>", note="", source="caller", session_id="s1", added_at=AT)
LIST: dict[str, list[Settings]] = {"list_do_not_call": [DoNotCall(items=(CALLER, PERSON), before=None, total=1234)]}


async def test_it_says_who_added_a_number(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = dict(LIST)
        text = (await client.get("/do-not-call?text=0123")).text
    assert "1,234 numbers" in text
    assert '<a href="/sessions/s1">asked in a call</a>' in text
    assert "a person" in text
    assert "&lt;b&gt;101&lt;/b&gt;" in text
    assert box.questions("list_do_not_call") == [ListDoNotCall(text="0123")]


async def test_many_are_pasted_at_once_and_sent_in_parts(tmp_path: Path) -> None:
    numbers = [f"+44 20 7946 {n:04}" for n in range(1500)]
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = LIST | {
            "add_do_not_call": [Added(added=500, known=0, bad=()), Added(added=990, known=10, bad=())]
        }
        form = {"csrf": csrf, "numbers": "\r\n".join(["", *numbers, " "]), "note": "asked by letter"}
        answer = await client.post("/do-not-call", data=form)
        shown = (await client.get("/do-not-call")).text
    assert answer.status_code == 303
    assert "1,490 numbers are added: no campaign calls them from now on. 10 stood there already." in shown
    asked = box.questions("add_do_not_call")
    assert [len(each.numbers) for each in asked if isinstance(each, AddDoNotCall)] == [1000, 500]


async def test_lines_that_are_none_are_shown_again_and_the_others_are_added(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = LIST | {"add_do_not_call": [Added(added=1, known=0, bad=(2,))]}
        numbers = f"{'1' * 201}\n101\nnobody\na\x07b"
        answer = await client.post("/do-not-call", data={"csrf": csrf, "numbers": numbers, "note": ""})
    assert answer.status_code == 422
    assert "1 number is added" in answer.text
    assert "3 lines are no number" in answer.text
    assert f">{'1' * 201}\nnobody\na\x07b</textarea>" in answer.text
    [asked] = box.questions("add_do_not_call")
    assert isinstance(asked, AddDoNotCall)
    assert asked.numbers == ("101", "nobody")


@pytest.mark.parametrize(("numbers", "told"), [("", "no number was given"), ("1\n" * 20_001, "more than 20,000 lines")])
async def test_nothing_and_far_too_much_are_told(tmp_path: Path, numbers: str, told: str) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = dict(LIST)
        answer = await client.post("/do-not-call", data={"csrf": csrf, "numbers": numbers, "note": ""})
    assert answer.status_code == 422
    assert told in answer.text
    assert box.questions("add_do_not_call") == []


async def test_a_full_disk_is_told_and_what_was_typed_stays(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = LIST | {"add_do_not_call": [Refusal(why=Why.NO_SPACE, text="The disk is full.")]}
        answer = await client.post("/do-not-call", data={"csrf": csrf, "numbers": "101", "note": "x"})
    assert "The disk is full." in answer.text
    assert ">101</textarea>" in answer.text


async def test_who_takes_a_number_off_is_asked(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = LIST | {"remove_do_not_call": [views.Nothing()]}
        asked = await client.post("/do-not-call/1/remove", data={"csrf": csrf})
        assert "Campaigns may call it again" in asked.text
        assert box.questions("remove_do_not_call") == []
        answer = await client.post("/do-not-call/1/remove", data={"csrf": csrf, "confirmed": "yes"})
        assert answer.headers["location"] == "/do-not-call"
        none = await client.post("/do-not-call/none/remove", data={"csrf": csrf, "confirmed": "yes"})
        assert none.status_code == 404


async def test_all_of_it_is_a_table_page_by_page(tmp_path: Path) -> None:
    first, last = (LIST["list_do_not_call"][0].model_copy(update={"before": before}) for before in (1, None))
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {"list_do_not_call": [last, first]}
        answer = await client.get("/do-not-call.csv")
    header, *rows = answer.text.splitlines()
    assert header == "\ufeffnumber,note,added by,added at,session"
    assert len(rows) == 4
    assert rows[1] == "'+44 20 7946 0123,'=letter,person,2026-11-26T12:00:00+00:00,"
