"""Lists as spreadsheet programs save them: CSV in whatever encoding and with whatever separator. Pure, and slow for a
large one (100,000 rows take a second): call it in a thread.

A file is read again for each use, row by row: nothing but one row is in memory beside it.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from app.control.campaigns import MOST_ROWS

MOST_COLUMNS = 100
_LONGEST_NAME = 100
LONGEST_CELL = 500
"""Characters, as in `app.control.campaigns.Cell`."""

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_HEAD = 64 * 1024
_CHUNK = 1024 * 1024
_SOMETHING = re.compile(rb"[^\0 \t\r\n\xff\xfe\xef\xbb\xbf]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_TELEPHONE_NUMBER = re.compile(r"'?\+?[\d ()/.\-]{5,}")
_FORMULA_MARK = re.compile(r"'(?=[=+\-@])")
"""Put before such texts by our own downloads, and by careful programs; see `csv_writing`."""

_SIGNATURES = (
    (b"PK\x03\x04", "a workbook (XLSX or ODS)"),
    (b"\xd0\xcf\x11\xe0", "a workbook of an older kind (XLS)"),
    (b"%PDF", "a PDF"),
    (b"{\\rtf", "a text document (RTF)"),
)
_AS_CSV = "Open it in your spreadsheet program, choose “Save as”, then “CSV UTF-8”, and upload that file."


@dataclass(frozen=True, slots=True)
class Unusable:
    """Why a file cannot be read at all, in words for whoever chose it."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """`number`: from 1, without the header and empty lines. `fault`: why it cannot be used; empty if it can."""

    number: int
    cells: tuple[str, ...]
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A file that can be read. `header`: the names of its columns, as they are written. `fault_count`: so many of its
    rows cannot be used."""

    data: bytes
    encoding: str
    separator: str
    header: tuple[str, ...]
    row_count: int
    fault_count: int

    @property
    def in_words(self) -> str:
        name = {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252"}.get(self.encoding, "UTF-16")
        return f"{name}, separated by {_SEPARATORS[self.separator]}"

    def rows(self) -> Iterator[Row]:
        lines = _lines(self.data, self.encoding, self.separator)
        next(lines)
        for number, cells in enumerate(lines, start=1):
            yield _row(number, cells, len(self.header))


def table(data: bytes) -> Table | Unusable:
    if not _SOMETHING.search(data):
        return Unusable("The file is empty. Choose the file with the list.")
    if kind := next((words for start, words in _SIGNATURES if data.startswith(start)), ""):
        return Unusable(f"This is {kind}, not CSV. {_AS_CSV}")
    encoding = _encoding(data)
    if isinstance(encoding, Unusable):
        return encoding
    separator = _separator(data, encoding)
    try:
        header, row_count, fault_count = _counted(data, encoding, separator)
    except _Broken as broken:
        return Unusable(str(broken))
    if fault := _wrong_header(header):
        return Unusable(fault)
    if row_count > MOST_ROWS:
        return Unusable(f"The list has more than {MOST_ROWS:,} rows. Split it, and upload the parts one by one.")
    if not row_count:
        return Unusable(
            "There is no row below the first line. The first line has the names of the columns, and each line below it "
            "is one participant."
        )
    return Table(data, encoding, separator, header, row_count, fault_count)


class _Broken(Exception):
    """The text says where reading stopped, and what to do."""


def _encoding(data: bytes) -> str | Unusable:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _if_text(data, "utf-16")
    head = data[:_HEAD]
    if b"\0" in head:
        odd, even = head[1::2].count(0), head[::2].count(0)
        return _if_text(data, "utf-16-le" if odd > even else "utf-16-be")
    line, has_letters = _broken_utf8(data)
    if not line:
        return _if_text(data, "utf-8-sig")
    if has_letters:
        return Unusable(
            f"Line {line} is in another encoding than the lines before it. Save the list as “CSV UTF-8”, and upload it "
            "again."
        )
    return _if_text(data, "cp1252")


def _broken_utf8(data: bytes) -> tuple[int, bool]:
    """The first line that is none, 0 if all is well; and whether there were letters before it that only UTF-8 has."""
    decoder, line, has_letters = codecs.getincrementaldecoder("utf-8")(), 1, False
    for chunk, is_last in _chunks(data):
        try:
            text = decoder.decode(chunk, is_last)
        except UnicodeDecodeError as fault:
            before = fault.object[: fault.start]
            return line + before.count(b"\n"), has_letters or not before.isascii()
        line += text.count("\n")
        has_letters = has_letters or not text.removeprefix("\ufeff").isascii()
    return 0, has_letters


def _chunks(data: bytes) -> Iterator[tuple[memoryview, bool]]:
    view = memoryview(data)
    for start in range(0, len(data), _CHUNK):
        yield view[start : start + _CHUNK], start + _CHUNK >= len(data)


def _if_text(data: bytes, encoding: str) -> str | Unusable:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        is_text = all(not _CONTROL.search(decoder.decode(chunk, last)) for chunk, last in _chunks(data))
    except UnicodeDecodeError:
        is_text = False
    return encoding if is_text else Unusable(f"This is no CSV file: there is more than text in it. {_AS_CSV}")


def _separator(data: bytes, encoding: str) -> str:
    """The one that divides the first line most often, quoted parts left out. A line "sep=;" says it."""
    text = data[:_HEAD].decode(encoding, errors="ignore").lstrip("\ufeff\r\n")
    first = text.splitlines()[0] if text else ""
    if _says_separator(first):
        return first[4]
    plain = re.sub(r'"[^"]*"', "", first)
    return max(_SEPARATORS, key=plain.count)


def _says_separator(line: str) -> bool:
    return len(line) == 5 and line.lower().startswith("sep=") and line[4] in _SEPARATORS


def _lines(data: bytes, encoding: str, separator: str) -> Iterator[list[str]]:
    """Header first, without lines that have nothing in them. Raises: _Broken."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")
    reader = csv.reader(text, delimiter=separator, strict=True)
    begins_at = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not (begins_at == 1 and _says_separator(separator.join(cells))):
                yield cells
            begins_at = reader.line_num + 1
    except csv.Error as fault:
        raise _Broken(_what_broke(str(fault), begins_at)) from fault


def _what_broke(problem: str, line: int) -> str:
    if "expected after" in problem:
        return (
            f"Line {line}: there is text behind a closing quotation mark. Write two quotation marks where the text has "
            "one, or let your spreadsheet program save the list again."
        )
    return f"Line {line}: a quotation mark is opened and never closed. Close it, or take it away."


def _counted(data: bytes, encoding: str, separator: str) -> tuple[tuple[str, ...], int, int]:
    """Header, rows, rows with a fault. Stops soon after the last row that may be. Raises: _Broken."""
    lines = _lines(data, encoding, separator)
    header = tuple(cell.strip() for cell in next(lines, []))
    count = faults = 0
    for count, cells in enumerate(islice(lines, MOST_ROWS + 1), start=1):
        faults += bool(_row(count, cells, len(header)).fault)
    return header, count, faults


def _wrong_header(header: tuple[str, ...]) -> str:
    """Empty if it is one."""
    what = "The first line must have the names of the columns, for example: number,name. "
    if len(header) > MOST_COLUMNS:
        return f"The first line has more than {MOST_COLUMNS} columns. Leave those out that are not needed."
    if all(not re.search(r"[^\W\d_]", name) for name in header):
        return f"{what}There is no name in it: add a line above the first participant."
    if any(_TELEPHONE_NUMBER.fullmatch(name) for name in header):
        return f"{what}There is a telephone number in it: add a line above the first participant."
    if any(len(name) > _LONGEST_NAME for name in header):
        return f"{what}One of its names is longer than {_LONGEST_NAME} characters."
    names = [name.casefold() for name in header if name]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        return f"{what}“{doubled[0]}” is there twice: give each column a name of its own."
    return ""


def _row(number: int, cells: list[str], columns: int) -> Row:
    found = tuple(_FORMULA_MARK.sub("", cell.strip(), count=1) for cell in cells)
    if any(found[columns:]):
        return Row(
            number,
            (),
            f"has {len(cells)} columns instead of {columns}: a separator is in one of its texts. Put that text in "
            "quotation marks",
        )
    if any(len(cell) > LONGEST_CELL for cell in found):
        return Row(number, (), f"has a text longer than {LONGEST_CELL} characters: shorten it")
    missing = ("",) * (columns - len(found))
    return Row(number, (*found[:columns], *missing))
