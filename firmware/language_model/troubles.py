"""What goes wrong between the box and a language model's server, and what its owner can do about it."""

from __future__ import annotations

from enum import Enum

import httpx

from app.language_models import ModelFailed, ToolsRefused
from app.web_addresses import NEEDS_TLS
from firmware.private_network import is_untrusted

LONGEST_DETAIL = 200
"""Characters of a server's own words that are shown."""


class Trouble(Enum):
    NO_NAME = "its host name cannot be found. Check the spelling, or use its address"
    NOBODY = "nothing answers at its address. Check that the server is on, the port right, and no firewall between"
    NOT_PRIVATE = f"its address is not in your own network, and {NEEDS_TLS}. Use https://"
    CERTIFICATE = (
        "its certificate is not trusted: made by itself, expired, or for another name. Give the server one of a public "
        "authority; in your own network, http:// works without"
    )
    WRONG_KEY = "it refuses the key. Enter the right key under Settings > Connectivity"
    NOT_THERE = "it knows no such model, or its path is wrong. Compare the model's name and the end of the address"
    TOO_MANY = "it has too much to do, or the account's quota is used up. Look into the account, or try again later"
    NOT_READY = "it is not ready: it still loads its model, or has too much to do. Try again in a minute"
    TOO_MUCH = (
        "the question is longer than what it can read at once. Give it more room (llama.cpp: --ctx-size, Ollama: "
        "num_ctx), or shorten the agent's instructions and knowledge"
    )
    REFUSED = "it does not take the question. Check that it is an OpenAI-compatible server, and that the model can chat"
    ITS_FAULT = "it met an error of its own. Look into the server's log"
    MOVED = "it says that it has moved. Enter the new address under Settings > Connectivity"
    NO_MODEL = "what answers is not a language model: it sent something else than an answer. Check address and path"
    CUT = "it broke off in the middle of its answer. Look into the server's log"
    SILENT = "it stopped sending in the middle of its answer. Look at how busy the server is"
    EMPTY = "it answered without a word. Try another model"
    TOO_LONG = "its answer does not end. Try another model"


def failed(trouble: Trouble, status: int = 0, detail: str = "") -> ModelFailed:
    code = f" ({status})" if status else ""
    return ModelFailed(f"the language model cannot be used{code}: {trouble.value}", detail[:LONGEST_DETAIL])


def refused_tools(status: int, detail: str) -> ToolsRefused | None:
    """Whether a server that was asked with tools might take the question without: servers say so in several ways. A
    status that says nothing is followed by another question, which costs milliseconds."""
    speaks_of_it = any(word in detail.casefold() for word in ("tool", "function"))
    if not speaks_of_it and (status not in (400, 422) or _of_words(detail)):
        return None
    why = "Choose a model that can call tools; a llama.cpp server may need --jinja"
    return ToolsRefused(f"the language model's server takes no tools ({status}). {why}", detail[:LONGEST_DETAIL])


def of_status(status: int, detail: str) -> Trouble:
    """`detail`: what the server says of it. Some say with 400 what others have a status for."""
    if 300 <= status < 400:
        return Trouble.MOVED
    if status in (400, 413, 500) and (trouble := _of_words(detail)):
        return trouble
    known = {401: Trouble.WRONG_KEY, 403: Trouble.WRONG_KEY, 404: Trouble.NOT_THERE, 405: Trouble.NOT_THERE}
    known |= {429: Trouble.TOO_MANY, 402: Trouble.TOO_MANY, 503: Trouble.NOT_READY}
    return known.get(status, Trouble.ITS_FAULT if status >= 500 else Trouble.REFUSED)


def _of_words(detail: str) -> Trouble | None:
    """llama.cpp, vLLM and OpenAI speak of the context's size or length, and of a model that is not found or does not
    exist."""
    said = detail.casefold()
    if "context" in said and ("size" in said or "length" in said):
        return Trouble.TOO_MUCH
    if "model" in said and ("not found" in said or "does not exist" in said):
        return Trouble.NOT_THERE
    return None


def of_transport(fault: httpx.TransportError) -> Trouble:
    match fault:
        case httpx.ConnectTimeout() | httpx.PoolTimeout():
            return Trouble.NOBODY
        case httpx.ConnectError():
            return Trouble.CERTIFICATE if is_untrusted(fault) else Trouble.NOBODY
        case httpx.TimeoutException():
            return Trouble.SILENT
        case httpx.RemoteProtocolError() if "incomplete" not in str(fault) and "disconnected" not in str(fault):
            return Trouble.NO_MODEL
        case _:
            return Trouble.CUT
