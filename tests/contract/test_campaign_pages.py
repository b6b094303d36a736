"""The pages of campaigns in front of the box's real verbs and its real database."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
import trio

from app.control import views
from app.control.refusals import Refusal
from app.control.verbs import VERBS
from app.settings import Account, Agent, Settings
from provisioning.client import AWAY, A, Box
from provisioning.web.campaign_text import flow_text
from tests.contract.campaign_box import CampaignBox, box
from tests.patience import PATIENCE_S
from tests.unit.campaign_office import FLOW
from tests.unit.test_provisioning_pages import NOW, visiting
from tests.web.forms import Form, form_to, forms_of
from tests.web.hostile import MARKS, TEXTS

pytestmark = pytest.mark.contract

LINE = "030 1234567"
FORM = {"content-type": "application/x-www-form-urlencoded"}


class RealBox(Box):
    """Questions go to the real verbs, as JSON there and back; those about agents and the box itself are answered from
    what the test's box has."""

    def __init__(self, real: CampaignBox) -> None:
        super().__init__(Path("nobody.sock"))
        self._verbs = (real.campaigns, real.participants, real.do_not_call)

    async def ask(self, verb: str, answer: type[A], **question: object) -> A | Refusal:
        asked = VERBS[verb].asks.model_validate(question).model_dump_json()
        given = await self._given(verb, asked)
        if isinstance(given, Refusal):
            return Refusal.model_validate_json(given.model_dump_json())
        return answer.model_validate_json(given.model_dump_json())

    async def _given(self, verb: str, asked: str) -> Settings:
        for part in self._verbs:
            if hasattr(part, verb):
                given = await getattr(part, verb)(VERBS[verb].asks.model_validate_json(asked))
                assert isinstance(given, Settings)
                return given
        return _AROUND[verb]


_VIEW = views.AgentView(
    id="a",
    version=1,
    name="Reception",
    description="",
    kind="Outbound",
    state=views.AgentState.RUNNING,
    calls=0,
    max_opened_sessions=1,
    modified_at=NOW,
    connections=(),
)
_LINE_VIEW = views.ConnectionView(
    id="c",
    version=1,
    modified_at=NOW,
    account=Account(name="Office", domain="pbx.lan", user="200"),
    has_password=True,
    has_login=False,
    unreadable=False,
    agents=(),
    registration=None,
)
_AROUND: dict[str, Settings] = {
    "list_agents": views.Agents(items=(_VIEW,)),
    "get_agent": views.AgentDetail(view=_VIEW, plan=views.AgentPlan(settings=Agent(name="Reception"))),
    "list_connections": views.Connections(items=(_LINE_VIEW,)),
    "get_box": AWAY,
}


@dataclass
class Visit:
    client: httpx.AsyncClient
    csrf: str
    real: CampaignBox
    path: str

    async def text(self, page: str) -> str:
        answer = await self.client.get(self.path + page)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def send(self, page: str, button: str = "", **typed: str) -> httpx.Response:
        """The form of that page, filled."""
        path = self.path + page
        form = form_to(await self.text(page), path).filled(csrf=self.csrf, **typed)
        pairs = [*form.fields, *([("change", button)] if button else [])]
        return await self.client.post(path, content=urlencode(pairs), headers=FORM)

    async def press(self, page: str, **more: str) -> httpx.Response:
        return await self.client.post(self.path + page, data={"csrf": self.csrf} | more)

    async def upload(self, data: bytes) -> httpx.Response:
        return await self.client.post(f"{self.path}/lists", data={"csrf": self.csrf}, files={"list": ("l.csv", data)})

    async def import_list(self, data: bytes, **columns: str) -> str:
        """Up to where it is checked: the path of the list."""
        where = (await self.upload(data)).headers["location"].removeprefix(self.path)
        answer = await self.send(where, **{f"column.{name}": place for name, place in columns.items()})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"].removeprefix(self.path))


@asynccontextmanager
async def visit(folder: Path) -> AsyncGenerator[Visit, None]:
    """A campaign that was made on the page."""
    async with box(folder) as real, trio.open_nursery() as working:
        asking = RealBox(real)
        async with visiting(folder, asking) as (client, csrf, door):
            working.start_soon(door.sender.send)
            form = {"csrf": csrf, "name": "Dunning", "description": "", "agent_id": "a"}
            made = await client.post("/campaigns/new", data=form)
            assert made.status_code == 303, made.text
            yield Visit(client, csrf, real, made.headers["location"].removesuffix("/data"))
            working.cancel_scope.cancel()
        await asking.close()


async def test_a_list_with_errors_becomes_participants_who_are_called_and_whose_results_can_be_taken(
    tmp_path: Path,
) -> None:
    rows = b"Telephone;Name\n030 1234567;Ada\n+49 30 1234567;Ada again\nnobody?;Ben\n030 7654321;=Cyd\n;Dan\n1;2;3\n"
    async with visit(tmp_path) as page:
        where = await page.import_list(rows)
        checked = await page.text(where)
        assert "Take over 2" in checked
        assert re.findall(r"Row (\d)</th>", checked) == ["3", "5", "6"]
        errors = (await page.client.get(f"{page.path}{where}/errors.csv")).text
        assert len(errors.splitlines()) == 4
        assert "None yet" not in await page.text("/lists")
        assert "Nobody yet" in await page.text("/participants")
        assert (await page.press(f"{where}/finish")).status_code == 303
        people = await page.text("/participants")
        assert "030 1234567" in people
        assert "Ada again" not in people

        await page.send("/calling", seats_for_inbound="0", **{f"hours.{day}": "0-24" for day in DAYS})
        assert (await page.press("/start")).status_code == 303
        await page.real.answered()
        (await page.real.phone(2)).refuse(486, "Busy Here")
        campaign_id = page.path.rpartition("/")[2]
        await page.real.are_at(campaign_id, "done", "waiting")
        numbers = await page.text("")
        assert "1 of 2 done" in numbers
        assert re.search(r"Answered</span></th><td class=\"number\"><strong>1<", numbers)
        assert re.search(r"Busy</span></th><td class=\"number\"><strong>1<", numbers)
        results = list(csv.DictReader(io.StringIO((await page.client.get(f"{page.path}/results.csv")).text[1:])))
        assert [(one["number"], one["name"], one["status"], one["outcome"]) for one in results] == [
            ("030 1234567", "Ada", "Completed", "answered"),
            ("030 7654321", "'=Cyd", "Started", "busy"),
        ]


DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


async def test_a_list_that_is_dropped_leaves_nobody(tmp_path: Path) -> None:
    async with visit(tmp_path) as page:
        where = await page.import_list(b"number\n030 1234567\n")
        assert (await page.press(f"{where}/drop")).status_code == 303
        assert "Dropped" in await page.text("/lists")
        assert "Nobody yet" in await page.text("/participants")
        assert (await page.press(f"{where}/finish")).status_code == 409


async def test_thousands_of_rows_are_paged_through(tmp_path: Path) -> None:
    rows = b"number,name\n" + b"".join(b"030 %07d,Person %d\n" % (n, n) for n in range(3_000))
    async with visit(tmp_path) as page:
        where = await page.import_list(rows)
        with trio.fail_after(PATIENCE_S):
            while "Being checked" in (shown := await page.text(where)):  # noqa: ASYNC110 - as somebody who looks again
                await trio.sleep(0.05)
        assert "Take over 3,000" in shown
        await page.press(f"{where}/finish")
        first = await page.text("/participants")
        more = re.search(r'href="(/campaigns/[^"]+after=\d+)"', first)
        assert more
        second = (await page.client.get(more[1])).text
        assert "Person 49<" in first
        assert "Person 50<" in second
        found = await page.text("/participants?text=Person+2999")
        assert "030 0002999" in found


async def test_the_flow_is_built_with_buttons_saved_and_checked(tmp_path: Path) -> None:
    async with visit(tmp_path) as page:
        path = f"{page.path}/flow"
        form = form_to(await page.text("/flow"), path).filled(csrf=page.csrf, kind="check", after="call")
        pairs = [*form.fields, ("change", "add step")]
        shown = (await page.client.post(path, content=urlencode(pairs), headers=FORM)).text
        form = form_to(shown, path).filled(csrf=page.csrf, **{"s1.subject": "result", "s1.named": "answer"})
        saved = await page.client.post(path, content=urlencode(form.fields), headers=FORM)
        assert saved.status_code == 303, saved.text
        view = await page.real.view(page.path.rpartition("/")[2])
        assert [each.do for each in view.settings.flow.steps] == ["call", "check"]
        assert await page.client.get(f"{page.path}/flow/text")


async def test_a_flow_with_holes_can_be_saved_and_says_where_it_cannot_start(tmp_path: Path) -> None:
    text = "triggers:\n- {on: participant created, then: call}\nsteps:\n- {id: call, do: call, then: nowhere}\n"
    async with visit(tmp_path) as page:
        assert (await page.send("/flow/text", text=text)).status_code == 303
        shown = await page.text("/flow")
        assert "must be mended before it can start" in shown
        assert 'id="s0.then-error"' in shown
        assert "is-wrong" in shown
        refused = await page.press("/start")
        assert refused.status_code in {409, 422}
        assert "Step “call”" in refused.text


async def test_a_participant_by_hand(tmp_path: Path) -> None:
    async with visit(tmp_path) as page:
        wrong = await page.send("/participants/new", **{"value.number": "nobody?", "value.name": "Ada"})
        assert wrong.status_code == 422
        assert 'id="value.number-error"' in wrong.text
        made = await page.send("/participants/new", **{"value.number": LINE, "value.name": "Ada"})
        one = made.headers["location"].removeprefix(page.path)
        assert (await page.send(one, **{"value.name": "Adele"})).status_code == 303
        assert 'value="Adele"' in await page.text(one)
        assert (await page.press(f"{one}/delete", confirmed="yes")).status_code == 303
        assert (await page.client.get(page.path + one)).status_code == 404


async def test_numbers_that_nobody_calls_in_any_spelling(tmp_path: Path) -> None:
    async with visit(tmp_path) as page:
        form = {"csrf": page.csrf, "numbers": "+49 30 1234567\nno body\n", "note": "asked by letter"}
        told = await page.client.post("/do-not-call", data=form)
        assert told.status_code == 422
        found = (await page.client.get("/do-not-call?text=0301234567")).text
        assert "+49 30 1234567" in found
        [entry] = re.findall(r"/do-not-call/(\d+)/remove", found)
        confirmed = {"csrf": page.csrf, "confirmed": "yes"}
        assert (await page.client.post(f"/do-not-call/{entry}/remove", data=confirmed)).status_code == 303
        assert "0 numbers" in (await page.client.get("/do-not-call")).text


HOSTILE = {what: text[:5000] for what, text in TEXTS.items()}
"""In all fields of a form at once; one by one they are spoilt on the whole box, in tests/web/test_bad_forms.py."""


async def test_hostile_values_in_all_fields_are_told_or_shown_as_they_are(tmp_path: Path) -> None:
    async with visit(tmp_path) as page:
        await page.send("/flow/text", text=flow_text(FLOW))
        await page.send("/participants/new", **{"value.number": LINE})
        await page.client.post("/do-not-call", data={"csrf": page.csrf, "numbers": "101"})
        listed = (await page.upload(b"number,name\n101,Ada\n")).headers["location"]
        paths = [page.path + each for each in ("/data", "/flow", "/flow/text", "/calling", "/participants/new")]
        one = re.search(r'href="([^"]+/participants/\d+)"', await page.text("/participants"))
        assert one
        sent = 0
        for path in (*paths, one[1], listed, "/campaigns/new", "/do-not-call", "/campaigns/import"):
            for form in forms_of((await page.client.get(path)).text, path):
                if form.method == "post" and form.action == path:
                    sent += await _spoil(page, form)
        assert sent >= 250


async def _spoil(page: Visit, form: Form) -> int:
    """How many were sent; what is chosen or hidden stays as it stands on the page."""
    kept = form.choices | form.hidden
    for what, text in HOSTILE.items():
        fields = [(name, value if name in kept else text) for name, value in form.fields if name != "csrf"]
        body = urlencode([*fields, ("csrf", page.csrf)], errors="surrogatepass")
        answer = await page.client.post(form.action, content=body, headers=FORM, follow_redirects=True)
        assert answer.status_code < 500, (form.action, what)
        assert not any(mark in answer.text for mark in MARKS), (form.action, what)
    return len(HOSTILE)


async def test_a_campaign_comes_back_from_its_file(tmp_path: Path) -> None:
    async with visit(tmp_path) as page:
        exported = await page.client.get(f"{page.path}/export")
        files = {"picked": ("dunning.yaml", exported.content)}
        data = {"csrf": page.csrf, "name": "Dunning II"}
        answer = await page.client.post("/campaigns/import", data=data, files=files)
        assert answer.status_code == 303, answer.text
        ids = (page.path.rpartition("/")[2], answer.headers["location"].split("/")[2])
        first, second = [(await page.real.view(each)).settings for each in ids]
        assert second == first.model_copy(update={"name": "Dunning II"})
