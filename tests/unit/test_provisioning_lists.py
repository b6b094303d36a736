"""A list from the browser to the phone process: looked at, mapped, sent in parts, whatever happens on the way."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
import trio
import trio.testing

from app.control.campaigns import AddRows, Imports
from app.control.refusals import Refusal, Why
from app.control.verbs import VERBS
from provisioning.client import A
from provisioning.life import Life
from provisioning.list_sending import Sender
from provisioning.shelf import Kept, Shelf
from provisioning.slate import Slate
from provisioning.web.csv_reading import Table, table
from provisioning.web.lists import guessed
from tests.patience import PATIENCE_S
from tests.unit.campaign_office import SETTINGS, answers, campaign, listed
from tests.unit.test_provisioning_pages import CannedBox, signed_in

pytestmark = pytest.mark.unit

UPLOAD = "/campaigns/c1/lists"
CSV = b"Phone;Full name;City\n+44 20 7946 0101;Ada;London\n102;Ben;a;b\n103;Cyd;Hull\n"


async def _sent(client: httpx.AsyncClient, csrf: str, data: bytes, name: str = "list.csv") -> httpx.Response:
    return await client.post(UPLOAD, data={"csrf": csrf}, files={"list": (name, data)})


async def test_what_was_read_is_shown_and_columns_are_guessed(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers()
        answer = await _sent(client, csrf, CSV, "Zoë's <list>.csv")
        assert answer.status_code == 303
        text = (await client.get(answer.headers["location"])).text
    assert "3 rows, UTF-8, separated by semicolon" in text
    assert "Zoë&#39;s &lt;list&gt;.csv" in text
    assert "<td>+44 20 7946 0101</td><td>Ada</td><td>London</td>" in text
    assert "Row 2 has 4 columns instead of 3" in text
    assert re.search(r'name="column.number".*?<option value="0" selected>Phone', text, re.DOTALL)
    assert re.search(r'name="column.name".*?<option value="1" selected>Full name', text, re.DOTALL)
    assert 'name="column.confirmed"' not in text, "lists do not bring it"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04", "not CSV"),
        (b'number\n"1', "Line 2: a quotation mark is opened and never closed."),
        (b"number\n" + b"101\n" * 100_001, "more than 100,000 rows"),
    ],
)
async def test_a_file_that_cannot_be_read_is_told_on_the_page(tmp_path: Path, data: bytes, told: str) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers()
        answer = await _sent(client, csrf, data)
    assert answer.status_code == 422
    assert told in answer.text
    assert box.questions("begin_import") == []


async def test_no_file_is_told(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers()
        answer = await client.post(UPLOAD, data={"csrf": csrf}, files={"list": ("", b"")})
    assert answer.status_code == 422
    assert "no file was chosen" in answer.text


async def test_a_file_of_any_size_is_read_to_its_end_and_refused(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers()
        answer = await _sent(client, csrf, b"number,name\n" + b"101,Ada\n" * 4_000_000)
    assert answer.status_code == 413
    assert "larger than 16 MB" in answer.text
    assert "100,000 rows" in answer.text


async def test_a_column_for_the_number_must_be_chosen(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers()
        where = (await _sent(client, csrf, b"a,b\n1,2\n")).headers["location"]
        answer = await client.post(where, data={"csrf": csrf, "column.name": "1", "known": "skip"})
    assert answer.status_code == 422
    assert "Choose the column for this field." in answer.text
    assert re.search(r'name="column.name".*?<option value="1" selected>b', answer.text, re.DOTALL), (
        "what was chosen stays"
    )
    assert box.questions("begin_import") == []


class TakingBox(CannedBox):
    """Takes lists as the box does: rows that come twice once. `trouble`: what it answers first."""

    def __init__(self, socket: Path, *trouble: Refusal) -> None:
        super().__init__(socket)
        self.rows: list[dict[str, str]] = []
        self.unread: list[int] = []
        self.trouble = list(trouble)
        self.sizes: list[int] = []
        self.has_taken = trio.Event()

    async def ask(self, verb: str, answer: type[A], **question: object) -> A | Refusal:
        await trio.lowlevel.checkpoint()
        asked = VERBS[verb].asks.model_validate(question)
        if isinstance(asked, AddRows):
            if self.trouble:
                return self.trouble.pop(0)
            self.sizes.append(len(asked.model_dump_json()))
            self.rows += asked.rows[len(self.rows) + 1 - asked.first :]
            self.unread += [each.row for each in asked.unread]
            self.has_taken.set()
        given = listed(rows=len(self.rows), expected=0)
        assert isinstance(given, answer)
        return given


class Office:
    """A worker's part of sending, and what it needs."""

    def __init__(self, folder: Path, *trouble: Refusal) -> None:
        self.shelf, self.life = Shelf.fresh(Slate.fresh()), Life()
        self.box = TakingBox(folder / "nobody.sock", *trouble)
        self.sender = Sender(self.box, self.shelf, self.life)

    def put(self, data: bytes, now: float = 0.0) -> Kept:
        found = table(data)
        assert isinstance(found, Table)
        names = ("encoding", "separator", "header", "row_count", "fault_count")
        about = {"campaign_id": "c1", "file_name": "list.csv"} | {name: getattr(found, name) for name in names}
        kept = self.shelf.put(data, about, now)
        assert kept is not None
        return kept

    async def sent(self, data: bytes) -> Kept:
        """Until nothing more of it is sent."""
        kept = self.put(data)
        async with trio.open_nursery() as working:
            working.start_soon(self.sender.send)
            self.sender.order(kept, "i1", {"number": 0, "name": 1})
            await self.sender.ended(kept.id)
            working.cancel_scope.cancel()
        return kept


async def test_a_list_is_sent_in_parts_and_forgotten(tmp_path: Path) -> None:
    office = Office(tmp_path)
    kept = await office.sent(b"number,name\n" + b"".join(b"%d,N\n" % n for n in range(1, 1202)))
    assert [row["number"] for row in office.box.rows] == [str(n) for n in range(1, 1202)]
    assert len(office.box.sizes) == 3
    assert office.shelf.all() == ()
    assert office.shelf.data(kept.id) == b""


async def test_rows_that_cannot_be_read_keep_their_place(tmp_path: Path) -> None:
    office = Office(tmp_path)
    await office.sent(b"number,name\n1,a\n2,b,c\n3,d\n")
    assert office.box.rows == [{"number": "1", "name": "a"}, {}, {"number": "3", "name": "d"}]
    assert office.box.unread == [2]


async def test_a_part_fits_through_the_control_socket_however_long_the_cells_are(tmp_path: Path) -> None:
    office = Office(tmp_path)
    await office.sent(b"number,name\n" + ("x" * 400 + "," + "é" * 500 + "\n").encode() * 2000)
    assert len(office.box.rows) == 2000
    assert max(office.box.sizes) < 4_000_000


async def test_while_the_box_is_away_it_waits_and_loses_nothing(tmp_path: Path, autojump_clock: object) -> None:
    away = Refusal(why=Why.BOX_FAULT, text="It does not answer.")
    office = Office(tmp_path, away, away, away)
    await office.sent(b"number,name\n1,a\n")
    assert office.box.rows == [{"number": "1", "name": "a"}]


async def test_what_the_box_does_not_take_is_told_and_not_tried_for_ever(tmp_path: Path) -> None:
    office = Office(tmp_path, Refusal(why=Why.NO_SPACE, text="The disk is full."))
    kept = await office.sent(b"number,name\n1,a\n")
    found = office.shelf.of_import("i1")
    assert found is not None
    assert (found.id, found.trouble) == (kept.id, "The disk is full.")


async def test_the_next_worker_goes_on_where_this_one_stopped(tmp_path: Path) -> None:
    office = Office(tmp_path)
    kept = office.put(b"number,name\n" + b"".join(b"%d,N\n" % n for n in range(1, 5001)))
    async with trio.open_nursery() as working:
        working.start_soon(office.sender.send)
        office.sender.order(kept, "i1", {"number": 0, "name": 1})
        await office.box.has_taken.wait()
        office.life.leaving.set()
        await office.sender.ended(kept.id)
        working.cancel_scope.cancel()
    assert 0 < len(office.box.rows) < 5000
    after = Sender(office.box, office.shelf, Life())
    async with trio.open_nursery() as working:
        working.start_soon(after.send)
        with trio.fail_after(PATIENCE_S):
            while office.shelf.all():  # noqa: ASYNC110 - nobody waits for what the worker before has ordered
                await trio.sleep(0.01)
        working.cancel_scope.cancel()
    assert [row["number"] for row in office.box.rows] == [str(n) for n in range(1, 5001)]


async def test_a_list_that_a_leaving_worker_took_on_is_sent_by_the_next(tmp_path: Path, autojump_clock: object) -> None:
    office = Office(tmp_path)
    leaving = Sender(office.box, office.shelf, Life())
    async with trio.open_nursery() as working:
        working.start_soon(office.sender.send)
        await trio.testing.wait_all_tasks_blocked()
        leaving.order(office.put(b"number,name\n1,a\n"), "i1", {"number": 0, "name": 1})
        await office.box.has_taken.wait()
        working.cancel_scope.cancel()
    assert office.box.rows == [{"number": "1", "name": "a"}]


def test_the_shelf_forgets_what_is_only_looked_at_first(tmp_path: Path) -> None:
    office = Office(tmp_path)
    data = b"number\n1\n"
    first, second, third = (office.put(data, now) for now in (1.0, 2.0, 3.0))
    office.shelf.change(first.id, state="on its way", import_id="i1")
    office.put(data, 4.0)
    assert office.shelf.find(second.id) is None
    assert office.shelf.find(first.id) is not None
    for kept in office.shelf.all():
        office.shelf.change(kept.id, state="on its way")
    assert office.shelf.put(data, third.model_dump(include=_ABOUT), 5.0) is None


_ABOUT = {"campaign_id", "file_name", "encoding", "separator", "header", "row_count", "fault_count"}


def test_a_column_is_guessed_once_and_by_its_whole_name_first() -> None:
    assert guessed(SETTINGS, ("Zone", "Telephone", "Last name", "name", "confirmed")) == {
        "zone": 0,
        "number": 1,
        "name": 3,
    }
    assert guessed(SETTINGS, ("Mobile", "Phone number")) == {"number": 1}
    assert guessed(SETTINGS, ("a", "", "b")) == {}


@pytest.mark.parametrize(
    ("changes", "told", "untold"),
    [
        ({"rows": 2}, "Only 2 of 3 rows arrived", "Take over"),
        ({"good": 0}, "There is nobody in it to take over.", "Take over 0"),
        ({"state": "finished"}, "To the participants", "Take over 2"),
        ({"state": "dropped"}, "Dropped", "Take over 2"),
    ],
)
async def test_a_list_says_how_far_it_is(tmp_path: Path, changes: dict[str, object], told: str, untold: str) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = answers() | {"get_import": [listed(**changes)]}
        text = (await client.get(f"{UPLOAD}/i1")).text
    assert told in text
    assert untold not in text


async def test_its_errors_are_a_table_without_formulas(tmp_path: Path) -> None:
    wrong = ({"row": 2, "field": "name", "text": "=cmd|' /C calc'!A0"},)
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = answers() | {"get_import": [listed(problems=wrong)]}
        answer = await client.get(f"{UPLOAD}/i1/errors.csv")
    assert answer.text == "\ufeffrow,field,what is wrong\r\n2,name,'=cmd|' /C calc'!A0\r\n"


async def test_a_list_of_another_campaign_or_of_yesterday_is_not_there(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers()
        where = (await _sent(client, csrf, CSV)).headers["location"]
        for path in (where.replace("c1", "c2"), f"{UPLOAD}/new/nothing"):
            told = await client.get(path)
            assert told.status_code == 404
            assert "Choose the file again." in told.text


async def test_a_list_that_is_sent_twice_leads_to_the_lists(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers()
        answer = await client.post(f"{UPLOAD}/new/nothing", data={"csrf": csrf})
        assert answer.headers["location"] == UPLOAD
        assert "If you sent it before, it stands below" in (await client.get(UPLOAD)).text


async def test_a_running_campaign_takes_lists_too(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = answers() | {"get_campaign": [campaign(state="running")], "list_imports": [Imports(items=())]}
        assert (await _sent(client, csrf, CSV)).status_code == 303
