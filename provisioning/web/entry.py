"""The way in: the first password with the set-up code, signing in, signing out, another password."""

from __future__ import annotations

from math import ceil

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from app.control.passwords import weakness
from provisioning import boot_partition
from provisioning.web.guard import COOKIE
from provisioning.web.rendering import Form, door_of, form_of, page, token_of


async def sign_in_form(request: Request) -> Response:
    if not door_of(request).passwords.is_set:
        return RedirectResponse("/first-boot", 303)
    return page(request, "sign_in.html", error="")


async def sign_in(request: Request) -> Response:
    form, door = await form_of(request), door_of(request)
    if isinstance(form, Response):
        return form
    if wait := _wait(request):
        return page(request, "sign_in.html", 429, error=wait)
    if not await door.passwords.check(form["password"]):
        return page(request, "sign_in.html", 401, error="That is not the password of this box. Check Caps Lock.")
    door.throttle.succeeded(_address(request))
    return _signed_in(request, "/")


async def first_boot_form(request: Request) -> Response:
    if door_of(request).passwords.is_set:
        return RedirectResponse("/", 303)
    return _first_boot_page(request, 200, {}, "")


async def first_boot(request: Request) -> Response:
    form, door = await form_of(request), door_of(request)
    if isinstance(form, Response):
        return form
    if door.passwords.is_set:
        return RedirectResponse("/sign-in", 303)
    if wait := _wait(request):
        return _first_boot_page(request, 429, {"code": wait}, form["code"])
    errors = _new_password_errors(form)
    if door.passwords.is_set_up_code(form["code"]):
        door.throttle.succeeded(_address(request))
    else:
        errors["code"] = "This is not the code that the box shows on its console. It has eight digits."
    if errors:
        return _first_boot_page(request, 422, errors, form["code"])
    if not await door.passwords.set_first(form["password"]):
        return RedirectResponse("/sign-in", 303)
    return _signed_in(request, "/set-up")


def _first_boot_page(request: Request, status: int, errors: dict[str, str], code: str) -> Response:
    """`code`: as it was typed; it is good for nothing any more when there is a password."""
    notice = bool(boot_partition.notice(door_of(request).process))
    return page(request, "first_boot.html", status, errors=errors, code=code, notice=notice)


async def sign_out(request: Request) -> Response:
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    door_of(request).sign_ins.end(token_of(request))
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE, secure=True, httponly=True, samesite="strict")
    return answer


async def change_password(request: Request) -> Response:
    """Everybody else is signed out."""
    form, door = await form_of(request), door_of(request)
    if isinstance(form, Response):
        return form
    errors = _new_password_errors(form)
    if fault := await password_fault(request, form["old"]):
        errors["old"] = fault
    if errors:
        return page(request, "password.html", 422, errors=errors)
    await door.passwords.set(form["password"])
    door.sign_ins.end_all()
    return _signed_in(request, "/box")


async def password_fault(request: Request, typed: str) -> str:
    """Empty if that is the password. Asked of somebody who is signed in, before what must not happen behind their
    back; guesses wait as at the door."""
    if wait := _wait(request):
        return wait
    if not await door_of(request).passwords.check(typed):
        return "That is not the password of this box."
    door_of(request).throttle.succeeded(_address(request))
    return ""


async def password_form(request: Request) -> Response:
    return page(request, "password.html", errors={})


def _new_password_errors(form: Form) -> dict[str, str]:
    if why := weakness(form["password"]):
        return {"password": f"Choose another password: {why}."}
    return {} if form["password"] == form["again"] else {"again": "The two are not the same. Type it again."}


def _wait(request: Request) -> str:
    """Empty: this try is looked at, and counts as failed unless the throttle is told otherwise."""
    wait_s = door_of(request).throttle.admit(_address(request), request.app.state.now())
    return f"Too many tries. Wait {ceil(wait_s)} s, then try again." if wait_s else ""


def _signed_in(request: Request, where: str) -> Response:
    """With a token of its own: one that somebody had before, or planted, is worth nothing from here on."""
    sign_ins = door_of(request).sign_ins
    sign_ins.end(token_of(request))
    token = sign_ins.begin(request.app.state.now())
    answer = RedirectResponse(where, 303)
    answer.set_cookie(COOKIE, token, secure=True, httponly=True, samesite="strict", path="/")
    return answer


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
