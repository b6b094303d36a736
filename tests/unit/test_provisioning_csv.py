"""Lists as people have them: every encoding and separator that offices use, and files that are broken in every way."""

from __future__ import annotations

import csv
import io
import tracemalloc

import pytest

from provisioning.web import csv_writing
from provisioning.web.csv_reading import Table, Unusable, table

pytestmark = pytest.mark.unit

TEXT = "number;name\n+44 20 7946 0101;Zoë Ångström\n"


def rows_of(data: bytes) -> list[tuple[str, ...]]:
    found = table(data)
    assert isinstance(found, Table), found
    return [row.cells for row in found.rows()]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (TEXT.encode(), "UTF-8, separated by semicolon"),
        (TEXT.encode("utf-8-sig"), "UTF-8, separated by semicolon"),
        (TEXT.encode("cp1252"), "Windows-1252, separated by semicolon"),
        (TEXT.encode("utf-16"), "UTF-16, separated by semicolon"),
        (TEXT.encode("utf-16-le"), "UTF-16, separated by semicolon"),
        (TEXT.encode("utf-16-be"), "UTF-16, separated by semicolon"),
        (TEXT.replace(";", "\t").encode(), "UTF-8, separated by tab"),
        (TEXT.replace(";", ",").encode(), "UTF-8, separated by comma"),
        (b"sep=;\r\n" + TEXT.encode(), "UTF-8, separated by semicolon"),
        (TEXT.replace("\n", "\r").encode(), "UTF-8, separated by semicolon"),
        (b"\r\n\r\n" + TEXT.encode(), "UTF-8, separated by semicolon"),
        (('"a, b, c, d";' + TEXT).replace("\n+", "\n;+").encode(), "UTF-8, separated by semicolon"),
    ],
)
def test_encoding_and_separator_are_found_and_said(data: bytes, said: str) -> None:
    found = table(data)
    assert isinstance(found, Table)
    assert found.in_words == said
    assert [row.cells[-2:] for row in found.rows()] == [("+44 20 7946 0101", "Zoë Ångström")]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "The file is empty."),
        (b" \r\n\r\n", "The file is empty."),
        (
            b"PK\x03\x04 and so on",
            "This is a workbook (XLSX or ODS), not CSV. Open it in your spreadsheet program, choose",
        ),
        (b"\xd0\xcf\x11\xe0\xa1", "a workbook of an older kind (XLS)"),
        (b"%PDF-1.7", "This is a PDF"),
        (bytes(range(256)), "there is more than text in it"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "there is more than text in it"),
        (b"number,name\n1,a\x07b\n", "there is more than text in it"),
        ("number,name\n1,Zoë\n".encode() + b"2,Zo\xeb\n", "Line 3 is in another encoding than the lines before it."),
        (b"number,name\n", "There is no row below the first line."),
        (b"+44 20 7946 0101,12\n101,13\n", "There is no name in it: add a line above the first participant."),
        (b"020 7946 0101,Ada\n101,Ben\n", "There is a telephone number in it"),
        (b"number,Number\n1,2\n", "“number” is there twice"),
        (b'number,name\n1,"Ada\n2,Ben\n3,Cyd\n', "Line 2: a quotation mark is opened and never closed."),
        (b'number,name\n1,x\n2,"Ada\n' + b"3,Ben\n" * 50_000, "Line 3: a quotation mark is opened and never closed."),
        (b'number,name\n1,"Ada" Byron\n', "Line 2: there is text behind a closing quotation mark."),
        ((",".join(f"column {n}" for n in range(101)) + "\n1\n").encode(), "more than 100 columns"),
        (b"n" * 101 + b",number\n1,2\n", "longer than 100 characters"),
    ],
)
def test_a_broken_file_is_told_what_is_wrong_with_it(data: bytes, told: str) -> None:
    found = table(data)
    assert isinstance(found, Unusable)
    assert told in found.text


def test_rows_that_cannot_be_read_say_why_and_the_others_can() -> None:
    text = f'number,name\n101,Ada\n102,a,b\n103\n104,{"x" * 501}\n105,Ben,,\n106," Cyd "\n'
    found = table(text.encode())
    assert isinstance(found, Table)
    assert (found.row_count, found.fault_count) == (6, 2)
    rows = list(found.rows())
    assert [row.cells for row in rows if not row.fault] == [("101", "Ada"), ("103", ""), ("105", "Ben"), ("106", "Cyd")]
    assert [(row.number, row.fault[:30]) for row in rows if row.fault] == [
        (2, "has 3 columns instead of 2: a "),
        (4, "has a text longer than 500 cha"),
    ]


def test_a_million_rows_are_refused_without_being_held() -> None:
    data = b"number,name\n" + b"101,Ada\n" * 1_000_000
    tracemalloc.start()
    found = table(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(found, Unusable)
    assert "more than 100,000 rows" in found.text
    assert peak < len(data), "not even one copy of it"


def test_a_hundred_thousand_rows_are_as_many_as_may_be() -> None:
    found = table(b"number\n" + b"101\n" * 100_000)
    assert isinstance(found, Table)
    assert found.row_count == 100_000


FORMULAS = ("=1+1", "+44 20", "-1", "@SUM(A1)", "\tx", "\rx")


def test_nothing_that_is_written_is_taken_for_a_formula() -> None:
    written = csv_writing.lines([FORMULAS, ("plain", 'with "quotes"', "two\nlines")])
    first, second = csv.reader(io.StringIO(written, newline=""))
    assert first == [f"'{each}" for each in FORMULAS]
    assert second == ["plain", 'with "quotes"', "two\nlines"]


def test_what_was_written_is_read_as_it_was() -> None:
    cells = [("name", "number"), ("=Ada", "+44 20 7946 0101"), ("O'Hara", "101")]
    for separator in ("comma", "semicolon"):
        text = csv_writing.BOM + csv_writing.lines(cells, csv_writing.separator_of(separator))
        assert rows_of(text.encode()) == cells[1:]
