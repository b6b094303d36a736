"""Settings > Connectivity: speech servers that are made, tested, and say clearly what is wrong with them."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import trio

from app.control import verbs, views
from app.control.connectivity import ConnectivityTest, ConnectivityView
from app.control.refusals import Refusal
from app.diagnosis import findings
from app.engines import ConnectivityDraft
from app.settings import Agent
from app.speech_servers import SpeechFailed
from firmware.control import trials
from firmware.control.diagnosing import facts_of
from firmware.openai_audio.client import Question, open_client
from provisioning.identity import identity
from tests.contract.test_control_connectivity import Verbs, box, made
from tests.fakes.rude_speech import HTML, INFO, Script, endless_http, event, http, rude, sends
from tests.office.speech_servers import PHRASES, speech_server
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

KEY, WRONG = "sk-canary-0123456789", "sk-wrong-canary"
WYOMING_EARS, WYOMING_VOICE = "wyoming-speech-to-text", "wyoming-text-to-speech"
HTTP_EARS, HTTP_VOICE = "openai-speech-to-text", "openai-text-to-speech"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real engines share two cores with other tests."""
    for name in ("HEARING_S", "SPEAKING_S", "TEST_S"):
        monkeypatch.setattr(trials, name, PATIENCE_S)


def draft(kind: str, address: str, **more: object) -> ConnectivityDraft:
    engine: dict[str, object] = {"kind": kind}
    if kind in (HTTP_EARS, HTTP_VOICE):
        engine |= {"base_url": address if "://" in address else f"http://{address}", "model": "tiny"}
        engine |= {"voice": "rms"} if kind == HTTP_VOICE else {}
    else:
        engine |= {"address": address}
    return ConnectivityDraft.model_validate({"name": kind, "engine": engine} | more)


async def tried(b: Verbs, new: ConnectivityDraft, **ask: object) -> ConnectivityTest:
    entry = await made(b, new)
    try:
        answer = await b.trials.test_connectivity(verbs.TryConnectivity.model_validate({"id": entry.id} | ask))
    finally:
        await b.connectivity.delete_connectivity(verbs.ById(id=entry.id))
    assert isinstance(answer, ConnectivityTest)
    return answer


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("kind", ["wyoming", "openai"])
async def test_a_real_server_is_heard_and_hears(kind: str, tmp_path: Path) -> None:
    async with speech_server(kind, tmp_path, DESKBELL_KEY=KEY) as server, box(tmp_path / "box") as b:  # type: ignore[arg-type]
        key = {"api_key": KEY} if kind == "openai" else {}
        ears = await tried(b, draft(f"{kind}-speech-to-text", server.address, **key), text=PHRASES[0])
        voice = await tried(b, draft(f"{kind}-text-to-speech", server.address, **key), text="Good day, this is a test.")
    assert (ears.worked, ears.heard) == (True, ("Where can i park.",)), ears.text
    assert ears.sound_id
    assert voice.worked, voice.text
    assert voice.sound_id
    assert voice.text.startswith("It spoke. The first sound came after ")


@pytest.mark.usefixtures("patient")
async def test_a_wrong_key_is_named_and_not_repeated(tmp_path: Path) -> None:
    async with speech_server("openai", tmp_path, DESKBELL_KEY=KEY) as server, box(tmp_path / "box") as b:
        for kind in (HTTP_EARS, HTTP_VOICE):
            answer = await tried(b, draft(kind, server.address, api_key=WRONG))
            assert not answer.worked
            assert answer.text.startswith("The speech server cannot be used (401): it refuses the key. Enter the right")
            assert answer.text.endswith("The server says: “Incorrect API key provided: …”")


EARS = event("info", asr=[{"name": "x"}])
VOICE = event("info", tts=[{"name": "x"}])
_MORE_THAN_A_SOCKET_TAKES = 50_000_000
FAULTS = [
    (WYOMING_EARS, sends(VOICE), "it does not hear"),
    (WYOMING_VOICE, sends(EARS), "it does not speak"),
    (WYOMING_EARS, sends(HTML), "no speech server of this kind"),
    (WYOMING_VOICE, sends(b"\xff" * 100 + b"\n"), "no speech server of this kind"),
    (
        WYOMING_VOICE,
        sends(INFO, event("error", text="no voice\n of that name")),
        "The server says: “no voice of that name”",
    ),
    (WYOMING_EARS, sends(then="goes"), "it broke off"),
    (HTTP_EARS, sends(HTML), "no speech server of this kind"),
    (HTTP_EARS, sends(http(b'{"detail": "Model tiny was not found"}', status="404 No")), "“Model tiny was not found”"),
    (HTTP_VOICE, sends(http(b"", status="301 No", more="location: http://x/\r\n")), "it says that it has moved"),
    (HTTP_VOICE, sends(http(b"ID3" + bytes(999), "audio/mpeg")), "its sound is of a kind that the box cannot play"),
    (HTTP_VOICE, sends(endless_http("audio/pcm"), b"\1\1" * 50_000, then="again"), "its sound is of a kind"),
]


@pytest.mark.parametrize(("kind", "script", "text"), FAULTS)
async def test_what_is_wrong_with_a_server_is_said(kind: str, script: Script, text: str, tmp_path: Path) -> None:
    async with rude(script) as address, box(tmp_path) as b:
        answer = await tried(b, draft(kind, address))
    assert not answer.worked
    assert text in answer.text


async def test_a_server_that_refuses_before_it_has_heard_everything_leaves_nothing_open(tmp_path: Path) -> None:
    """What is left to the garbage collector warns, which fails a test."""
    refuses = sends(http(b"", status="401 No"), then="goes")
    async with rude(refuses) as address, open_client(f"http://{address}/v1", None) as client:
        question = Question("/audio/transcriptions", bytes(_MORE_THAN_A_SOCKET_TAKES), "audio/wav", ())
        with pytest.raises(SpeechFailed):
            await client.ask(question, _unheard)


async def _unheard(_: bytes) -> None:
    raise AssertionError


@pytest.mark.parametrize("kind", [WYOMING_EARS, WYOMING_VOICE, HTTP_EARS, HTTP_VOICE])
async def test_a_server_that_is_silent_or_not_there(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "TEST_S", 2.0)
    async with box(tmp_path) as b:
        async with rude(sends()) as address:
            silent = await tried(b, draft(kind, address))
        nobody = await tried(b, draft(kind, address))
    assert silent.text == trials._TOO_SLOW
    assert "nothing answers at its address" in nobody.text


async def test_a_slow_server_does_not_count_as_working(tmp_path: Path) -> None:
    async with rude(sends(b"", http(b'{"text": "Hello."}'), pause_s=2.0)) as address, box(tmp_path) as b:
        answer = await tried(b, draft(HTTP_EARS, address))
    assert not answer.worked
    assert answer.heard == ("Hello.",)
    assert "callers wait for 1.3 s, then the box hears by itself" in answer.text


async def test_a_certificate_of_its_own_making_is_named(tmp_path: Path) -> None:
    async with self_signed(tmp_path) as address, box(tmp_path / "box") as b:
        answer = await tried(b, draft(HTTP_VOICE, address))
    assert "its certificate is not trusted: made by itself" in answer.text
    assert "in your own network, http:// works without" in answer.text


@asynccontextmanager
async def self_signed(folder: Path) -> AsyncGenerator[str, None]:
    made_here = identity(folder, ["localhost"], ["127.0.0.1"])
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(made_here.certificate, made_here.key)

    async def talk(stream: trio.SSLStream[trio.SocketStream]) -> None:
        try:
            await stream.receive_some()
        except trio.BrokenResourceError:
            return

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_ssl_over_tcp, talk, 0, served, host="127.0.0.1"))
        yield f"https://127.0.0.1:{listener.transport_listener.socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def test_only_what_hears_is_attached_as_ears(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        ears, voice = await made(b, draft(WYOMING_EARS, "10.0.0.1:1")), await made(b, draft(HTTP_VOICE, "10.0.0.1"))
        wrong = views.AgentPlan(settings=Agent(name="A"), speech_to_text=voice.id)
        refused = await b.agents.create_agent(verbs.CreateAgent(plan=wrong))
        assert isinstance(refused, Refusal)
        assert "choose a speech-to-text connection" in refused.fields["speech_to_text"]
        right = views.AgentPlan(settings=Agent(name="A"), speech_to_text=ears.id, text_to_speech=voice.id)
        agent = await b.agents.create_agent(verbs.CreateAgent(plan=right))
        assert isinstance(agent, views.AgentDetail)
        file = await b.agents.export_agent(verbs.ById(id=agent.view.id))
        assert isinstance(file, views.AgentFile)
        renamed = file.model_copy(update={"settings": Agent(name="B")})
        again = await b.agents.import_agent(verbs.ImportAgent(file=renamed))
        assert isinstance(again, views.AgentDetail)
        assert (again.plan.speech_to_text, again.plan.text_to_speech) == (ears.id, voice.id)
        kept = await b.connectivity.get_connectivity(verbs.ById(id=ears.id))
    assert isinstance(kept, ConnectivityView)
    assert (kept.role, kept.agents) == ("speech-to-text", ("A", "B"))


async def test_a_lost_key_is_told_and_costs_neither_ears_nor_voice(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        ears = await made(b, draft(HTTP_EARS, "10.0.0.1", api_key=KEY))
        voice = await made(b, draft(HTTP_VOICE, "10.0.0.1", api_key=KEY))
        plan = views.AgentPlan(settings=Agent(name="A"), speech_to_text=ears.id, text_to_speech=voice.id)
        await b.agents.create_agent(verbs.CreateAgent(plan=plan))
    (tmp_path / "vault" / "kek").unlink()
    async with box(tmp_path) as b:
        facts = await b.store.transact(lambda db: facts_of(db, b.scene, datetime.now(UTC)))
        answer = await b.trials.test_connectivity(verbs.TryConnectivity(id=voice.id))
    told = {each.kind: each.title for each in findings(facts) if "locked" in each.kind}
    assert told == {
        "speech to text locked": "“A” hears by itself instead of by its speech server",
        "text to speech locked": "“A” speaks by itself instead of by its speech server",
    }
    assert isinstance(answer, ConnectivityTest)
    assert answer.text == "Its key cannot be read on this box. Enter the key again, above."
