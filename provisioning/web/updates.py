"""Box > Update: which version runs, a newer one uploaded, checked, installed and started, and what became of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import trio
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from app.control import views
from app.control.refusals import STATUS, Refusal, Why
from app.control.updating import Stage, UpdateView
from provisioning.web.bundle_upload import Uploading, is_there, received
from provisioning.web.rendering import (
    Form,
    done,
    door_of,
    form_of,
    page,
    proper,
    refused,
    whole_number,
    wrongly_typed,
    zone_of,
)
from provisioning.web.uploads import UPDATE, NotAForm, has_files

_NO_FILE = Refusal(
    why=Why.INVALID,
    text="Nothing was uploaded: no file was chosen.",
    fields={"bundle": "Choose the file that you got. It ends in .raucb."},
)
_NO_FORM = Refusal(why=Why.INVALID, text="This was not a form of ours. Go back and try again.")
_FREE = (Stage.IDLE, Stage.REFUSED, Stage.READY)
_SAID = {
    "now": "The box restarts now. This page comes back in some minutes.",
    "idle": "The box restarts as soon as no call goes on.",
    "hour": "The box restarts at that hour, as soon as no call goes on.",
    "never": "The box does not restart by itself.",
}


async def show(request: Request) -> Response:
    return await _page(request)


async def upload(request: Request) -> Response:
    """To the disk, then checked; nothing is installed."""
    if not has_files(request):
        form = await form_of(request)
        return form if isinstance(form, Response) else await _page(request, _NO_FILE)
    view = await door_of(request).box.ask("get_update", UpdateView)
    folder = door_of(request).process.upload_folder
    if isinstance(view, Refusal):
        return refused(request, view)
    if folder is None or view.stage not in _FREE:
        return await _refused_upload(request)
    try:
        fields, uploading = await received(request, partial(_uploading, request, folder))
    except ClientDisconnect:
        return PlainTextResponse("That is more than this box takes at once, or it came too slowly.\n", 413)
    except NotAForm:
        return refused(request, _NO_FORM)
    return await _uploaded(request, proper(request, Form(fields)), uploading)


async def check(request: Request) -> Response:
    """What lies there from before this page was opened."""
    form = await form_of(request)
    return form if isinstance(form, Response) else await _checked(request)


async def look(request: Request) -> Response:
    """Whether there is a newer one, where the owner said that such are listed."""
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    answer = await door_of(request).box.ask("look_for_update", UpdateView)
    return await _page(request, answer) if isinstance(answer, Refusal) else done(request, UPDATE)


async def install(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    answer = await door_of(request).box.ask("install_update", UpdateView)
    if isinstance(answer, Refusal):
        return await _page(request, answer)
    return done(request, UPDATE)


async def restart(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    match await _restarting(request, form):
        case Refusal(why=Why.NOT_NOW, names=names) as busy if names:
            labels = {"yes": "Restart all the same", "no": "Wait", "typed": {"when": "now"}}
            return page(request, "confirm.html", 409, refusal=busy, action=request.url.path, back=UPDATE, **labels)
        case Refusal() as refusal:
            return await _page(request, refusal)
        case views.Nothing():
            return done(request, UPDATE, _SAID[form["when"]])


async def _restarting(request: Request, form: Form) -> views.Nothing | Refusal:
    question = {"when": form["when"], "hour": whole_number(form["hour"], 3), "confirmed": form.ticked("confirmed")}
    try:
        return await door_of(request).box.ask("restart_box", views.Nothing, **question)
    except ValidationError as error:
        return wrongly_typed(error)


def _uploading(request: Request, folder: Path) -> Uploading:
    return Uploading(folder, whole_number(request.headers.get("content-length", ""), 0))


async def _uploaded(request: Request, form: Form | Response, uploading: Uploading) -> Response:
    if isinstance(form, Response) or uploading.is_empty:
        uploading.close()
        return form if isinstance(form, Response) else await _page(request, _NO_FILE)
    if not await trio.to_thread.run_sync(uploading.keep):
        return await _page(request, Refusal(why=Why.INVALID, text=f"Nothing was kept: {uploading.wrong}."))
    return await _checked(request)


async def _checked(request: Request) -> Response:
    answer = await door_of(request).box.ask("check_update", UpdateView)
    return await _page(request, answer) if isinstance(answer, Refusal) else done(request, UPDATE)


async def _refused_upload(request: Request) -> Response:
    """Read to its end all the same: a browser that is still sending would not read the answer."""
    try:
        async for _ in request.stream():
            pass
    except ClientDisconnect:
        return PlainTextResponse("Nothing was kept.\n", 413)
    text = "Nothing was kept: the box does not take an update now. Look below what it does."
    return await _page(request, Refusal(why=Why.NOT_NOW, text=text))


async def _page(request: Request, refusal: Refusal | None = None) -> Response:
    door = door_of(request)
    view, box = await door.box.ask("get_update", UpdateView), await door.box.ask("get_box", views.BoxView)
    if isinstance(view, Refusal):
        return refused(request, view)
    if isinstance(box, Refusal):
        return refused(request, box)
    return page(
        request,
        "update.html",
        STATUS[refusal.why] if refusal else 200,
        view=view,
        asks=box.settings.update_address,
        stage=view.stage.value,
        waits=is_there(door.process.upload_folder),
        refusal=refusal,
        errors=refusal.fields if refusal else {},
        zone=await zone_of(request),
    )
