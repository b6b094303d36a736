"""How long a second opinion is waited for, and what a decoder does with what nobody waits for any more."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from models.stt.decoder import BLOCK_BYTES, HEADER, LEARN_BYTES, REQUEST_NUMBER, Decoder, Requests, serve
from models.stt.second_opinion import Crowd, Patience
from tests.patience import PATIENCE_S
from tests.unit.test_decoder_others import Engine

pytestmark = pytest.mark.unit

SECOND = bytes(32_000)


@pytest.mark.parametrize(
    ("waited_s", "waiting", "is_over"),
    [(0.0, 8, False), (0.4, 8, False), (0.5, 8, True), (0.5, 3, True), (0.5, 2, False), (9.0, 1, False)],
)
def test_only_in_a_crowd_is_it_given_up(waited_s: float, waiting: int, is_over: bool) -> None:
    assert Patience().is_over(waited_s, waiting, cores=2) is is_over


def test_whoever_was_answered_waits_no_more() -> None:
    crowd = Crowd()
    with crowd.joined(), crowd.joined():
        assert crowd.waiting == 2
    assert crowd.waiting == 0


class Counting(Engine):
    """Counts the bytes that it decodes. `meanwhile` happens in the first block."""

    def __init__(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.decoded = 0
        self.meanwhile = meanwhile

    def process_raw(self, data: bytes, no_search: bool = False) -> int:
        self.decoded += len(data)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        return len(data)


class Means(Engine):
    def __init__(self) -> None:
        super().__init__()
        self.means = list[str]()

    def set_cmn(self, cmn: str) -> None:
        self.means.append(cmn)


def message(kind: bytes, payload: bytes = b"") -> bytes:
    return HEADER.pack(kind, len(payload)) + payload


def ask(number: int) -> bytes:
    return message(b"E", REQUEST_NUMBER.pack(number))


@contextmanager
def served(engine: Engine) -> Iterator[socket.socket]:
    """The other end of a decoder that knows the line, so that it holds nothing back."""
    decoder = Decoder(engine)
    decoder.begin()
    decoder.feed(bytes(LEARN_BYTES))
    decoder.finish()
    ours, theirs = socket.socketpair()
    ours.settimeout(PATIENCE_S)
    thread = threading.Thread(target=serve, args=(decoder, Requests(theirs), theirs))
    with theirs:
        with ours:
            thread.start()
            yield ours
        thread.join(PATIENCE_S)
    assert not thread.is_alive()


def reply(call: socket.socket) -> int:
    """Which request was answered next."""
    kind, length = HEADER.unpack(call.recv(HEADER.size, socket.MSG_WAITALL))
    assert kind == b"H"
    answer = call.recv(length, socket.MSG_WAITALL)
    assert json.loads(answer[REQUEST_NUMBER.size :])["text"] == "five five"
    return int(REQUEST_NUMBER.unpack_from(answer)[0])


def test_an_utterance_that_is_over_for_everybody_is_not_decoded() -> None:
    engine = Counting()
    with served(engine) as call:
        before = engine.decoded
        first = message(b"B") + message(b"F", SECOND) + ask(1)
        call.sendall(first + message(b"B") + message(b"F", bytes(640)) + ask(2))
        assert reply(call) == 2
    assert engine.decoded - before == 640


@pytest.mark.parametrize("kind", [b"X", b"B"])
def test_what_is_being_decoded_is_left_where_it_is(kind: bytes) -> None:
    engine = Counting()
    with served(engine) as call:
        before = engine.decoded
        engine.meanwhile = lambda: call.sendall(message(kind) + message(b"B") + ask(2))
        call.sendall(message(b"B") + message(b"F", SECOND) + ask(1))
        assert reply(call) == 2
    assert engine.decoded - before == BLOCK_BYTES


def test_what_a_call_begins_with_is_never_left_out() -> None:
    engine = Means()
    with served(engine) as call:
        call.sendall(message(b"O", b"1,2") + message(b"B") + ask(1))
        assert reply(call) == 1
    assert engine.means[-1] == "1,2"
