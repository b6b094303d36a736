"""The pages of Settings > Connectivity, with a box of canned answers behind the real routes."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.control.connectivity import ConnectivityList, ConnectivityTest, ConnectivityView, Sound
from app.control.verbs import TryConnectivity
from app.control.verbs import UpdateConnectivity as Update
from app.engines import BoxEars, BoxVoice, ModelServer
from tests.unit.test_provisioning_pages import OVERTAKEN, hidden, signed_in

pytestmark = pytest.mark.unit


async def test_connectivity_names_who_uses_what_and_what_is_missing(tmp_path: Path) -> None:
    ears = ConnectivityView(
        id="box-ears",
        version=1,
        name="On this box",
        description="PocketSphinx",
        engine=BoxEars(),
        built_in=True,
        agents=("Reception", "Night desk"),
    )
    async with signed_in(tmp_path) as (client, box, _):
        box.answers = {"list_connectivity": [ConnectivityList(items=(ears,))]}
        text = (await client.get("/connectivity")).text
    assert "Used by Reception, Night desk." in text
    assert "agents cannot speak without one" in text
    assert "answers with what stands on the agents' pages" in text


VOICE = ConnectivityView(
    id="v1",
    version=3,
    name="Slow",
    description="",
    engine=BoxVoice(voice="rms", speed_percent=80),
    built_in=False,
    agents=("Reception",),
)


async def test_a_voice_is_shown_changed_and_says_who_has_to_restart(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_connectivity": [VOICE], "update_connectivity": [VOICE, OVERTAKEN]}
        shown = (await client.get("/connectivity/v1")).text
        assert 'value="80"' in shown
        assert '<option value="rms" selected>' in shown
        form = {"csrf": csrf, "version": "2", "kind": "text-to-speech", "name": "Slow", "voice": "rms"}
        told = await client.post("/connectivity/v1", data=form | {"speed_percent": "85"})
        assert (told.status_code, hidden(told.text, "version")) == (409, "3")
        assert 'value="85"' in told.text
        await client.post("/connectivity/v1", data=form | {"speed_percent": "85", "version": "3"})
        assert "Restart to apply, if they run: Reception." in (await client.get("/connectivity/v1")).text
        wrong = await client.post("/connectivity/v1", data=form | {"speed_percent": "5"})
    assert wrong.status_code == 422
    assert "Must be 75 or more." in wrong.text
    asked = [question.model_dump() for question in box.questions("update_connectivity")]
    assert [each["if_version"] for each in asked] == [2, 3]
    assert asked[0]["draft"]["engine"] == {"kind": "text-to-speech", "voice": "rms", "speed_percent": 85}


async def test_a_test_sends_the_recording_and_shows_what_was_heard_beside_what_was_said(tmp_path: Path) -> None:
    ears = VOICE.model_copy(update={"id": "box-ears", "engine": BoxEars(), "built_in": True})
    heard = ConnectivityTest(
        worked=True, text="It heard something.", said="<b>yes</b>", heard=("yes", ""), sound_id="5a"
    )
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {
            "get_connectivity": [ears],
            "test_connectivity": [heard],
            "get_test_sound": [Sound.model_construct(wav=b"RIFF")],
        }
        sent = {"csrf": csrf, "text": "<b>yes</b>"}
        shown = await client.post(
            "/connectivity/box-ears/test", data=sent, files={"recording": ("a.wav", b"\0\1" * 99, "audio/wav")}
        )
        nothing = await client.post("/connectivity/box-ears/test", data=sent, files={"recording": ("", b"")})
        stranger = await client.post("/connectivity/box-ears/test", data={"csrf": "x"}, files={"recording": ("", b"")})
        assert (await client.get("/test-sounds/5a.wav")).content == b"RIFF"
    assert "<dd>&lt;b&gt;yes&lt;/b&gt;</dd>" in shown.text
    assert "<dd>nothing</dd>" in shown.text
    assert 'src="/test-sounds/5a.wav"' in shown.text
    assert nothing.status_code == 200
    assert stranger.status_code == 403
    asked = box.questions("test_connectivity")
    recordings = [question.recording for question in asked if isinstance(question, TryConnectivity)]
    assert recordings == [b"\0\1" * 99, None]


MODEL = ConnectivityView(
    id="m1",
    version=2,
    name="Office model",
    description="",
    engine=ModelServer(base_url="http://10.0.0.1/v1", model="tiny", first_word_s=2.5),
    built_in=False,
    agents=(),
    has_key=True,
)
TYPED = {
    "version": "2",
    "kind": "language-model",
    "name": "Office model",
    "base_url": "http://10.0.0.1",
    "model": "tiny",
    "first_word_s": "2.5",
}


async def test_a_key_is_shown_as_a_mask_and_changes_only_when_it_is_typed(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_connectivity": [MODEL], "update_connectivity": [MODEL]}
        shown = (await client.get("/connectivity/m1")).text
        assert 'value="••••••••"' in shown
        assert 'value="2.5"' in shown
        for key in ("••••••••", "sk-canary", ""):
            answer = await client.post("/connectivity/m1", data=TYPED | {"csrf": csrf, "api_key": key})
            assert answer.status_code == 303
    keys = [question.draft.api_key for question in box.questions("update_connectivity") if isinstance(question, Update)]
    assert [None if key is None else key.get_secret_value() for key in keys] == [None, "sk-canary", ""]


async def test_a_key_does_not_travel_back_and_the_page_says_so(tmp_path: Path) -> None:
    async with signed_in(tmp_path) as (client, box, csrf):
        box.answers = {"get_connectivity": [MODEL]}
        sent = TYPED | {"csrf": csrf, "api_key": "sk-canary", "base_url": "http://8.8.8.8"}
        told = await client.post("/connectivity/m1", data=sent)
        other = await client.post("/connectivity/new", data=sent | {"kind": "telepathy"})
    assert told.status_code == 422
    assert "Must begin with https://" in told.text
    assert "Enter the key again: it does not travel back." in told.text
    assert "canary" not in told.text + other.text
    assert other.status_code == 422
