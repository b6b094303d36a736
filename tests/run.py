"""`just test`: all tests but those of the image, in four processes at once: those with a telephone mostly wait, and so
do many of those with a browser.

Options that pick no tests, as CI's `--color=no`, go to all of them. With any other argument there is one process, and
all arguments are pytest's.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from typing import IO

TELEPHONES, LONG_CALLS = ("wire",), ("wire/long",)
BROWSERS, COMPUTING = ("web",), ("unit", "contract", "scene", "rules")
"""Folders of tests: reading what the others run takes each of them half a minute."""

NICENESS: dict[tuple[str, ...], int] = {TELEPHONES: 0, LONG_CALLS: 0, BROWSERS: 5, COMPUTING: 10}
"""No call loses audio to a browser or to who computes, and no browser its patience."""

FOR_ALL = re.compile(r"--color=\w+|--durations=\d+|--tb=\w+|-v+|-q+|-x")

_PYTEST = (sys.executable, "-m", "pytest")
_LONGEST = BROWSERS
"""Its dots are shown as they come; what the others say comes after it."""

_CLOSING = re.compile(r"^=*\s*((?:\d+ \w+(?:, )?)+) in [\d.]+s", re.MULTILINE)
_MANY = {"error": "errors", "warning": "warnings"}


def main(arguments: Sequence[str]) -> int:
    if not all(FOR_ALL.fullmatch(each) for each in arguments):
        return subprocess.call([*_PYTEST, "-m", "not image", *arguments])
    with ExitStack() as running:
        asides = {kinds: running.enter_context(tempfile.TemporaryFile()) for kinds in NICENESS if kinds != _LONGEST}
        processes = {
            kinds: running.enter_context(
                subprocess.Popen(_command(kinds, arguments), stdout=asides.get(kinds, subprocess.PIPE))
            )
            for kinds in NICENESS
        }
        live = processes[_LONGEST].stdout
        assert live
        said = _passed_on(live)
        statuses = [process.wait() for process in processes.values()]
        for aside in asides.values():
            aside.seek(0)
            said += _passed_on(aside)
    print(f"== {total(said)} in all ==", flush=True)
    return next((abs(status) for status in statuses if status), 0)


def _command(kinds: tuple[str, ...], arguments: Sequence[str]) -> list[str]:
    colour = ["--color=yes"] if sys.stdout.isatty() else []
    return ["nice", "-n", str(NICENESS[kinds]), *_PYTEST, *_folders(kinds), *colour, *arguments]


def _folders(kinds: Sequence[str]) -> list[str]:
    others = [each for together in NICENESS if together != tuple(kinds) for each in together]
    left = [f"--ignore=tests/{each}" for each in others if each.startswith(tuple(f"{kind}/" for kind in kinds))]
    return [*(f"tests/{kind}" for kind in kinds), *left]


def _passed_on(source: IO[bytes]) -> str:
    """As it comes, dot by dot."""
    said = b""
    while part := source.read1(65_536) if hasattr(source, "read1") else source.read(65_536):
        sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
        said += part
    return said.decode(errors="replace")


def total(said: str) -> str:
    """The closing lines of all runs as one: "1 failed, 5 passed"."""
    closings = _CLOSING.findall(re.sub(r"\x1b\[[\d;]*m", "", said))
    counts: Counter[str] = Counter()
    for number, what in re.findall(r"(\d+) (\w+)", ", ".join(closings)):
        counts[_MANY.get(what, what)] += int(number)
    counts["errors"] += len(NICENESS) - len(closings)  # of those that did not come to their end
    counts.pop("deselected", None)
    return ", ".join(f"{number} {what}" for what, number in sorted(counts.items()) if number)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # all were told too
        sys.exit(130)
