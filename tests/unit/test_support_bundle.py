"""The support bundle helps, and says nothing about whose box it is: what was planted everywhere is nowhere in it."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from app.control.views import AgentPlan, BoxView, Finding, Health, NetworkFact, Severity
from app.engines import BoxVoice, ModelServer
from app.settings import Account, Agent, Box, Knowledge, Person, ResultField
from firmware.keeping.support import LOG_FIELDS, LOG_LINES, Seen, bundle
from firmware.storage import records
from firmware.telephony.registration_log import log_registration
from tests.rules.test_log_keys import SAFE_KEYS

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
CANARY, NUMBER = "canary", "+49301234567"

HEALTH = Health(
    temperature_c=48.5,
    memory_used_mb=300,
    memory_total_mb=900,
    disk_free_mb=1000,
    disk_total_mb=8000,
    load_1min=0.4,
    uptime_s=3600,
    tick_gap_p999_ms=21.5,
    tick_gap_max_ms=25.0,
    clock_ok=True,
    storage_problem=f"the folder {CANARY} cannot be written to",
)
BOX = BoxView(
    version=1,
    settings=Box(name=CANARY, time_zone="Europe/Berlin"),
    software="0.1.0",
    host_name=CANARY,
    now=NOW,
    network=(NetworkFact(interface=CANARY, mac="02:00:00:ca:na:ry"),),
    secrets_bound_by="a key file",
    health=HEALTH,
)
ACCOUNT = Account(
    name=CANARY, description=CANARY, domain=f"{CANARY}.lan", user=NUMBER, caller_id=CANARY, proxy=f"{CANARY}.lan"
).model_copy(update={"tls_fingerprint": CANARY})
SEALED = records.Sealed(CANARY.encode(), 1)
AGENT = Agent(
    name=CANARY,
    description=CANARY,
    greeting=CANARY,
    hours=CANARY,
    goodbye=CANARY,
    knowledge=(Knowledge(questions=(CANARY, NUMBER), answer=CANARY),),
    directory=(Person(name=CANARY, extension=NUMBER, also=(CANARY,)),),
    vocabulary=(CANARY,),
    instructions=CANARY,
    announcement=CANARY,
    result_fields=(ResultField(name=CANARY, description=CANARY, type="choice", choices=(CANARY, NUMBER)),),
)


MODEL = ModelServer(base_url=f"https://{CANARY}.example/{CANARY}", model=CANARY)


TAKES_CALLS = "app.agents.reception"


def line(number: int, text: str = "call answered", source: str = TAKES_CALLS, **fields: str) -> dict[str, Any]:
    return {
        "id": number,
        "at": "2026-11-26T09:00:00.000+00:00",
        "level": 20,
        "source": source,
        "agent_id": "a1",
        "connection_id": "",
        "text": text,
        "fields": json.dumps(fields),
    }


def finding(kind: str) -> Finding:
    return Finding(
        kind=kind,
        severity=Severity.ERROR,
        title=CANARY,
        evidence=CANARY,
        remedy=CANARY,
        about="agent",
        about_id=CANARY,
        about_name=CANARY,
    )


SEEN = Seen(
    box=BOX,
    platform={"python": "3.11"},
    findings=[finding("registration failed"), finding("registration failed"), finding("not attached")],
    connections=[records.ConnectionRecord(CANARY, 1, NOW, ACCOUNT, SEALED, SEALED)],
    connectivity=[
        records.ConnectivityRecord(CANARY, 1, CANARY, CANARY, engine, built_in=False, api_key=SEALED)
        for engine in (BoxVoice(), MODEL)
    ],
    agents=[records.AgentRecord(CANARY, 1, NOW, AgentPlan(settings=AGENT, text_to_speech=CANARY), should_run=True)],
    states=["Running"],
    log=[
        line(1, agent=CANARY, problem=f"the connection “{CANARY}” cannot be read", pj=CANARY, path=CANARY, file=CANARY),
        line(2, "Registered with the PBX for 300 s.", log_registration.__module__),
        line(3, said=CANARY, remote=NUMBER, call_id=CANARY),
        line(4, codec="opus", call_id="c0ffee"),
    ],
)


def opened(seen: Seen) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(bundle(seen))) as file:
        assert file.testzip() is None
        return {name: file.read(name).decode() for name in file.namelist()}


def test_what_was_planted_everywhere_is_nowhere_in_the_bundle() -> None:
    data, files = bundle(SEEN), opened(SEEN)
    for planted in (CANARY, NUMBER, "Europe/Berlin", "ca:na:ry"):
        assert planted.encode() not in data
        assert [name for name, text in files.items() if planted in text] == []


def test_every_setting_was_planted() -> None:
    """Whoever adds one to a model plants it here."""
    for model in (ACCOUNT, AGENT, MODEL):
        for name, info in type(model).model_fields.items():
            value = getattr(model, name)
            unplanted = info.annotation is str and CANARY not in value and NUMBER not in value
            assert not unplanted, f"{type(model).__name__}.{name}"


def test_it_says_what_helps() -> None:
    files = opened(SEEN)
    assert files.keys() == {
        "README.txt",
        "box.json",
        "findings.json",
        "settings.json",
        "registrations.json",
        "log.jsonl",
    }
    assert all(name in files["README.txt"] for name in files if name != "README.txt")
    box = json.loads(files["box.json"])
    assert (box["deskbell"], box["python"], box["health"]["tick_gap_max_ms"]) == ("0.1.0", "3.11", 25.0)
    assert box["storage_in_order"] is False
    assert json.loads(files["findings.json"]) == {"error: registration failed": 2, "error: not attached": 1}
    settings = json.loads(files["settings.json"])
    (connection,), (agent,) = settings["connections"], settings["agents"]
    assert (connection["account"]["transport"], connection["account"]["domain"]) == ("udp", "10 characters")
    assert (connection["has_password"], connection["has_login"]) == (True, True)
    assert agent["settings"]["pause_ms"] == 450
    assert agent["settings"]["knowledge"] == f"1 entries, {2 * len(CANARY) + len(NUMBER)} characters"
    assert settings["agent_states"] == {"Running": 1}
    (registration,) = json.loads(files["registrations.json"])
    assert registration["text"] == "Registered with the PBX for 300 s."


def test_lines_of_one_call_are_known_by_a_number() -> None:
    log = [line(number, call_id=call) for number, call in enumerate(("x", "y", "x"))]
    lines = [json.loads(each) for each in opened(replace(SEEN, log=log))["log.jsonl"].splitlines()]
    assert [each["fields"]["call"] for each in lines] == ["call 1", "call 2", "call 1"]
    assert {each["level"] for each in lines} == {"INFO"}


def test_it_is_bounded() -> None:
    wordy = [line(number, "x" * 200, cause="y" * 10_000, codec="z" * 10_000) for number in range(LOG_LINES)]
    assert len(bundle(replace(SEEN, log=wordy))) < 2 * 2**20


def test_only_fields_that_may_be_logged_are_on_its_list() -> None:
    assert LOG_FIELDS - {"exception"} <= SAFE_KEYS


def test_a_box_that_wakes_up_in_1970_has_a_bundle_too() -> None:
    long_ago = BOX.model_copy(update={"now": datetime(1970, 1, 1, tzinfo=UTC)})
    assert "README.txt" in opened(replace(SEEN, box=long_ago))
