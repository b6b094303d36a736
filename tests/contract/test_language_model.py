"""What every language model must do: the fake of the scenes, and the real client at a server that does as it is told
and at llama.cpp's. And what only a server can do to the real client; llama.cpp's own ways: test_llama.py."""

from __future__ import annotations

import json
import logging
import socket
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import pytest
import trio
from pydantic import SecretStr

from app.engines import ModelServer as Settings
from app.language_models import ChatMessage, LanguageModel, ModelAnswer, ModelFailed, Tool, ToolCall
from firmware.language_model import client, open_language_model
from firmware.language_model.reading import LARGEST_ANSWER, LONGEST_LINE
from provisioning.identity import identity
from tests.fakes.language_model import FakeModel, Written
from tests.fakes.model_server import HTML, JSON, Script, call_of, model_server
from tests.office.llama import SLOW, LlamaServer, llama_server
from tests.office.recital import Recital, call_text
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract

KEY = "sk-canary-0123456789"
QUESTION = [ChatMessage("system", "Be brief."), ChatMessage("user", "Where can I park? – “here”")]


TOOL = Tool("look_up", "Look something up.", {"type": "object", "properties": {"words": {"type": "string"}}})


def settings(base_url: str, model: str = "tiny") -> Settings:
    return Settings(base_url=base_url, model=model)


@asynccontextmanager
async def real(script: Script, key: str = "") -> AsyncGenerator[LanguageModel, None]:
    async with (
        model_server(script) as server,
        open_language_model(settings(server.base_url), SecretStr(key) if key else None) as model,
    ):
        yield model


@asynccontextmanager
async def fake(script: Script) -> AsyncGenerator[LanguageModel, None]:
    pieces = [(script.pause_s, piece) for piece in script.pieces]
    breaks = ModelFailed("it broke") if script.ends == "cut" else None
    calls = (ToolCall("look_up", '{"words": "parking"}'),) if script.calls else ()
    ends_after_s = float("inf") if script.ends == "open" else 0.0
    yield FakeModel([Written(pieces, breaks, ends_after_s, calls)])


@asynccontextmanager
async def llama(script: Script) -> AsyncGenerator[LanguageModel, None]:
    """`pause_s`, and whatever does not end, is as slow as the model is."""
    never_ends = script.ends != "done"
    text = "".join(script.pieces) + (f" {call_text('look_up', words='parking')}" if script.calls else "")
    if never_ends:
        text = text.strip().removesuffix('"}}\n</tool_call>') + " and so on"
    layers = SLOW if never_ends or script.pause_s else 1
    async with (
        llama_server([Recital("", text, again=never_ends)], layers=layers) as server,
        open_language_model(settings(server.base_url), None) as model,
        trio.open_nursery() as nursery,
    ):
        if script.ends == "cut":
            nursery.start_soon(dies_in_its_answer, server)
        yield model
        nursery.cancel_scope.cancel()


async def dies_in_its_answer(server: LlamaServer) -> None:
    await server.has_busy_slots(1)
    await trio.sleep(0.5)
    server.die()


Opened = Callable[[Script], AbstractAsyncContextManager[LanguageModel]]


@pytest.fixture(params=[fake, real, llama], ids=["fake", "real", "llama"])
def opened(request: pytest.FixtureRequest) -> Opened:
    return request.param  # type: ignore[no-any-return]


async def whole(answer: ModelAnswer) -> str:
    text = ""
    with trio.fail_after(PATIENCE_S):
        while piece := await answer.more():
            text += piece
    answer.stop()
    return text


async def test_an_answer_comes_in_pieces_to_its_end(opened: Opened) -> None:
    async with opened(Script(["There is ", "a car park", " – “behind” it."])) as model:
        answer = model.ask(QUESTION)
        with trio.fail_after(PATIENCE_S):
            pieces = [await answer.more(), await answer.more()]
            while pieces[-1]:
                pieces.append(await answer.more())
        assert len(pieces) > 3
        assert "".join(pieces) == "There is a car park – “behind” it."
        assert await answer.more() == ""


async def test_whoever_gives_up_waiting_may_come_back(opened: Opened) -> None:
    async with opened(Script(["Good ", "day."], pause_s=0.2)) as model:
        answer = model.ask(QUESTION)
        with trio.move_on_after(0.01) as impatient:
            await answer.more()
        assert impatient.cancelled_caught
        assert await whole(answer) == "Good day."


async def test_calls_of_tools_come_with_the_end_and_announce_themselves(opened: Opened) -> None:
    async with opened(Script(["One moment."], calls=call_of("look_up", '{"words": "parking"}'), ends="open")) as model:
        answer, text = model.ask(QUESTION, [TOOL]), ""
        with trio.fail_after(PATIENCE_S):
            while not answer.is_calling:
                with trio.move_on_after(0.1):
                    text += await answer.more()
        assert text.strip() == "One moment."
        assert answer.calls == ()
        answer.stop()
    async with opened(Script(["One moment."], calls=call_of("look_up", '{"words": "parking"}'))) as model:
        answer = model.ask(QUESTION, [TOOL])
        assert (await whole(answer)).strip() == "One moment."
        assert answer.calls == (ToolCall("look_up", '{"words": "parking"}'),)


async def test_an_answer_that_breaks_off_says_so_after_what_it_had(opened: Opened) -> None:
    async with opened(Script(["We are open "], ends="cut")) as model:
        answer, text = model.ask(QUESTION), ""
        with trio.fail_after(PATIENCE_S):
            while not text.startswith("We are open"):
                text += await answer.more()
        with pytest.raises(ModelFailed):
            await whole(answer)


async def test_an_answer_can_be_stopped_at_any_moment_and_another_asked(opened: Opened) -> None:
    async with opened(Script(["Good day."], ends="open")) as model:
        model.ask(QUESTION).stop()
        answer = model.ask(QUESTION)
        assert (await answer.more()).startswith("Good")
        answer.stop()
        another = model.ask(QUESTION)
        assert (await another.more()).startswith("Good")
        another.stop()


async def test_two_calls_are_answered_at_once(opened: Opened) -> None:
    async with opened(Script(["Good ", "day."], pause_s=0.05)) as model:
        first, second = model.ask(QUESTION), model.ask(QUESTION)
        assert await whole(second) == await whole(first) == "Good day."


# -- the real client --------------------------------------------------------------------------------------------


async def test_the_question_is_as_the_protocol_has_it() -> None:
    async with (
        model_server(key=KEY) as server,
        open_language_model(settings(server.base_url, "qwen3:4b"), SecretStr(KEY)) as model,
    ):
        assert await whole(model.ask(QUESTION)) == "Hello."
    assert server.questions == [
        {
            "model": "qwen3:4b",
            "messages": [{"role": each.role, "content": each.text} for each in QUESTION],
            "stream": True,
        }
    ]
    assert server.keys == [KEY]


async def test_stopping_closes_the_connection() -> None:
    async with (
        model_server(Script(ends="open")) as server,
        open_language_model(settings(server.base_url), None) as model,
    ):
        answer = model.ask(QUESTION)
        await answer.more()
        answer.stop()
        with trio.fail_after(PATIENCE_S):
            await server.left.wait()


async def failure(base_url: str, key: str = "") -> ModelFailed:
    async with open_language_model(settings(base_url), SecretStr(key) if key else None) as model:
        with pytest.raises(ModelFailed) as caught:
            await whole(model.ask(QUESTION))
    return caught.value


WHOLE = {"choices": [{"message": {"content": "Good day."}, "finish_reason": "stop"}]}


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (Script(status=403, kind=JSON, body=b"{}"), "refuses the key"),
        (Script(status=404, kind=HTML, body=b"<h1>Not Found</h1>"), "no such model"),
        (Script(status=429, kind=JSON, body=b'{"error": "quota"}'), "quota"),
        (Script(status=400, kind=JSON, body=b"{}"), "does not take the question"),
        (Script(status=400, kind=JSON, body=b'{"error": {"message": "model not found"}}'), "no such model"),
        (Script(status=400, kind=JSON, body=b'{"error": {"message": "maximum context length"}}'), "longer than"),
        (Script(status=503, kind=JSON, body=b'{"error": {"message": "Loading model"}}'), "still loads its model"),
        (Script(status=500, kind=JSON, body=b"garbage"), "error of its own"),
        (Script(status=302, headers={"location": "http://127.0.0.1:1/"}, body=b""), "has moved"),
        (Script(kind=HTML, body=b"<html>Welcome!</html>"), "not a language model"),
        (Script(kind=JSON, body=b"<html>"), "not a language model"),
        (Script(kind=JSON, body=b"[" * 100_000), "not a language model"),
        (Script(kind=JSON, body=b'{"hello": "world"}'), "not a language model"),
        (Script(kind=JSON, body=b'"text"'), "not a language model"),
        (Script(body=b"data: garbage\n\n"), "not a language model"),
        (Script(body=b'data: {"choices": [5]}\n\n'), "not a language model"),
        (Script(body=b"data: " + b"x" * LONGEST_LINE * 2), "not a language model"),
        (Script(body=b'data: {"error": {"message": "out of memory"}}\n\n'), "error of its own"),
        (Script(body=b": nothing\n\n"), "broke off"),
        (Script(body=b"data: [DONE]\n\n"), "without a word"),
        (Script(pieces=[" ", "\n"]), "without a word"),
        (Script(pieces=["a"], ends="cut"), "broke off"),
        (Script(pieces=[], ends="cut"), "broke off"),
        (Script(headers={"content-encoding": "gzip"}, body=b"\x1f\x8b"), "not a language model"),
        (Script(pieces=["x" * 10_000] * (LARGEST_ANSWER // 10_000 + 1), ends="open"), "does not end"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_what_goes_wrong_is_said_with_what_to_do(script: Script, said: str) -> None:
    async with model_server(script) as server:
        assert said in str(await failure(server.base_url))


async def test_a_wrong_key_is_told_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with model_server(key="another") as server:
        why = await failure(server.base_url, KEY)
    assert "(401)" in str(why)
    assert "refuses the key" in str(why)
    assert why.detail == "Incorrect API key provided: …"
    told = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert KEY not in told
    assert KEY not in repr(why)


async def test_a_server_that_does_not_stream_is_heard_too() -> None:
    body = json.dumps(WHOLE).encode()
    async with real(Script(kind=JSON, body=body)) as model:
        assert await whole(model.ask(QUESTION)) == "Good day."


NO_SPACE = b'data:{"choices":[{"delta":{"content":"Good day."},"finish_reason":"stop"}]}\r\n\r\n'
COMMENTS = b""": hi
event: x
data: {"choices": []}
data: {"choices": [{"delta": {"role": "assistant", "content": null}}]}
data: {"choices": [{"delta": {"content": "Good day."}}]}

data: [DONE]

data: garbage
"""
HALF_A_SMILE = rb"""
data: {"choices": [{"delta": {"content": "Good \ud83d"}}]}
data: {"choices": [{"delta": {"content": "day."}, "finish_reason": "length"}]}
"""


@pytest.mark.parametrize("body", [NO_SPACE, COMMENTS, HALF_A_SMILE], ids=["no space", "comments", "half a smile"])
async def test_the_dialects_of_servers(body: bytes) -> None:
    async with real(Script(body=body)) as model:
        assert await whole(model.ask(QUESTION)) == "Good day."


async def test_a_dead_server_and_an_unknown_name() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert "nothing answers" in str(await failure(f"http://127.0.0.1:{port}"))
    assert "host name cannot be found" in str(await failure("http://no-such-host.invalid"))
    assert "host name cannot be found" in str(await failure("http://xn--a.invalid"))


async def test_a_server_that_takes_no_connection_or_falls_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_CONNECT_S", 0.2)
    monkeypatch.setattr(client, "_SILENT_S", 0.2)
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):  # the queue is full: the next one waits
            assert "nothing answers" in str(await failure(f"http://127.0.0.1:{port}"))
    async with model_server(Script(["Good "], ends="open")) as server:
        assert "stopped sending" in str(await failure(server.base_url))


async def test_what_is_no_http_at_all() -> None:
    async def talk(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(b"220 mail.example ESMTP\r\n\r\n")
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        (listener,) = await nursery.start(partial(trio.serve_tcp, talk, 0, host="127.0.0.1"))
        port = listener.socket.getsockname()[1]
        assert "not a language model" in str(await failure(f"http://127.0.0.1:{port}"))
        nursery.cancel_scope.cancel()


async def test_in_clear_only_to_addresses_of_the_own_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that leads out of the network is refused before anything is sent, whatever else it leads to."""

    async def leads_to(*addresses: str) -> str:
        async def resolved(*_: object, **__: object) -> list[tuple[object, ...]]:
            return [(0, 0, 0, "", (address, 0)) for address in addresses]

        monkeypatch.setattr(trio.socket, "getaddrinfo", resolved)
        return str(await failure("http://models.example:9"))

    assert "https://" in await leads_to("8.8.8.8")
    assert "https://" in await leads_to("127.0.0.1", "2606:4700::1111")
    assert "nothing answers" in await leads_to("127.0.0.1")


async def test_a_certificate_of_its_own_making_is_not_trusted(tmp_path: Path) -> None:
    heard: list[bytes | bytearray] = []

    async def talk(stream: trio.SSLStream[trio.SocketStream]) -> None:
        with suppress(trio.BrokenResourceError):  # the client goes in the middle of the handshake
            heard.append(await stream.receive_some())

    made = identity(tmp_path, ["localhost"], ["127.0.0.1"])
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(made.certificate, made.key)
    async with trio.open_nursery() as nursery:
        serve = partial(trio.serve_ssl_over_tcp, talk, 0, served, host="127.0.0.1")
        (listener,) = await nursery.start(serve)
        port = listener.transport_listener.socket.getsockname()[1]
        told = str(await failure(f"https://127.0.0.1:{port}"))
        nursery.cancel_scope.cancel()
    assert "its certificate is not trusted: made by itself" in told
    assert "in your own network, http:// works without" in told
    assert heard == []


async def test_a_name_that_cannot_be_one() -> None:
    assert "host name cannot be found" in str(await failure("https://models..example"))
    assert "host name cannot be found" in str(await failure("http://models..example"))


async def test_a_name_with_two_addresses_is_tried_at_both(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolved(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (address, 0)) for address in ("::1", "::1", "127.0.0.1")]

    async with model_server() as server:
        monkeypatch.setattr(trio.socket, "getaddrinfo", resolved)
        port = server.address.rpartition(":")[2]
        async with open_language_model(settings(f"http://models.example:{port}"), None) as model:
            assert await whole(model.ask(QUESTION)) == "Hello."
        assert server.hosts == [f"models.example:{port}"]
