"""The text in what a server sends: server-sent events, as OpenAI's streaming protocol has them. Pure, and bounded.

    data: {"choices": [{"delta": {"content": "Good "}, "finish_reason": null}]}
    data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    data: [DONE]

Other lines are comments. A server that does not stream sends one JSON object instead, with `message` for `delta`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from firmware.language_model.troubles import Trouble, failed

# A line carries some words and their bookkeeping: 64 KB would be a novel. An answer of 1500 characters in one line for
# each token is 150 KB; models that think aloud send several times that.
LONGEST_LINE = 64 * 1024
LARGEST_ANSWER = 1024 * 1024


class Reader:
    """Bytes in, text out. `complete`: the server said that this was all."""

    def __init__(self) -> None:
        self.complete = False
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
        text, self.complete = text_of(_object(value))
        if text:
            yield text


def whole_text(body: bytes) -> str:
    """Of a server that does not stream. Raises: ModelFailed."""
    return text_of(_object(body))[0]


def text_of(answer: dict[str, Any]) -> tuple[str, bool]:
    """The text of an object, and whether it is the last one. Raises: ModelFailed."""
    if "error" in answer:
        raise failed(Trouble.ITS_FAULT, detail=error_of(answer))
    match answer:
        case {"choices": []} | {"choices": None}:
            return "", False  # bookkeeping
        case {"choices": [{**choice}, *_]}:
            content = _content(choice.get("delta") or choice.get("message") or {})
            return _clean(content), bool(choice.get("finish_reason"))
        case _:
            raise failed(Trouble.NO_MODEL)


def error_of(answer: object) -> str:
    """What a server says went wrong: `{"error": {"message": …}}`, or near to it; "" where it says nothing."""
    match answer:
        case {"error": {"message": str(message)}} | {"error": str(message)} | {"message": str(message)}:
            return " ".join(_clean(message).split())
        case {"detail": str(message)}:
            return " ".join(_clean(message).split())
        case _:
            return ""


def _content(message: object) -> str:
    content = message.get("content") if isinstance(message, dict) else None
    return content if isinstance(content, str) else ""


def _clean(text: str) -> str:
    """Without halves of surrogate pairs, which nothing can store or speak."""
    return text.encode(errors="ignore").decode()


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise failed(Trouble.NO_MODEL) from None
    if not isinstance(found, dict):
        raise failed(Trouble.NO_MODEL)
    return found
