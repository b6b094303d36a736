"""Backup and restore: settings in a file, and a file's settings, looked at first."""

from __future__ import annotations

import base64

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from app.control import keeping, views
from app.control.keeping import LARGEST_BACKUP
from app.control.refusals import STATUS, Refusal, Why
from provisioning.web.entry import password_fault
from provisioning.web.rendering import (
    Form,
    done,
    door_of,
    download,
    form_of,
    page,
    refused,
    wrongly_typed,
)

_NO_FILE = Refusal(
    why=Why.INVALID,
    text="Nothing was changed: no file was chosen.",
    fields={"backup": "Choose the file that was downloaded when the backup was made."},
)
_TOO_LARGE = Refusal(
    why=Why.INVALID,
    text=f"Nothing was changed: the file is larger than {LARGEST_BACKUP // 2**20} MB, which no backup is.",
    fields={"backup": "Choose the file that was downloaded when the backup was made. It ends in .backup."},
)
_NOT_THE_SAME = {"again": "The two are not the same. Type it again."}


async def make_form(request: Request) -> Response:
    return page(request, "backup.html", errors={})


async def make(request: Request) -> Response:
    """The password is asked once more: passwords of SIP accounts leave the box here, and nowhere else."""
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    errors = {} if form["passphrase"] == form["again"] else _NOT_THE_SAME
    if fault := await password_fault(request, form["password"]):
        errors = errors | {"password": fault}
    if errors:
        return page(request, "backup.html", 422, errors=errors)
    match await _made(request, form):
        case Refusal() as refusal:
            return page(request, "backup.html", STATUS[refusal.why], refusal=refusal, errors=refusal.fields)
        case keeping.FileView() as file:
            return download(file.name, base64.b64decode(file.content_base64), file.media_type)


async def restore_form(request: Request) -> Response:
    return page(request, "restore.html", errors={})


async def preview(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    match await _opened(request, form):
        case Refusal() as refusal:
            return _chosen_again(request, refusal)
        case keeping.BackupPreview() as backup:
            return await _asking(request, backup)


async def restore(request: Request) -> Response:
    form, backup_id = await form_of(request), request.path_params["id"]
    if isinstance(form, Response):
        return form
    confirmed = form.ticked("confirmed")
    match await door_of(request).box.ask("restore_backup", views.Nothing, id=backup_id, confirmed=confirmed):
        case Refusal(why=Why.NOT_NOW) as busy:
            labels = {"yes": "Restore all the same", "no": "Keep what is here"}
            return page(request, "confirm.html", 409, refusal=busy, action=request.url.path, back="/box", **labels)
        case Refusal(why=Why.NOT_FOUND) as forgotten:
            return _chosen_again(request, forgotten)
        case Refusal() as refusal:
            return refused(request, refusal)
        case views.Nothing():
            return done(request, "/", "The backup is restored. Agents that ran when it was made are starting.")


async def _made(request: Request, form: Form) -> keeping.FileView | Refusal:
    try:
        return await door_of(request).box.ask("make_backup", keeping.FileView, passphrase=form["passphrase"])
    except ValidationError as error:
        return wrongly_typed(error)


async def _opened(request: Request, form: Form) -> keeping.BackupPreview | Refusal:
    file = form.file("backup")
    if not file:
        return _NO_FILE
    if len(file) > LARGEST_BACKUP:
        return _TOO_LARGE
    question = {"passphrase": form["passphrase"], "content_base64": base64.b64encode(file).decode()}
    try:
        return await door_of(request).box.ask("preview_backup", keeping.BackupPreview, **question)
    except ValidationError as error:
        return wrongly_typed(error)


def _chosen_again(request: Request, refusal: Refusal) -> Response:
    errors = {"backup" if name == "content_base64" else name: text for name, text in refusal.fields.items()}
    return page(request, "restore.html", STATUS[refusal.why], refusal=refusal, errors=errors)


async def _asking(request: Request, backup: keeping.BackupPreview) -> Response:
    box = await door_of(request).box.ask("get_box", views.BoxView)
    zone = "UTC" if isinstance(box, Refusal) else box.settings.time_zone
    return page(request, "restore_preview.html", backup=backup, zone=zone)
