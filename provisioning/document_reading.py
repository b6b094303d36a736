"""Files that somebody uploads for an agent to know, as text; see `document_reader`, which reads them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field

import trio

from app.control.documents import LARGEST_TEXT
from provisioning.document_reader import MOST_PAGES, Fault

LONGEST_S = 60.0
"""Three times what its processor time may be: calls come first."""

_SAID = {
    Fault.ENCRYPTED: "it is protected by a password. Open it with that, save it without one, and upload that.",
    Fault.NO_TEXT_IN_PDF: "the PDF has no text in it: it is probably a scan. Let a program recognise the text (OCR), "
    "or upload the document that it was made of.",
    Fault.BROKEN_PDF: "the PDF cannot be read: it is damaged, or not whole. Save it anew with the program that made "
    "it.",
    Fault.TOO_MANY_PAGES: f"it has more than {MOST_PAGES} pages. Upload those that callers ask about.",
    Fault.NOT_UTF_8: "its text is not in UTF-8, so that letters would become others. Save it as “UTF-8”, which every "
    "text editor offers when saving.",
    Fault.NOT_TEXT: "it is neither text nor PDF. From a word processor, save it as PDF or as plain text.",
    Fault.EMPTY: "there is nothing in it.",
    Fault.TOO_LONG: f"it has more than {LARGEST_TEXT:,} characters. Split it, and upload what callers ask about.",
}
_TOO_MUCH_WORK = "reading it takes more time or memory than this box has for it. Save it as plain text, or split it."

_one_at_a_time = trio.CapacityLimiter(1)  # calls need the other core


@dataclass(frozen=True, slots=True)
class Read:
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """For people, after "The file was not added: "."""

    text: str


async def read(data: bytes) -> Read | Unreadable:
    command = [sys.executable, "-m", "provisioning.document_reader", str(LARGEST_TEXT)]
    with trio.move_on_after(LONGEST_S):
        async with _one_at_a_time:
            done = await trio.run_process(
                command, stdin=data, capture_stdout=True, stderr=subprocess.DEVNULL, check=False
            )
        if done.returncode == 0:
            return Read(done.stdout.decode())
        return Unreadable(_SAID.get(Fault(done.returncode), "") if done.returncode in [*Fault] else _TOO_MUCH_WORK)
    return Unreadable(_TOO_MUCH_WORK)
