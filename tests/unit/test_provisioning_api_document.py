"""The document of the REST API, and the table that it is made of."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app.control.verbs import VERBS
from app.settings import Settings
from provisioning.api.operations import OPERATIONS
from tests.unit.program import NAMES, operation, program

pytestmark = pytest.mark.unit


async def test_the_document_tells_every_operation_with_its_scope_and_refusals(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, _, __):
        told = (await client.get("/openapi.json")).json()
    assert told["openapi"] == "3.1.0"
    operations = {each["operationId"]: each for path in told["paths"].values() for each in path.values()}
    assert sorted(operations) == sorted(NAMES)
    assert {name for name, verb in VERBS.items() if verb.path} <= operations.keys()
    for name, each in operations.items():
        assert each["security"] == [{"token": [operation(name).scope.value]}]
        assert {"401", "403", "421", "422", "429", "503"} <= each["responses"].keys()
    assert "409" in operations["update_agent"]["responses"]
    body = operations["update_agent"]["requestBody"]["content"]["application/json"]["schema"]
    assert sorted(body["properties"]) == ["if_version", "plan"]


async def test_every_reference_of_the_document_leads_somewhere(tmp_path: Path) -> None:
    async with program(tmp_path) as (client, _, __):
        text = (await client.get("/openapi.json")).text
    told = json.loads(text)
    references = set(re.findall(r'"\$ref": "#/([^"]+)"', text))
    assert len(references) > 30
    for reference in references:
        place = told
        for step in reference.split("/"):
            place = place[step]
        assert place
    schemas = set(told["components"]["schemas"])
    assert schemas == {ref.rpartition("/")[2] for ref in references if ref.startswith("components/schemas/")}
    assert schemas.isdisjoint(verb.asks.__name__ for verb in VERBS.values())


def test_a_query_holds_single_values_only() -> None:
    """What is asked with GET or DELETE must not need lists or objects: the API reads each parameter once."""
    wrong = [
        f"{each.name}.{field}"
        for each in OPERATIONS
        if each.by_query
        for field, schema in each.asks.model_json_schema().get("properties", {}).items()
        if re.search(r'"(array|object|\$ref)"', json.dumps(schema))
    ]
    assert wrong == []


def test_the_table_is_one() -> None:
    places = [(each.method, each.path) for each in OPERATIONS]
    assert len(set(places)) == len(places) == len(set(NAMES))
    for each in OPERATIONS:
        named = set(re.findall(r"\{(\w+)\}", each.path))
        assert named <= set(each.asks.model_fields)
        assert isinstance(each.answers, dict)
        assert all(
            body is None or body.model is None or issubclass(body.model, Settings) for body in each.answers.values()
        )
