"""Settings > Connectivity: entries made, changed, deleted; voices that really speak and ears that really hear."""

from __future__ import annotations

import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import soundfile
import trio

from app.agents.reception import Reception
from app.agents.roster import Roster
from app.control import verbs, views
from app.control.connectivity import ConnectivityTest, ConnectivityView, Sound
from app.control.refusals import Refusal, Why
from app.diagnosis import findings
from app.engines import BoxVoice, ConnectivityDraft
from app.settings import Agent
from firmware import telephony, trying
from firmware.audio.wav import wav_of
from firmware.control import trials
from firmware.control.agents import AgentVerbs
from firmware.control.connectivity import ConnectivityVerbs
from firmware.control.diagnosing import facts_of
from firmware.control.events import Events
from firmware.control.look import Scene, pending
from firmware.control.trials import HEARD, KEPT_SOUNDS, TrialVerbs
from firmware.employer import AtWork
from firmware.storage import SqliteLedger, ledger, records
from firmware.switchboard import Switchboard
from firmware.vault import open_vault
from tests.fakes.model_server import Script, model_server
from tests.patience import PATIENCE_S
from tests.web.canary import holding

pytestmark = pytest.mark.contract

NO_TELEPHONE = cast("telephony.Endpoint", None)  # nothing here registers or calls


@dataclass(frozen=True, slots=True)
class Verbs:
    store: SqliteLedger
    connectivity: ConnectivityVerbs
    trials: TrialVerbs
    agents: AgentVerbs
    scene: Scene


@asynccontextmanager
async def box(folder: Path) -> AsyncGenerator[Verbs, None]:
    vault, events = open_vault(folder / "vault"), Events()
    async with ledger(folder / "box.sqlite") as store, trio.open_nursery() as nursery:
        roster = Roster(nursery, _never_works, lambda _: None)
        scene = Scene(roster, {}, Switchboard(NO_TELEPHONE, nursery, lambda _: None), vault)
        yield Verbs(
            store,
            ConnectivityVerbs(store, vault, events),
            TrialVerbs(store, vault),
            AgentVerbs(store, scene, events),
            scene,
        )


async def _never_works(_: str, __: object) -> None:
    raise AssertionError("no agent is started here")


def voice(name: str = "Slow", **engine: object) -> ConnectivityDraft:
    return ConnectivityDraft.model_validate(
        {"name": name, "description": "For the hard of hearing", "engine": {"kind": "text-to-speech"} | engine}
    )


async def made(b: Verbs, draft: ConnectivityDraft | None = None) -> ConnectivityView:
    answer = await b.connectivity.create_connectivity(verbs.CreateConnectivity(draft=draft or voice()))
    assert isinstance(answer, ConnectivityView)
    return answer


def why(answer: object) -> Why:
    assert isinstance(answer, Refusal)
    return answer.why


async def test_a_new_box_has_ears_and_two_voices(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        found = (await b.connectivity.list_connectivity(verbs.Empty())).items
    assert [(each.id, each.built_in) for each in found] == [
        ("box-ears", True),
        ("box-voice-rms", True),
        ("box-voice-slt", True),
    ]
    assert [each.engine.voice for each in found if isinstance(each.engine, BoxVoice)] == ["rms", "slt"]


async def test_an_entry_is_made_changed_and_deleted(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        first = await made(b, voice(voice="rms", speed_percent=80))
        assert first.engine == BoxVoice(voice="rms", speed_percent=80)
        edit = verbs.UpdateConnectivity(id=first.id, if_version=first.version, draft=voice("Slower", speed_percent=75))
        second = await b.connectivity.update_connectivity(edit)
        assert isinstance(second, ConnectivityView)
        assert (second.name, second.version) == ("Slower", 2)
        assert await b.connectivity.get_connectivity(verbs.ById(id=first.id)) == second
        assert why(await b.connectivity.update_connectivity(edit)) is Why.CHANGED_MEANWHILE
        assert isinstance(await b.connectivity.delete_connectivity(verbs.ById(id=first.id)), views.Nothing)
        assert why(await b.connectivity.get_connectivity(verbs.ById(id=first.id))) is Why.NOT_FOUND
        assert why(await b.connectivity.delete_connectivity(verbs.ById(id=first.id))) is Why.NOT_FOUND


async def test_a_name_is_given_once(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        await made(b)
        assert why(await b.connectivity.create_connectivity(verbs.CreateConnectivity(draft=voice("SLOW")))) is Why.TAKEN


async def test_what_came_with_the_box_stays(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        edit = verbs.UpdateConnectivity(id="box-voice-slt", if_version=1, draft=voice())
        assert why(await b.connectivity.update_connectivity(edit)) is Why.NOT_ALLOWED
        assert why(await b.connectivity.delete_connectivity(verbs.ById(id="box-ears"))) is Why.NOT_ALLOWED


async def test_what_is_in_use_stays_and_names_who_uses_it(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        entry = await made(b)
        plan = views.AgentPlan(settings=Agent(name="Reception"), text_to_speech=entry.id)
        await b.agents.create_agent(verbs.CreateAgent(plan=plan))
        refusal = await b.connectivity.delete_connectivity(verbs.ById(id=entry.id))
        assert isinstance(refusal, Refusal)
        assert (refusal.why, refusal.names) == (Why.IN_USE, ("Reception",))
        listed = (await b.connectivity.list_connectivity(verbs.Empty())).items
        assert {each.id: each.agents for each in listed}[entry.id] == ("Reception",)


async def test_a_change_waits_for_the_restart_of_who_uses_it(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        entry = await made(b)
        plan = views.AgentPlan(settings=Agent(name="Reception"), text_to_speech=entry.id)
        await b.agents.create_agent(verbs.CreateAgent(plan=plan))
        (agent,) = await b.store.transact(records.read_agents)
        at_work = AtWork(agent, {}, cast("Reception", None), connectivity={entry.id: 1})
        assert pending(agent, await b.store.transact(records.read_parts), at_work) == []
        edit = verbs.UpdateConnectivity(id=entry.id, if_version=1, draft=voice("Slow", speed_percent=90))
        await b.connectivity.update_connectivity(edit)
        parts = await b.store.transact(records.read_parts)
        assert pending(agent, parts, at_work) == ["“Slow” under Connectivity was changed"]


async def test_ears_are_no_voice(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        plan = views.AgentPlan(settings=Agent(name="Reception"), text_to_speech="box-ears")
        refusal = await b.agents.create_agent(verbs.CreateAgent(plan=plan))
        assert isinstance(refusal, Refusal)
        assert list(refusal.fields) == ["text_to_speech"]


# -- language models ---------------------------------------------------------------------------------------------

KEY = "sk-canary-0123456789"


def thinker(base_url: str = "http://10.0.0.1/v1", **changes: object) -> ConnectivityDraft:
    server = {"kind": "language-model", "base_url": base_url, "model": "tiny"}
    return ConnectivityDraft.model_validate({"name": "Office model", "engine": server, "api_key": KEY} | changes)


@pytest.mark.parametrize("address", ["http://10.0.0.2/v1", "https://10.0.0.1/v1", "http://10.0.0.1:81/v1"])
async def test_a_key_is_given_to_nobody_else(address: str, tmp_path: Path) -> None:
    """Whoever may change the address, and not see the key, does not get it sent to a machine of theirs."""
    async with box(tmp_path) as b:
        first = await made(b, thinker())
        moved = verbs.UpdateConnectivity(id=first.id, if_version=1, draft=thinker(address, api_key=None))
        refusal = await b.connectivity.update_connectivity(moved)
        assert isinstance(refusal, Refusal)
        assert "entered again" in refusal.fields["api_key"]
        for version, key in ((1, "sk-other"), (2, "")):
            again = verbs.UpdateConnectivity(id=first.id, if_version=version, draft=thinker(address, api_key=key))
            assert isinstance(await b.connectivity.update_connectivity(again), ConnectivityView)
        path = verbs.UpdateConnectivity(id=first.id, if_version=3, draft=thinker(f"{address}/other", api_key=None))
        assert isinstance(await b.connectivity.update_connectivity(path), ConnectivityView)


async def test_a_key_is_kept_and_never_told_replaced_and_removed(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        first = await made(b, thinker())
        assert first.has_key
        assert KEY not in first.model_dump_json()
        edits: list[tuple[str | None, bool]] = [(None, True), ("sk-other", True), ("", False)]
        for version, (key, has_key) in enumerate(edits, start=1):
            edit = verbs.UpdateConnectivity(id=first.id, if_version=version, draft=thinker(api_key=key))
            edited = await b.connectivity.update_connectivity(edit)
            assert isinstance(edited, ConnectivityView)
            assert (edited.has_key, edited.unreadable) == (has_key, False)
    assert holding(tmp_path, KEY) == []


async def test_an_entry_keeps_its_kind(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        entry = await made(b, thinker())
        edit = verbs.UpdateConnectivity(id=entry.id, if_version=1, draft=voice())
        assert why(await b.connectivity.update_connectivity(edit)) is Why.INVALID


async def test_a_lost_key_means_enter_it_again(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        entry = await made(b, thinker())
        plan = views.AgentPlan(settings=Agent(name="Reception"), language_model=entry.id)
        await b.agents.create_agent(verbs.CreateAgent(plan=plan))
    (tmp_path / "vault" / "kek").unlink()
    async with box(tmp_path) as b:
        facts = await b.store.transact(lambda db: facts_of(db, b.scene, datetime.now(UTC)))
        assert "language model locked" in [each.kind for each in findings(facts)]
        found = await b.connectivity.get_connectivity(verbs.ById(id=entry.id))
        assert isinstance(found, ConnectivityView)
        assert found.unreadable
        test = await trial_of(b, entry.id)
        assert (test.worked, test.text) == (False, "Its key cannot be read on this box. Enter the key again, above.")


async def test_a_language_model_is_asked_with_its_key_and_its_answer_shown(tmp_path: Path) -> None:
    async with model_server(key=KEY) as server, box(tmp_path) as b:
        server.answers("Good day. How can I help you?")
        right, wrong = (
            await made(b, thinker(server.base_url)),
            await made(b, thinker(server.base_url, name="Wrong", api_key="sk-wrong")),
        )
        test = await trial_of(b, right.id, text="Are you there?")
        assert test.worked
        assert (test.said, test.heard) == ("Are you there?", ("Good day. How can I help you? ",))
        assert 0 < test.first_ms <= test.took_ms
        assert server.questions[0]["messages"] == [{"role": "user", "content": "Are you there?"}]
        refused = await trial_of(b, wrong.id)
        assert not refused.worked
        assert refused.text.startswith("The language model cannot be used (401): it refuses the key.")
        assert refused.text.endswith("The server says: “Incorrect API key provided: …”")


async def test_a_model_that_is_slower_than_callers_are_patient_does_not_count_as_working(tmp_path: Path) -> None:
    async with model_server(Script(["Good day."], pause_s=1.2)) as server, box(tmp_path) as b:
        hurried = {"kind": "language-model", "base_url": server.base_url, "model": "tiny", "first_word_s": 1}
        test = await trial_of(b, (await made(b, thinker(engine=hurried))).id)
        assert not test.worked
        assert "callers wait for 1 s" in test.text
        assert test.heard == ("Good day.",)


async def test_an_agents_voice_and_model_come_back_by_name(tmp_path: Path) -> None:
    async with box(tmp_path / "old") as b:
        speaks, thinks = await made(b), await made(b, thinker())
        plan = views.AgentPlan(
            settings=Agent(name="Reception"),
            text_to_speech=speaks.id,
            language_model=thinks.id,
            speech_to_text="box-ears",
        )
        agent = await b.agents.create_agent(verbs.CreateAgent(plan=plan))
        assert isinstance(agent, views.AgentDetail)
        file = await b.agents.export_agent(verbs.ById(id=agent.view.id))
    assert isinstance(file, views.AgentFile)
    async with box(tmp_path / "new") as b:
        bare = await b.agents.import_agent(verbs.ImportAgent(file=file))
        assert isinstance(bare, views.AgentDetail)
        assert (bare.plan.text_to_speech, bare.plan.language_model) == ("box-voice-slt", None)
        speaks, thinks = await made(b), await made(b, thinker())
        renamed = file.model_copy(update={"settings": Agent(name="Again")})
        again = await b.agents.import_agent(verbs.ImportAgent(file=renamed))
        assert isinstance(again, views.AgentDetail)
        assert (again.plan.text_to_speech, again.plan.language_model) == (speaks.id, thinks.id)


# -- tests that really speak and hear ----------------------------------------------------------------------------


async def trial_of(b: Verbs, entry_id: str, **question: object) -> ConnectivityTest:
    answer = await b.trials.test_connectivity(verbs.TryConnectivity.model_validate({"id": entry_id} | question))
    assert isinstance(answer, ConnectivityTest)
    return answer


async def seconds_of(b: Verbs, test: ConnectivityTest) -> float:
    sound = await b.trials.get_test_sound(verbs.ById(id=test.sound_id))
    assert isinstance(sound, Sound)
    samples, rate_hz = soundfile.read(io.BytesIO(sound.wav))
    assert np.abs(samples).max() > 0.1
    return float(len(samples) / rate_hz)


async def test_a_voice_speaks_at_its_pace(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        slow = await made(b, voice(speed_percent=80))
        usual, slower = [
            await trial_of(b, entry_id, text="Good day to you.") for entry_id in ("box-voice-slt", slow.id)
        ]
        assert usual.worked
        assert usual.said == "Good day to you."
        assert usual.took_ms >= usual.first_ms
        assert await seconds_of(b, slower) == pytest.approx(await seconds_of(b, usual) / 0.8, rel=0.1)


async def test_the_ears_hear_what_the_box_says_to_itself_over_a_telephone(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        test = await trial_of(b, "box-ears")
        assert test.worked
        assert test.said == HEARD
        expecting_an_office_call, dictation = test.heard
        assert expecting_an_office_call == HEARD.lower().rstrip(".")
        assert "to make an appointment for next" in dictation  # its end varies with the voice's noise
        assert await seconds_of(b, test) > 2


async def test_the_ears_hear_a_recording(tmp_path: Path) -> None:
    spoken = await trying.speak(BoxVoice(voice="rms"), "Where can I park?")
    async with box(tmp_path) as b:
        test = await trial_of(b, "box-ears", text="Where can I park?", recording=_base64(wav_of(spoken.samples)))
    assert test.said == "Where can I park?"
    assert "park" in test.heard[0]


def _base64(data: bytes) -> str:
    return Sound.model_construct(wav=data).model_dump(mode="json")["wav"]  # type: ignore[no-any-return]


async def test_silence_and_what_is_no_sound_are_told_apart(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        silent = await trial_of(b, "box-ears", recording=_base64(wav_of(np.zeros(16_000, np.float32))))
        assert not silent.worked
        assert "silent" in silent.text
        ask = verbs.TryConnectivity.model_validate({"id": "box-ears", "recording": _base64(b"MP3")})
        refusal = await b.trials.test_connectivity(ask)
        assert isinstance(refusal, Refusal)
        assert (refusal.why, list(refusal.fields)) == (Why.INVALID, ["recording"])


async def test_nothing_to_say_is_told(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        test = await trial_of(b, "box-voice-slt", text="...")
        assert (test.worked, test.sound_id) == (False, "")
        assert "no word" in test.text


async def test_one_test_at_a_time_and_one_that_is_stuck_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = trio.Event()

    async def stuck(_: BoxVoice, __: str) -> trying.Spoken:
        begun.set()
        await trio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(trying, "speak", stuck)
    monkeypatch.setattr(trials, "TEST_S", 0.5)
    ended: list[ConnectivityTest] = []

    async def first() -> None:
        ended.append(await trial_of(b, "box-voice-slt"))

    async with box(tmp_path) as b, trio.open_nursery() as nursery:
        nursery.start_soon(first)
        await begun.wait()
        second = await b.trials.test_connectivity(verbs.TryConnectivity(id="box-voice-slt"))
        assert why(second) is Why.NOT_NOW
        with trio.fail_after(PATIENCE_S):
            while not ended:  # noqa: ASYNC110
                await trio.sleep(0.01)
    assert not ended[0].worked
    assert "no result within" in ended[0].text


async def test_the_last_sounds_are_kept_and_older_ones_told_about(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        tests = [await trial_of(b, "box-voice-slt", text="Yes.") for _ in range(KEPT_SOUNDS + 1)]
        assert why(await b.trials.get_test_sound(verbs.ById(id=tests[0].sound_id))) is Why.NOT_FOUND
        assert await seconds_of(b, tests[1]) > 0.2


async def test_an_entry_that_is_gone_cannot_be_tested(tmp_path: Path) -> None:
    async with box(tmp_path) as b:
        assert why(await b.trials.test_connectivity(verbs.TryConnectivity(id="gone"))) is Why.NOT_FOUND
