"""Forms with files. A file is held in memory only: what people upload here must not lie on the disk of the page."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from provisioning.api.answers import API
from provisioning.shelf import LARGEST_LIST

LARGEST_UPLOAD = 8 * 1024 * 1024
"""Of a whole form: four times the largest backup, so that whoever picked the wrong file is told so on a page."""

UPLOADS = frozenset({"/box/restore", f"{API}/backup/preview", f"{API}/packs/parts"})
"""Paths that take so much. Other forms with files have them as small as any text."""

LARGEST_DRAINED = 256 * 1024 * 1024
"""Where lists are uploaded, somebody who picks a list of a million rows is told so on a page. What is behind
`LARGEST_LIST` is read and forgotten: a browser that is still sending would not read the answer."""

UPDATE = "/box/update"
"""Where an update is uploaded: to the disk, as it comes (`bundle_upload`)."""

PACKS = "/connectivity/packs"
"""Where a neural pack is uploaded: to the phone process, as it comes (`packs`)."""

LARGEST_BUNDLE = 1024 * 1024 * 1024
"""As much as the place that it is installed into; packed it is a quarter of that."""

LONGEST_BUNDLE_S = 1800.0
"""200 MB by a radio link with 1 Mbit/s."""

_LISTS = re.compile(r"/campaigns/[^/]+/lists|/agents/[^/]+/files")
_FIELDS, _FEW_FIELDS, _FILES = 20, 5, 1

_PIECE_BYTES = 256 * 2**10
"""What is written, or sent on, at once: a thread does that, and going there and back for each 16 KiB of TLS took four
times as long as all the rest of it."""


class NotAForm(Exception):
    """What was sent cannot be read as a form with files."""


class TooLarge(Exception):
    """The file is larger than a list may be. All of it was read."""


def takes_lists(path: str) -> bool:
    """And files that an agent is to know: they may be as large."""
    return bool(_LISTS.fullmatch(path))


class _InMemory(MultiPartParser):
    spool_max_size = LARGEST_LIST + 1

    file_bytes = 0

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Of a file, only so much."""
        if self._current_part.file is not None:
            self.file_bytes += end - start
            if self.file_bytes > LARGEST_LIST:
                return
        super().on_part_data(data, start, end)


class _Streamed(MultiPartParser):
    file: UploadFile

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        part = self._current_part
        if part.file is not None:
            part.file.file.close()  # the one in memory, or in /tmp, that it would be
            part.file = self.file


def has_files(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("multipart/form-data")


async def streamed(request: Request, file: UploadFile) -> list[tuple[str, str]]:
    """Text fields; the one file is written to `file` as it comes. Raises: NotAForm,
    starlette.requests.ClientDisconnect."""
    async with aclosing(request.stream()) as coming, aclosing(_in_pieces(coming)) as stream:
        parser = _Streamed(request.headers, stream, max_fields=_FEW_FIELDS, max_files=_FILES)
        parser.file = file
        form = await _parsed(parser, stream)
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


async def _parsed(parser: MultiPartParser, stream: AsyncGenerator[bytes, None]) -> FormData:
    """Raises: NotAForm, starlette.requests.ClientDisconnect."""
    try:
        return await parser.parse()
    except MultiPartException as fault:
        async for _ in stream:  # a browser that is still sending would not read the answer
            pass
        raise NotAForm from fault


async def _in_pieces(stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """As large as is worth writing, or sending on, at once."""
    piece = bytearray()
    async for data in stream:
        piece += data
        if len(piece) >= _PIECE_BYTES:
            yield bytes(piece)
            piece.clear()
    yield bytes(piece)


async def uploaded(request: Request) -> tuple[list[tuple[str, str]], Mapping[str, bytes], Mapping[str, str]]:
    """Fields, files by the names of their fields, and what the files are called. Raises: NotAForm, TooLarge,
    starlette.requests.ClientDisconnect."""
    async with aclosing(request.stream()) as stream:
        parser = _InMemory(request.headers, stream, max_fields=_FIELDS, max_files=_FILES)
        form = await _parsed(parser, stream)
    if parser.file_bytes > LARGEST_LIST:
        await form.close()
        raise TooLarge
    fields, files, names = [], {}, {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            files[name], names[name] = await value.read(), value.filename or ""
            await value.close()
        else:
            fields.append((name, value))
    return fields, files, names
