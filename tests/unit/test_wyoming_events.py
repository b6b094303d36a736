"""Events of the Wyoming protocol, in whatever pieces they come, and what is no event."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.speech_servers import SpeechFailed
from firmware.wyoming.events import LARGEST_DATA, LARGEST_PAYLOAD, LONGEST_LINE, Event, Reader

pytestmark = pytest.mark.unit

EVENTS = [
    Event("describe"),
    Event("audio-chunk", {"rate": 16_000, "width": 2, "channels": 1}, b"\n{}\x00" * 300),
    Event("transcript", {"text": "Grüß Gott.\nWhere?"}),
    Event("audio-stop"),
]


@given(st.lists(st.integers(1, 400), min_size=1, max_size=20))
def test_events_come_in_any_pieces(sizes: list[int]) -> None:
    data, reader, at = b"".join(each.as_bytes() for each in EVENTS), Reader(), 0
    found: list[Event] = []
    for size in [*sizes, len(data)]:
        found += reader.feed(data[at : at + size])
        at += size
    assert found == EVENTS


def test_data_may_stand_in_the_line_too() -> None:
    line = b'{"type": "transcript", "data": {"text": "a", "language": "en"}, "data_length": 13}\n{"text": "b"}'
    assert list(Reader().feed(line)) == [Event("transcript", {"text": "b", "language": "en"})]


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"null\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b'{"type": 1}\n',
        b'{"type": "x", "data": [1]}\n',
        b'{"type": "x", "data_length": "9"}\n',
        b'{"type": "x", "data_length": -1}\n',
        b'{"type": "x", "data_length": 2}\n[]',
        b'{"type": "x", "data_length": %d}\n' % (LARGEST_DATA + 1),
        b'{"type": "x", "payload_length": %d}\n' % (LARGEST_PAYLOAD + 1),
        b'{"type": "x", "payload_length": 1e3}\n',
        b'{"a":' * 20_000 + b"\n",
        b"x" * (LONGEST_LINE + 1),
        b"x" * (LONGEST_LINE + 1) + b"\n",
    ],
)
def test_what_is_no_event_is_refused(data: bytes) -> None:
    with pytest.raises(SpeechFailed, match="something else"):
        list(Reader().feed(data))
