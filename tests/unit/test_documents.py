"""What the documents quote is what the box says."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from firmware.compose import VERSION
from firmware.telephony import Cause

pytestmark = pytest.mark.unit

DOCUMENTS = Path(__file__).parents[2] / "docs"
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
