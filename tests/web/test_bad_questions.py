"""Hostile values in every field of every verb, sent to the control socket past the page: each is refused by name, or
stored and told exactly as it was sent. Never a fault."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from app.control.refusals import STATUS, Refusal, Why
from app.control.verbs import VERBS
from tests.patience import PATIENCE_S
from tests.web.appliance import appliance
from tests.web.hostile import SCRIPT
from tests.web.questions import Leaf, Questions, all_questions

pytestmark = [pytest.mark.web, pytest.mark.timeout(600)]

_MAKERS = {"create_connection": "connection", "create_connectivity": "connectivity", "create_agent": "agent"}
_MAKERS |= {"import_agent": "agent", "create_token": "token", "create_campaign": "campaign"}
_EDITED = ("connection", "connectivity", "agent", "campaign")


_ACCOUNT = {"name": "&lt;script&gt;", "domain": "pbx.lan", "user": "200"}
CONNECTION = {
    "id": "1",
    "version": 1,
    "modified_at": "2026-11-26T12:00:00Z",
    "account": _ACCOUNT,
    "has_password": True,
    "has_login": False,
    "unreadable": False,
    "agents": [],
    "registration": None,
}
"""An answer that is not exactly what was sent."""


class Socket:
    """Anybody who may open the control socket. `records`: one of each kind, with its version."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.records: dict[str, tuple[str, int]] = {}

    async def post(self, verb: str, body: bytes) -> httpx.Response:
        return await self._client.post(f"/verbs/{verb}", content=body)

    async def ask(self, verb: str, question: object) -> httpx.Response:
        return await self.post(verb, json.dumps(question).encode())

    async def make_records(self) -> None:
        for questions in all_questions():
            kind = _MAKERS.get(questions.verb.name, "")
            if kind in _EDITED and kind not in self.records:
                answer = await self.ask(questions.verb.name, questions.good())
                assert answer.status_code == httpx.codes.OK, answer.text
                self.records[kind] = _id_of(answer.json())
        for only in ("box", "webhook", "mail_server"):
            self.records[only] = ("", (await self.ask(f"get_{only}", {})).json()["version"])

    def addressed(self, verb: str, leaf: Leaf, question: dict[str, Any]) -> dict[str, Any]:
        """An edit is of a record that is there, in its newest version. There are no participants, since their campaign
        is none."""
        kind = verb.removeprefix("update_")
        if kind in self.records:
            newest = dict(zip(("id", "if_version"), self.records[kind], strict=True))
            question |= {name: newest[name] for name in newest if name in question and leaf.path != (name,)}
        return question

    async def settle(self, verb: str, answer: dict[str, Any]) -> None:
        """What was made goes again; what was edited has another version."""
        kind = verb.removeprefix("update_")
        if made := _MAKERS.get(verb):
            gone = await self.ask(f"delete_{made}", {"id": _id_of(answer)[0]})
            assert gone.status_code == httpx.codes.OK, gone.text
        elif verb != kind:
            self.records[kind] = _id_of(answer)


def _id_of(answer: dict[str, Any]) -> tuple[str, int]:
    view = answer.get("view", answer)
    return view.get("id", ""), view.get("version", 0)


@asynccontextmanager
async def socket(folder: Path) -> AsyncGenerator[Socket, None]:
    async with appliance(folder) as box:
        transport = httpx.AsyncHTTPTransport(uds=str(box.data / "control.sock"))
        async with httpx.AsyncClient(transport=transport, base_url="http://box", timeout=PATIENCE_S) as client:
            yield Socket(client)
        assert "question on the control socket failed" not in box.log.read_text()


async def test_every_field_of_every_verb(tmp_path: Path) -> None:
    wrong: list[str] = []
    asked = 0
    async with socket(tmp_path) as anybody:
        await anybody.make_records()
        for questions in all_questions():
            name = questions.verb.name
            for leaf, what, value in spoilings(questions):
                answer = await anybody.ask(name, anybody.addressed(name, leaf, questions.spoilt(leaf, value)))
                asked += 1
                wrong += [f"{name} {leaf}, {what}: {fault}" for fault in faults(questions, leaf, value, answer)]
                if answer.is_success:
                    await anybody.settle(name, answer.json())
        await _what_is_no_question_at_all(anybody)
    assert wrong == []
    assert asked > 4000


def spoilings(questions: Questions) -> Iterator[tuple[Leaf, str, object]]:
    for leaf in questions.leaves():
        for what, value in leaf.hostile.items():
            yield leaf, what, value


def faults(questions: Questions, leaf: Leaf, value: object, answer: httpx.Response) -> Iterator[str]:
    """What is wrong with an answer to a question with a hostile value."""
    if answer.is_success:
        yield from _not_told_exactly(questions, leaf, value, answer)
    else:
        refusal = Refusal.model_validate_json(answer.content)
        if refusal.why not in (*questions.verb.refuses, Why.INVALID):
            yield f"{answer.status_code} {answer.text[:200]}"
        elif refusal.why is Why.INVALID and not refusal.fields:
            yield f"refused without a field: {refusal.text}"
    if leaf.is_secret and isinstance(value, str) and len(value) > 3 and value in " ".join(_texts(answer.json())):
        yield "a secret came back"


def _not_told_exactly(questions: Questions, leaf: Leaf, value: object, answer: httpx.Response) -> Iterator[str]:
    try:
        questions.verb.answers.model_validate_json(answer.content)
    except ValidationError as error:
        yield f"an answer that is none: {error}"
    is_kept = questions.verb.name in _MAKERS or questions.verb.name.startswith("update_")
    if is_kept and leaf.is_text and not leaf.is_secret and isinstance(value, str) and _NOT_TOLD.isdisjoint(leaf.path):
        stored = value.replace("\r\n", "\n")
        if not {stored, stored.strip()} & set(_texts(answer.json())):
            yield f"stored as something else: {answer.text[:300]}"


_NOT_TOLD = frozenset({"sha256", "kept", "connections", "id"})
"""Fields that are used, not shown."""


def _texts(told: object) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        for part in told.values():
            yield from _texts(part)
    elif isinstance(told, list):
        for part in told:
            yield from _texts(part)


async def _what_is_no_question_at_all(anybody: Socket) -> None:
    bodies = [b"[]", b'"x"', b"1", b"null", b"{", b"\xff\xfe", b"[" * 100_000, b'{"nobody": 1}']
    for verb, body in product(("create_agent", "list_sessions", "get_overview"), bodies):
        answer = await anybody.post(verb, body)
        assert answer.status_code == STATUS[Why.INVALID], (verb, body[:20], answer.text)
        assert Refusal.model_validate_json(answer.content).fields
    assert (await anybody.ask("get_overview", {})).status_code == httpx.codes.OK


# -- whether it would be noticed -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "answer", "noticed"),
    [
        (503, {"why": "box fault", "text": "An error."}, "503"),
        (409, {"why": "in use", "text": "It is in use."}, "409"),
        (422, {"why": "invalid", "text": "Not saved."}, "without a field"),
        (200, {"deskbell": "no such answer"}, "an answer that is none"),
        (200, CONNECTION, "stored as something else"),
        (
            422,
            {"why": "invalid", "text": f"{SCRIPT} is no password", "fields": {"draft.password": "wrong"}},
            "a secret",
        ),
    ],
)
def test_a_wrong_answer_is_noticed(status: int, answer: dict[str, Any], noticed: str) -> None:
    questions = Questions(VERBS["create_connection"])
    field = "draft.password" if noticed == "a secret" else "draft.name"
    [leaf] = [each for each in questions.leaves() if str(each) == field]
    assert noticed in " ".join(faults(questions, leaf, SCRIPT, httpx.Response(status, json=answer)))
