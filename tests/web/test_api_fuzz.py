"""schemathesis asks the real box whatever its own document allows, and what it does not allow."""

from __future__ import annotations

import json
import os
import re
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from app.control import views
from provisioning.api.answers import API
from provisioning.api.operations import OPERATIONS, Operation
from tests.rules.tree import TREE
from tests.web.appliance import PASSWORD, appliance
from tests.web.content import remember_calls
from tests.web.visitor import Visitor, visitor

pytestmark = pytest.mark.web

CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "ignored_auth",
)
NOT_ASKED = {
    "follow_events": "its answer has no end; tests/unit/test_provisioning_api.py and the handbook's test follow it",
    "factory_reset": "it does: the token is forgotten with everything else; tests/contract/test_control_resets.py",
}
"""With the reason, and the test that asks instead."""

LEFT_OUT = {
    "get_document": "schemathesis leaves out the path that it read the document from",
    "preview_backup": "only a file that a backup made can be opened; tests/contract/test_control_backups.py",
}
"""Asked, and never past the door: why that is all right."""

EXAMPLES = 3
"""For each operation, at random, beside those at the edges of what each field may be, which are a hundred for some."""

_AT_THE_DOOR = {401, 403, 405, 413, 415, 421, 422, 429}
_LONGEST_S = 1200


@pytest.mark.timeout(_LONGEST_S + 100)
async def test_the_box_keeps_to_its_document(tmp_path: Path) -> None:
    await remember_calls(tmp_path / "data", sessions=3)
    async with appliance(tmp_path) as box, visitor(box.address, tmp_path / "admin" / "certificate.pem") as somebody:
        await somebody.first_boot(box.set_up_code, PASSWORD)
        token = await _token(somebody)
        told = await _schemathesis(tmp_path, box.address, token, await _known(somebody, token))
    answered = _answered(tmp_path / "asked.har")
    asked = {each.name for each in OPERATIONS} - NOT_ASKED.keys() - LEFT_OUT.keys()
    assert {name for name, statuses in answered.items() if statuses - _AT_THE_DOOR} >= asked, told
    reads = {each.name for each in OPERATIONS if each.method == "GET" and "{" not in each.path}
    assert {name for name in reads & asked if 200 not in answered[name]} == set()
    assert "Traceback" not in box.log.read_text()


async def _token(somebody: Visitor) -> str:
    form = (await somebody.form("/box/tokens")).filled(name="Fuzz", password=PASSWORD).ticked(scopes="write")
    form = form.ticked(scopes="call").ticked(scopes="keep")
    found = re.search(r"<code>(deskbell_[\w-]{43})</code>", (await somebody.send(form)).text)
    assert found
    return found[1]


async def _known(somebody: Visitor, token: str) -> dict[str, str]:
    """For the hooks."""
    headers = {"Authorization": f"Bearer {token}"}
    tokens = await somebody.client.get(f"{API}/tokens", headers=headers)
    sessions = await somebody.client.get(f"{API}/sessions", headers=headers)
    return {
        "OWN_TOKEN_ID": views.Tokens.model_validate_json(tokens.content).items[0].id,
        "SESSION_ID": views.Sessions.model_validate_json(sessions.content).items[0].id,
    }


async def _schemathesis(folder: Path, address: str, token: str, known: dict[str, str]) -> str:
    """What it printed; it found nothing, or the test has failed."""
    excluded = [word for name in NOT_ASKED for word in ("--exclude-operation-id", name)]
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", f"{address}{API}/openapi.json", *excluded,
        "--header", f"Authorization: Bearer {token}", "--tls-verify", str(folder / "admin" / "certificate.pem"),
        "--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES),
        "--seed", "1", "--workers", "2", "--continue-on-failure", "--request-timeout", "30",
        # a connection that was kept open may be closed: see docs/api.md
        "--request-retries", "2", "--report", "har", "--report-har-path", str(folder / "asked.har"),
    ]  # fmt: skip
    environment = {**os.environ, **known, "PYTHONPATH": str(TREE), "SCHEMATHESIS_HOOKS": "tests.web.schemathesis_hooks"}
    with trio.fail_after(_LONGEST_S):
        ended = await trio.run_process(
            command, env=environment, cwd=folder, check=False, capture_stdout=True, capture_stderr=True
        )
    told = ended.stdout.decode() + ended.stderr.decode()
    assert ended.returncode == 0, told
    return told


def _answered(har: Path) -> dict[str, set[int]]:
    """The statuses that came back, by the operation that was asked."""
    statuses: dict[str, set[int]] = defaultdict(set)
    for entry in json.loads(har.read_text())["log"]["entries"]:
        for name in _operations_at(entry["request"]["method"], entry["request"]["url"]):
            statuses[name].add(entry["response"]["status"])
    return statuses


def _operations_at(method: str, url: str) -> Iterator[str]:
    """At most one, but for paths that are an id's and one of their own."""
    path = url.partition("?")[0].partition(API)[2]
    yield from (each.name for each in OPERATIONS if each.method == method and _pattern(each).fullmatch(path))


def _pattern(operation: Operation) -> re.Pattern[str]:
    literal = re.split(r"\{\w+\}", operation.path)
    return re.compile("[^/]+".join(re.escape(part) for part in literal))
