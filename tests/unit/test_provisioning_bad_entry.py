"""Hostile values where passwords are typed, one after the other without the throttle's waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.test_provisioning_guard import visitor
from tests.web.hostile import MARKS, TEXTS
from tests.web.visitor import Visitor

pytestmark = pytest.mark.unit

GOOD = "horse battery staple"


@pytest.mark.parametrize("spoilt", ["code", "password", "again"])
async def test_at_the_first_boot(tmp_path: Path, spoilt: str) -> None:
    async with visitor(tmp_path) as (client, door):
        browser = Visitor(client)
        form = (await browser.form("/first-boot")).filled(code="12345678", password=GOOD, again=GOOD)
        for value in TEXTS.values():
            answer = await browser.send(form.filled(**{spoilt: value}))
            assert answer.status_code == 422
            assert not any(mark in answer.text for mark in MARKS)
            door.throttle.succeeded("127.0.0.1")
        assert not door.passwords.is_set


@pytest.mark.parametrize("value", TEXTS.values(), ids=list(TEXTS))
async def test_at_the_sign_in_and_for_another_password(tmp_path: Path, value: str) -> None:
    async with visitor(tmp_path) as (client, door):
        await door.passwords.set_first(GOOD)
        browser = Visitor(client)
        answer = await browser.send((await browser.form("/sign-in")).filled(password=value))
        assert answer.status_code in (401, 422)
        assert not any(mark in answer.text for mark in MARKS)
        await browser.sign_in(GOOD)
        form = await browser.form("/password")
        for fields in ({"old": value, "password": GOOD}, {"old": GOOD, "password": value[:7]}):
            answer = await browser.send(form.filled(**fields, again=GOOD))
            assert answer.status_code == 422
            assert not any(mark in answer.text for mark in MARKS)
