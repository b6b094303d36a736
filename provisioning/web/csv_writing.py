"""CSV that spreadsheet programs open as it is meant: letters as they are, and no text taken for a formula. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Literal

Separator = Literal["comma", "semicolon"]
"""Programs set to German, French and others expect semicolons."""

BOM = "\ufeff"
"""At the beginning of a file: without it, Excel takes UTF-8 for something else."""

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""How texts begin that are worked out, when somebody opens the file, instead of shown."""


def lines(rows: Iterable[Sequence[object]], separator: Separator = "comma") -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if separator == "semicolon" else ",")
    writer.writerows([_harmless(str(cell)) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: str) -> str:
    """`csv_reading` takes the mark away again."""
    return f"'{cell}" if cell.startswith(_FORMULAS) else cell


def separator_of(asked: str) -> Separator:
    return "semicolon" if asked == "semicolon" else "comma"
