"""Connectivity > Neural packs, with a box of canned answers behind the real routes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from app.control import views
from app.control.connectivity import ConnectivityView
from app.control.packs import LARGEST_PACK, LARGEST_PART, PackPart, Packs, PackView, WhichPack
from app.control.refusals import Refusal, Why
from app.control.verbs import CreateConnectivity
from app.engines import Engine, PackEars, PackVoice
from provisioning.api.answers import API
from provisioning.web.guard import LARGEST_BODY, largest_body
from tests.unit.test_provisioning_pages import CannedBox, signed_in

pytestmark = pytest.mark.unit

CONTENT = bytes(range(256)) * 5000
JOE = PackView(
    name="piper-joe",
    title="Joe",
    kind="voice",
    engine="piper",
    language="en-US",
    licence="CC0",
    source="A model card",
    needs="230 MB of memory",
    bytes=63_206_088,
    listed=True,
    engine_there=True,
    used_by=("Sales' voice",),
)
TAKEN = Packs(items=(JOE,), engines=("piper",), taken="piper-joe")
NONE = Packs(items=(), engines=())
PAGE = "/connectivity/packs"


class Owner:
    def __init__(self, client: httpx.AsyncClient, box: CannedBox, csrf: str) -> None:
        self.client, self.box, self.csrf = client, box, csrf

    async def uploads(self, content: bytes = CONTENT, csrf: str = "") -> httpx.Response:
        form = {"csrf": csrf or self.csrf}
        return await self.client.post(PAGE, data=form, files={"pack": ("x.deskbell-pack", content)})


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncGenerator[Owner, None]:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"list_packs": [TAKEN], "take_pack": [TAKEN], "add_pack_part": [views.Nothing()]}
        yield Owner(client, box, csrf)


async def test_an_upload_goes_to_the_box_part_by_part(owner: Owner) -> None:
    answer = await owner.uploads()
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    parts = [each for each in owner.box.questions("add_pack_part") if isinstance(each, PackPart)]
    assert b"".join(each.data for each in parts) == CONTENT
    assert [each.at for each in parts][:2] == [0, len(parts[0].data)]
    assert max(len(each.data) for each in parts) <= LARGEST_PART
    assert len(owner.box.questions("take_pack")) == 1


async def test_what_is_told_of_a_pack_is_shown(owner: Owner) -> None:
    shown = (await owner.client.get(PAGE)).text
    for text in ("Joe", "Taken", "Speaks (en-US), with Piper", "230 MB", "63.2 MB", "CC0", "A model card", "Sales"):
        assert text in shown
    assert "/connectivity/new?kind=pack-text-to-speech&amp;pack=piper-joe" in shown
    assert "list</span>" not in shown
    assert "Its engine is missing" not in shown


async def test_what_is_wrong_with_a_pack_is_shown(owner: Owner) -> None:
    strange = JOE.model_copy(update={"listed": False, "engine_there": False})
    told = Packs(items=(strange,), engines=(), problem="it is no pack")
    owner.box.answers["list_packs"] = [told]
    shown = (await owner.client.get(PAGE)).text
    assert "The neural pack was not taken: it is no pack." in shown
    assert "Not on Deskbell&#39;s list" in shown
    assert "Have the image or the update made with “--with piper”" in shown
    owner.box.answers["list_packs"] = [Packs(items=(), engines=(), checking=True)]
    checking = (await owner.client.get(PAGE)).text
    assert "It is being checked" in checking
    assert "Upload and check" not in checking


async def test_a_part_that_is_refused_is_the_last_one(owner: Owner) -> None:
    full = Refusal(why=Why.INVALID, text="The neural pack was not kept: there is not enough room.")
    owner.box.answers["add_pack_part"] = [full]
    answer = await owner.uploads()
    assert answer.status_code == 422
    assert "there is not enough room" in answer.text
    assert len(owner.box.questions("add_pack_part")) == 1
    assert not owner.box.questions("take_pack")


async def test_a_form_that_is_not_ours_is_not_taken(owner: Owner) -> None:
    assert (await owner.uploads(csrf="somebody else's")).status_code == 403
    assert not owner.box.questions("take_pack")


async def test_no_file_is_told_at_its_field(owner: Owner) -> None:
    for answer in (await owner.uploads(b""), await owner.client.post(PAGE, data={"csrf": owner.csrf})):
        assert answer.status_code == 422
        assert 'id="pack-error">Choose a file' in answer.text


async def test_one_is_removed_or_it_is_said_why_not(owner: Owner) -> None:
    in_use = Refusal(why=Why.IN_USE, text="The neural pack was not removed: Tone uses it.")
    owner.box.answers["delete_pack"] = [views.Nothing(), in_use]
    kept = await owner.client.post(f"{PAGE}/piper-joe/remove", data={"csrf": owner.csrf})
    assert (kept.status_code, "Tone uses it" in kept.text) == (409, True)
    gone = await owner.client.post(f"{PAGE}/piper-joe/remove", data={"csrf": owner.csrf})
    assert (gone.status_code, gone.headers["location"]) == (303, PAGE)
    assert owner.box.questions("delete_pack") == [WhichPack(pack="piper-joe")] * 2
    assert (await owner.client.post(f"{PAGE}/..%2Fx/remove", data={"csrf": owner.csrf})).status_code == 404
    assert (await owner.client.post(f"{PAGE}/UPPER/remove", data={"csrf": owner.csrf})).status_code == 404


ENGINES: list[tuple[Engine, dict[str, str]]] = [
    (PackEars(pack="moonshine-tiny"), {"pack": "moonshine-tiny"}),
    (PackVoice(pack="piper-joe", box_voice="rms"), {"pack": "piper-joe", "box_voice": "rms"}),
]


@pytest.mark.parametrize(("engine", "typed"), ENGINES, ids=[engine.kind for engine, _ in ENGINES])
async def test_it_becomes_an_entry_of_connectivity(engine: Engine, typed: dict[str, str], owner: Owner) -> None:
    stored = ConnectivityView(
        id="s1", version=1, name="Joe", description="", engine=engine, built_in=False, agents=(), has_key=False
    )
    owner.box.answers = {"create_connectivity": [stored], "get_connectivity": [stored]}
    empty = (await owner.client.get(f"/connectivity/new?kind={engine.kind}&pack={typed['pack']}")).text
    assert f'value="{typed["pack"]}"' in empty
    form = {"csrf": owner.csrf, "version": "0", "kind": engine.kind, "name": "Joe"}
    assert (await owner.client.post("/connectivity/new", data=form | typed)).status_code == 303
    [asked] = [each for each in owner.box.questions("create_connectivity") if isinstance(each, CreateConnectivity)]
    assert asked.draft.engine == engine
    shown = (await owner.client.get("/connectivity/s1")).text
    assert all(f'value="{value}"' in shown for value in typed.values())
    wrong = await owner.client.post("/connectivity/new", data=form | {"pack": "../x"})
    assert (wrong.status_code, 'aria-invalid="true"' in wrong.text) == (422, True)


def test_only_here_a_form_is_that_large() -> None:
    assert largest_body(PAGE) == LARGEST_PACK + LARGEST_BODY
    assert largest_body(f"{PAGE}/x/remove") == LARGEST_BODY
    assert largest_body(f"{API}/packs/parts") > 2 * LARGEST_PART
