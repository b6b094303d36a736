"""Pages out of templates, and forms into text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl

from jinja2 import Environment, FileSystemLoader
from pydantic import ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from app.control import views
from app.control.campaigns import MOST_ROWS
from app.control.refusals import STATUS, Refusal, Why
from provisioning.api.bearers import Bearers
from provisioning.client import Box
from provisioning.life import Life
from provisioning.list_sending import Sender
from provisioning.passwords import Passwords
from provisioning.plainly import plainly
from provisioning.settings import Process
from provisioning.shelf import LARGEST_LIST, Shelf
from provisioning.sign_ins import SignIn, SignIns, is_csrf
from provisioning.throttle import Throttle
from provisioning.web import wording
from provisioning.web.uploads import NotAForm, TooLarge, has_files, uploaded

FIELDS = 4000
"""An agent with 200 answers of 10 questions each, and then some."""

_DIGITS = 15
_LONGEST_FILE_NAME = 200

MASK = "••••••••"
"""What stands in a secret's field while something is stored; sent back unchanged, it changes nothing."""

SECRET_FIELDS = frozenset({"password", "again", "old", "code", "login", "passphrase", "api_key", "secret"})
"""Fields of any form that hold a secret: a process that has seen one of them is replaced."""

ROAD = "/set-up"
"""The steps of a new box, as a page."""

STATIC = Path(__file__).parents[1] / "static"

_LIST_TOO_LARGE = Refusal(
    why=Why.TOO_LARGE,
    text=f"Nothing was taken: the file is larger than {LARGEST_LIST // 2**20} MB, and a list has at most {MOST_ROWS:,} "
    "rows. Split it, and upload the parts one by one.",
)

_FILE_TOO_LARGE = Refusal(
    why=Why.TOO_LARGE,
    text=f"The file was not added: it is larger than {LARGEST_LIST // 2**20} MB. What makes it so large is mostly "
    "pictures: save its text alone, as plain text, or split it.",
)

_templates = Environment(loader=FileSystemLoader(Path(__file__).parents[1] / "pages"), autoescape=True)


@dataclass(frozen=True, slots=True)
class Door:
    """What the pages share. `life`: of this worker process. `process`: what the system decided for it."""

    box: Box
    passwords: Passwords
    sign_ins: SignIns
    throttle: Throttle
    bearers: Bearers
    life: Life
    process: Process
    shelf: Shelf
    sender: Sender


def door_of(request: Request) -> Door:
    door = request.app.state.door
    if not isinstance(door, Door):
        raise TypeError("the application was made without a door")
    return door


def sign_in_of(request: Request) -> SignIn | None:
    sign_in = request.scope["state"]["sign_in"]
    return sign_in if isinstance(sign_in, SignIn) else None


def token_of(request: Request) -> str:
    return str(request.scope["state"]["token"])


def page(request: Request, template: str, status: int = 200, **context: object) -> Response:
    """`template` with what every page needs; a flash message is said once."""
    sign_in = sign_in_of(request)
    # A live page that looks again in the background must not take what the next page has to say.
    is_seen = request.headers.get("sec-fetch-mode", "navigate") == "navigate"
    flash = door_of(request).sign_ins.take_flash(token_of(request)) if sign_in and is_seen else ""
    common = {
        "path": request.url.path,
        "csrf": sign_in.csrf if sign_in else "",
        "flash": flash,
        "now": datetime.now(UTC),
        "zone": "UTC",
    }
    return HTMLResponse(_templates.get_template(template).render(common | context), status)


async def zone_of(request: Request) -> str:
    """The box's time zone, in which people read times. Whoever shows a time passes it to `page` as `zone`."""
    box = await door_of(request).box.ask("get_box", views.BoxView)
    return "UTC" if isinstance(box, Refusal) else box.settings.time_zone


def refused(request: Request, refusal: Refusal) -> Response:
    """A page of its own for what stands in the way, where there is no form to show it in."""
    return page(request, "refused.html", STATUS[refusal.why], refusal=refusal)


def done(request: Request, where: str, flash: str = "") -> Response:
    if flash and sign_in_of(request):
        door_of(request).sign_ins.say_next(token_of(request), flash)
    return RedirectResponse(where, 303)


def download(name: str, body: bytes, media_type: str) -> Response:
    """`name`: of letters, digits, dots and hyphens."""
    return Response(body, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'})


class Form:
    """What was typed, as text, and the files that were chosen. What was not sent is empty."""

    def __init__(
        self,
        pairs: list[tuple[str, str]],
        files: Mapping[str, bytes] | None = None,
        file_names: Mapping[str, str] | None = None,
    ) -> None:
        self._pairs, self._files, self._file_names = pairs, files or {}, file_names or {}

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self._pairs if key == name), "")

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def file(self, name: str) -> bytes:
        return self._files.get(name, b"")

    def file_name(self, name: str) -> str:
        """One line, whatever the browser called it."""
        return "".join(sign for sign in self._file_names.get(name, "") if sign.isprintable())[:_LONGEST_FILE_NAME]

    @property
    def holds_secret(self) -> bool:
        return any(key in SECRET_FIELDS and value not in ("", MASK) for key, value in self._pairs)

    def ticked(self, name: str) -> bool:
        return bool(self[name])


async def form_of(request: Request) -> Form | Response:
    """The form that was sent, if it is one of ours."""
    try:
        form = await _sent(request)
    except ClientDisconnect:
        return PlainTextResponse("That is more than this box takes at once, or it came too slowly.\n", 413)
    except TooLarge:
        return refused(request, _LIST_TOO_LARGE if request.url.path.startswith("/campaigns/") else _FILE_TOO_LARGE)
    except (ValueError, NotAForm):
        return refused(request, Refusal(why=Why.INVALID, text="This was not a form of ours. Go back and try again."))
    return proper(request, form)


def proper(request: Request, form: Form) -> Form | Response:
    """The form, if it came from a page of ours."""
    if form.holds_secret:
        request.scope["state"]["saw_secret"] = True
    sign_in = sign_in_of(request)
    if sign_in and not is_csrf(sign_in, form["csrf"]):
        text = "The page was too old to be sent. Go back, reload it, and try again: what you typed is still there."
        return refused(request, Refusal(why=Why.NOT_ALLOWED, text=text))
    return form


async def _sent(request: Request) -> Form:
    """Raises: ValueError, NotAForm: it is no form; ClientDisconnect: it did not come whole."""
    if has_files(request):
        return Form(*await uploaded(request))
    body = await request.body()
    return Form(parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=FIELDS))


def whole_number(text: str, otherwise: int) -> int:
    """`otherwise` for what is none, or is longer than any number of ours."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else otherwise


def next_of(asked: str, otherwise: str) -> str:
    """Where to go after saving: back to the road of a new box, for whoever came from there."""
    return ROAD if asked == ROAD else otherwise


def version_after(refusal: Refusal, typed: str, stored: int) -> str:
    """What the form is based on from here on: whoever was told that somebody else saved meanwhile, and saves again,
    means it."""
    return str(stored) if refusal.why is Why.CHANGED_MEANWHILE else typed


def wrongly_typed(error: ValidationError) -> Refusal:
    """What the model did not take, by the path of its field; never what was typed."""
    fields = {
        ".".join(str(part) for part in fault["loc"]): plainly(fault["type"], fault.get("ctx", {}), fault["msg"])
        for fault in error.errors(include_input=False, include_url=False)
    }
    text = "Not saved: something that was typed cannot be used. See the fields below."
    return Refusal(why=Why.INVALID, text=text, fields=fields)


def without_prefix(fields: Mapping[str, str], *prefixes: str) -> dict[str, str]:
    """The faults of a refusal by the name that the form's field has."""
    named = {}
    for field, text in fields.items():
        for prefix in prefixes:
            field = field.removeprefix(prefix)  # noqa: PLW2901
        named[field] = text
    return named


_templates.filters.update(wording.FILTERS)
