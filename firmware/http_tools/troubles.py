"""What goes wrong between the box and a tool: what a model is told, and what the tool's owner can do about it."""

from __future__ import annotations

from enum import Enum

import httpx

from app.http_tools import ToolAnswer
from app.web_addresses import NEEDS_TLS
from firmware.private_network import is_untrusted

LARGEST_ANSWER = 64 * 1024
"""Bytes: thirty times what a model is given of it; whoever sends more was asked for too much."""


_CERTIFICATE = (
    "It was made by itself, is expired, or is for another name: give the program one of a public authority, or use "
    "http:// in your own network"
)


class Trouble(Enum):
    """In a few words, and what to do."""

    NO_NAME = ("its host name cannot be found", "Check the address, and the network's name server")
    NOBODY = (
        "nothing answers at its address",
        "Check that the program runs, the port, and firewalls between",
    )
    NOT_PRIVATE = ("its address is not in your own network", f"Use https:// since {NEEDS_TLS}")
    CERTIFICATE = ("its certificate is not trusted", _CERTIFICATE)
    MOVED = ("it says that it has moved", "Redirects are not followed: enter the new address")
    WRONG_KEY = ("it refuses the key", "Check the headers of the tool, and enter their values again")
    TOO_MANY = ("it has too much to do", "It answered that it was asked too often: look into your account there")
    ITS_FAULT = ("it met an error of its own", "Look into the program's log")
    HTML = (
        "it answered with a web page",
        "Check the address: it should be that of an interface for programs, which answers in JSON or plain text",
    )
    NO_TEXT = (
        "what it answered cannot be read",
        "It should answer in JSON or plain text, in UTF-8 and not compressed",
    )
    TOO_LARGE = (
        "its answer is too large",
        f"It may have {LARGEST_ANSWER // 1024} KB: let the program answer with what callers ask for only",
    )
    NO_WHOLE = (
        "it gave no whole answer",
        "Check the port, whether it should be https://, and the program's log",
    )
    SILENT = ("it did not answer in time", "A caller is waiting: let the program answer within a second or two")


_NOT_SENT = frozenset({Trouble.NO_NAME, Trouble.NOBODY, Trouble.NOT_PRIVATE, Trouble.CERTIFICATE})


def failed(trouble: Trouble, took_s: float, status: int = 0) -> ToolAnswer:
    why, remedy = trouble.value
    code = f" ({status})" if status else ""
    return ToolAnswer(took_s, status, why=f"{why}{code}", remedy=remedy, sent=trouble not in _NOT_SENT)


def of_status(status: int) -> Trouble | None:
    """None: what it answers is for the caller, such as that there is no such order."""
    if 300 <= status < 400 or status < 200:
        return Trouble.MOVED
    if status in (401, 403, 407):
        return Trouble.WRONG_KEY
    if status >= 500:
        return Trouble.ITS_FAULT
    return Trouble.TOO_MANY if status == 429 else None


def of_transport(fault: Exception) -> Trouble:
    match fault:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return Trouble.NOBODY
        case httpx.ConnectError():
            return Trouble.CERTIFICATE if is_untrusted(fault) else Trouble.NOBODY
        case httpx.TimeoutException():
            return Trouble.SILENT
        case _:
            return Trouble.NO_WHOLE
