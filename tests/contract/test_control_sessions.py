"""The verbs of sessions, when two people use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.control import verbs, views
from tests.contract.test_control_verbs import box
from tests.fakes.ledger import TALKED

pytestmark = pytest.mark.contract


async def test_two_tabs_delete_the_same_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with box(tmp_path) as b:
        session = b.store.open_session(call_id="a", agent="R", direction="inbound", remote="1")
        session.close(TALKED, "done", {})
        await b.store.settled()
        monkeypatch.setattr(b.sessions, "recording_path", lambda _: tmp_path / "gone a moment ago.flac")
        assert isinstance(await b.sessions.delete_session(verbs.ById(id=session.id)), views.Nothing)
