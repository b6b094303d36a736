"""What keeps schemathesis from sawing off its branch: loaded by its command line (SCHEMATHESIS_HOOKS).

Everything else that it sends is as it made it up.
"""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from schemathesis import Case, HookContext

# A port of this machine that nobody listens on: refused at once, while made-up host names wait for an answer.
_NOBODY = "127.0.0.1:9"


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, object]) -> None:
    if case.operation.path == "/tokens/{id}":
        _spare_the_token(case)
    elif case.operation.path.startswith("/sessions/{id}") and case.method == "GET":
        _look_at_a_session(case)
    elif case.operation.path == "/connections/trial":
        _call_nobody(case)
    elif case.operation.path.startswith("/agents/{id}/tools"):
        _ask_nobody(case)


def _spare_the_token(case: Case[Any]) -> None:
    """It reads ids from lists, and would revoke the token that it asks with."""
    if case.path_parameters.get("id") == os.environ["OWN_TOKEN_ID"]:
        case.path_parameters["id"] = "another"


def _look_at_a_session(case: Case[Any]) -> None:
    """No operation makes one, so it would only find out what is not there; too long an id stays."""
    if len(str(case.path_parameters.get("id", ""))) <= len(os.environ["SESSION_ID"]):
        case.path_parameters["id"] = os.environ["SESSION_ID"]


def _call_nobody(case: Case[Any]) -> None:
    draft = case.body.get("draft") if isinstance(case.body, dict) else None
    if isinstance(draft, dict) and "domain" in draft:
        draft |= {"domain": _NOBODY, "transport": "tcp", "proxy": ""}


def _ask_nobody(case: Case[Any]) -> None:
    draft = case.body.get("draft") if isinstance(case.body, dict) else None
    tool = draft.get("tool") if isinstance(draft, dict) else None
    url = tool.get("url") if isinstance(tool, dict) else None
    if isinstance(tool, dict) and isinstance(url, str) and url.startswith("http"):
        tool["url"] = f"https://{_NOBODY}/"
