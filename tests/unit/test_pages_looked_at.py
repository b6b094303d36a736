"""Whoever adds a page is told where it has to be looked at too: by the web bench, and by the test of every page."""

from __future__ import annotations

import re

import pytest

from provisioning.web.application import _ROUTES
from tests.bench.web import RECORDS, paths
from tests.web.screens import _FIRST_OF, _PAGES, TOOLS, WORKFLOW

pytestmark = pytest.mark.unit

GET = {route.path for route in _ROUTES if "GET" in (route.methods or ())}
NO_PAGES = {"/static/deskbell.css", "/static/deskbell.js", "/static/bell.svg", "/events", "/test-sounds/{id}.wav"}
FILES = {
    "/do-not-call.csv",
    "/agents/{id}/log.txt",
    "/agents/{id}/export",
    "/sessions/export",
    "/sessions/{id}/export",
    "/sessions/{id}/recording.flac",
    "/box/certificate.crt",
    "/box/api/openapi.json",
    "/box/support/bundle.zip",
}
NOT_YET = ("/campaigns", TOOLS[1], "/agents/{id}/chats/")
"""Pages of what the boxes of the web bench and of the showroom have none of so far."""

ELSEWHERE = {"/first-boot", "/sign-in", "/agents/{id}/log"}
"""Looked at by tests/web/test_first_call.py: nobody is signed in yet, and a log needs something to tell."""


SHOWN = {path for path in GET if not path.startswith(NOT_YET)}


def test_the_web_bench_has_a_path_for_every_page() -> None:
    """What turns out to be a file it leaves out by itself."""
    found = dict(paths({kind: ["x1"] for kind in RECORDS}, 0))
    assert SHOWN - NO_PAGES <= found.keys() <= GET - NO_PAGES
    assert [path for path in found.values() if "{" in path] == []


def test_every_page_is_looked_at_by_everybody() -> None:
    examples = {f"/{kind}/{{id}}" for kind in RECORDS if any(kind in path for path, _ in _FIRST_OF.values())}
    looked_at = {re.sub(r"[?#].*", "", path) for path in _PAGES.values()} | examples | set(TOOLS)
    looked_at |= set(WORKFLOW.values())
    assert SHOWN - NO_PAGES - FILES - ELSEWHERE - looked_at == set()
