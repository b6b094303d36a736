"""The text of a file that somebody uploaded, in a process of its own: files come from anywhere, and reading a PDF is
running what others wrote. `python -m provisioning.document_reader`: the file on its standard input, its text on its
standard output; where there is none, the exit status says why (`Fault`).
"""

from __future__ import annotations

import io
import re
import resource
import sys
from enum import IntEnum

MOST_MEMORY = 512 * 1024 * 1024
"""Of addresses, Python's own with them. A picture of a page may be larger than its file by a thousand times."""

MOST_CPU_S = 20
"""Some hundred pages on a Pi."""

MOST_PAGES = 500

_BYTE_ORDERS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_MARKS = (
    (re.compile(r"!\[[^\]]*\]\([^)]*\)"), ""),  # pictures
    (re.compile(r"\[([^\]]+)\]\([^)\s]*(?:\s[^)]*)?\)"), r"\1"),  # links
    (re.compile(r"^ {0,3}#{1,6}[ \t]+(.*?)[ \t]*#*[ \t]*$", re.MULTILINE), r"\1"),  # headings
    (re.compile(r"^[ \t]*(?:```|~~~).*$", re.MULTILINE), ""),
    (re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
)
"""What Markdown adds for the eye, and what is left of it for the ear."""


class Fault(IntEnum):
    """Exit statuses; Python's own are 1 and 2."""

    ENCRYPTED = 10
    NO_TEXT_IN_PDF = 11
    BROKEN_PDF = 12
    TOO_MANY_PAGES = 13
    NOT_UTF_8 = 14
    NOT_TEXT = 15
    EMPTY = 16
    TOO_LONG = 17


def text_of(data: bytes, longest: int) -> str | Fault:
    """As people read it."""
    found = _pdf_text(data) if data.lstrip()[:5] == b"%PDF-" else _plain_text(data)
    if isinstance(found, Fault):
        return found
    if not found.strip():
        return Fault.EMPTY
    return Fault.TOO_LONG if len(found) > longest else found


def _plain_text(data: bytes) -> str | Fault:
    try:
        text = data.decode(_BYTE_ORDERS.get(data[:2]) or _BYTE_ORDERS.get(data[:3]) or "utf-8")
    except UnicodeDecodeError:
        return Fault.NOT_TEXT if b"\0" in data[:4096] else Fault.NOT_UTF_8
    if "\0" in text:
        return Fault.NOT_TEXT
    for mark, instead in _MARKS:
        text = mark.sub(instead, text)
    return _clean(text)


def _pdf_text(data: bytes) -> str | Fault:
    from pypdf import PdfReader  # here, since it takes a while, and text needs none of it
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(io.BytesIO(data))
        if reader.is_encrypted and not reader.decrypt(""):
            return Fault.ENCRYPTED
        if len(reader.pages) > MOST_PAGES:
            return Fault.TOO_MANY_PAGES
        text = "\n\n".join(page.extract_text() for page in reader.pages)
    except (PyPdfError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, OSError, RecursionError):
        return Fault.BROKEN_PDF  # what a broken file makes of a reader's assumptions
    return _clean(text) if text.strip() else Fault.NO_TEXT_IN_PDF


def _clean(text: str) -> str:
    """Lines, and nothing that no person can see. A word that was hyphenated at a line's end is whole again."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n\n")
    plain = "".join(mark if mark == "\n" or mark.isprintable() else " " for mark in lines)
    return re.sub(r"(?<=[a-z])-\n(?=[a-z])", "", plain)


def main(longest: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    found = text_of(sys.stdin.buffer.read(), longest)
    if isinstance(found, Fault):
        return found
    sys.stdout.buffer.write(found.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
