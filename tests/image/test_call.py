"""The image as an office uses it: provisioned through its page alone, registered with a real PBX, called, and the call
read afterwards."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
import trio

from tests.image.machine import OFFICE, Machine, machine, trusted
from tests.image.owner import BOOT_S, Owner, counted
from tests.office.calling import make_call
from tests.office.pbx import OfficeAccount, Pbx, office_accounts, office_pbx
from tests.office.script import HangUp, Listen, Say, Script
from tests.office.voices import SPEAKERS, say
from tests.web.appliance import PASSWORD
from tests.web.forms import Form
from tests.web.visitor import Visitor, visitor

pytestmark = [pytest.mark.image, pytest.mark.timeout(1800)]

BOX, CALLER = "200", "101"
ACCOUNTS = office_accounts(u200=OfficeAccount(BOX, beyond=True))
QUESTION, ANSWER = "where can I park", "There is a car park behind the house."
CALL_S = 240.0
ANSWERED_S = 90.0  # a machine in software hears, thinks and speaks as many times slower
BREAKS_MS = 5000  # in what it says, while it is busy with something else


async def test_a_call_is_taken_and_can_be_read(tmp_path: Path) -> None:
    async with office_pbx(accounts=ACCOUNTS, seen_as=OFFICE) as pbx, machine(tmp_path, cores=2) as box:
        code = await box.said(r"Set-up code: (\d{4} \d{4})", BOOT_S)
        async with visitor(box.address, await trusted(box, tmp_path)) as browser:
            browser.client.timeout = httpx.Timeout(BOOT_S)
            await browser.first_boot(code, PASSWORD)
            owner = await provisioned(browser, box, pbx)
            await counted(box, A_OK="1", A_TRY="0")  # or it would prove itself beside the call
            await called(pbx)
            page = await owner.sees(ANSWERED_S, "/sessions/2", path="/sessions")
            [session] = set(re.findall(r'href="(/sessions/\d{8}T[\w-]+)"', page))
            told = await owner.sees(ANSWERED_S, ANSWER, "Answered", path=session)
            assert "park" in told.replace(ANSWER, "").lower(), "what the caller said stands there too"


async def provisioned(browser: Visitor, box: Machine, pbx: Pbx) -> Owner:
    """By the forms of the page; registered when this returns."""
    line = {
        "name": "Office",
        "domain": f"{OFFICE}:{pbx.beyond_port}",
        "user": BOX,
        "password": pbx.accounts[BOX].password,
    }
    await _saved(browser, (await browser.form("/channels/new")).filled_first(line))
    form = (await browser.form("/agents/new")).filled_first(
        {"name": "Reception", "questions": QUESTION, "answer": ANSWER}
    )
    assert form.has("inbound"), "a first agent is offered the only connection"
    await _saved(browser, form)
    owner = Owner(browser, box)
    [start] = re.findall(r'action="(/agents/\w+/start)', await owner.sees(BOOT_S, "/start", path="/agents"))
    await owner.presses(start, "/agents")
    await owner.sees(BOOT_S, "Registered", path="/agents")
    return owner


async def _saved(browser: Visitor, form: Form) -> None:
    answer = await browser.send(form)
    assert answer.status_code == httpx.codes.SEE_OTHER, answer.text


async def called(pbx: Pbx) -> None:
    question = await say(SPEAKERS["rms"], QUESTION)
    waits = Listen(quiet_ms=BREAKS_MS, timeout_s=ANSWERED_S)
    script = Script(
        pbx=pbx.address, user=CALLER, dial=BOX, steps=(waits, Say(wav=question), waits, HangUp()), answer_timeout_s=60
    )
    made = await make_call(script, pbx.accounts[CALLER].password, limit_s=CALL_S)
    assert made.failure == "", made.events
    await trio.sleep(1)  # the box hears of it
