"""A call's variables in what the agent says: "Hello {name}". Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACE = re.compile(r"(\s*)\{([A-Za-z_][A-Za-z0-9_]*)\}")


def names_in(text: str) -> tuple[str, ...]:
    """The variables that `text` asks for, each once, in their order."""
    return tuple(dict.fromkeys(name for _, name in _PLACE.findall(text)))


def filled(text: str, variables: Mapping[str, str]) -> str:
    """`text` with the variables in their places. A place without a variable goes, with the space before it: somebody
    who calls the agent is greeted with "Hello, this is the office"."""

    def value(place: re.Match[str]) -> str:
        given = variables.get(place[2], "")
        return f"{place[1]}{given}" if given else ""

    return _PLACE.sub(value, text).strip()
