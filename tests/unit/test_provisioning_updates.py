"""Box > Update, with a box of canned answers behind the real routes, and a real folder for what is uploaded."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from app.control import views
from app.control.refusals import Refusal, Why
from app.control.updating import LastUpdate, NewerVersion, RestartBox, SlotView, Stage, UpdateView
from app.settings import Settings
from provisioning.web import bundle_upload
from provisioning.web.bundle_upload import BUNDLE_NAME, BUSY, NO_ROOM, TOO_LARGE
from provisioning.web.guard import LARGEST_BODY, largest_body
from provisioning.web.uploads import LARGEST_BUNDLE
from tests.unit.test_provisioning_pages import CannedBox, _box, signed_in

pytestmark = pytest.mark.unit

CONTENT = bytes(range(256)) * 5000
IDLE = UpdateView(stage=Stage.IDLE, version="1.0.0", board="amd64")
ROLLED_BACK = LastUpdate(
    version="1.1.0",
    from_version="1.0.0",
    at=datetime(2026, 11, 25, tzinfo=UTC),
    outcome="rolled back",
    text="The update to 1.1.0 was rolled back, because “Office” did not register again.",
    remedy="Look whether the PBX was up.",
)
SLOTS = (
    SlotView(name="A", version="1.0.0", runs=True, good=True),
    SlotView(name="B", version="", runs=False, good=False),
)


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("DESKBELL_UPLOAD_FOLDER", str(folder))
    return folder


def lies(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


class Owner:
    """Somebody at Box > Update."""

    def __init__(self, client: httpx.AsyncClient, box: CannedBox, csrf: str) -> None:
        self.client, self.box, self.csrf = client, box, csrf

    def finds(self, view: UpdateView, **answers: Settings) -> None:
        told: dict[str, Settings] = dict.fromkeys(("get_update", "check_update", "install_update"), view)
        told |= {"get_box": _box(1), **answers}
        self.box.answers = {verb: [answer] for verb, answer in told.items()}

    async def sees(self) -> str:
        answer = await self.client.get("/box/update")
        assert answer.status_code == 200
        return answer.text

    async def uploads(self, content: bytes = CONTENT, csrf: str = "") -> httpx.Response:
        return await self.client.post(
            "/box/update", data={"csrf": csrf or self.csrf}, files={"bundle": ("x.raucb", content)}
        )

    async def sends(self, what: str, **typed: str) -> httpx.Response:
        return await self.client.post(f"/box/update/{what}", data={"csrf": self.csrf, **typed})


@pytest.fixture
async def owner(tmp_path: Path, uploads: Path) -> AsyncGenerator[Owner, None]:
    async with signed_in(tmp_path) as (client, box, csrf):
        made = Owner(client, box, csrf)
        made.finds(IDLE)
        yield made


async def test_an_upload_lies_on_the_disk_for_its_group_and_is_checked(owner: Owner, uploads: Path) -> None:
    (uploads / BUNDLE_NAME).write_bytes(b"of last time")
    answer = await owner.uploads()
    assert (answer.status_code, answer.headers["location"]) == (303, "/box/update")
    assert (uploads / BUNDLE_NAME).read_bytes() == CONTENT
    assert (uploads / BUNDLE_NAME).stat().st_mode & 0o777 == 0o640
    assert [verb for verb, _ in owner.box.asked if verb == "check_update"]
    assert lies(uploads) == [BUNDLE_NAME]


async def test_a_form_that_is_not_ours_leaves_nothing(owner: Owner, uploads: Path) -> None:
    assert (await owner.uploads(csrf="somebody else's")).status_code == 403
    assert lies(uploads) == []
    assert not owner.box.questions("check_update")


async def test_no_file_is_told_at_its_field(owner: Owner, uploads: Path) -> None:
    answer = await owner.uploads(b"")
    assert answer.status_code == 422
    assert 'id="bundle-error">Choose the file' in answer.text
    assert (await owner.client.post("/box/update", data={"csrf": owner.csrf})).status_code == 422
    assert lies(uploads) == []


@pytest.mark.parametrize("body", [b"", b"--x\r\nnonsense", b"--x\r\n\r\n\r\n--x--\r\n"])
async def test_what_is_no_form_leaves_nothing(owner: Owner, uploads: Path, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = await owner.client.post("/box/update", content=body, headers=headers)
    assert answer.status_code in (403, 422)
    assert lies(uploads) == []


async def test_a_full_disk_is_told_before_anything_is_written(
    owner: Owner, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_upload, "KEPT_FREE", 2**60)
    answer = await owner.uploads()
    assert (answer.status_code, NO_ROOM in answer.text) == (422, True)
    assert lies(uploads) == []


async def test_a_disk_that_is_full_half_way_is_told(
    owner: Owner, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    answer = await owner.uploads()
    assert (answer.status_code, NO_ROOM in answer.text) == (422, True)
    assert lies(uploads) == []


async def test_a_file_that_is_too_large_is_read_and_not_kept(
    owner: Owner, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_upload, "LARGEST_BUNDLE", len(CONTENT) - 1)
    answer = await owner.uploads()
    assert (answer.status_code, TOO_LARGE in answer.text) == (422, True)
    assert lies(uploads) == []


async def test_two_who_upload_do_not_write_into_one_file(owner: Owner, uploads: Path) -> None:
    with (uploads / "update.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(b"theirs")
        other.flush()
        answer = await owner.uploads()
        assert (answer.status_code, BUSY in answer.text) == (422, True)
        assert (uploads / "update.part").read_bytes() == b"theirs"


@pytest.mark.parametrize("stage", [Stage.INSTALLING, Stage.CHECKING, Stage.INSTALLED, Stage.PROVING, Stage.RESTARTING])
async def test_nothing_is_taken_while_the_box_does_something_else(owner: Owner, uploads: Path, stage: Stage) -> None:
    owner.finds(IDLE.model_copy(update={"stage": stage}))
    answer = await owner.uploads()
    assert (answer.status_code, "does not take an update now" in answer.text) == (409, True)
    assert lies(uploads) == []


def test_only_an_update_may_be_so_large() -> None:
    assert largest_body("/box/update") == LARGEST_BUNDLE + LARGEST_BODY
    assert largest_body("/box/update/check") == LARGEST_BODY


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"stage": "proving"}, "looks whether everything works"),
        ({"stage": "refused", "text": "it is older"}, "It was not installed: it is older."),
        ({"stage": "ready", "offered": "1.1.0"}, "Install 1.1.0"),
        ({"stage": "installing", "percent": 40, "step": "Copying image"}, "Copying image"),
        ({"stage": "installed"}, "Restart the box"),
        ({"stage": "installed", "restart": "idle"}, "as soon as no call goes on."),
        ({"stage": "installed", "restart": "hour", "restart_hour": 3}, "at 03:00, as soon as"),
        ({"stage": "restarting"}, "comes back within some minutes"),
        ({"last": ROLLED_BACK}, "Look whether the PBX was up."),
        ({"slots": SLOTS}, "A (runs)"),
        ({"text": "This version has not proven itself."}, "This version has not proven itself."),
    ],
)
async def test_what_the_page_says(owner: Owner, more: dict[str, object], words: str) -> None:
    owner.finds(UpdateView.model_validate(IDLE.model_dump() | more))
    assert words in await owner.sees()


async def test_an_upload_of_before_can_be_checked(owner: Owner, uploads: Path) -> None:
    assert "/box/update/check" not in await owner.sees()
    (uploads / BUNDLE_NAME).touch()
    assert 'action="/box/update/check"' in await owner.sees()
    assert (await owner.sends("check")).status_code == 303


async def test_on_other_machines_there_is_nothing_to_do(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        here = Owner(client, box, csrf)
        here.finds(UpdateView(stage=Stage.ELSEWHERE))
        text = await here.sees()
        assert "updates come with the system" in text
        assert '<form method="post" action="/box/update' not in text
        assert (await here.uploads()).status_code == 409


async def test_a_refusal_of_the_box_is_shown(owner: Owner) -> None:
    owner.finds(IDLE, install_update=Refusal(why=Why.NOT_NOW, text="Nothing was done: it was not checked."))
    answer = await owner.sends("install")
    assert (answer.status_code, "it was not checked" in answer.text) == (409, True)


async def test_a_restart_that_cuts_calls_off_is_asked_for_twice(owner: Owner) -> None:
    busy = Refusal(why=Why.NOT_NOW, text="A call goes on with “Reception”.", names=("Reception",))
    owner.finds(IDLE.model_copy(update={"stage": Stage.INSTALLED}), restart_box=busy)
    asked = await owner.sends("restart", when="now", hour="3")
    assert asked.status_code == 409
    assert 'name="when" value="now"' in asked.text
    owner.finds(IDLE, restart_box=views.Nothing())
    assert (await owner.sends("restart", when="now", confirmed="yes")).status_code == 303
    assert owner.box.questions("restart_box")[-1] == RestartBox(when="now", confirmed=True)


@pytest.mark.parametrize(("typed", "hour"), [("0", 0), ("23", 23), ("", 3), ("soon", 3)])
async def test_a_restart_at_an_hour(owner: Owner, typed: str, hour: int) -> None:
    owner.finds(IDLE, restart_box=views.Nothing())
    assert (await owner.sends("restart", when="hour", hour=typed)).status_code == 303
    assert owner.box.questions("restart_box") == [RestartBox(when="hour", hour=hour)]


@pytest.mark.parametrize("typed", [{"when": "tomorrow"}, {"when": "hour", "hour": "24"}, {}])
async def test_a_restart_that_is_none(owner: Owner, typed: dict[str, str]) -> None:
    assert (await owner.sends("restart", **typed)).status_code == 422


async def test_a_newer_version_is_shown_with_where_it_is(owner: Owner) -> None:
    newer = NewerVersion(version="1.1.0", address="https://updates.example.com/deskbell-amd64-1.1.0.raucb")
    at = datetime(2026, 11, 27, tzinfo=UTC)
    owner.finds(IDLE.model_copy(update={"newer": newer, "looked_at": at}))
    seen = await owner.sees()
    assert "Deskbell 1.1.0 is there" in seen
    assert f'href="{newer.address}"' in seen
    owner.finds(IDLE.model_copy(update={"look_problem": "it answered 500: check the address", "looked_at": at}))
    assert "is not known: it answered 500" in await owner.sees()
    owner.finds(IDLE.model_copy(update={"looked_at": at}))
    assert "There is none." in await owner.sees()


async def test_who_gave_an_address_can_have_it_asked_now(owner: Owner) -> None:
    assert "/box/update/look" not in await owner.sees()
    box = _box(1)
    asks = box.model_copy(
        update={"settings": box.settings.model_copy(update={"update_address": "https://u.example/l"})}
    )
    owner.finds(IDLE, look_for_update=IDLE, get_box=asks)
    assert "/box/update/look" in await owner.sees()
    assert (await owner.sends("look")).headers["location"] == "/box/update"
    assert owner.box.questions("look_for_update")
