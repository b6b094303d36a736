"""A server's voice in front of the box's own: whatever the server does, the sentence is said."""

from __future__ import annotations

import struct
from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import trio

from app.engines import HttpVoice, ServedVoice, WyomingVoice
from app.ports import BYTES_PER_MS, Voice
from app.speech_servers import LONGEST_SILENCE_MS, SPEAKING_S, longest_speech_ms
from firmware.served_speech import SpeechServers, open_speech_servers
from firmware.speech_servers.troubles import Trouble
from models.tts import LONGEST_CHUNK_MS
from tests.fakes.rude_speech import HTML, INFO, LOUD_MS, Script, endless_http, event, http, rude, sends, sound
from tests.fakes.speech import FakeEars, FakeVoice
from tests.office.speech_servers import speech_server
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

TEXT = "There is a car park behind the building."


class BoxVoice(FakeVoice):
    """`said`: what it was to say."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    async def speak(self, text: str) -> AsyncGenerator[bytes, None]:
        self.said.append(text)
        async with aclosing(super().speak(text)) as chunks:
            async for chunk in chunks:
                yield chunk


@asynccontextmanager
async def speaking(engine: ServedVoice) -> AsyncGenerator[tuple[Voice, BoxVoice, list[str]], None]:
    """A call's voice, the box's own behind it, and what the session is told."""
    told: list[str] = []
    box = BoxVoice()
    async with open_speech_servers(SpeechServers(voice=engine)) as served:
        _, voice = served(FakeEars({}), box, told.append)
        yield voice, box, told


async def spoken(voice: Voice, text: str = TEXT) -> tuple[bytes, float]:
    """All of it, and how many seconds the first sound took."""
    began_s, first_s, pcm = trio.current_time(), 0.0, bytearray()
    with trio.fail_after(PATIENCE_S):
        async with aclosing(voice.speak(text)) as chunks:
            async for chunk in chunks:
                assert 0 < len(chunk) <= LONGEST_CHUNK_MS * BYTES_PER_MS
                first_s = first_s or trio.current_time() - began_s
                pcm += chunk
    return bytes(pcm), first_s


def engine_of(kind: str, address: str) -> ServedVoice:
    if kind == "wyoming":
        return WyomingVoice(address=address, voice="rms")
    return HttpVoice(base_url=f"http://{address}", model="tiny", voice="rms", sound="pcm" if kind == "pcm" else "wav")


def server_ms(pcm: bytes) -> int:
    """How much of it came from the scripts, and not from the box's voice."""
    return int(np.count_nonzero(np.frombuffer(pcm, "<i2") > 1000)) // 16


# -- real servers ------------------------------------------------------------------------------------------------


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real voice shares two cores with other tests."""
    monkeypatch.setattr("firmware.speech_servers.voice.SPEAKING_S", PATIENCE_S)


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("kind", "streams"), [("wyoming", ""), ("wyoming", "1"), ("openai", "")])
async def test_a_server_speaks(kind: str, streams: str, tmp_path: Path) -> None:
    """At another rate than the line's: flite says this in 2.6 s, and the pitch stays."""
    server_kind = "wyoming" if kind == "wyoming" else "openai"
    async with (
        speech_server(server_kind, tmp_path, DESKBELL_STREAMS=streams) as server,  # type: ignore[arg-type]
        speaking(engine_of(kind, server.address)) as (voice, box, told),
    ):
        for _ in range(2):
            pcm, _ = await spoken(voice)
            assert 2.2 < len(pcm) / 32_000 < 3.0
            assert np.abs(np.frombuffer(pcm, "<i2")).max() > 3000
        assert (await spoken(voice, " … "))[0] == b""
    assert (box.said, told) == ([], [])
    assert server.did("speaks") == 2


async def test_a_server_that_is_killed_in_a_sentence_has_the_rest_said_by_the_box(tmp_path: Path) -> None:
    taken = 0
    async with (
        speech_server("wyoming", tmp_path, DESKBELL_PACED="1") as server,
        speaking(engine_of("wyoming", server.address)) as (voice, box, told),
        aclosing(voice.speak(TEXT)) as chunks,
    ):
        async for chunk in chunks:
            taken += len(chunk)
            if taken > 1000 * BYTES_PER_MS and not server.is_dead:
                await server.die()
    [rest] = box.said
    assert TEXT.endswith(f" {rest}")
    assert "building." in rest
    assert "There" not in rest
    assert "The voice on the box spoke: the speech server cannot be used: it broke off in the middle" in told[0]


# -- servers that misbehave --------------------------------------------------------------------------------------

SECOND = LOUD_MS * 1000
STOP = event("audio-stop")
WHOLE = [
    (sends(INFO, then="goes"), Trouble.CUT),
    (sends(HTML), Trouble.GARBAGE),
    (sends(b"\x00\xff\xfe" * 100 + b"\n"), Trouble.GARBAGE),
    (sends(), Trouble.SLOW),
    (sends(INFO), Trouble.SLOW),
    (sends(INFO, event("audio-start", rate=16000, width=2, channels=1), pause_s=0.2), Trouble.SLOW),
    (sends(INFO, sound(bytes(32_000)), then="again", pause_s=0.01), Trouble.TOO_LONG),
    (sends(INFO, sound(bytes(3_200)), then="again", pause_s=0.1), Trouble.SLOW),
    (sends(INFO, STOP), Trouble.MUTE),
    (sends(INFO, sound(bytes(32_000)), STOP), Trouble.MUTE),
    (sends(INFO, sound(SECOND, width=4), STOP), Trouble.SOUND),
    (sends(INFO, sound(SECOND, channels=6), STOP), Trouble.SOUND),
    (sends(INFO, sound(SECOND, rate=1), STOP), Trouble.SOUND),
    (sends(INFO, event("audio-chunk", SECOND, rate="fast"), STOP), Trouble.GARBAGE),
    (sends(INFO, event("error", text="no such voice")), Trouble.ITS_FAULT),
    (sends(event("info", asr=[{"name": "x"}])), Trouble.NO_VOICE),
    (sends(INFO, event("ping", payload=b"x" * 500_000), then="again"), Trouble.TOO_LONG),
]
WAV = b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
FLOAT = b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 3, 1, 16_000, 64_000, 4, 32)
DATA = b"data\xff\xff\xff\xff"
HTTP_WHOLE = [
    (sends(HTML), Trouble.GARBAGE),
    (sends(http(b'{"error": "no"}', status="401 No")), Trouble.WRONG_KEY),
    (sends(http(b"no", status="500 No")), Trouble.ITS_FAULT),
    (sends(http(b'{"sound": 1}')), Trouble.GARBAGE),
    (sends(http(b"ID3" + b"\xff" * 5000, "audio/mpeg")), Trouble.SOUND),
    (sends(http(FLOAT + DATA + bytes(640), "audio/wav")), Trouble.SOUND),
    (sends(http(WAV[:20], "audio/wav")), Trouble.GARBAGE),
    (sends(http(b"", "audio/wav")), Trouble.MUTE),
    (sends(http(WAV + DATA + bytes(32_000), "audio/wav")), Trouble.MUTE),
    (sends(endless_http("audio/wav"), WAV + b"LIST\xff\xff\xff\x7f"), Trouble.SOUND),
    (sends(endless_http("audio/wav"), WAV + DATA, bytes(32_000), then="again", pause_s=0.01), Trouble.TOO_LONG),
    (sends(endless_http("audio/wav"), WAV[:5]), Trouble.SLOW),
    (sends(), Trouble.SLOW),
]


@pytest.mark.parametrize(
    ("kind", "script", "why"), [("wyoming", *each) for each in WHOLE] + [("openai", *each) for each in HTTP_WHOLE]
)
async def test_what_a_server_does_not_say_the_box_says_in_time(kind: str, script: Script, why: Trouble) -> None:
    async with rude(script) as address, speaking(engine_of(kind, address)) as (voice, box, told):
        pcm, first_s = await spoken(voice)
        assert first_s < SPEAKING_S + 0.5
        assert server_ms(pcm) == 0
        await spoken(voice)
    assert box.said == [TEXT, TEXT]
    assert len(told) == 1, "the server rests"
    assert why.value in told[0]


PARTIAL = [
    ("wyoming", sends(INFO, sound(SECOND), then="goes"), Trouble.CUT),
    ("wyoming", sends(INFO, sound(SECOND)), Trouble.SLOW),
    ("wyoming", sends(INFO, sound(SECOND), sound(bytes(32_000)), then="again", pause_s=0.01), Trouble.TOO_LONG),
    ("wyoming", sends(INFO, sound(SECOND), sound(bytes(3_200)), then="again", pause_s=0.1), Trouble.SLOW),
    ("wyoming", sends(INFO, sound(SECOND), b"<html>\n"), Trouble.GARBAGE),
    ("openai", sends(endless_http("audio/wav"), WAV + DATA + SECOND, then="goes"), Trouble.CUT),
    ("openai", sends(endless_http("audio/wav"), WAV + DATA + SECOND), Trouble.SLOW),
]


@pytest.mark.parametrize(("kind", "script", "why"), PARTIAL)
async def test_a_sentence_that_is_broken_off_is_said_to_its_end(kind: str, script: Script, why: Trouble) -> None:
    async with rude(script) as address, speaking(engine_of(kind, address)) as (voice, box, told):
        pcm, _ = await spoken(voice)
    assert abs(server_ms(pcm) - 1000) < 20
    assert box.said == ["a car park behind the building."], "a second are 15 characters; two words again"
    assert why.value in told[0]


@pytest.mark.parametrize("kind", ["wyoming", "openai"])
async def test_a_voice_without_an_end_is_cut(kind: str) -> None:
    wyoming = sends(INFO, sound(SECOND), then="again")
    wav = sends(endless_http("audio/wav"), WAV + DATA, SECOND, then="again")
    async with (
        rude(wyoming if kind == "wyoming" else wav) as address,
        speaking(engine_of(kind, address)) as (voice, box, told),
    ):
        pcm, _ = await spoken(voice)
    assert 0 <= longest_speech_ms(TEXT) - len(pcm) // BYTES_PER_MS <= LONGEST_CHUNK_MS
    assert box.said == []
    assert Trouble.TOO_LONG.value in told[0]


async def test_silence_in_a_sentence_is_no_longer_than_people_bear() -> None:
    quiet = sound(bytes(32 * 3000))
    async with (
        rude(sends(INFO, sound(SECOND), quiet, sound(SECOND), STOP)) as address,
        speaking(engine_of("wyoming", address)) as (voice, box, told),
    ):
        pcm, _ = await spoken(voice)
    assert (box.said, told) == ([], [])
    assert server_ms(pcm) == 2000
    assert abs(len(pcm) // BYTES_PER_MS - 2000 - LONGEST_SILENCE_MS) <= 50


async def test_an_interruption_closes_the_connection() -> None:
    left = trio.Event()

    async def script(stream: trio.SocketStream) -> None:
        try:
            while True:
                await stream.send_all(INFO + sound(SECOND))
        finally:
            left.set()

    async with rude(script) as address, speaking(engine_of("wyoming", address)) as (voice, box, told):
        async with aclosing(voice.speak(TEXT)) as chunks:
            await anext(chunks)
        with trio.fail_after(PATIENCE_S):
            await left.wait()
    assert (box.said, told) == ([], [])


@pytest.mark.parametrize("rate", [16_000, 24_000])
async def test_plain_samples_have_the_protocols_rate(rate: int) -> None:
    body = LOUD_MS * 1500  # of 16 samples each
    async with (
        rude(sends(http(body, "audio/pcm"))) as address,
        speaking(engine_of("pcm" if rate == 24_000 else "openai", address)) as (voice, box, told),
    ):
        pcm, _ = await spoken(voice)
    if rate == 24_000:
        assert abs(len(pcm) // BYTES_PER_MS - 1000) <= 2
        assert (box.said, told) == ([], [])
    else:
        assert box.said == [TEXT], "it is no WAV file"
