"""The pages of speech servers, with a box of canned answers behind the real routes."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.control.connectivity import ConnectivityList, ConnectivityTest, ConnectivityView
from app.control.verbs import CreateConnectivity
from app.engines import BoxEars, Engine, HttpEars, HttpVoice, WyomingEars, WyomingVoice
from tests.unit.test_provisioning_pages import signed_in

pytestmark = pytest.mark.unit


def entry(engine: Engine, **changes: object) -> ConnectivityView:
    values: dict[str, object] = {"id": "s1", "version": 2, "name": "Cellar", "description": "", "engine": engine}
    return ConnectivityView.model_validate(values | {"built_in": False, "agents": ()} | changes)


CASES: list[tuple[Engine, dict[str, str]]] = [
    (WyomingEars(address="10.0.0.1:10300", model="small"), {"address": "tcp://10.0.0.1:10300", "model": "small"}),
    (
        WyomingVoice(address="10.0.0.1:10200", voice="amy", speaker="2", box_voice="rms"),
        {"address": "10.0.0.1:10200", "voice": "amy", "speaker": "2", "box_voice": "rms"},
    ),
    (
        HttpEars(base_url="http://10.0.0.1/v1", model="whisper"),
        {"base_url": "http://10.0.0.1", "model": "whisper", "api_key": "sk-canary"},
    ),
    (
        HttpVoice(base_url="http://10.0.0.1/v1", model="kokoro", voice="heart", sound="pcm"),
        {"base_url": "http://10.0.0.1", "model": "kokoro", "voice": "heart", "sound": "pcm", "api_key": "sk-canary"},
    ),
]


@pytest.mark.parametrize(("engine", "typed"), CASES, ids=[engine.kind for engine, _ in CASES])
async def test_a_server_is_made_and_shown_as_it_was_typed(
    engine: Engine, typed: dict[str, str], tmp_path: Path
) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        stored = entry(engine, has_key="api_key" in typed)
        box.answers = {"create_connectivity": [stored], "get_connectivity": [stored]}
        empty = (await client.get(f"/connectivity/new?kind={engine.kind}")).text
        assert all(f'name="{name}"' in empty for name in typed)
        form = {"csrf": csrf, "version": "0", "kind": engine.kind, "name": "Cellar"}
        assert (await client.post("/connectivity/new", data=form | typed)).status_code == 303
        shown = (await client.get("/connectivity/s1")).text
    [asked] = [each for each in box.questions("create_connectivity") if isinstance(each, CreateConnectivity)]
    assert asked.draft.engine == engine
    key = asked.draft.api_key
    assert (key.get_secret_value() if key else None) == typed.get("api_key")
    assert "canary" not in shown
    for name, value in engine.model_dump(exclude={"kind"}).items():
        assert f'value="{value}"' in shown, name


@pytest.mark.parametrize(
    ("kind", "typed", "why"),
    [
        ("wyoming-speech-to-text", {"address": "8.8.8.8:10300"}, "has no encryption"),
        ("wyoming-text-to-speech", {"address": "nowhere"}, "Must be host and port of a Wyoming server"),
        ("openai-speech-to-text", {"base_url": "http://8.8.8.8", "model": "x"}, "Must begin with https://"),
        ("openai-text-to-speech", {"base_url": "http://10.0.0.1", "model": "x"}, "Must be filled in"),
    ],
)
async def test_what_is_wrong_is_said_at_its_field(kind: str, typed: dict[str, str], why: str, tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, _, csrf):
        form = {"csrf": csrf, "version": "0", "kind": kind, "name": "Cellar"}
        told = await client.post("/connectivity/new", data=form | typed)
    assert told.status_code == 422
    assert why in told.text
    assert 'aria-invalid="true"' in told.text


async def test_the_list_has_servers_where_they_belong_and_ways_to_add_one(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, _):
        ears, voice = entry(CASES[0][0], agents=("Reception",)), entry(CASES[3][0], id="s2", name="Heart")
        box.answers = {"list_connectivity": [ConnectivityList(items=(ears, voice))]}
        text = (await client.get("/connectivity")).text
    hears, _, rest = text.partition('id="h-text-to-speech"')
    speaks, _, _ = rest.partition('id="h-language-model"')
    assert ("Cellar" in hears, "Used by Reception." in hears) == (True, True)
    assert "Heart" in speaks
    for kind in ("wyoming-speech-to-text", "openai-speech-to-text", "wyoming-text-to-speech", "openai-text-to-speech"):
        assert f'href="/connectivity/new?kind={kind}"' in text


async def test_a_test_of_ears_shows_the_one_thing_that_was_heard(tmp_path: Path) -> None:
    heard = ConnectivityTest(worked=True, text="It heard.", said="yes", heard=("Yes & no.",), sound_id="5a")
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_connectivity": [entry(CASES[2][0])], "test_connectivity": [heard]}
        shown = await client.post("/connectivity/s1/test", data={"csrf": csrf}, files={"recording": ("", b"")})
    assert "<dt>Heard</dt><dd>Yes &amp; no.</dd>" in shown.text
    assert "expecting" not in shown.text


async def test_the_boxs_own_ears_are_not_offered_as_a_voice(tmp_path: Path) -> None:
    assert entry(BoxEars()).role == "speech-to-text"
    async with signed_in(tmp_path) as (client, _, __):
        assert (await client.get("/connectivity/new?kind=speech-to-text")).status_code == 404
