"""What pydantic finds wrong, in plain English. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_PLAINLY = {
    "missing": "must be filled in",
    "string_too_short": "must be filled in",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length}",
    "too_long": "must have at most {max_length}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than_equal": "must be {le:g} or less",
    "int_parsing": "must be a whole number, in digits",
    "int_parsing_size": "must be a whole number, in digits",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_type": "must be text",
    "string_pattern_mismatch": "has letters or signs that cannot stand here",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "tuple_type": "must be a list",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "enum": "must be {expected}",
    "int_from_float": "must be a whole number, in digits",
    "float_parsing": "must be a number, in digits",
    "finite_number": "must be a number, in digits",
    "extra_forbidden": "is not known here",
    "union_tag_invalid": "is not known here",
    "literal_error": "must be {expected}",
    "json_invalid": "must be the whole text of the file, as it was exported",
}
"""What people are told for the kinds of error that pydantic has; our own validators speak for themselves."""

BOX_NAME = "Use small letters, digits and hyphens only, for example “front-desk”."


def plainly(kind: str, limits: Mapping[str, object], otherwise: str) -> str:
    """`kind`, `limits` and `otherwise`: type, ctx and msg of one error."""
    text = _PLAINLY.get(kind, "").format_map(limits) or otherwise.removeprefix("Value error, ")
    return f"{text[:1].upper()}{text[1:]}."
