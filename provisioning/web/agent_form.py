"""The form of an agent: its plan as text fields, and back. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import zip_longest

from app.control.views import AgentDetail, ConnectionView
from app.settings import Agent
from provisioning.web.rendering import Form

_PLAIN = ("name", "description", "greeting", "hours", "goodbye", "instructions", "announcement")
_NUMBERS = ("max_opened_sessions", "pause_ms", "silence_s")
_AS_TYPED = ("vocabulary", "mail_to", "mail_when")
_ROWS = 2
"""Empty rows offered for more: forms work without script, so they are there from the start."""

_ROW = re.compile(r"(?P<list>knowledge|directory|result_fields)\.(?P<n>\d+)(\.(?P<part>[a-z_]+)(\.\d+)?)?")
_FIELD_OF = {
    "knowledge.questions": "q",
    "knowledge.answer": "a",
    "directory.name": "p",
    "directory.extension": "e",
    "directory.also": "o",
    "directory.hours": "h",
    "directory.stand_in": "s",
    "result_fields.name": "r",
    "result_fields.description": "m",
    "result_fields.question": "k",
    "result_fields.type": "t",
    "result_fields.choices": "c",
    "result_fields.only_after": "w",
    "result_fields.": "c",  # what concerns a whole row is about its choices
}
_LABEL_OF = {
    "q": "Entry {}, ways to ask",
    "a": "Entry {}, answer",
    "p": "Person {}, name",
    "e": "Person {}, extension",
    "o": "Person {}, also called",
    "h": "Person {}, hours",
    "s": "Person {}, who stands in",
    "r": "Result {}, name",
    "m": "Result {}, what is meant",
    "k": "Result {}, question",
    "t": "Result {}, type",
    "c": "Result {}, values of a choice",
    "w": "Result {}, only after",
}
_LIST_OF = {"vocabulary": "vocabulary", "mail_to": "mail_to", "workflow": "workflow"}
"""Lists that are typed into one field, an entry on each line; and what has a page of its own."""

_WHOLE = {"settings": "people", "attachments": "channels", "result_fields": "results"}
"""Parts of the form, for faults that are not those of one field."""

LABELS = {
    "name": "Name",
    "description": "Description",
    "greeting": "Greeting",
    "hours": "Opening hours",
    "goodbye": "Good-bye",
    "instructions": "Instructions",
    "announcement": "What whoever is called hears first",
    "vocabulary": "Other words to recognise",
    "max_opened_sessions": "Max opened sessions",
    "pause_ms": "Pause in milliseconds",
    "silence_s": "Silence in seconds",
    "people": "Whom callers may ask for",
    "results": "What the call should bring",
    "channels": "Communication channels",
    "mail_to": "E-mail addresses",
    "workflow": "Workflow",
}
_NOBODY = ("", "", "", "", "")
_NO_RESULT = ("", "", "", "text", "", "", "")

Typed = dict[str, object]


def typed_plan(agent: AgentDetail | None) -> Typed:
    """What stands in the fields of a stored agent, or of a new one."""
    settings = agent.plan.settings if agent else Agent(name="Reception", greeting="Hello. How can I help you?")
    typed: Typed = {name: str(getattr(settings, name)) for name in (*_PLAIN, *_NUMBERS)}
    knowledge = [("\n".join(each.questions), each.answer) for each in settings.knowledge]
    directory = [
        (each.name, each.extension, ", ".join(each.also), each.hours, each.stand_in) for each in settings.directory
    ]
    results = [
        (
            each.name,
            each.description,
            each.question,
            each.type,
            ", ".join(each.choices),
            "yes" if each.required else "",
            each.only_after,
        )
        for each in settings.result_fields
    ]
    typed |= {
        "silence_s": f"{settings.silence_s:g}",
        "vocabulary": "\n".join(settings.vocabulary),
        "mail_to": "\n".join(settings.mail_to),
        "mail_when": settings.mail_when,
        "barge_in": settings.barge_in,
        "protect_greeting": settings.protect_greeting,
        "presses_keys": settings.presses_keys,
        "announced_take_by_key": settings.announced_take_by_key,
        "knowledge": [*knowledge, *[("", "")] * _ROWS],
        "directory": [*directory, *[_NOBODY] * _ROWS],
        "results": [*results, *[_NO_RESULT] * _ROWS],
        "version": str(agent.view.version if agent else 0),
        "speech_to_text": (agent.plan.speech_to_text or "") if agent else "box-ears",
        "text_to_speech": (agent.plan.text_to_speech or "") if agent else "box-voice-slt",
        "language_model": (agent.plan.language_model or "") if agent else "",
        "attached": {each.connection_id for each in agent.plan.attachments} if agent else set(),
        "inbound": {each.connection_id for each in agent.plan.attachments if each.inbound} if agent else set(),
    }
    return typed


def free_line(connections: Sequence[ConnectionView]) -> Typed:
    """For a new agent: the one connection that nobody answers is attached, with Inbound on. With several it is for
    people to choose."""
    free = {each.id for each in connections if not any(agent.inbound for agent in each.agents)}
    return {"attached": free, "inbound": free} if len(free) == 1 else {}


def typed_of(form: Form, more: str = "") -> Typed:
    """What was typed, to be shown again, empty rows last; `more`: "knowledge", "directory" or "results" gets more."""
    typed: Typed = {name: form[name] for name in (*_PLAIN, *_NUMBERS, *_AS_TYPED, "version", "next")}
    knowledge = sorted(zip(form.all("questions"), form.all("answer"), strict=False), key=_is_empty)
    directory = sorted(_people(form), key=_is_empty)
    typed |= {
        "barge_in": form.ticked("barge_in"),
        "protect_greeting": form.ticked("protect_greeting"),
        "presses_keys": form.ticked("presses_keys"),
        "announced_take_by_key": form.ticked("announced_take_by_key"),
        "knowledge": [*knowledge, *([("", "")] * _ROWS if more == "knowledge" else [])],
        "directory": [*directory, *([_NOBODY] * _ROWS if more == "directory" else [])],
        "results": [*sorted(_results(form), key=_has_no_name), *([_NO_RESULT] * _ROWS if more == "results" else [])],
        "speech_to_text": form["speech_to_text"],
        "text_to_speech": form["text_to_speech"],
        "language_model": form["language_model"],
        "attached": set(form.all("attached")),
        "inbound": set(form.all("inbound")),
    }
    return typed


def named(errors: Mapping[str, str]) -> dict[str, str]:
    """Faults by the id of the field: rows count from 1 there, and empty ones are left out."""
    told = {}
    for path, text in errors.items():
        row = _ROW.fullmatch(path)
        if row:
            place = f"{row['list']}.{row['part'] or ''}"
            told[f"{_FIELD_OF[place]}{int(row['n']) + 1}"] = text
        else:
            told.setdefault(_LIST_OF.get(path.partition(".")[0]) or _WHOLE.get(path, path), text)
    return told


def labels_of(errors: Mapping[str, str]) -> dict[str, str]:
    """What the form calls the fields with these ids."""
    rows = {each: _LABEL_OF[each[0]].format(each[1:]) for each in errors if each[1:].isdigit()}
    return LABELS | rows


def plan_of(form: Form) -> dict[str, object]:
    """The question's `plan`, not validated yet. Rows without any text are left out."""
    settings: dict[str, object] = {name: form[name].strip() for name in (*_PLAIN, *_NUMBERS) if form[name].strip()}
    settings |= {
        "barge_in": form.ticked("barge_in"),
        "protect_greeting": form.ticked("protect_greeting"),
        "presses_keys": form.ticked("presses_keys"),
        "announced_take_by_key": form.ticked("announced_take_by_key"),
        "vocabulary": _lines(form["vocabulary"]),
        "mail_to": _lines(form["mail_to"]),
        "mail_when": form["mail_when"] or "something to tell",
        "knowledge": [
            {"questions": _lines(questions), "answer": answer}
            for questions, answer in zip(form.all("questions"), form.all("answer"), strict=False)
            if not _is_empty((questions, answer))
        ],
        "directory": [
            {
                "name": name,
                "extension": extension.strip(),
                "also": _listed(also),
                "hours": hours,
                "stand_in": stand_in,
            }
            for name, extension, also, hours, stand_in in _people(form)
            if not _is_empty((name, extension, also, hours, stand_in))
        ],
        "result_fields": [
            {
                "name": name,
                "description": description,
                "question": question,
                "type": kind or "text",
                "choices": _listed(choices),
                "required": bool(required),
                "only_after": only_after,
            }
            for name, description, question, kind, choices, required, only_after in _results(form)
            if not _is_empty((name, description, question, choices))
        ],
    }
    inbound = set(form.all("inbound"))
    return {
        "settings": settings,
        "attachments": [{"connection_id": each, "inbound": each in inbound} for each in form.all("attached")],
        "speech_to_text": form["speech_to_text"] or None,
        "text_to_speech": form["text_to_speech"] or None,
        "language_model": form["language_model"] or None,
    }


def with_workflow(plan: dict[str, object], stored: AgentDetail) -> dict[str, object]:
    """`plan` with the workflow that has a page of its own."""
    workflow = stored.plan.settings.workflow
    settings = plan["settings"]
    if workflow is None or not isinstance(settings, dict):
        return plan
    return plan | {"settings": settings | {"workflow": workflow.model_dump(mode="json")}}


def _results(form: Form) -> list[tuple[str, ...]]:
    columns = (
        "result",
        "result_means",
        "result_question",
        "result_type",
        "result_choices",
        "result_must",
        "result_after",
    )
    return list(zip(*map(form.all, columns), strict=False))


def _has_no_name(row: tuple[str, ...]) -> bool:
    return not row[0].strip()


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _people(form: Form) -> list[tuple[str, str, str, str, str]]:
    """Hours and stand-in may be missing from what somebody sends who is no browser."""
    who = form.all("person"), form.all("extension"), form.all("also"), form.all("person_hours"), form.all("stand_in")
    return [*zip_longest(*who, fillvalue="")]


def _is_empty(row: tuple[str, ...]) -> bool:
    return not any(cell.strip() for cell in row)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]
