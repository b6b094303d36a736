"""What the documents quote is what the box says."""

from __future__ import annotations

import re
import time
import tomllib
from pathlib import Path
from typing import Any

import pytest

from app.control.refusals import STATUS, Why
from app.control.views import Scope
from app.ports import Result
from firmware.compose import VERSION
from firmware.telephony import Cause
from firmware.webhooks.body import signature

pytestmark = pytest.mark.unit

DOCUMENTS = Path(__file__).parents[2] / "docs"
PAGES = Path(__file__).parents[2] / "provisioning" / "pages"
NOT_A_FAULT = {Cause.OFFLINE, Cause.TRYING, Cause.REGISTERED}


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause not in NOT_A_FAULT])
def test_every_failed_registration_is_explained_to_the_administrator(cause: Cause) -> None:
    assert f"| {cause.value} |" in (DOCUMENTS / "pbx.md").read_text()


def test_the_version_the_pbx_sees_is_the_projects() -> None:
    project = tomllib.loads((DOCUMENTS.parent / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


@pytest.mark.parametrize("cause", [Cause.WRONG_CREDENTIALS, Cause.UNREACHABLE])
def test_the_installer_finds_the_commonest_by_its_words(cause: Cause) -> None:
    assert f"`{cause.value}`" in (DOCUMENTS / "installer.md").read_text()


def test_the_installer_is_told_what_the_page_says_in_the_pages_words() -> None:
    pages = "".join(path.read_text() for path in PAGES.glob("*.html")).casefold()
    bold = re.findall(r"\*\*([^*]+)\*\*", (DOCUMENTS / "installer.md").read_text())
    words = {word for each in bold for word in each.split(" > ")}
    assert len(words) > 20
    assert {word for word in words if word.casefold() not in pages} == set()


@pytest.mark.parametrize("why", Why)
def test_every_refusal_of_the_api_is_explained(why: Why) -> None:
    assert f"| {STATUS[why]} | {why.value} |" in (DOCUMENTS / "api.md").read_text()


@pytest.mark.parametrize("result", Result)
def test_every_outcome_of_a_call_is_explained(result: Result) -> None:
    assert f"| {result.value} |" in (DOCUMENTS / "api.md").read_text()


def test_a_receiver_that_checks_as_the_handbook_says_is_right() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCUMENTS / "api.md").read_text(), re.DOTALL)
    receiver: dict[str, Any] = {}
    exec(code, receiver)  # noqa: S102
    now = int(time.time())
    header = signature("a secret of ours", now, b"{}")
    assert receiver["is_from_the_box"]("a secret of ours", header, b"{}")
    assert not receiver["is_from_the_box"]("another secret", header, b"{}")
    assert not receiver["is_from_the_box"]("a secret of ours", header, b"{} ")
    assert not receiver["is_from_the_box"]("a secret of ours", signature("a secret of ours", now - 900, b"{}"), b"{}")


@pytest.mark.parametrize("scope", Scope)
def test_every_scope_of_the_api_is_explained(scope: Scope) -> None:
    assert f"| `{scope.value}` |" in (DOCUMENTS / "api.md").read_text()
