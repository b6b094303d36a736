"""The box's own page: facts that nobody can change there."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.control import views
from tests.unit.test_provisioning_pages import _box, signed_in

pytestmark = pytest.mark.unit


async def test_the_network(tmp_path: Path) -> None:
    wire = views.NetworkFact(interface="eth0", mac="dc:a6", addresses=("192.0.2.2/24", "fd00::2/64"), gateways=())
    facts = _box(1).model_copy(update={"network": (wire,), "name_servers": ("192.0.2.53",)})
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {"get_box": [facts]}
        text = (await client.get("/box")).text
    for told in ("Link up", "192.0.2.2/24, fd00::2/64", "<dt>Gateway</dt><dd>None</dd>", "dc:a6", "192.0.2.53"):
        assert told in text
