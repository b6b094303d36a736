"""Events of the Wyoming protocol: one line of JSON each, then more JSON, then bytes. Pure, and bounded.

    {"type": "audio-chunk", "data_length": 37, "payload_length": 640}\\n
    {"rate":16000,"width":2,"channels":1}<640 bytes>

`data` may stand in the line, too; the two are one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from firmware.speech_servers.troubles import Trouble, failed

# A line says how much follows. Servers with hundreds of voices list them in 100 KB; twice that takes a millisecond to
# read. A payload is at most a second of the best sound there is.
LONGEST_LINE = 64 * 1024
LARGEST_DATA = 256 * 1024
LARGEST_PAYLOAD = 512 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    type: str
    data: Mapping[str, Any] = field(default_factory=dict)
    payload: bytes = field(default=b"", repr=False)

    def as_bytes(self) -> bytes:
        data = json.dumps(self.data, ensure_ascii=False).encode() if self.data else b""
        head = {"type": self.type, "data_length": len(data), "payload_length": len(self.payload)}
        return json.dumps({name: value for name, value in head.items() if value}).encode() + b"\n" + data + self.payload

    def text(self, name: str) -> str:
        """Raises: SpeechFailed."""
        value = self.data.get(name)
        if not isinstance(value, str):
            raise failed(Trouble.GARBAGE)
        return value

    def number(self, name: str) -> int:
        """Raises: SpeechFailed."""
        value = self.data.get(name)
        if not isinstance(value, int) or isinstance(value, bool):
            raise failed(Trouble.GARBAGE)
        return value


class Reader:
    """Bytes in, events out."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._head: dict[str, Any] | None = None

    def feed(self, data: bytes) -> Iterator[Event]:
        """Raises: SpeechFailed."""
        self._bytes += data
        while True:
            if self._head is None and not self._take_line():
                return
            event = self._take_rest()
            if event is None:
                return
            yield event

    def _take_line(self) -> bool:
        end = self._bytes.find(b"\n")
        if end > LONGEST_LINE or (end < 0 and len(self._bytes) > LONGEST_LINE):
            raise failed(Trouble.GARBAGE)
        if end < 0:
            return False
        self._head = _object(self._bytes[:end])
        del self._bytes[: end + 1]
        return True

    def _take_rest(self) -> Event | None:
        head = self._head or {}
        data_bytes = _length(head, "data_length", LARGEST_DATA)
        payload_bytes = _length(head, "payload_length", LARGEST_PAYLOAD)
        if len(self._bytes) < data_bytes + payload_bytes:
            return None
        data = head.get("data") or {}
        more = _object(self._bytes[:data_bytes]) if data_bytes else {}
        payload = bytes(self._bytes[data_bytes : data_bytes + payload_bytes])
        del self._bytes[: data_bytes + payload_bytes]
        self._head = None
        if not (isinstance(head.get("type"), str) and isinstance(data, dict)):
            raise failed(Trouble.GARBAGE)
        return Event(head["type"], data | more, payload)


def _length(head: Mapping[str, Any], name: str, largest: int) -> int:
    length = head.get(name) or 0
    if not isinstance(length, int) or not 0 <= length <= largest:
        raise failed(Trouble.GARBAGE)
    return length


def _object(data: bytes | bytearray) -> dict[str, Any]:
    try:
        found = json.loads(bytes(data))
    except (ValueError, RecursionError):
        raise failed(Trouble.GARBAGE) from None
    if not isinstance(found, dict):
        raise failed(Trouble.GARBAGE)
    return found
