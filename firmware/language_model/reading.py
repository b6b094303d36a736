"""The text in what a server sends: server-sent events, as OpenAI's streaming protocol has them. Pure, and bounded.

    data: {"choices": [{"delta": {"content": "Good "}, "finish_reason": null}]}
    data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    data: [DONE]

Other lines are comments. Calls of tools come beside the text, see `calls.py`. A server that does not stream sends one
JSON object instead, with `message` for `delta`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from firmware.language_model.calls import Calls, clean
from firmware.language_model.troubles import Trouble, failed

# A line carries some words and their bookkeeping: 64 KB would be a novel. An answer of 1500 characters in one line for
# each token is 150 KB; models that think aloud send several times that.
LONGEST_LINE = 64 * 1024
LARGEST_ANSWER = 1024 * 1024


class Reader:
    """Bytes in, text out, and the `calls` of tools. `complete`: the server said that this was all."""

    def __init__(self) -> None:
        self.complete = False
        self.calls = Calls()
        self._line = bytearray()
        self._taken = 0

    def feed(self, data: bytes) -> Iterator[str]:
        """Raises: ModelFailed."""
        self._taken += len(data)
        if self._taken > LARGEST_ANSWER:
            raise failed(Trouble.TOO_LONG)
        *lines, rest = (bytes(self._line) + data).split(b"\n")
        self._line[:] = rest
        if len(rest) > LONGEST_LINE:
            raise failed(Trouble.NO_MODEL)
        for line in lines:
            yield from self._text(line)

    def _text(self, line: bytes) -> Iterator[str]:
        name, _, value = line.partition(b":")
        if self.complete or name.strip() != b"data":
            return
        if value.strip() == b"[DONE]":
            self.complete = True
            return
        if text := self.take(_object(value)):
            yield text

    def whole(self, body: bytes) -> str:
        """Of a server that does not stream. Raises: ModelFailed."""
        return self.take(_object(body))

    def take(self, answer: dict[str, Any]) -> str:
        """The text of an object. Raises: ModelFailed."""
        if "error" in answer:
            raise failed(Trouble.ITS_FAULT, detail=error_of(answer))
        match answer:
            case {"choices": []} | {"choices": None}:
                return ""  # bookkeeping
            case {"choices": [{**choice}, *_]}:
                self.complete = bool(choice.get("finish_reason"))
                return self._written(choice.get("delta") or choice.get("message"))
            case _:
                raise failed(Trouble.NO_MODEL)

    def _written(self, message: object) -> str:
        if not isinstance(message, dict):
            return ""
        self.calls.take(message.get("tool_calls"))
        content = message.get("content")
        return clean(content) if isinstance(content, str) else ""


def error_of(answer: object) -> str:
    """What a server says went wrong: `{"error": {"message": …}}`, or near to it; "" where it says nothing."""
    match answer:
        case {"error": {"message": str(message)}} | {"error": str(message)} | {"message": str(message)}:
            return " ".join(clean(message).split())
        case {"detail": str(message)}:
            return " ".join(clean(message).split())
        case _:
            return ""


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise failed(Trouble.NO_MODEL) from None
    if not isinstance(found, dict):
        raise failed(Trouble.NO_MODEL)
    return found
