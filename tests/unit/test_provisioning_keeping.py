"""The pages that keep a box safe: backup and restore, with a box of canned answers behind the real routes."""

from __future__ import annotations

import base64
import re
import tempfile
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.control import keeping, views
from app.control.refusals import Refusal, Why
from app.settings import Agent
from provisioning.passwords import Passwords
from provisioning.web.guard import LARGEST_BODY
from provisioning.web.uploads import LARGEST_UPLOAD
from tests.unit.test_provisioning_pages import NOW, _agent, _box, signed_in

pytestmark = pytest.mark.unit

PASSWORD, PASSPHRASE = "horse battery staple", "three good words"
FILE = b"DBBACKUP\x01 and what follows"
PREVIEW = keeping.BackupPreview(
    id="b1",
    made_at=NOW,
    software="0.1.0",
    box_name="front-desk",
    retention_days=7,
    brings=keeping.Holdings(connections=("Office <PBX>",), connectivity=(), agents=("Reception", "Night")),
    replaces=keeping.Holdings(connections=("Workshop",), connectivity=(), agents=()),
    starts=("Reception",),
    without_password=("Office <PBX>",),
)


async def test_a_backup_is_downloaded_under_its_name_by_whoever_knows_the_password(tmp_path: Path) -> None:
    file = keeping.FileView(
        name="deskbell-front-desk-2026-11-26.backup",
        media_type="application/octet-stream",
        content_base64=base64.b64encode(FILE).decode(),
    )
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"make_backup": [file]}
        await Passwords(tmp_path).set_first(PASSWORD)
        typed = {"csrf": csrf, "passphrase": PASSPHRASE, "again": PASSPHRASE}
        guess = await client.post("/box/backup", data=typed | {"password": "a guess"})
        assert guess.status_code == 422
        assert 'id="password-error">That is not the password' in guess.text
        assert box.asked == []
        answer = await client.post("/box/backup", data=typed | {"password": PASSWORD})
    assert (answer.status_code, answer.content) == (200, FILE)
    assert answer.headers["content-disposition"] == f'attachment; filename="{file.name}"'
    assert box.questions("make_backup") == [keeping.MakeBackup(passphrase=SecretStr(PASSPHRASE))]


async def test_a_passphrase_is_typed_twice_and_told_when_weak(tmp_path: Path) -> None:
    weak = Refusal(why=Why.INVALID, text="No backup was made.", fields={"passphrase": "Choose another passphrase."})
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"make_backup": [weak]}
        await Passwords(tmp_path).set_first(PASSWORD)
        typed = {"csrf": csrf, "password": PASSWORD}
        differs = await client.post("/box/backup", data=typed | {"passphrase": "one", "again": "two"})
        assert box.asked == []
        told = await client.post("/box/backup", data=typed | {"passphrase": "short", "again": "short"})
    assert (differs.status_code, told.status_code) == (422, 422)
    assert 'id="again-error">The two are not the same' in differs.text
    assert 'id="passphrase-error">Choose another passphrase.' in told.text
    assert "short" not in told.text


async def test_an_opened_backup_is_shown_before_anything_changes(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"preview_backup": [PREVIEW], "get_box": [_box(1)]}
        fields = {"csrf": csrf, "passphrase": PASSPHRASE}
        answer = await client.post("/box/restore", data=fields, files={"backup": ("a.backup", FILE)})
    assert answer.status_code == 200
    for words in (
        "front-desk",
        "Office &lt;PBX&gt;",
        "2: Reception, Night",
        "1: Workshop",
        "/box/restore/b1",
        "until they are 7 days old",
    ):
        assert words in answer.text
    assert "could not be read" in answer.text
    (asked,) = box.questions("preview_backup")
    assert isinstance(asked, keeping.OpenBackup)
    assert base64.b64decode(asked.content_base64) == FILE
    assert asked.passphrase.get_secret_value() == PASSPHRASE
    assert PASSPHRASE not in answer.text


async def test_a_yes_replaces_and_a_call_is_asked_about(tmp_path: Path) -> None:
    busy = Refusal(why=Why.NOT_NOW, text="A call goes on with “Reception”.", names=("Reception",))
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"restore_backup": [views.Nothing(), busy]}
        asked = await client.post("/box/restore/b1", data={"csrf": csrf})
        assert asked.status_code == 409
        assert "A call goes on with “Reception”." in asked.text
        assert "Restore all the same" in asked.text
        done = await client.post("/box/restore/b1", data={"csrf": csrf, "confirmed": "yes"})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    expected = [keeping.RestoreBackup(id="b1"), keeping.RestoreBackup(id="b1", confirmed=True)]
    assert box.questions("restore_backup") == expected


@pytest.mark.parametrize(
    ("why", "status", "there"),
    [
        (Why.NOT_FOUND, 404, 'name="backup"'),  # choose it once more, here
        (Why.NO_SPACE, 507, "That did not work"),
    ],
)
async def test_a_restore_that_failed_says_why(tmp_path: Path, why: Why, status: int, there: str) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"restore_backup": [Refusal(why=why, text="Nothing was restored: because.")]}
        told = await client.post("/box/restore/b1", data={"csrf": csrf})
    assert told.status_code == status
    assert "Nothing was restored: because." in told.text
    assert there in told.text


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (b"", "no file was chosen"),
        (bytes(keeping.LARGEST_BACKUP + 1), "larger than 2 MB"),
    ],
)
async def test_a_file_that_is_none_is_told_without_asking_the_box(tmp_path: Path, file: bytes, told: str) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        fields = {"csrf": csrf, "passphrase": PASSPHRASE}
        answer = await client.post("/box/restore", data=fields, files={"backup": ("a.backup", file)})
        assert box.asked == []
    assert answer.status_code == 422
    assert told in answer.text
    assert 'id="backup-error"' in answer.text


async def test_what_the_box_refuses_is_told_at_its_field(tmp_path: Path) -> None:
    why = Refusal(why=Why.INVALID, text="Nothing was changed. No.", fields={"content_base64": "Copy the file again."})
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"preview_backup": [why]}
        fields = {"csrf": csrf, "passphrase": PASSPHRASE}
        answer = await client.post("/box/restore", data=fields, files={"backup": ("a.backup", FILE)})
        overlong = await client.post(
            "/box/restore", data=fields | {"passphrase": "x" * 257}, files={"backup": ("a.backup", FILE)}
        )
    assert 'id="backup-error">Copy the file again.' in answer.text
    assert (answer.status_code, overlong.status_code) == (422, 422)
    assert 'id="passphrase-error">' in overlong.text


async def test_an_upload_never_touches_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def to_the_disk(_: object) -> None:
        pytest.fail("an upload was written to the disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", to_the_disk)
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"preview_backup": [PREVIEW], "get_box": [_box(1)]}
        fields, file = {"csrf": csrf, "passphrase": PASSPHRASE}, bytes(keeping.LARGEST_BACKUP)
        answer = await client.post("/box/restore", data=fields, files={"backup": ("a.backup", file)})
    assert answer.status_code == 200


async def test_only_the_page_for_backups_takes_more_than_the_others(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_box": [_box(1)]}
        too_much = {"backup": ("a.backup", bytes(LARGEST_UPLOAD))}
        assert (await client.post("/box/restore", data={"csrf": csrf}, files=too_much)).status_code == 413
        more = {"picked": ("a.json", bytes(LARGEST_BODY))}
        assert (await client.post("/agents/import", data={"csrf": csrf}, files=more)).status_code == 413


@pytest.mark.parametrize(
    "body",
    [
        b"no parts at all",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nnameless\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n1\r\n' * 30 + b"--x--\r\n",
    ],
)
async def test_what_is_no_form_is_refused(tmp_path: Path, body: bytes) -> None:
    async with signed_in(tmp_path) as (client, _, _csrf):
        headers = {"content-type": "multipart/form-data; boundary=x"}
        answer = await client.post("/box/restore", content=body, headers=headers)
    assert answer.status_code in (403, 422)


async def test_an_upload_without_the_forms_token_is_refused(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        answer = await client.post("/box/restore", data={"csrf": "guess"}, files={"backup": ("a.backup", FILE)})
        assert box.asked == []
    assert answer.status_code == 403


async def test_an_agent_comes_from_a_chosen_file_and_its_text_is_kept_when_it_cannot(tmp_path: Path) -> None:
    file = views.AgentFile(settings=Agent(name="Reception")).model_dump_json().encode()
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"import_agent": [_agent(name="Reception")]}
        done = await client.post("/agents/import", data={"csrf": csrf}, files={"picked": ("agent.json", file)})
        assert done.status_code == 303
        told = await client.post("/agents/import", data={"csrf": csrf}, files={"picked": ("a.json", b"<no agent>")})
    assert told.status_code == 422
    assert "&lt;no agent&gt;" in told.text


# -- factory reset and support bundle --------------------------------------------------------------------------


async def test_a_reset_asks_what_and_for_the_name(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_box": [_box(1)]}
        text = (await client.get("/box/reset")).text
        assert "It is called “deskbell”" in text
        told = await client.post("/box/reset", data={"csrf": csrf, "box_name": "deskbell"})
        assert told.status_code == 422
        assert "Choose one of the two." in told.text
        assert 'value="deskbell"' in told.text, "what was typed stays"
    assert box.questions("factory_reset") == []


async def test_a_wrong_name_is_told_at_its_field(tmp_path: Path) -> None:
    why = Refusal(why=Why.INVALID, text="Nothing was reset.", fields={"box_name": "Type the name of this box."})
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_box": [_box(1)], "factory_reset": [why]}
        told = await client.post("/box/reset", data={"csrf": csrf, "extent": "everything", "box_name": "x"})
    assert told.status_code == 422
    assert 'id="box_name-error">Type the name of this box.' in told.text
    assert 'value="everything" checked' in told.text


async def test_a_call_is_asked_about_before_the_reset(tmp_path: Path) -> None:
    busy = Refusal(why=Why.NOT_NOW, text="A call goes on with “Reception”.", names=("Reception",))
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"factory_reset": [views.Nothing(), busy]}
        asked = await client.post("/box/reset", data={"csrf": csrf, "extent": "everything", "box_name": "deskbell"})
        assert asked.status_code == 409
        again = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', asked.text))
        done = await client.post("/box/reset", data=again)
    assert done.status_code == 200
    assert "new set-up code" in done.text
    assert "new certificate" in done.text
    unsure = keeping.FactoryReset(extent="everything", box_name="deskbell")
    assert box.questions("factory_reset") == [unsure, unsure.model_copy(update={"confirmed": True})]


async def test_the_support_bundle_is_downloaded(tmp_path: Path) -> None:
    file = keeping.FileView(
        name="deskbell-support-2026-11-26.zip",
        media_type="application/zip",
        content_base64=base64.b64encode(b"PK").decode(),
    )
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {"get_support_bundle": [file]}
        assert "/box/support/bundle.zip" in (await client.get("/box/support")).text
        answer = await client.get("/box/support/bundle.zip")
    assert (answer.content, answer.headers["content-type"]) == (b"PK", "application/zip")
    assert answer.headers["content-disposition"] == f'attachment; filename="{file.name}"'
