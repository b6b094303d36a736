"""The dial rules of a connection on its form, and what they make of a number, as it is typed."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from app.control.call_views import DialPreview
from app.control.refusals import Refusal
from app.settings import DialRules
from provisioning.web.rendering import Form, door_of, form_of

_SAMPLE = "+49 30 1234"

_RULES = (
    "number_form",
    "country_code",
    "trunk_prefix",
    "international_prefix",
    "strip",
    "prefix",
    "extension_digits",
)


async def preview(request: Request) -> Response:
    """One line, for the script that asks while somebody types."""
    form = await form_of(request)
    if isinstance(form, Response):
        return form
    return PlainTextResponse(await made_of(request, sent(form)))


async def made_of(request: Request, typed: Mapping[str, str]) -> str:
    """What the rules on the form make of its sample number, in a line."""
    question = {"rules": rules_of(typed), "target": typed["sample"].strip()}
    try:
        answer = await door_of(request).box.ask("preview_dialling", DialPreview, **question)
    except ValidationError:
        return "These rules are not complete yet."
    if isinstance(answer, Refusal):
        return answer.text
    if not answer.dialled:
        return f"{typed['sample']}: {answer.how}"
    return f"{typed['sample']} → {answer.dialled} ({answer.how})"


def sent(form: Form) -> dict[str, str]:
    """The fields as they were typed; as they are at first, where a form does not have them."""
    return {name: form[name] if form.all(name) else value for name, value in UNTOUCHED.items()}


def rules_of(typed: Mapping[str, str]) -> dict[str, object]:
    rules: dict[str, object] = {rule: typed[f"dialling.{rule}"].strip() for rule in _RULES}
    return {rule: value for rule, value in rules.items() if value or rule not in ("number_form", "extension_digits")}


def typed_of(rules: DialRules) -> dict[str, str]:
    return {f"dialling.{rule}": str(value) for rule, value in rules.model_dump().items()}


UNTOUCHED = typed_of(DialRules()) | {"sample": _SAMPLE}
"""The fields of a new connection."""
