"""The control socket, asked by the page's own client: both ends are the real ones, what answers is small."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest
import trio
import trio.testing
from hypercorn.trio.tcp_server import TCPServer
from starlette.responses import Response

from app.control import views
from app.control.refusals import Refusal, Why
from app.control.verbs import ById, CreateConnection, Empty
from app.settings import Account, ConnectionDraft, Settings
from firmware.control import Answer, run_control, server
from firmware.control.events import Events
from firmware.control.server import LARGEST_BODY
from firmware.lifetimes import serving
from firmware.storage import StorageFault
from provisioning.client import AWAY, CUT_OFF, Box
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

PASSWORD = "correct horse battery"
DRAFT = ConnectionDraft.model_validate(
    {"name": "Office", "domain": "pbx.office.lan", "user": "200", "password": PASSWORD}
)
RECORDED = bytes(range(256)) * 1000
QUESTION = b"POST /verbs/list_agents HTTP/1.1\r\nHost: box\r\nContent-Length: 2\r\n\r\n{}"
MORE_THAN_A_SOCKET_HOLDS = 4_000_000


async def no_recording(_session_id: str) -> Path | None:
    return None


@asynccontextmanager
async def box_at(
    socket: Path,
    answers: Mapping[str, Answer] | None = None,
    events: Events | None = None,
    recording: Callable[[str], Awaitable[Path | None]] = no_recording,
) -> AsyncGenerator[Box, None]:
    """A box that answers at `socket` as long as the block lasts."""
    box = Box(socket)
    async with serving(run_control, socket, answers or {}, events or Events(), recording):
        with trio.fail_after(PATIENCE_S):
            yield box
            await box.close()


@pytest.fixture
def socket(tmp_path: Path) -> Path:
    return tmp_path / "control.sock"


async def list_agents(_: Empty) -> Settings | Refusal:
    return views.Agents(items=())


async def get_agent(question: ById) -> Settings | Refusal:
    return Refusal(why=Why.NOT_FOUND, text=f"There is no agent {question.id}.", names=("Reception",))


async def test_an_answer_arrives_as_its_model(socket: Path) -> None:
    async with box_at(socket, {"list_agents": list_agents}) as box:
        assert await box.ask("list_agents", views.Agents) == views.Agents(items=())


async def test_a_refusal_arrives_with_all_it_says(socket: Path) -> None:
    async with box_at(socket, {"get_agent": get_agent}) as box:
        refusal = await box.ask("get_agent", views.AgentDetail, id="a1")
    assert refusal == Refusal(why=Why.NOT_FOUND, text="There is no agent a1.", names=("Reception",))


async def test_a_secret_reaches_who_answers_and_does_not_come_back(socket: Path) -> None:
    arrived: list[CreateConnection] = []

    async def create_connection(question: CreateConnection) -> Settings | Refusal:
        arrived.append(question)
        return connection_view(question.draft)

    async with box_at(socket, {"create_connection": create_connection}) as box:
        answer = await box.ask("create_connection", views.ConnectionView, draft=DRAFT)
    assert isinstance(answer, views.ConnectionView)
    assert PASSWORD not in answer.model_dump_json()
    [question] = arrived
    assert question.draft.password is not None
    assert question.draft.password.get_secret_value() == PASSWORD


def connection_view(draft: ConnectionDraft) -> views.ConnectionView:
    account = Account(**draft.model_dump(exclude={"password", "login"}))
    return views.ConnectionView(
        id="c1",
        version=1,
        modified_at=datetime(2026, 11, 22, tzinfo=UTC),
        account=account,
        has_password=draft.password is not None,
        has_login=False,
        unreadable=False,
        agents=(),
        registration=None,
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"draft": {"name": "Office", "domain": PASSWORD, "user": "200"}}, "draft.domain"),
        ({"draft": {"name": "Office", "domain": "pbx", "user": "200", "password": PASSWORD * 20}}, "draft.password"),
        ({"draft": {"name": "Office", "domain": "pbx", "user": "200", "pin": PASSWORD}}, "draft.pin"),
        ({}, "draft"),
    ],
)
async def test_an_unusable_question_is_refused_by_field_without_what_was_typed(
    socket: Path, body: dict[str, Any], field: str
) -> None:
    """Past the client, which would validate first: whoever opens the socket gets this."""
    async with box_at(socket, {"create_connection": list_agents}):
        response = await posted(socket, "create_connection", body)
    refusal = Refusal.model_validate_json(response.content)
    assert response.status_code == 422
    assert (refusal.why, list(refusal.fields)) == (Why.INVALID, [field])
    assert "Value error" not in response.text
    assert PASSWORD not in response.text


async def posted(socket: Path, verb: str, body: object) -> httpx.Response:
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://box") as anybody:
        return await anybody.post(f"/verbs/{verb}", json=body)


async def test_a_question_has_a_largest_size_and_one_of_that_size_is_answered(socket: Path) -> None:
    arrived: list[int] = []

    async def get_agent(question: ById) -> Settings | Refusal:
        arrived.append(len(question.id))
        return views.Nothing()

    async with box_at(socket, {"get_agent": get_agent}):
        answers = [
            await posted_bytes(socket, b'{"id": "a"' + b" " * (LARGEST_BODY + more - 11) + b"}") for more in (0, 1)
        ]
        endless = await posted_bytes(socket, _parts(5 * LARGEST_BODY))
    assert [answer.status_code for answer in (*answers, endless)] == [200, 413, 413]
    assert Refusal.model_validate_json(endless.content).why is Why.TOO_LARGE
    assert arrived == [1]


async def _parts(size: int) -> AsyncGenerator[bytes, None]:
    for _ in range(size // 65_536):
        yield b"x" * 65_536


async def posted_bytes(socket: Path, body: bytes | AsyncGenerator[bytes, None]) -> httpx.Response:
    transport = httpx.AsyncHTTPTransport(uds=str(socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://box") as anybody:
        return await anybody.post("/verbs/get_agent", content=body)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
async def test_the_mode_of_the_socket_is_no_matter_of_the_umask_which_stays(socket: Path, umask: int) -> None:
    """Other threads make files meanwhile: a recording must not come out readable for all."""
    before = os.umask(umask)
    try:
        async with box_at(socket):
            assert stat.S_IMODE((await trio.Path(socket).stat()).st_mode) == 0o660
            assert os.umask(umask) == umask
    finally:
        os.umask(before)


async def test_while_the_socket_is_made_no_umask_is_set(socket: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "umask", lambda _: pytest.fail("the umask belongs to the whole process"))
    async with box_at(socket):
        pass


async def test_an_unknown_verb_is_refused(socket: Path) -> None:
    async with box_at(socket, {"list_agents": list_agents}):
        response = await posted(socket, "burn_down", {})
    assert response.status_code == 404
    assert Refusal.model_validate_json(response.content).why is Why.NOT_FOUND


async def test_a_fault_is_logged_and_told_and_the_next_question_answered(
    socket: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def get_box(_: Empty) -> Settings | Refusal:
        raise ZeroDivisionError

    async with box_at(socket, {"get_box": get_box, "list_agents": list_agents}) as box:
        with caplog.at_level(logging.ERROR):
            refusal = await box.ask("get_box", views.BoxView)
        assert isinstance(refusal, Refusal)
        assert refusal.why is Why.BOX_FAULT
        assert isinstance(await box.ask("list_agents", views.Agents), views.Agents)
    assert [record.getMessage() for record in caplog.records] == ["a question on the control socket failed"]
    assert caplog.records[0].exc_info


async def test_a_fault_of_the_disk_has_its_own_words(socket: Path) -> None:
    async def list_agents_of_a_broken_disk(_: Empty) -> Settings | Refusal:
        raise storage_fault

    storage_fault = StorageFault("The disk is full. Delete sessions.", full=True)
    async with box_at(socket, {"list_agents": list_agents_of_a_broken_disk}) as box:
        refusal = await box.ask("list_agents", views.Agents)
    assert refusal == Refusal(why=Why.NO_SPACE, text="The disk is full. Delete sessions.")


# -- the phone process comes and goes --------------------------------------------------------------------------


async def test_a_box_that_is_not_there_is_a_refusal(socket: Path) -> None:
    box = Box(socket)
    assert await box.ask("list_agents", views.Agents) == AWAY
    assert AWAY.why is Why.BOX_FAULT
    await box.close()


async def test_a_box_that_goes_in_the_middle_of_a_question_is_a_refusal(socket: Path) -> None:
    asked, refusals = trio.Event(), []

    async def list_agents_for_ever(_: Empty) -> Settings | Refusal:
        asked.set()
        await trio.sleep_forever()
        raise AssertionError

    async def ask(box: Box) -> None:
        refusals.append(await box.ask("list_agents", views.Agents))

    box = Box(socket)
    answers = {"list_agents": list_agents_for_ever}
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery, serving(run_control, socket, answers, Events(), no_recording):
            nursery.start_soon(ask, box)
            await asked.wait()
    assert refusals == [CUT_OFF]
    await box.close()


async def test_the_same_client_is_answered_by_the_next_phone_process(socket: Path) -> None:
    box = Box(socket)
    for _ in range(2):
        async with serving(run_control, socket, {"list_agents": list_agents}, Events(), no_recording):
            assert isinstance(await box.ask("list_agents", views.Agents), views.Agents)
    await box.close()


async def test_what_goes_wrong_on_one_connection_ends_nobody_else(
    socket: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As it was seen when a process was killed while it asked: Hypercorn closed what it was sending on."""

    async def collide(*_: object) -> None:
        raise trio.BusyResourceError("another task is currently sending data on this SocketStream")

    async with box_at(socket, {"list_agents": list_agents}) as box:
        with monkeypatch.context() as broken:
            broken.setattr(TCPServer, "protocol_send", collide)
            assert await box.ask("list_agents", views.Agents) == CUT_OFF
        assert isinstance(await box.ask("list_agents", views.Agents), views.Agents)
    assert [record.problem for record in caplog.records if hasattr(record, "problem")] == ["BusyResourceError"]


async def test_the_box_stops_although_somebody_does_not_read_the_answer(socket: Path) -> None:
    answered = trio.Event()

    async def refuse_at_length(_: Empty) -> Settings | Refusal:
        answered.set()
        return Refusal(why=Why.NOT_NOW, text="x" * MORE_THAN_A_SOCKET_HOLDS)

    async with box_at(socket, {"list_agents": refuse_at_length}):
        visitor = await trio.open_unix_socket(socket)
        await visitor.send_all(QUESTION)
        await answered.wait()
        await trio.testing.wait_all_tasks_blocked()
    await visitor.aclose()


async def test_the_socket_is_for_its_owner_and_group_and_goes_with_the_service(socket: Path) -> None:
    async with box_at(socket):
        assert stat.S_IMODE((await trio.Path(socket).stat()).st_mode) == 0o660
    assert not await trio.Path(socket).exists()


async def test_a_socket_left_by_a_killed_process_is_replaced(socket: Path) -> None:
    left = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    await left.bind(str(socket))
    left.close()
    assert await trio.Path(socket).exists()
    async with box_at(socket, {"list_agents": list_agents}) as box:
        assert isinstance(await box.ask("list_agents", views.Agents), views.Agents)


# -- recordings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("byte_range", "status", "expected"),
    [(None, 200, RECORDED), ("bytes=1000-1999", 206, RECORDED[1000:2000]), ("bytes=-10", 206, RECORDED[-10:])],
)
async def test_a_recording_comes_whole_or_in_part(
    socket: Path, tmp_path: Path, byte_range: str | None, status: int, expected: bytes
) -> None:
    (tmp_path / "s1.flac").write_bytes(RECORDED)

    async def recording(session_id: str) -> Path | None:
        return tmp_path / f"{session_id}.flac"

    async with box_at(socket, recording=recording) as box, box.recording("s1", byte_range) as response:
        assert response is not None
        assert (response.status_code, await response.aread()) == (status, expected)
        assert response.headers["accept-ranges"] == "bytes"


async def test_a_recording_that_is_deleted_meanwhile_is_played_to_its_end(
    socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path := tmp_path / "s1.flac").write_bytes(RECORDED)
    played = server._Played

    def deleted_by_another_tab(file: BinaryIO) -> Response:
        path.unlink()
        return played(file)

    monkeypatch.setattr(server, "_Played", deleted_by_another_tab)

    async def recording(_session_id: str) -> Path | None:
        return path

    async with box_at(socket, recording=recording) as box:
        async with box.recording("s1", None) as response:
            assert response is not None
            assert await response.aread() == RECORDED
        async with box.recording("s1", None) as response:
            assert response is None, "it is gone"


async def test_no_recording_and_no_box_are_none(socket: Path) -> None:
    async with box_at(socket) as box, box.recording("s1", None) as response:
        assert response is None
    box = Box(socket)
    async with box.recording("s1", None) as response:
        assert response is None
    await box.close()
