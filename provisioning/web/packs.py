"""Connectivity > Neural packs: recognisers and voices as files. One that is uploaded goes to the phone process part by
part, as it comes, since it is larger than the memory there is for it, and this process keeps no file.
"""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

from starlette.datastructures import UploadFile
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from app.control import views
from app.control.packs import LARGEST_PART, Packs
from app.control.refusals import STATUS, Refusal, Why
from provisioning.client import Box
from provisioning.web.rendering import Form, done, door_of, form_of, page, proper, refused
from provisioning.web.uploads import PACKS, NotAForm, has_files, streamed

_NO_FILE = Refusal(
    why=Why.INVALID,
    text="Nothing was uploaded: no file was chosen.",
    fields={"pack": "Choose a file that “just models --with” has made. It ends in .deskbell-pack."},
)
_NO_FORM = Refusal(why=Why.INVALID, text="This was not a form of ours. Go back and try again.")


async def show(request: Request) -> Response:
    return await _page(request)


async def upload(request: Request) -> Response:
    if not has_files(request):
        form = await form_of(request)
        return form if isinstance(form, Response) else await _page(request, _NO_FILE)
    sent = _Sent(door_of(request).box)
    try:
        form = proper(request, Form(await streamed(request, sent)))
    except ClientDisconnect:
        return PlainTextResponse("That is more than this box takes at once, or it came too slowly.\n", 413)
    except NotAForm:
        return refused(request, _NO_FORM)
    if isinstance(form, Response):
        return form
    if sent.wrong or not sent.bytes:
        return await _page(request, sent.wrong or _NO_FILE)
    answer = await door_of(request).box.ask("take_pack", Packs)
    return await _page(request, answer) if isinstance(answer, Refusal) else done(request, PACKS)


async def remove(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    name = request.path_params["name"]
    answer = await door_of(request).box.ask("delete_pack", views.Nothing, pack=name)
    return await _page(request, answer) if isinstance(answer, Refusal) else done(request, PACKS, f"{name} is removed.")


class _Sent(UploadFile):
    """A file as the parser of forms knows it. `wrong`: why no more of it is sent; it is read to its end all the same,
    since a browser that is still sending would not read the answer."""

    def __init__(self, box: Box) -> None:
        super().__init__(BytesIO())
        self.bytes = 0
        self.wrong: Refusal | None = None
        self._box = box

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), LARGEST_PART):
            piece = data[start : start + LARGEST_PART]
            if self.wrong is None:
                answer = await self._box.ask("add_pack_part", views.Nothing, at=self.bytes, data=b64encode(piece))
                self.wrong = answer if isinstance(answer, Refusal) else None
            self.bytes += len(piece)

    async def seek(self, offset: int) -> None:
        """There is nothing to go back in."""


async def _page(request: Request, refusal: Refusal | None = None) -> Response:
    view = await door_of(request).box.ask("list_packs", Packs)
    if isinstance(view, Refusal):
        return refused(request, view)
    status = STATUS[refusal.why] if refusal else 200
    errors = refusal.fields if refusal else {}
    return page(request, "packs.html", status, view=view, refusal=refusal, errors=errors)
