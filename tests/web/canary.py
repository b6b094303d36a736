"""A word that stands in every secret that is planted, and a search for it wherever secrets must not be: in files, in
archives, in processes, as it was typed and in the disguises that programs put on text."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import quote, quote_plus

from tests.wire.memory import memory_of

STEM = "green7frogs & canary9birds"
"""With characters that forms and JSON write in ways of their own, and longer than any chance."""


def secret(what: str) -> str:
    """One to plant."""
    return f"{STEM} {what}"


def disguises(text: str = STEM) -> tuple[bytes, ...]:
    """How a text may stand in bytes."""
    plain = text.encode()
    return (
        plain,
        quote(text).encode(),
        quote_plus(text).encode(),
        text.replace("&", "&amp;").encode(),
        text.replace("&", "\\u0026").encode(),
        plain.hex().encode(),
        plain.hex().upper().encode(),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        text.encode("utf-32-le"),
        plain[::-1],
        *_in_base64(plain),
    )


def _in_base64(plain: bytes) -> Iterator[bytes]:
    """Wherever it begins in what was encoded; the characters at its ends belong to its neighbours too."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + plain)
        part = encoded[(before * 8 + 5) // 6 : (before + len(plain)) * 8 // 6]
        yield part
        yield part.translate(bytes.maketrans(b"+/", b"-_"))


WANTED = disguises()


def in_bytes(place: str, data: bytes, wanted: Sequence[bytes] = WANTED) -> list[str]:
    """Where it stands: the place, and what is packed in it."""
    found = [place] if any(each in data for each in wanted) else []
    for name, inside in _unpacked(data):
        found += in_bytes(f"{place}!{name}", inside, wanted)
    return found


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    if data[:2] == b"\x1f\x8b":
        yield "gzip", gzip.decompress(data)
    elif zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name, archive.read(name)


def in_files(folder: Path, wanted: Sequence[bytes] = WANTED) -> list[str]:
    found = []
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        found += in_bytes(str(path), path.read_bytes(), wanted)
        found += in_bytes(f"the name of {path}", path.name.encode(), wanted)
    return found


def holding(folder: Path, text: str) -> list[str]:
    """Where in the files below a folder a secret stands that was not planted for the search."""
    assert any(each.is_file() for each in folder.rglob("*")), "there is something to search"
    return in_files(folder, disguises(text))


def in_start(pid: int, wanted: Sequence[bytes] = WANTED) -> list[str]:
    """In what a process was started with."""
    found = []
    for name in ("cmdline", "environ"):
        try:
            found += in_bytes(f"{name} of {pid}", Path(f"/proc/{pid}/{name}").read_bytes(), wanted)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def in_memory(pid: int) -> bool:
    return any(each in part for part in memory_of(pid) for each in WANTED)
