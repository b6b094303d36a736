"""The office that the box in QEMU works for: its PBX, a connection and an agent made on the page, and a caller."""

from __future__ import annotations

import re

import httpx
import trio

from tests.image.machine import OFFICE, Machine
from tests.image.owner import BOOT_S, Owner
from tests.office.calling import make_call
from tests.office.pbx import OfficeAccount, Pbx, office_accounts
from tests.office.script import HangUp, Listen, Say, Script
from tests.office.voices import SPEAKERS, say
from tests.web.forms import Form
from tests.web.visitor import Visitor

BOX, CALLER = "200", "101"
ACCOUNTS = office_accounts(u200=OfficeAccount(BOX, beyond=True))
QUESTION, ANSWER = "where can I park", "There is a car park behind the house."
CALL_S = 240.0
ANSWERED_S = 90.0  # a machine in software hears, thinks and speaks as many times slower
BREAKS_MS = 5000  # in what it says, while it is busy with something else


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
