"""Hostile values in every field of every form of the page, found by following its links: never a fault of the page's,
never markup or a header, and what is saved is shown exactly as it was typed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest

from provisioning.web.application import _ROUTES
from tests.web.forms import Form
from tests.web.hostile import TEXTS
from tests.web.site import UNTOUCHED, Site, filled_well, site

pytestmark = [pytest.mark.web, pytest.mark.timeout(600)]

_LEFT_OUT = ("/sign-out", "/sign-in", "/password", "/box/certificate")
"""Leaving would end the test, and so would another certificate; passwords are throttled (see
tests/unit/test_provisioning_bad_entry.py)."""

_FEW = ("empty", "long", "a header", "half a character", "script", "attribute", "a number")
_AT_ONCE = 4
"""For all fields but one of a form, four of these, one after the other: the page treats fields alike, and its models
get everything in every field in tests/web/test_bad_questions.py."""
_LONGEST_ID = 2000
_NOT_SHOWN = frozenset({"password", "again", "old", "login", "passphrase", "secret", "sample"})
"""Secrets are not shown again; "sample" is a number to try dial rules with, and is not kept."""

_LISTS = ("questions", "vocabulary")


MAKERS = {"/channels/new": "connections", "/agents/new": "agents", "/connectivity/new": "connectivity"}
EDITORS = ("/channels/{id}", "/agents/{id}", "/connectivity/{id}")
COMPARED = 4
"""What was saved is compared with what was typed for at least so many values of each of these forms: markup of two
kinds, as the name and as the description. No hostile text is a host name or a webhook's address."""


async def test_every_field_of_every_form(tmp_path: Path) -> None:
    compared: Counter[str] = Counter()
    async with site(tmp_path) as page:
        for kind, form in (await page.crawl()).items():
            if form.action not in _LEFT_OUT:
                await _spoil(page, kind, form, compared)
        await _records_that_are_none_by_whatever_name(page)
        assert page.wrong == [], "\n".join(page.wrong)
        assert page.sent > 1000
    assert {each for each in (*MAKERS, *EDITORS) if compared[each] < COMPARED} == set(), compared


async def _spoil(page: Site, kind: str, form: Form, compared: Counter[str]) -> None:
    names = {name for name, _ in form.fields} | form.choices | set(form.files or ())
    for place, name in enumerate(sorted(names - UNTOUCHED)):
        for what in _few(place) if place else TEXTS:
            value = TEXTS[what]
            sent = _spoilt(form, name, value, page.sent)
            answer = await page.browser.send(sent, chosen=value.encode(errors="surrogatepass"))
            page.sent += 1
            page.judge(f"{kind} {name}, {what}", answer)
            if answer.is_redirect and form.method == "post":
                page.judge(f"{kind} {name}, {what}, saved", await page.browser.client.get(answer.headers["location"]))
                if (stored := await _stored(page, form)) and _is_to_be_shown(name, sent):
                    compared[kind.split()[1]] += 1
                    page.wrong += _differences(f"{kind} {name}, {what}", sent, stored, name)
                form = stored if stored and form.action == stored.action else form
                await _drop(page, form)
        await page.tidy_up()


def _few(place: int) -> list[str]:
    return [_FEW[(place * _AT_ONCE + number) % len(_FEW)] for number in range(_AT_ONCE)]


async def _stored(page: Site, sent: Form) -> Form | None:
    """The form of the record that was made or changed, with the version that it has by now."""
    if kind := MAKERS.get(sent.action.partition("?")[0]):
        [made] = await page.ids(kind) - page.kept
        return await page.browser.form(f"{sent.action.partition('/new')[0]}/{made}")
    return await page.browser.form(sent.action) if sent.has("version") else None


async def _drop(page: Site, form: Form) -> None:
    """What was made goes at once: the next one would not be told from it."""
    if kind := MAKERS.get(form.action.partition("?")[0]):
        await page.tidy_up([kind])


def _is_to_be_shown(name: str, sent: Form) -> bool:
    """A field that was emptied may have its default again."""
    hidden = _NOT_SHOWN | sent.choices | sent.hidden | sent.secrets
    return sent.has(name) and name not in hidden and bool(_read(sent.shown(name), name))


def _differences(what: str, sent: Form, stored: Form, name: str) -> Iterator[str]:
    there = _read(stored.shown(name), name)
    if there != _read(sent.shown(name), name):
        yield f"{what}: saved as {there[:100]!r}"


def _spoilt(form: Form, spoilt: str, value: str, number: int) -> Form:
    """Filled well, but for the first field of this name."""
    fields = list(filled_well(form, f"Name {number}").fields)
    place = next((place for place, (name, _) in enumerate(fields) if name == spoilt), len(fields))
    if place < len(fields) or spoilt in form.choices:
        fields[place : place + 1] = [(spoilt, value)]
    return replace(form, fields=tuple(fields))


def _read(typed: str, name: str) -> str:
    """As the box takes it: without blanks around it, and without empty lines where each line is an entry."""
    text = typed.replace("\r\n", "\n").strip()
    if name.startswith("value."):  # of a participant: lists have line breaks in cells, and a call's variable has none
        return " ".join(text.split())
    is_list = name in _LISTS or name.endswith(".said")
    return "\n".join(line for line in text.split("\n") if line) if is_list else text


async def _records_that_are_none_by_whatever_name(page: Site) -> None:
    csrf = (await page.browser.form("/box")).shown("csrf")
    for route, (what, value) in product([each for each in _ROUTES if "{" in each.path], TEXTS.items()):
        path = re.sub(r"{\w+(:\w+)?}", quote(value[:_LONGEST_ID], safe="", errors="surrogatepass"), route.path)
        for method in sorted({"GET", "POST"} & set(route.methods or ())):
            form = Form(method.lower(), path, (("csrf", csrf),) if method == "POST" else ())
            page.judge(f"{method} {route.path}, {what}", await page.browser.send(form))
