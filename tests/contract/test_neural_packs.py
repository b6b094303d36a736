"""Neural packs on the box, with the real engines: uploaded, checked, heard, killed in mid-sentence, removed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import trio

from app.control import packs as told
from app.control import verbs, views
from app.control.connectivity import ConnectivityTest
from app.control.packs import LARGEST_PART, PackPart, PackView, WhichPack
from app.control.refusals import Refusal, Why
from app.engines import BoxVoice as BoxVoiceEngine
from app.engines import ConnectivityDraft, PackVoice
from app.speech_servers import SpeechFailed
from firmware import trying
from firmware.audio.wav import pcm_of
from firmware.control import trials
from firmware.control.connectivity import ConnectivityVerbs
from firmware.control.events import Events
from firmware.control.packs import PackVerbs
from firmware.control.trials import TrialVerbs
from firmware.packs import PackEngine, Packs, open_pack
from firmware.served_speech import SpeechServers, open_speech_servers
from firmware.storage import SqliteLedger, ledger
from firmware.vault import open_vault
from models.neural import engines
from models.neural.pack_file import PackFault
from tests.contract.test_served_voice import BoxVoice
from tests.fakes.speech import FakeEars
from tests.office.neural_packs import RATE_HZ, TONE_HZ, description, moonshine_pack, packed, tone_pack
from tests.patience import PATIENCE_S
from tests.rules.tree import TREE

pytestmark = pytest.mark.contract

TEXT = "Good day. There is a car park behind the building."
PARTS = {"none.onnx": b"no network"}


async def uploaded(packs: Packs, pack: Path) -> str:
    data = await trio.Path(pack).read_bytes()
    for at in range(0, len(data), LARGEST_PART):
        await packs.receive(at, data[at : at + LARGEST_PART])
    return (await packs.take()).name


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    return Packs(tmp_path / "packs")


async def spoken(engine: PackEngine, text: str = TEXT) -> bytes:
    pcm = bytearray()

    async def hand_over(piece: bytes) -> None:
        pcm.extend(piece)
        await trio.lowlevel.checkpoint()

    with trio.fail_after(PATIENCE_S):
        await engine.loaded()
        await engine.speak(text, hand_over)
    return bytes(pcm)


def pitch_hz(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return float(np.argmax(np.abs(np.fft.rfft(samples)))) * 16_000 / len(samples)


def process_of(packs: Packs) -> int:
    """The one that serves the pack."""
    [found] = [
        int(each.name)
        for each in Path("/proc").iterdir()
        if each.name.isdigit() and str(packs.folder_of("tone")).encode() in command_of(each)
    ]
    return found


def command_of(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:  # it has just ended
        return b""


# -- the real engines --------------------------------------------------------------------------------------------


async def test_a_piper_voice_speaks(packs: Packs, tmp_path: Path) -> None:
    assert await uploaded(packs, tone_pack(tmp_path)) == "tone"
    async with open_pack(packs, "tone", "voice") as engine:
        pcm = await spoken(engine)
        assert len(await spoken(engine, "Yes.")) < len(pcm)
        process = process_of(packs)
        environment = await trio.Path(f"/proc/{process}/environ").read_bytes()
    assert len(pcm) > 2 * 16_000
    assert abs(pitch_hz(pcm) - TONE_HZ) < 3, f"at the line's rate, and not at {RATE_HZ}"
    assert np.abs(np.frombuffer(pcm, "<i2")).max() > 16_000
    assert b"DESKBELL" not in environment
    assert not await trio.Path(f"/proc/{process}").exists(), "it ends with whoever opened it"


async def test_a_moonshine_recogniser_hears_what_comes_over_a_telephone(packs: Packs) -> None:
    assert await uploaded(packs, moonshine_pack()) == "moonshine-tiny"
    said = await trying.speak(BoxVoiceEngine(voice="rms"), "Where can I park?")
    line = await trying.to_telephone(said.samples)
    pcm = pcm_of(np.concatenate([np.zeros(5120, np.float32), line, np.zeros(5120, np.float32)]))

    async def audio() -> AsyncIterator[bytes]:
        for at in range(0, len(pcm), 640):
            yield pcm[at : at + 640]

    async with open_pack(packs, "moonshine-tiny", "ears") as engine:
        with trio.fail_after(PATIENCE_S):
            await engine.loaded()
            assert await engine.transcribe(audio()) == "Where can I park?"
            assert await engine.transcribe(audio()) == "Where can I park?", "and again"


HEARS_ALONG = """
import sys
sys.path[:0] = sys.argv[1:3]
from models.neural.programs.moonshine_ears import MoonshinePack
from pathlib import Path
pack = MoonshinePack(Path(sys.argv[3]))
pcm = sys.stdin.buffer.read()
for _ in range(2):
    heard = pack.opened(along=True)
    for at in range(0, len(pcm), 3200):
        heard.feed(pcm[at:at + 3200])
    print(heard.text())
    heard.forget()
    pack.opened(along=True).forget()
"""


async def test_a_recogniser_hears_along_where_it_can(packs: Packs) -> None:
    """Streaming models could not be had: the real engine streams with the real model that does not need it."""
    await uploaded(packs, moonshine_pack())
    said = await trying.speak(BoxVoiceEngine(voice="rms"), "Where can I park?")
    paths = [str(engines.folder_of("moonshine")), str(TREE), str(packs.folder_of("moonshine-tiny"))]
    with trio.fail_after(PATIENCE_S):
        done = await trio.run_process(
            [sys.executable, "-I", "-S", "-c", HEARS_ALONG, *paths], stdin=pcm_of(said.samples), capture_stdout=True
        )
    assert done.stdout.decode().splitlines() == ["Where can I park?"] * 2


async def test_an_engine_that_is_killed_in_a_call_is_not_missed(
    packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firmware.speech_servers.voice.SPEAKING_S", PATIENCE_S)
    await uploaded(packs, tone_pack(tmp_path))
    notes: list[str] = []
    box = BoxVoice()
    async with open_speech_servers(SpeechServers(voice=PackVoice(pack="tone")), packs) as served:
        _, voice = served(FakeEars({}), box, notes.append)
        assert await all_of(voice.speak(TEXT)) > 0
        assert box.said == []
        os.kill(process_of(packs), signal.SIGKILL)
        assert await all_of(voice.speak(TEXT)) > 0
    assert box.said
    assert notes[0].startswith("The voice on the box spoke: ")


async def all_of(chunks: AsyncGenerator[bytes, None]) -> int:
    with trio.fail_after(PATIENCE_S):
        async with aclosing(chunks):
            return sum([len(chunk) async for chunk in chunks])


async def test_it_is_started_again(packs: Packs, tmp_path: Path) -> None:
    await uploaded(packs, tone_pack(tmp_path))
    async with open_pack(packs, "tone", "voice") as engine:
        await spoken(engine)
        before = process_of(packs)
        os.kill(before, signal.SIGKILL)
        with trio.fail_after(PATIENCE_S):
            while True:
                try:
                    await spoken(engine)
                    break
                except SpeechFailed:
                    await trio.sleep(0.1)
        assert process_of(packs) != before


# -- what is wrong ------------------------------------------------------------------------------------------------


async def why_not(packs: Packs | None, name: str, *, ears: bool = False) -> str:
    async with open_pack(packs, name, "ears" if ears else "voice") as engine:
        with trio.fail_after(PATIENCE_S), pytest.raises(SpeechFailed) as failure:
            await engine.loaded()
    return str(failure.value)


async def test_what_keeps_a_pack_from_working_is_said(
    packs: Packs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await uploaded(packs, tone_pack(tmp_path))
    await uploaded(packs, packed(tmp_path, description("none", PARTS), PARTS))
    assert "“gone” is not on this box. Upload it" in await why_not(packs, "gone")
    assert "“tone” is not on this box" in await why_not(None, "tone")
    assert "“tone” speaks, and does nothing else" in await why_not(packs, "tone", ears=True)
    assert "“none” could not be loaded (FileNotFoundError). Its files may not be" in await why_not(packs, "none")
    monkeypatch.setenv("DESKBELL_ENGINES", str(tmp_path / "no engines"))
    assert "the engine Piper is not on this machine" in await why_not(packs, "tone")


async def test_parts_that_do_not_fit_are_refused(packs: Packs, tmp_path: Path) -> None:
    with pytest.raises(PackFault, match="its first part was lost"):
        await packs.receive(5, b"x")
    await packs.receive(0, b"12345")
    with pytest.raises(PackFault, match="somebody else uploads a pack at this moment, or a part was lost"):
        await packs.receive(7, b"x")
    with pytest.raises(PackFault, match="it is no pack, or not all of it arrived"):
        await packs.take()
    assert list((tmp_path / "packs").iterdir()) == []


# -- the verbs ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Box:
    store: SqliteLedger
    packs: PackVerbs
    connectivity: ConnectivityVerbs
    trials: TrialVerbs

    async def uploads(self, data: bytes) -> told.Packs:
        for at in range(0, len(data), LARGEST_PART):
            part = PackPart.model_construct(at=at, data=data[at : at + LARGEST_PART])
            assert isinstance(await self.packs.add_pack_part(part), views.Nothing)
        answer = await self.packs.take_pack(verbs.Empty())
        while isinstance(answer, told.Packs) and answer.checking:
            answer = await self.packs.list_packs(verbs.Empty())
        assert isinstance(answer, told.Packs)
        return answer


@pytest.fixture
async def box(tmp_path: Path, packs: Packs) -> AsyncGenerator[Box, None]:
    async with made(tmp_path, packs) as found:
        yield found


@asynccontextmanager
async def made(folder: Path, packs: Packs) -> AsyncGenerator[Box, None]:
    vault, events = open_vault(folder / "vault"), Events()
    async with ledger(folder / "box.sqlite") as store, trio.open_nursery() as nursery:
        yield Box(
            store,
            PackVerbs(store, packs, events, nursery),
            ConnectivityVerbs(store, vault, events),
            TrialVerbs(store, vault, packs),
        )


async def test_a_pack_is_uploaded_used_tested_and_removed(
    box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SPEAKING_S", "TEST_S"):
        monkeypatch.setattr(trials, name, PATIENCE_S)
    answer = await box.uploads(tone_pack(tmp_path).read_bytes())
    [pack] = answer.items
    assert (answer.taken, answer.problem) == ("tone", "")
    assert pack == PackView(
        name="tone",
        title="A tone",
        kind="voice",
        engine="piper",
        language="en",
        licence="None needed",
        source="Made by a test",
        needs="Nothing",
        bytes=pack.bytes,
        listed=False,
        engine_there=True,
    )
    draft = ConnectivityDraft(name="Tone", engine=PackVoice(pack="tone"))
    entry = await box.connectivity.create_connectivity(verbs.CreateConnectivity(draft=draft))
    assert not isinstance(entry, Refusal)
    tested = await box.trials.test_connectivity(verbs.TryConnectivity(id=entry.id))
    assert isinstance(tested, ConnectivityTest)
    assert tested.worked, tested.text
    in_use = await box.packs.delete_pack(WhichPack(pack="tone"))
    assert isinstance(in_use, Refusal)
    assert (in_use.why, in_use.names) == (Why.IN_USE, ("Tone",))
    await box.connectivity.delete_connectivity(verbs.ById(id=entry.id))
    assert isinstance(await box.packs.delete_pack(WhichPack(pack="tone")), views.Nothing)
    gone = await box.packs.delete_pack(WhichPack(pack="tone"))
    assert isinstance(gone, Refusal)
    assert gone.why == Why.NOT_FOUND
    assert (await box.packs.list_packs(verbs.Empty())).items == ()


async def test_a_bad_one_is_told_of_and_not_kept(box: Box) -> None:
    answer = await box.uploads(b"something else")
    assert answer.items == ()
    assert answer.problem.startswith("it is no pack, or not all of it arrived")
