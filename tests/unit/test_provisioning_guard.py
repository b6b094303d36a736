"""What every request passes before a page sees it."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import trio
from trio.testing import MockClock

from app.control.passwords import weakness
from provisioning.api.bearers import Bearers
from provisioning.client import Box
from provisioning.identity import facts, identity, identity_in
from provisioning.life import Life
from provisioning.list_sending import Sender
from provisioning.passwords import Passwords
from provisioning.settings import Process
from provisioning.shelf import Shelf
from provisioning.sign_ins import SignIns
from provisioning.slate import Slate
from provisioning.throttle import Throttle
from provisioning.web.application import _ROUTES, application
from provisioning.web.guard import COOKIE, HEADERS, LARGEST_BODY, LONGEST_BODY_S, OPEN, is_our_name
from provisioning.web.rendering import MASK, SECRET_FIELDS, Door
from tests.rules.tree import TREE

pytestmark = pytest.mark.unit

HOST = "https://deskbell.local"
NAMES = frozenset({"deskbell.local"})


@asynccontextmanager
async def visitor(folder: Path) -> AsyncGenerator[tuple[httpx.AsyncClient, Door], None]:
    """A browser in front of a page whose phone process is away."""
    slate = Slate.fresh()
    passwords = Passwords(folder)
    box, process = Box(folder / "nobody.sock"), Process(admin_folder=folder)
    shelf, life = Shelf.fresh(slate), Life()
    sender = Sender(box, shelf, life)
    door = Door(box, passwords, SignIns(slate), Throttle(slate), Bearers(box, slate), life, process, shelf, sender)
    transport = httpx.ASGITransport(application(door, NAMES, 8443))
    async with httpx.AsyncClient(transport=transport, base_url=HOST) as client:
        yield client, door
    await door.box.close()


async def test_only_what_is_declared_open_is_open(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, _):
        paths = [route.path.replace("{id}", "x").replace("{action:str}", "start") for route in _ROUTES]
        answers = {path: await client.get(path) for path in paths}
    open_ones = {path for path, answer in answers.items() if answer.headers.get("location") != "/sign-in"}
    assert open_ones == {
        "/sign-in",
        "/first-boot",
        "/static/deskbell.css",
        "/static/deskbell.js",
        "/static/bell.svg",
    }
    assert open_ones == OPEN


async def test_every_answer_has_the_headers(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, _):
        for path in ("/first-boot", "/static/deskbell.css", "/agents", "/nothing"):
            answer = await client.get(path)
            assert {name: answer.headers[name] for name in HEADERS} == HEADERS
            assert "server" not in answer.headers


async def test_a_stranger_learns_no_version(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, _):
        assert "0.1.0" not in (await client.get("/first-boot")).text


async def test_a_rebound_name_is_refused_before_anything(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, _):
        assert (await client.get("/first-boot", headers={"host": "evil.example"})).status_code == 421
        assert (await client.get("/first-boot", headers={"host": "192.0.2.7:8443"})).status_code == 200


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("deskbell.local", True),
        ("DESKBELL.local:8443", True),
        ("192.0.2.1", True),
        ("[2001:db8::1]:8443", True),
        ("evil.example", False),
        ("deskbell.local.evil.example", False),
        ("evil-deskbell.local", False),
        ("evil.deskbell.local", False),
        ("", False),
    ],
)
def test_names(host: str, ours: bool) -> None:
    assert is_our_name(host, NAMES) is ours


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://deskbell.local:8444"},
        {"origin": "http://deskbell.local"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
async def test_another_sites_form_is_refused(tmp_path: Path, headers: dict[str, str]) -> None:
    async with visitor(tmp_path) as (client, _):
        assert (await client.post("/sign-in", headers=headers, data={"password": "x"})).status_code == 403


async def test_every_form_needs_the_token_of_this_sign_in(tmp_path: Path) -> None:
    """With none, and with that of another sign-in, nothing is asked of the box: it is away, and nobody notices."""
    paths = {route.path for route in _ROUTES if "POST" in (route.methods or ()) and route.path not in OPEN}
    async with visitor(tmp_path) as (client, door):
        await signed_in(client, door)
        other = door.sign_ins.find(door.sign_ins.begin(time.monotonic()), time.monotonic())
        assert other
        for path in sorted(paths):
            there = path.replace("{id}", "x").replace("{action:str}", "start")
            for csrf in ("", other.csrf):
                answer = await client.post(there, data={"csrf": csrf, "confirmed": "yes"})
                assert (path, answer.status_code) == (path, 403)
                assert "The page was too old to be sent." in answer.text
        assert (await client.get("/password")).status_code == 200


async def test_too_much_is_refused(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, _):
        answer = await client.post("/first-boot", content=b"x" * (LARGEST_BODY + 1))
        assert answer.status_code == 413
        assert (await client.send(_unmeasured(65_536, every_s=0))).status_code == 413


@pytest.mark.parametrize(("more", "status"), [(0, 422), (1, 413)])
async def test_a_body_that_does_not_say_how_long_it_is_may_be_as_large_as_others(
    tmp_path: Path, more: int, status: int
) -> None:
    stream = _Parts(b"code=", b"x" * (LARGEST_BODY - 6), b"x" * (1 + more))
    request = httpx.Request("POST", f"{HOST}/first-boot", headers={"host": "deskbell.local"}, stream=stream)
    async with visitor(tmp_path) as (client, _):
        assert (await client.send(request)).status_code == status


class _Parts(httpx.AsyncByteStream):
    def __init__(self, *parts: bytes) -> None:
        self._parts = list(parts)

    def __aiter__(self) -> _Parts:
        return self

    async def __anext__(self) -> bytes:
        if not self._parts:
            raise StopAsyncIteration
        await trio.lowlevel.checkpoint()
        return self._parts.pop(0)


class _Endless(httpx.AsyncByteStream):
    def __init__(self, size: int, every_s: float) -> None:
        self._part, self._every_s = b"x" * size, every_s

    def __aiter__(self) -> _Endless:
        return self

    async def __anext__(self) -> bytes:
        await trio.sleep(self._every_s)
        return self._part


def _unmeasured(size: int, every_s: float) -> httpx.Request:
    """A form that does not say how long it is, and has no end."""
    return httpx.Request(
        "POST", f"{HOST}/first-boot", headers={"host": "deskbell.local"}, stream=_Endless(size, every_s)
    )


async def test_a_body_that_dribbles_is_given_up(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with visitor(tmp_path) as (client, _):
        began = trio.current_time()
        answer = await client.send(_unmeasured(1, every_s=1))
    assert answer.status_code == 413
    assert trio.current_time() - began == LONGEST_BODY_S


async def test_without_tls_there_is_only_the_way_to_it(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, _):
        answer = await client.get("http://deskbell.local/agents?text=secret")
        refused = await client.get("http://evil.example/", headers={"host": "evil.example"})
    assert (answer.status_code, answer.headers["location"]) == (308, "https://deskbell.local:8443/agents")
    assert refused.status_code == 421


async def signed_in(client: httpx.AsyncClient, door: Door) -> httpx.Response:
    form = {"code": door.passwords.set_up_code, "password": "three green frogs", "again": "three green frogs"}
    return await client.post("/first-boot", data=form)


async def test_the_cookie_is_for_this_box_and_no_script(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, door):
        cookie = (await signed_in(client, door)).headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert cookie.startswith("__Host-"), "browsers then take it from this very host only, and over TLS"
    assert "domain" not in cookie.casefold()
    for attribute in ("HttpOnly", "Secure", "SameSite=strict", "Path=/"):
        assert attribute in cookie
    assert "Domain" not in cookie


async def test_a_form_without_its_token_is_not_done(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, door):
        await signed_in(client, door)
        assert (await client.post("/sign-out")).status_code == 403
        assert (await client.get("/password")).status_code == 200


async def test_when_the_phone_process_is_away_the_page_says_so(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, door):
        await signed_in(client, door)
        answer = await client.get("/agents")
    assert answer.status_code == 503
    assert "telephone part of the box does not answer" in answer.text


async def test_the_set_up_code_works_once(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, door):
        await signed_in(client, door)
        client.cookies.clear()
        again = await signed_in(client, door)
        assert again.headers["location"] == "/sign-in"


async def test_guessing_gets_slow_and_the_password_stays_secret(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, door):
        await signed_in(client, door)
        client.cookies.clear()
        statuses = [(await client.post("/sign-in", data={"password": "guess"})).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    assert "three green frogs" not in (tmp_path / "password").read_text()
    assert (tmp_path / "password").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("password", "fits"), [("", False), ("short", False), ("password", False), ("x" * 129, False), ("käse brot", True)]
)
def test_which_passwords_fit(password: str, fits: bool) -> None:
    assert (weakness(password) == "") is fits


async def test_many_guesses_at_once_are_not_many_for_the_price_of_one(tmp_path: Path) -> None:
    statuses: list[int] = []
    async with visitor(tmp_path) as (client, door):
        await signed_in(client, door)
        client.cookies.clear()

        async def guess() -> None:
            statuses.append((await client.post("/sign-in", data={"password": "guess"})).status_code)

        async with trio.open_nursery() as nursery:
            for _ in range(20):
                nursery.start_soon(guess)
    assert sorted(statuses) == [401] * 3 + [429] * 17


async def test_a_code_in_other_digits_is_a_wrong_code(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, _):
        form = {"code": "\u00b2\u0663\u0664 5678", "password": "three green frogs", "again": "three green frogs"}
        assert (await client.post("/first-boot", data=form)).status_code == 422


async def test_a_weak_password_does_not_cost_the_code_that_was_typed(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, door):
        form = {"code": door.passwords.set_up_code, "password": "weak", "again": "weak"}
        told = await client.post("/first-boot", data=form)
    assert told.status_code == 422
    assert f'value="{form["code"]}"' in told.text
    assert "weak" not in told.text


async def test_who_comes_second_with_the_code_does_not_replace_the_password(tmp_path: Path) -> None:
    passwords = Passwords(tmp_path)
    stored: list[bool] = []

    async def store(password: str) -> None:
        stored.append(await passwords.set_first(password))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(store, "three green frogs")
        nursery.start_soon(store, "three blue frogs")
    assert sorted(stored) == [False, True]


async def test_a_new_certificate_asks_for_the_password_and_the_old_one_stays_until_then(tmp_path: Path) -> None:
    first = facts(identity(tmp_path, ["deskbell.local"], [])).fingerprint
    async with visitor(tmp_path) as (client, door):
        await signed_in(client, door)
        shown = await client.get("/box/certificate")
        assert first in shown.text
        assert "does not name deskbell, " in shown.text
        form = {"csrf": await _csrf(client)}
        wrong = await client.post("/box/certificate", data=form | {"password": "a guess"})
        assert (wrong.status_code, facts(identity_in(tmp_path)).fingerprint) == (422, first)
        done = await client.post("/box/certificate", data=form | {"password": "three green frogs"})
        assert done.status_code == 303
        shown = await client.get("/box/certificate")
        file = await client.get("/box/certificate.crt")
    made = facts(identity_in(tmp_path))
    assert made.fingerprint != first
    assert made.names[:2] == ("deskbell.local", "deskbell")
    assert made.fingerprint in shown.text
    assert "does not name" not in shown.text
    assert file.headers["content-disposition"] == 'attachment; filename="deskbell.crt"'
    assert file.text == identity_in(tmp_path).certificate.read_text()


async def test_signing_in_again_ends_the_token_before(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, door):
        await signed_in(client, door)
        before = client.cookies[COOKIE]
        await client.post("/sign-in", data={"password": "three green frogs", "csrf": await _csrf(client)})
        after = client.cookies[COOKIE]
        assert before != after
        assert door.sign_ins.find(before, time.monotonic()) is None
        assert door.sign_ins.find(after, time.monotonic())


async def _csrf(client: httpx.AsyncClient) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', (await client.get("/password")).text)
    assert found
    return found[1]


async def test_another_password_signs_everybody_else_out(tmp_path: Path) -> None:
    async with visitor(tmp_path) as (client, door):
        await signed_in(client, door)
        elsewhere = door.sign_ins.begin(time.monotonic())
        form = {"password": "three blue frogs", "again": "three blue frogs", "csrf": await _csrf(client)}
        assert (await client.post("/password", data=form | {"old": "a guess"})).status_code == 422
        assert door.sign_ins.find(elsewhere, time.monotonic())
        assert (await client.post("/password", data=form | {"old": "three green frogs"})).status_code == 303
        assert door.sign_ins.find(elsewhere, time.monotonic()) is None
        assert (await client.get("/password")).status_code == 200
        assert await door.passwords.check("three blue frogs")


@pytest.mark.parametrize(
    ("form", "seen"),
    [
        ({"password": "three green frogs"}, True),
        ({"password": ""}, False),
        ({"login": MASK, "password": MASK, "name": "Office"}, False),
        ({"login": "200-login"}, True),
    ],
)
async def test_a_process_that_saw_a_secret_says_so(tmp_path: Path, form: dict[str, str], seen: bool) -> None:
    async with visitor(tmp_path) as (client, door):
        await client.get("/sign-in")
        assert not door.life.has_seen_secret.is_set()
        await client.post("/sign-in", data=form)
        assert door.life.has_seen_secret.is_set() is seen


def test_every_field_for_a_password_is_known_to_hold_a_secret() -> None:
    pages = "".join(path.read_text() for path in (TREE / "provisioning" / "pages").glob("*.html"))
    fields = re.findall(r"""field\("[^"]+", "(\w+)",[^\n]*"password\"""", pages)
    assert len(fields) >= 5
    assert set(fields) <= SECRET_FIELDS
