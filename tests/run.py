"""`just test`: all tests but those of the image, in two processes: tests with a telephone or a browser mostly wait.

Options that pick no tests, as CI's `--color=no`, go to both. With any other argument there is one process, and all
arguments are pytest's.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from typing import IO

WAITING, COMPUTING = "wire or web", "unit or contract or scene or rules"
FOR_BOTH = re.compile(r"--color=\w+|--durations=\d+|--tb=\w+|-v+|-q+|-x")

_PYTEST = (sys.executable, "-m", "pytest")
_NICENESS = "10"
"""Of who computes, so that no call loses audio to it, and no browser its patience."""

_CLOSING = re.compile(r"^=*\s*((?:\d+ \w+(?:, )?)+) in [\d.]+s", re.MULTILINE)
_MANY = {"error": "errors", "warning": "warnings"}


def main(arguments: Sequence[str]) -> int:
    if not all(FOR_BOTH.fullmatch(each) for each in arguments):
        return subprocess.call([*_PYTEST, "-m", "not image", *arguments])
    with tempfile.TemporaryFile() as aside:
        beside = ["nice", "-n", _NICENESS, *_command(COMPUTING, arguments)]
        with (
            subprocess.Popen(beside, stdout=aside) as computing,
            subprocess.Popen(_command(WAITING, arguments), stdout=subprocess.PIPE) as waiting,
        ):
            assert waiting.stdout
            said = _passed_on(waiting.stdout)
            statuses = [waiting.wait(), computing.wait()]
        aside.seek(0)
        said += _passed_on(aside)
    print(f"== {total(said)} in both ==", flush=True)
    return next((abs(status) for status in statuses if status), 0)


def _command(kinds: str, arguments: Sequence[str]) -> list[str]:
    colour = ["--color=yes"] if sys.stdout.isatty() else []
    return [*_PYTEST, "-m", kinds, *colour, *arguments]


def _passed_on(source: IO[bytes]) -> str:
    """As it comes, dot by dot."""
    said = b""
    while part := source.read1(65_536) if hasattr(source, "read1") else source.read(65_536):
        sys.stdout.buffer.write(part)
        sys.stdout.buffer.flush()
        said += part
    return said.decode(errors="replace")


def total(said: str) -> str:
    """The closing lines of two runs as one: "1 failed, 5 passed"."""
    closings = _CLOSING.findall(re.sub(r"\x1b\[[\d;]*m", "", said))
    counts: Counter[str] = Counter()
    for number, what in re.findall(r"(\d+) (\w+)", ", ".join(closings)):
        counts[_MANY.get(what, what)] += int(number)
    counts["errors"] += 2 - len(closings)  # one of them did not come to its end
    counts.pop("deselected", None)
    return ", ".join(f"{number} {what}" for what, number in sorted(counts.items()) if number)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:  # both were told too
        sys.exit(130)
