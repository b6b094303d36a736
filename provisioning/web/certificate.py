"""Box > Certificate: what browsers ask about once, to compare, to take away, and to make anew."""

from __future__ import annotations

from functools import partial

import trio
from starlette.requests import Request
from starlette.responses import Response

from provisioning.identity import Facts, facts, identity_in, renew
from provisioning.names import Names, own_addresses
from provisioning.web.entry import password_fault
from provisioning.web.rendering import done, door_of, form_of, page


def certificate_of(request: Request) -> Facts | None:
    """None where it cannot be read: the page is served with it, so that is a matter of moments."""
    try:
        return facts(identity_in(door_of(request).process.admin_folder))
    except (OSError, ValueError):
        return None


async def show(request: Request) -> Response:
    return _page(request)


async def renew_it(request: Request) -> Response:
    """Served by the next worker process, which takes over within seconds: this one has seen a password."""
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    if fault := await password_fault(request, form["password"]):
        return _page(request, 422, fault)
    making = partial(renew, door_of(request).process.admin_folder, list(_names(request)), own_addresses())
    await trio.to_thread.run_sync(making)
    text = "The new certificate is made. In some seconds the page uses it, and each browser asks once more."
    return done(request, "/box/certificate", text)


async def download(request: Request) -> Response:
    file = identity_in(door_of(request).process.admin_folder).certificate
    name = _names(request).box
    headers = {"content-disposition": f'attachment; filename="{name}.crt"'}
    return Response(await trio.Path(file).read_bytes(), headers=headers, media_type="application/octet-stream")


def _page(request: Request, status: int = 200, fault: str = "") -> Response:
    certificate, names = certificate_of(request), _names(request)
    missing = [name for name in names.of_box if certificate and name not in certificate.names]
    port = door_of(request).process.admin_port
    return page(
        request, "certificate.html", status, certificate=certificate, missing=missing, name=names.box, port=port,
        error=fault,
    )  # fmt: skip


def _names(request: Request) -> Names:
    process = door_of(request).process
    return Names(process.names, process.admin_folder)
