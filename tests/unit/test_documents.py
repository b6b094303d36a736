"""What the documents quote is what the box says."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware.telephony import Cause

pytestmark = pytest.mark.unit

DOCUMENTS = Path(__file__).parents[2] / "docs"
NOT_A_FAULT = {Cause.OFFLINE, Cause.TRYING, Cause.REGISTERED}


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause not in NOT_A_FAULT])
def test_every_failed_registration_is_explained_to_the_administrator(cause: Cause) -> None:
    assert f"| {cause.value} |" in (DOCUMENTS / "pbx.md").read_text()


@pytest.mark.parametrize("cause", [Cause.WRONG_CREDENTIALS, Cause.UNREACHABLE])
def test_the_installer_finds_the_commonest_by_its_words(cause: Cause) -> None:
    assert f"`{cause.value}`" in (DOCUMENTS / "installer.md").read_text()
