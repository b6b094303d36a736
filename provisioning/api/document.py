"""The OpenAPI 3.1 document of the REST API, made of the table of operations and the models' own schemas."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import JsonSchemaMode, models_json_schema

from app.control.refusals import STATUS, Refusal, Why
from app.settings import Settings
from provisioning.api.answers import API
from provisioning.api.operations import Body, Operation

Json = dict[str, Any]

_REF = "#/components/schemas/{model}"
_ABOUT = """The REST API of this box: everything that its page does. docs/api.md has worked examples.

Each request carries a token (`Authorization: Bearer deskbell_...`) that a person made on the page. A token has scopes:
`read` looks, `write` changes settings, `call` places calls, `keep` backs up, restores and resets the box.

What was not done is answered with a `Refusal`: `why` is for programs, `text` for people, `fields` says it by field.
A change names the `version` that it was based on as `if_version`; if somebody else was faster, it is refused with 409.
A path asked with another method than those here is answered with 405, an unknown path with 404: both are Refusals."""


def document(operations: Sequence[Operation]) -> str:
    """As JSON."""
    refs, schemas = _schemas(operations)
    asked = {each.asks: schemas[_name(refs[each.asks, "validation"])] for each in operations}
    paths: dict[str, Json] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, asked[each.asks], refs)
    return json.dumps(
        {
            "openapi": "3.1.0",
            "info": {"title": "Deskbell", "version": API.rpartition("/v")[2], "description": _ABOUT},
            "servers": [{"url": API}],
            "paths": paths,
            "components": {
                "responses": _refusals(operations, refs),
                "schemas": _without_questions(schemas, asked.values()),
                "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "An API token."}},
            },
        },
        ensure_ascii=False,
    )


Refs = dict[tuple[type[Settings], JsonSchemaMode], Json]


def _schemas(operations: Iterable[Operation]) -> tuple[Refs, dict[str, Json]]:
    """A reference for each model that is sent or answered, and what all of them refer to."""
    wanted: dict[tuple[type[Settings], JsonSchemaMode], None] = {(Refusal, "serialization"): None}
    for operation in operations:
        wanted[operation.asks, "validation"] = None
        wanted |= {(body.model, "serialization"): None for body in operation.answers.values() if body and body.model}
    refs, definitions = models_json_schema(list(wanted), ref_template=_REF)
    return refs, definitions["$defs"]  # type: ignore[return-value]  # keyed by types and modes, as asked


def _name(ref: Json) -> str:
    return str(ref["$ref"]).rpartition("/")[2]


def _without_questions(schemas: dict[str, Json], questions: Iterable[Json]) -> dict[str, Json]:
    """A question is told as parameters and body of its operation."""
    told = [id(each) for each in questions]
    return {name: schema for name, schema in schemas.items() if id(schema) not in told}


def _operation(operation: Operation, asks: Json, refs: Refs) -> Json:
    told: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.path.split("/")[1]],
        "security": [{"token": [operation.scope.value]}],
        "parameters": _parameters(operation, asks),
        "responses": _responses(operation, refs),
    }
    if body := _body(operation, asks):
        told["requestBody"] = body
    return told


def _in_path(operation: Operation, name: str) -> bool:
    return f"{{{name}}}" in operation.path


def _parameters(operation: Operation, asks: Json) -> list[Json]:
    required = asks.get("required", [])
    return [
        {
            "name": name,
            "in": "path" if _in_path(operation, name) else "query",
            "required": name in required,
            "schema": schema,
        }
        for name, schema in asks.get("properties", {}).items()
        if _in_path(operation, name) or operation.by_query
    ]


def _body(operation: Operation, asks: Json) -> Json | None:
    if operation.by_query:
        return None
    fields = {name: schema for name, schema in asks.get("properties", {}).items() if not _in_path(operation, name)}
    if not fields:
        return None
    required = [name for name in asks.get("required", []) if name in fields]
    schema = {"type": "object", "properties": fields, "required": required, "additionalProperties": False}
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}


def _responses(operation: Operation, refs: Refs) -> Json:
    done = {str(status): _done(status, body, refs) for status, body in operation.answers.items()}
    refused = {str(status): {"$ref": f"#/components/responses/{_key(whys)}"} for status, whys in _by_status(operation)}
    return done | refused


def _done(status: int, body: Body | None, refs: Refs) -> Json:
    told: Json = {"description": HTTPStatus(status).phrase}
    if body:
        schema = refs[body.model, "serialization"] if body.model else {}
        told["content"] = {body.media_type: {"schema": schema}}
    return told


def _refusals(operations: Iterable[Operation], refs: Refs) -> Json:
    """Each set of causes that share a status, once."""
    content = {"application/json": {"schema": refs[Refusal, "serialization"]}}
    return {
        _key(whys): {"description": f"Refused: {', '.join(why.value for why in whys)}", "content": content}
        for operation in operations
        for _, whys in _by_status(operation)
    }


def _by_status(operation: Operation) -> Iterator[tuple[int, list[Why]]]:
    for status in sorted({STATUS[why] for why in operation.refuses}):
        yield status, [why for why in Why if why in operation.refuses and STATUS[why] == status]


def _key(whys: Iterable[Why]) -> str:
    return ".".join(why.name for why in whys)
