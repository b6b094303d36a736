"""Ears of a server in front of the box's own: whatever the server does, the very same turn is heard."""

from __future__ import annotations

import ssl
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import trio

from app.engines import HttpEars, ServedEars, WyomingEars
from app.ports import FRAME_BYTES, Hearing
from app.speech_servers import HEARING_S, Rest
from firmware.audio.telephone import over_telephone
from firmware.audio.wav import WavProblem, pcm_of, read_wav
from firmware.served_speech import SpeechServers, open_speech_servers
from firmware.speech_servers.troubles import Trouble
from models.stt.language_model import build
from models.stt.pool import recogniser_pool
from provisioning.identity import identity
from tests.fakes.rude_speech import HTML, Script, endless_http, event, http, rude, sends
from tests.fakes.speech import FakeEars, FakeVoice
from tests.office.speech_servers import PHRASES, SpeechServer, speech_server
from tests.office.voices import SPEAKERS, say
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

BOX = "by the box"
MARKED = np.full(16_000, 1, "<i2").tobytes()


@asynccontextmanager
async def hearing(engine: ServedEars, ears: FakeEars | None = None) -> AsyncGenerator[tuple[Hearing, list[str]], None]:
    """A call's ears, and what its session is told."""
    told: list[str] = []
    async with open_speech_servers(SpeechServers(ears=engine)) as served:
        both, _ = served(ears or FakeEars({1: BOX}), FakeVoice(), told.append)
        async with both.open(narrow_band=True) as opened:
            yield opened, told


async def turn(opened: Hearing, pcm: bytes = MARKED) -> tuple[str, float]:
    """What was heard, and how many seconds that took from the end."""
    await opened.begin()
    for at in range(0, len(pcm), FRAME_BYTES):
        await opened.feed(pcm[at : at + FRAME_BYTES])
    began_s = trio.current_time()
    with trio.fail_after(PATIENCE_S):
        heard = await opened.finish()
    return heard.own, trio.current_time() - began_s


def engine_of(kind: str, address: str) -> ServedEars:
    if kind == "wyoming":
        return WyomingEars(address=address)
    return HttpEars(base_url=f"http://{address}", model="tiny")


# -- real servers ------------------------------------------------------------------------------------------------


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A real recogniser shares two cores with other tests."""
    monkeypatch.setattr("firmware.speech_servers.ears.HEARING_S", PATIENCE_S)


async def question() -> bytes:
    wav = await trio.Path(await say(SPEAKERS["slt-hts"], "Where can I park?")).read_bytes()
    samples = read_wav(wav)
    assert not isinstance(samples, WavProblem)
    return pcm_of(over_telephone(samples))


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("kind", "streams"), [("wyoming", ""), ("wyoming", "1"), ("openai", "")])
async def test_a_server_hears_what_was_said(kind: str, streams: str, tmp_path: Path) -> None:
    said = await question()
    deaf = FakeEars(defaultdict(str))
    async with (
        real(kind, tmp_path, DESKBELL_STREAMS=streams) as server,
        hearing(engine_of(kind, server.address), deaf) as (opened, told),
    ):
        assert (await turn(opened, said))[0] == "Where can i park."
        await opened.feed(bytes(6400))  # the caller goes on: all of it is heard again
        assert (await opened.finish()).general == "Where can i park."
    assert told == []
    assert server.did("hears") == 2


@pytest.mark.parametrize("kind", ["wyoming", "openai"])
async def test_a_server_that_is_killed_in_a_turn_costs_no_turn(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The box's real recogniser hears the same audio, and the next turn does not wait for the server, which rests for
    longer than a turn takes a busy machine."""
    monkeypatch.setattr(Rest, "FIRST_S", PATIENCE_S)
    said = await question()
    async with real(kind, tmp_path) as server, recogniser_pool(build(PHRASES), 1, narrow_band=True) as pool:
        told: list[str] = []
        async with open_speech_servers(SpeechServers(ears=engine_of(kind, server.address))) as served:
            ears, _ = served(pool, FakeVoice(), told.append)
            async with ears.open(narrow_band=True) as opened:
                await opened.begin()
                await opened.feed(said)
                if kind == "wyoming":
                    await server.does("hears")
                await server.die()
                assert (await opened.finish()).own == "where can i park"
                assert (await turn(opened, said))[0] == "where can i park"
    [note] = told
    assert note.startswith("The recogniser on the box heard this: the speech server cannot be used")
    assert note.endswith(f"The server is asked again after {PATIENCE_S:.0f} s.")


@asynccontextmanager
async def real(kind: str, folder: Path, **environment: str) -> AsyncGenerator[SpeechServer, None]:
    async with speech_server("wyoming" if kind == "wyoming" else "openai", folder, **environment) as server:
        yield server


# -- servers that misbehave --------------------------------------------------------------------------------------

WORDS = event("transcript", text="by the server")
WYOMING = [
    (sends(then="goes"), Trouble.CUT),
    (sends(b"\x00\xff\xfe" * 100 + b"\n"), Trouble.GARBAGE),
    (sends(HTML), Trouble.GARBAGE),
    (sends(b"[1, 2]\n"), Trouble.GARBAGE),
    (sends(b"[" * 60_000 + b"\n"), Trouble.GARBAGE),
    (sends(b'{"type": "transcript", "payload_length": 999999999999}\n'), Trouble.GARBAGE),
    (sends(b'{"type": "transcript", "data_length": -5}\n'), Trouble.GARBAGE),
    (sends(event("transcript", text=7)), Trouble.GARBAGE),
    (sends(event("transcript")), Trouble.GARBAGE),
    (sends(b"x" * 10_000, then="again"), Trouble.GARBAGE),
    (sends(event("ping", payload=b"x" * 100_000), then="again"), Trouble.TOO_LONG),
    (sends(), Trouble.SLOW),
    (sends(event("transcript-chunk", text="a "), then="again", pause_s=0.01), Trouble.SLOW),
    (sends(event("transcript", text="a " * 3000)), Trouble.TOO_LONG),
    (sends(event("error", text="out of memory")), Trouble.ITS_FAULT),
    (sends(WORDS), Trouble.EARLY),
]
HTTP = [
    (sends(then="goes"), Trouble.CUT),
    (sends(b"SSH-2.0-OpenSSH_9.2\r\n\r\n", then="goes"), Trouble.GARBAGE),
    (sends(HTML), Trouble.GARBAGE),
    (sends(http(b"<html>")), Trouble.GARBAGE),
    (sends(http(b'{"words": 1}')), Trouble.GARBAGE),
    (sends(http(b'{"text": 1}')), Trouble.GARBAGE),
    (sends(http(b"[" * 60_000)), Trouble.GARBAGE),
    (sends(http(b'{"text": "x"}', more="content-encoding: gzip\r\n")), Trouble.GARBAGE),
    (sends(endless_http("application/json"), b" " * 10_000, then="again"), Trouble.TOO_LONG),
    (sends(http(b'{"text": "%s"}' % (b"a " * 3000))), Trouble.TOO_LONG),
    (sends(http(b'{"text": "half'[:8]), then="goes"), Trouble.GARBAGE),
    (sends(endless_http("application/json"), b'{"text"', then="goes"), Trouble.CUT),
    (sends(), Trouble.SLOW),
    (sends(endless_http("application/json"), b" ", then="again", pause_s=0.1), Trouble.SLOW),
    (sends(http(b'{"error": {"message": "no"}}', status="401 No")), Trouble.WRONG_KEY),
    (sends(http(b'{"detail": "no such model"}', status="404 No")), Trouble.NOT_THERE),
    (sends(http(b"", status="429 No")), Trouble.TOO_MANY),
    (sends(http(b"oh!", status="500 No")), Trouble.ITS_FAULT),
    (sends(http(b"", status="302 No", more="location: http://elsewhere/\r\n")), Trouble.MOVED),
]


@pytest.mark.parametrize(
    ("kind", "script", "why"),
    [("wyoming", *each) for each in WYOMING] + [("openai", *each) for each in HTTP],
)
async def test_whatever_a_server_does_the_turn_is_heard_in_time(kind: str, script: Script, why: Trouble) -> None:
    if why is Trouble.EARLY:  # the caller is still speaking
        return await answered_early(script)
    async with rude(script) as address, hearing(engine_of(kind, address)) as (opened, told):
        text, took_s = await turn(opened)
        assert text == BOX
        assert took_s < HEARING_S + 0.5
        assert (await turn(opened))[0] == BOX
    assert len(told) == 1, "the server rests"
    assert why.value in told[0]
    return None


async def answered_early(script: Script) -> None:
    async with rude(script) as address, hearing(engine_of("wyoming", address)) as (opened, told):
        await opened.begin()
        await opened.feed(MARKED)
        with trio.fail_after(PATIENCE_S):
            while not told:  # noqa: ASYNC110 - a list tells nobody
                await trio.sleep(0.01)
        assert (await opened.finish()).own == BOX
    assert Trouble.EARLY.value in told[0]


async def test_nobody_is_there() -> None:
    async with rude(sends()) as address:
        pass
    for kind in ("wyoming", "openai"):
        async with hearing(engine_of(kind, address)) as (opened, told):
            assert (await turn(opened))[0] == BOX
        assert Trouble.NOBODY.value in told[0]


async def test_a_server_without_a_name_costs_no_turn() -> None:
    async with hearing(WyomingEars(address="ears..example:10300")) as (opened, told):
        assert (await turn(opened))[0] == BOX
    assert Trouble.NO_NAME.value in told[0]


async def test_a_certificate_of_its_own_making_is_named(tmp_path: Path) -> None:
    made = identity(tmp_path, ["localhost"], ["127.0.0.1"])
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(made.certificate, made.key)

    async def talk(stream: trio.SSLStream[trio.SocketStream]) -> None:
        try:
            await stream.receive_some()
        except trio.BrokenResourceError:
            return

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_ssl_over_tcp, talk, 0, served, host="127.0.0.1"))
        port = listener.transport_listener.socket.getsockname()[1]
        async with hearing(HttpEars(base_url=f"https://127.0.0.1:{port}", model="tiny")) as (opened, told):
            assert (await turn(opened))[0] == BOX
        nursery.cancel_scope.cancel()
    assert "its certificate is not trusted: made by itself" in told[0]


async def test_a_caller_who_goes_on_is_waited_for() -> None:
    """A draft that was finished and given up has the words of what came after, as the box's own ears have it."""
    async with rude(sends()) as address, hearing(engine_of("wyoming", address)) as (opened, _):
        await opened.begin()
        await opened.feed(MARKED)
        found: list[str] = []

        async def draft() -> None:
            found.append((await opened.finish()).own)

        async with trio.open_nursery() as drafts:
            drafts.start_soon(draft)
            await trio.testing.wait_all_tasks_blocked(0.01)
            await opened.feed(MARKED)
            assert found == []
            await opened.finish()
    assert found == [BOX]


async def test_silence_is_no_fault() -> None:
    script = sends(http(b'{"text": ""}'))
    async with rude(script) as address, hearing(engine_of("openai", address)) as (opened, told):
        assert (await turn(opened))[0] == ""
    assert told == []


async def test_what_is_read_out_has_the_boxs_readings_too() -> None:
    async with (
        rude(sends(http(b'{"text": "5 5 5"}'))) as address,
        hearing(engine_of("openai", address)) as (opened, _),
    ):
        await opened.begin("digits")
        await opened.feed(MARKED)
        heard = await opened.finish()
    assert (heard.own, heard.others) == ("5 5 5", ("5 5 5", BOX))
