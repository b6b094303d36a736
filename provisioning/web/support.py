"""The support bundle: what is in it, and the file."""

from __future__ import annotations

import base64

from starlette.requests import Request
from starlette.responses import Response

from app.control import keeping
from app.control.refusals import Refusal
from provisioning.web.rendering import door_of, download, page, refused


async def show(request: Request) -> Response:
    return page(request, "support.html")


async def bundle(request: Request) -> Response:
    match await door_of(request).box.ask("get_support_bundle", keeping.FileView):
        case Refusal() as refusal:
            return refused(request, refusal)
        case keeping.FileView() as file:
            return download(file.name, base64.b64decode(file.content_base64), file.media_type)
