"""What HTTP says went wrong, in words for whoever set the server up. Pure."""

from __future__ import annotations

import json
from typing import Any

import httpx

from app.speech_servers import SpeechFailed
from firmware.private_network import is_untrusted
from firmware.speech_servers.troubles import Trouble, failed

_KNOWN = {
    401: Trouble.WRONG_KEY,
    402: Trouble.TOO_MANY,
    403: Trouble.WRONG_KEY,
    404: Trouble.NOT_THERE,
    405: Trouble.NOT_THERE,
    429: Trouble.TOO_MANY,
}


def of_status(status: int, body: bytes) -> SpeechFailed:
    if 300 <= status < 400:
        return failed(Trouble.MOVED, status)
    other = Trouble.ITS_FAULT if status >= 500 else Trouble.REFUSED
    return failed(_KNOWN.get(status, other), status, _said(body))


def of_transport(fault: httpx.TransportError) -> SpeechFailed:
    match fault:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return failed(Trouble.NOBODY)
        case httpx.ConnectError():
            return failed(Trouble.CERTIFICATE if is_untrusted(fault) else Trouble.NOBODY)
        case httpx.TimeoutException():
            return failed(Trouble.SLOW)
        case httpx.RemoteProtocolError() if "without sending" not in str(fault):
            return failed(Trouble.GARBAGE)
        case _:
            return failed(Trouble.CUT)


def object_in(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _said(body: bytes) -> str:
    """A server's own words: `{"error": {"message": …}}`, or near to it; "" where there are none."""
    match object_in(body):
        case {"error": {"message": str(message)}} | {"error": str(message)} | {"message": str(message)}:
            return _line(message)
        case {"detail": str(message)}:
            return _line(message)
        case _:
            return ""


def _line(text: str) -> str:
    return " ".join("".join(mark for mark in text if mark.isprintable() or mark.isspace()).split())
