"""The REST API as a table: what can be asked with which method at which path, and everything it may answer.

Most of it is the table of verbs; whatever verb has a `path` is an operation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app.control import views
from app.control.refusals import Why
from app.control.verbs import ALWAYS, VERBS, ById, Empty, Event, Verb
from app.control.views import Scope
from app.settings import Settings
from provisioning.api import asking, metrics, streams

DOCUMENT = "/openapi.json"

DOOR = (Why.NO_TOKEN, Why.NOT_ALLOWED, Why.TOO_LARGE, Why.WRONG_NAME, Why.TOO_MANY_TRIES)
"""What any operation may be refused with before it is looked at."""

JSON = "application/json"
LINES = "application/x-ndjson"
FLAC = "audio/flac"


@dataclass(frozen=True, slots=True)
class Body:
    """`model` None: not described by one of ours."""

    media_type: str
    model: type[Settings] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """`path` is below API. `answers`: by status; None has no body. `refuses`: all of it, the door's too."""

    name: str
    method: str
    path: str
    scope: Scope
    summary: str
    asks: type[Settings]
    answers: Mapping[int, Body | None]
    refuses: tuple[Why, ...]
    answer: Callable[[Request], Awaitable[Response]]

    @property
    def by_query(self) -> bool:
        """Whether what is not in the path comes in the query; otherwise it is the body."""
        return self.method in ("GET", "DELETE")


def _operation(verb: Verb) -> Operation:
    reads_body = () if verb.method in ("GET", "DELETE") else (Why.NOT_JSON,)
    return Operation(
        name=verb.name,
        method=verb.method,
        path=verb.path,
        scope=verb.scope,
        summary=verb.summary,
        asks=verb.asks,
        answers=_answers(verb),
        refuses=(*verb.refuses, *ALWAYS, *DOOR, *reads_body),
        answer=asking.of(verb),
    )


def _answers(verb: Verb) -> Mapping[int, Body | None]:
    if verb.answers is views.Nothing:
        return {204: None}
    return {201 if verb.created else 200: Body(JSON, verb.answers)}


_RECORDING = Operation(
    "get_recording",
    "GET",
    "/sessions/{id}/recording.flac",
    Scope.READ,
    "The recording of a session, whole or in a range of bytes: caller left, agent right",
    ById,
    {200: Body(FLAC), 206: Body(FLAC)},
    (Why.NOT_FOUND, Why.NOT_THAT_LONG, *ALWAYS, *DOOR),
    streams.recording,
)
_EVENTS = Operation(
    "follow_events",
    "GET",
    "/events",
    Scope.READ,
    "That something changed, one JSON line each, as long as you listen; an empty line now and then",
    Empty,
    {200: Body(LINES, Event)},
    (Why.NOT_NOW, *ALWAYS, *DOOR),
    streams.events,
)
_METRICS = Operation(
    "get_metrics",
    "GET",
    "/metrics",
    Scope.READ,
    "Calls, how fast they were answered, and the state of the box, for Prometheus",
    Empty,
    {200: Body(metrics.MEDIA_TYPE)},
    (*ALWAYS, *DOOR),
    metrics.metrics,
)
_DOCUMENT = Operation(
    "get_document",
    "GET",
    DOCUMENT,
    Scope.READ,
    "This document",
    Empty,
    {200: Body(JSON)},
    (*ALWAYS, *DOOR),
    asking.document,
)

OPERATIONS = (*(_operation(verb) for verb in VERBS.values() if verb.path), _RECORDING, _EVENTS, _METRICS, _DOCUMENT)
