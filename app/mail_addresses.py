"""What an e-mail address may look like: as HTML's own e-mail field takes it. ASCII, since not every mail server on the
way knows more."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

_PART = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
MAIL_ADDRESS = re.compile(
    rf"[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~-]+)*@{_PART}(?:\.{_PART})*"
)
"""RFC 5322's dot-atom before the @, a host name after it."""


def mail_address(value: str) -> str:
    """`value`. Raises: ValueError."""
    if not MAIL_ADDRESS.fullmatch(value):
        raise ValueError("must be an e-mail address such as office@example.com, and nothing else")
    return value


MailAddress = Annotated[
    str,
    StringConstraints(max_length=254),
    AfterValidator(mail_address),
    Field(json_schema_extra={"pattern": f"^(?:{MAIL_ADDRESS.pattern})$"}),
]
