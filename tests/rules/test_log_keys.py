"""Nothing personal in logs: messages are fixed texts, and data comes in fields whose names are listed here. Where a
sentence reads better, the same fields fill named places of the fixed text: `_log.info("for %(expires_s)d s", {...})`.

Before a name goes on the list: could its value ever hold a number, a name, an address, or what somebody said?
"""

from __future__ import annotations

import ast
from collections.abc import Set

import pytest

from firmware.keeping.support import LOG_FIELDS
from tests.rules.tree import calls, parsed, python_files

pytestmark = pytest.mark.rules

LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
LOGGERS = {"log", "_log", "logger", "_logger", "logging", "LOG"}

SAFE_KEYS = {
    "agent",  # what the owner calls it ("reception")
    "attempt",
    "bytes",
    "call_id",  # made by us, says nothing about who calls
    "cause",  # a value of one of our enums
    "codec",
    "direction",
    "dropped",
    "entries",
    "evidence",  # figures of one decision of the receptionist's, without a word
    "exit_status",
    "expires_s",
    "field",  # what the owner calls a result ("urgency")
    "file",  # a name we gave, below our own data folder
    "gap_ms",
    "lost_entries",
    "lost_frames",
    "next_try_s",
    "offered",  # names of codecs, of few characters and short, and one of our own words for encryption
    "outcome",
    "pack",  # what a neural pack is called ("piper-joe")
    "own_sentence_as",  # how the box understood a fixed sentence of its own
    "path",
    "pj",  # pjproject's own line, made safe by telephony's filter
    "problem",  # text of one of our own exceptions
    "seats",
    "sip_code",
    "state",  # what the owner calls a part of a conversation ("booking")
    "transport",
    "waiting",  # how many calls
    "verdict",  # a value of one of our enums
    "version",
    "wait_s",
    "work",  # of three that go round for ever, which
}


def problems(path: str, module: ast.AST) -> list[str]:
    return [f"{path}:{call.lineno} {why}" for call in calls(module) if _is_logging(call) for why in _wrong_with(call)]


def _is_logging(call: ast.Call) -> bool:
    func = call.func
    if not (isinstance(func, ast.Attribute) and func.attr in LEVELS):
        return False
    return ast.unparse(func.value).rpartition(".")[2] in LOGGERS


def _wrong_with(call: ast.Call) -> list[str]:
    assert isinstance(call.func, ast.Attribute)
    message, *places = call.args[1:] if call.func.attr == "log" else call.args
    found = []
    if len(places) > 1 or not (isinstance(message, ast.Constant) and isinstance(message.value, str)):
        found.append("the message is not one fixed text")
    extra = [keyword.value for keyword in call.keywords if keyword.arg == "extra"]
    # Texts go into the support bundle as they are, fields only where they are on its own, shorter list.
    return [
        *found,
        *(why for data in places for why in _wrong_data(data, SAFE_KEYS & LOG_FIELDS)),
        *(why for data in extra for why in _wrong_data(data, SAFE_KEYS)),
    ]


def _wrong_data(data: ast.expr, safe: Set[str]) -> list[str]:
    if not isinstance(data, ast.Dict):
        return ["its data is not written out, so its keys cannot be checked"]
    names = [str(key.value) if isinstance(key, ast.Constant) else "?" for key in data.keys]
    return [f'"{name}" is not on the list of safe keys' for name in names if name not in safe]


def test_log_calls_hold_nothing_personal() -> None:
    product = python_files("app", "firmware", "models", "provisioning")
    assert [problem for path in product for problem in problems(path, parsed(path))] == []


@pytest.mark.parametrize(
    "source",
    [
        '_log.info(f"call from {call.remote}")',
        '_log.info("call from %s", call.remote)',
        '_log.warning("heard", extra={"text": heard.general})',
        '_log.warning("call", extra={"remote": call.remote, "codec": "opus"})',
        '_log.info("call", extra=fields)',
        '_log.info("call", extra={**fields})',
        "self._log.log(level, message)",
        '_log.info("call from %(remote)s", {"remote": call.remote})',
        '_log.info("%(agent)s registered", {"agent": agent.name})',
        '_log.info("registered for %(wait_s)d s", {"wait_s": 3}, 4)',
    ],
)
def test_the_rule_sees(source: str) -> None:
    assert problems("app/x.py", ast.parse(source))


@pytest.mark.parametrize(
    "source",
    [
        '_log.info("call answered", extra={"call_id": call.id, "codec": "opus"})',
        '_log.log(level, "next try in %(next_try_s)d s", {"next_try_s": 3}, extra={"attempt": 2})',
    ],
)
def test_the_rule_allows_fixed_texts_with_safe_fields(source: str) -> None:
    assert problems("app/x.py", ast.parse(source)) == []
