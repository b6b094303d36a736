"""Answers of the REST API: models and refusals as JSON."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from app.control.refusals import STATUS, Refusal
from app.settings import Settings

API = "/api/v1"
"""Where it begins."""


def said(answer: Settings, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(answer.model_dump_json(), status, headers, media_type="application/json")


def refused(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    return said(refusal, STATUS[refusal.why], headers)
