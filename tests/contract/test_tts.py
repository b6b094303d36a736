"""What every voice must do."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import trio

from app.ports import Voice
from models.tts import LONGEST_CHUNK_MS
from models.tts import flite as flite_module
from models.tts.flite import flite_voice
from models.tts.libflite import LibFlite, VoiceMissing
from tests.fakes.speech import FakeVoice
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

BYTES_PER_MS = 32
SENTENCE = "We are open from Monday to Friday, from nine to five o'clock."


@asynccontextmanager
async def fake() -> AsyncIterator[Voice]:
    yield FakeVoice()


@asynccontextmanager
async def slt() -> AsyncIterator[Voice]:
    async with flite_voice("slt", 2) as voice:
        yield voice


@asynccontextmanager
async def rms() -> AsyncIterator[Voice]:
    async with flite_voice("rms", 2) as voice:
        yield voice


@pytest.fixture(params=[fake, slt, rms], ids=["fake", "slt", "rms"])
async def voice(request: pytest.FixtureRequest) -> AsyncIterator[Voice]:
    async with request.param() as made:
        yield made


async def spoken(voice: Voice, text: str) -> list[bytes]:
    async with aclosing(voice.speak(text)) as chunks:
        return [chunk async for chunk in chunks]


async def test_a_sentence_is_sound_of_plausible_length(voice: Voice) -> None:
    pcm = b"".join(await spoken(voice, SENTENCE))
    assert 2_000 < len(pcm) / BYTES_PER_MS < 8_000
    assert any(pcm)


async def test_chunks_are_whole_samples_and_short(voice: Voice) -> None:
    chunks = await spoken(voice, SENTENCE)
    assert len(chunks) > 5
    assert all(0 < len(chunk) <= LONGEST_CHUNK_MS * BYTES_PER_MS for chunk in chunks)
    assert all(len(chunk) % 2 == 0 for chunk in chunks)


@pytest.mark.parametrize("text", ["", "   ", "...", "–", "\n"])
async def test_nothing_to_say_is_no_audio(voice: Voice, text: str) -> None:
    assert await spoken(voice, text) == []


async def test_longer_text_is_longer_audio(voice: Voice) -> None:
    short, long = [len(b"".join(await spoken(voice, text))) for text in ("Yes.", SENTENCE)]
    assert short < long / 2


async def test_a_slower_voice_takes_longer_for_the_same_words() -> None:
    lengths = []
    for speed_percent in (100, 75, 130):
        async with flite_voice("slt", 1, speed_percent) as voice:
            lengths.append(len(b"".join(await spoken(voice, SENTENCE))))
    usual, slow, fast = lengths
    assert slow == pytest.approx(usual / 0.75, rel=0.05)
    assert fast == pytest.approx(usual / 1.30, rel=0.05)


# A synthesiser's noise is never the same twice, so the first sound is found up to a frame (20 ms) apart.
ONSET_BYTES = 640


async def test_two_clauses_at_once_do_not_mix(voice: Voice) -> None:
    texts = ("Yes.", SENTENCE)
    alone = [len(b"".join(await spoken(voice, text))) for text in texts]
    together = [0, 0]

    async def speak(place: int) -> None:
        together[place] = len(b"".join(await spoken(voice, texts[place])))

    async with trio.open_nursery() as nursery:
        for place in range(2):
            nursery.start_soon(speak, place)
    assert together == pytest.approx(alone, abs=ONSET_BYTES)


async def test_a_generator_that_is_closed_stops_and_the_next_clause_speaks(voice: Voice) -> None:
    whole = len(b"".join(await spoken(voice, SENTENCE)))
    for _ in range(5):
        async with aclosing(voice.speak(SENTENCE)) as chunks:
            async for _chunk in chunks:
                break
    assert len(b"".join(await spoken(voice, SENTENCE))) == pytest.approx(whole, abs=ONSET_BYTES)


async def test_cancelling_in_the_middle_leaves_the_voice_usable(voice: Voice) -> None:
    with trio.CancelScope() as reply:
        async with aclosing(voice.speak(SENTENCE)) as chunks:
            async for _chunk in chunks:
                reply.cancel()
    assert reply.cancelled_caught
    assert await spoken(voice, "Yes.")


async def test_letters_beyond_ascii_are_spoken(voice: Voice) -> None:
    assert await spoken(voice, "Zoë’s café – naïve.")


@pytest.mark.parametrize("name", ["slt", "rms"])
async def test_the_level_is_that_of_an_announcement(name: flite_module.VoiceName) -> None:
    async with flite_voice(name, 1) as voice:
        pcm = np.frombuffer(b"".join(await spoken(voice, SENTENCE)), "<i2") / 32768
    frames = pcm[: len(pcm) // 320 * 320].reshape(-1, 320)
    power = (frames**2).mean(axis=1)
    level_dbfs = 10 * np.log10(power[power > 10**-4.5].mean())
    assert abs(level_dbfs - flite_module.LEVEL_DBFS) < 2
    assert np.abs(pcm).max() < 0.99


async def test_a_closed_generator_frees_the_engine_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    engine = LibFlite.synthesize

    def counting(self: LibFlite, text: str, min_samples: int, heard: object) -> None:
        def count(pcm: bytes) -> bool:
            made.append(len(pcm))
            return bool(heard(pcm))  # type: ignore[operator]

        engine(self, text, min_samples, count)

    monkeypatch.setattr(LibFlite, "synthesize", counting)
    async with flite_voice("slt", 1) as voice:  # one place: it has to be free again for the next clause
        async with aclosing(voice.speak(" ".join([SENTENCE] * 20))) as chunks:
            async for _chunk in chunks:
                break
        with trio.fail_after(PATIENCE_S):
            assert await spoken(voice, "Yes.")
    assert sum(made) / BYTES_PER_MS < 5_000  # of 80 s


async def test_an_engine_that_fails_ends_the_call_whose_clause_it_was_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = LibFlite.synthesize

    def failing(self: LibFlite, text: str, min_samples: int, heard: Callable[[bytes], bool]) -> None:
        engine(self, text, min_samples, heard)
        if "fails" in text:
            raise MemoryError

    monkeypatch.setattr(LibFlite, "synthesize", failing)
    other: list[bytes] = []
    async with flite_voice("slt", 2) as voice, trio.open_nursery() as calls:

        async def other_call() -> None:
            other.extend(await spoken(voice, SENTENCE))

        calls.start_soon(other_call)
        with pytest.raises(MemoryError):
            await spoken(voice, "This fails.")
        assert await spoken(voice, "Yes.")
    assert len(other) > 5


async def test_an_engine_that_fails_after_its_clause_was_interrupted_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(self: LibFlite, text: str, min_samples: int, heard: Callable[[bytes], bool]) -> None:
        while heard(b"\0\x20" * min_samples):
            continue
        raise MemoryError

    monkeypatch.setattr(LibFlite, "synthesize", failing)
    async with flite_voice("slt", 1) as voice:
        async with aclosing(voice.speak(SENTENCE)) as chunks:
            await anext(chunks)
        with trio.fail_after(PATIENCE_S):
            while not caplog.records:  # noqa: ASYNC110 - a log announces nothing
                await trio.sleep(0.01)
    assert caplog.records[0].message == "the voice failed in the middle of a clause"


async def test_a_thousand_sentences_leak_nothing() -> None:
    async with flite_voice("slt", 2) as voice:
        for number in range(1000):
            async with aclosing(voice.speak("Yes.")) as chunks:
                async for _chunk in chunks:
                    if number % 2:
                        break
            if number == 200:
                settled_kb, threads = _resident_kb(), threading.active_count()
    assert _resident_kb() - settled_kb < 4_000  # 5 KB a sentence would be noticed
    assert threading.active_count() <= threads + 1


def _resident_kb() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_a_voice_that_is_not_installed_is_named_with_its_package() -> None:
    with pytest.raises(VoiceMissing, match=r"libflite_cmu_us_nobody.*libflite1"):
        LibFlite("nobody")
