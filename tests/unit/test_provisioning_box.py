"""The box's own page: facts that nobody can change there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.control import views
from app.control.updating import Stage, UpdateView
from app.control.verbs import UpdateBox
from tests.unit.test_provisioning_pages import _box, signed_in

ADDRESS = "https://updates.example.com/versions.json"

pytestmark = pytest.mark.unit


async def test_the_network(tmp_path: Path) -> None:
    wire = views.NetworkFact(interface="eth0", mac="dc:a6", addresses=("192.0.2.2/24", "fd00::2/64"), gateways=())
    facts = _box(1).model_copy(update={"network": (wire,), "name_servers": ("192.0.2.53",)})
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {"get_box": [facts]}
        text = (await client.get("/box")).text
    for told in ("Link up", "192.0.2.2/24, fd00::2/64", "<dt>Gateway</dt><dd>None</dd>", "dc:a6", "192.0.2.53"):
        assert told in text


async def test_it_asks_for_the_address_of_updates_only_where_there_are_any(tmp_path: Path) -> None:
    """Elsewhere it keeps what is stored: an agent's owner restored the backup of a box on a PC, and on a card again."""
    stored = _box(1)
    stored = stored.model_copy(update={"settings": stored.settings.model_copy(update={"update_address": ADDRESS})})
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_box": [stored], "update_box": [stored]}
        assert "Ask daily for newer versions" in (await client.get("/box")).text
        box.answers["get_update"] = [UpdateView(stage=Stage.ELSEWHERE, version="1.0.0")]
        text = (await client.get("/box")).text
        assert "Ask daily for newer versions" not in text
        fields = dict(re.findall(r'name="(\w+)"[^>]*value="([^"]*)"', text))
        await client.post("/box", data={"csrf": csrf, "time_zone": "UTC", "next": "", **fields})
    [question] = box.questions("update_box")
    assert isinstance(question, UpdateBox)
    assert question.settings.update_address == ADDRESS
