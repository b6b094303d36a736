"""A workflow as YAML, and back, with the line of each mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import trio
from pydantic import ValidationError

from app.settings import Workflow
from provisioning.web.yaml_text import Mistake, Path, Read, read, written

EXAMPLE = """\
first: welcome
states:
- name: welcome
  instructions: Find out whether they want an appointment or something else.
  then:
  - to: booking
    when: They want an appointment.
    said:
    - an appointment
- name: booking
  says: Let us find a day for you.
  instructions: Offer Monday and Tuesday, mornings only.
  last: true
  then:
  - to: welcome
    when: They want something else instead.
"""


def workflow_text(workflow: Workflow | None) -> str:
    """Without what is as usual; an example, where there is none yet."""
    if workflow is None:
        return EXAMPLE
    states = [each.model_dump(mode="json", exclude_defaults=True) for each in workflow.states]
    return written({"first": workflow.first, "states": states})


@dataclass(frozen=True, slots=True)
class Parsed:
    """`read`: where its parts stand."""

    workflow: Workflow | None
    read: Read


async def workflow_of(text: str) -> Parsed | tuple[Mistake, ...]:
    """An empty text is no workflow. A long one takes a second."""
    if not text.strip():
        return Parsed(None, Read(None))
    found = await trio.to_thread.run_sync(read, text)
    if isinstance(found, Mistake):
        return (found,)
    try:
        return Parsed(Workflow.model_validate(found.value), found)
    except ValidationError as error:
        return found.mistakes(error)


def mistakes_in(found: Read, fields: Mapping[str, str]) -> tuple[Mistake, ...]:
    """What the box says of its parts, by their paths in an agent's settings. What is none of them is left out."""
    told = [Mistake(found.line(_path(where)), text) for where, text in fields.items() if where.startswith("workflow.")]
    return tuple(sorted(told, key=lambda each: each.line))


def _path(where: str) -> Path:
    return tuple(int(part) if part.isdigit() else part for part in where.split(".")[1:])
