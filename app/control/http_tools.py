"""HTTP tools of an agent: what is asked about them, and what the box tells of them, without a secret."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, PlainSerializer, SecretStr, model_validator

from app.control.verb import MAX_ID, ById
from app.http_tools import LONGEST_VALUE, MOST_FIELDS, MOST_HEADERS, HeaderName, HttpTool
from app.settings import OneLine, Settings, VariableName, reveal

_LONGEST_HEADER = 2_000
"""Characters: tokens that name their bearer are that long."""


def _printable(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text or not all(" " <= mark <= "~" for mark in text):
        raise ValueError("must be one line of letters, digits and signs, e.g. Bearer 12345")
    return SecretStr(text)


HeaderValue = Annotated[
    SecretStr,
    Field(max_length=_LONGEST_HEADER),
    AfterValidator(_printable),
    PlainSerializer(reveal, when_used="json"),
]


class HttpToolDraft(Settings):
    """`values`: of headers, by their names. Those that are left out stay as they are stored, as long as the host stays
    the same."""

    tool: HttpTool
    values: dict[HeaderName, HeaderValue] = Field(default_factory=dict, max_length=MOST_HEADERS)

    @model_validator(mode="after")
    def _of_its_headers(self) -> HttpToolDraft:
        if any(name not in self.tool.headers for name in self.values):
            raise ValueError("has a value for a header that the tool does not send: add the header, or leave it out")
        return self


class HttpToolView(Settings):
    """`version` goes into the next edit as `if_version`. `missing`: headers whose values must be entered, before the
    agent can use the tool."""

    id: str
    version: int
    tool: HttpTool
    missing: tuple[str, ...] = ()


class HttpToolList(Settings):
    items: tuple[HttpToolView, ...]


class CreateHttpTool(ById):
    """`id`: the agent's."""

    draft: HttpToolDraft


class WhichHttpTool(ById):
    """`id`: the agent's."""

    tool_id: str = Field(max_length=MAX_ID)


class UpdateHttpTool(WhichHttpTool):
    if_version: int = Field(ge=0, le=2**53)
    draft: HttpToolDraft


class TryHttpTool(WhichHttpTool):
    """`values`: for the fields, by their names; for those that are left out, their examples."""

    values: dict[VariableName, Annotated[OneLine, Field(max_length=LONGEST_VALUE)]] = Field(
        default_factory=dict, max_length=MOST_FIELDS, repr=False
    )


class HttpToolTrial(Settings):
    """How a try went. `asked`: what was sent where, without headers. `answer`: as a language model would read it.
    `problem`: why it failed, and what to do; empty where it answered."""

    asked: str = Field(repr=False)
    status: int
    answer: str = Field(repr=False)
    problem: str
    took_ms: int
