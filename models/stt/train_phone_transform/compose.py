"""Makes one MLLR transform of two that were estimated one after the other.

    python compose.py FIRST SECOND BOTH

A file holds, for each of three feature streams, a matrix A, a vector b and factors h for the variances, so that a mean
m becomes A m + b.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
_STREAMS = 3


@dataclass(frozen=True, slots=True)
class Stream:
    matrix: Numbers
    shift: Numbers
    variance: Numbers


def main(first: str, second: str, both: str) -> None:
    pairs = zip(read(Path(first).read_text()), read(Path(second).read_text()), strict=True)
    Path(both).write_text(written([composed(one, other) for one, other in pairs]))


def composed(first: Stream, second: Stream) -> Stream:
    return Stream(
        second.matrix @ first.matrix,
        second.matrix @ first.shift + second.shift,
        first.variance * second.variance,
    )


def read(text: str) -> list[Stream]:
    """Raises: ValueError for a file with more than one class or another number of streams."""
    numbers = [float(field) for field in text.split()]
    if numbers[:2] != [1, _STREAMS]:
        raise ValueError(f"a transform of one class and {_STREAMS} streams is wanted, not {numbers[:2]}")
    streams, at = [], 2
    while at < len(numbers):
        size = int(numbers[at])
        rows = np.array(numbers[at + 1 : at + 1 + size * (size + 2)]).reshape(size + 2, size)
        streams.append(Stream(rows[:size], rows[size], rows[size + 1]))
        at += 1 + size * (size + 2)
    return streams


def written(streams: list[Stream]) -> str:
    lines = ["1", str(len(streams))]
    for stream in streams:
        lines.append(str(len(stream.shift)))
        lines += [_row(row, 6) for row in (*stream.matrix, stream.shift)]
        lines.append(_row(stream.variance, 1))
    return "\n".join(lines) + "\n"


def _row(values: Numbers, places: int) -> str:
    return "".join(f"{value:.{places}f} " for value in values)


if __name__ == "__main__":
    main(*sys.argv[1:])
