"""Files of any kind as text, each by the real process that reads them; and what is said where that is not possible."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from app.control.documents import LARGEST_TEXT
from provisioning import document_reader, document_reading
from provisioning.document_reading import Read, Unreadable, read

pytestmark = pytest.mark.unit


def pdf(*pages: str, password: str = "") -> bytes:
    """With one line of text on each page; empty for none."""
    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(300, 300)
        fonts = DictionaryObject({NameObject("/F1"): font})
        page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode() if text else b"")
        page[NameObject("/Contents")] = writer._add_object(stream)
    if password:
        writer.encrypt(password, algorithm="AES-256")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"Parking is free.\r\n\r\nBye.", "Parking is free.\n\nBye."),
        ("Zoë parks".encode("utf-8-sig"), "Zoë parks"),
        ("Zoë parks".encode("utf-16"), "Zoë parks"),
        (
            b"# Parking\n\n**Free** for [guests](http://x.example/y), see ![map](m.png)\n```\ncode\n```",
            "Parking\n\nFree for guests, see \n\ncode\n",
        ),
        (b"a hyphen-\nated word\x00"[:-1] + b"\x07\x1b", "a hyphenated word  "),
    ],
    ids=["text", "bom", "utf-16", "markdown", "hyphens"],
)
async def test_text(data: bytes, text: str) -> None:
    found = await read(data)
    assert isinstance(found, Read), found
    assert found.text == text


async def test_pdf() -> None:
    found = await read(pdf("Parking is free.", "Dogs are welcome."))
    assert found == Read("Parking is free.\n\nDogs are welcome.")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (pdf("secret", password="x"), "protected by a password"),
        (pdf("", ""), "probably a scan"),
        (pdf("text")[:200], "damaged, or not whole"),
        (b"%PDF-1.7\n" + bytes(range(256)) * 50, "damaged, or not whole"),
        ("Zoë".encode("latin-1"), "not in UTF-8"),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\xff", "neither text nor PDF"),
        (b"a\0b", "neither text nor PDF"),
        (b" \n\t\n", "nothing in it"),
        (b"", "nothing in it"),
        (b"word " * (LARGEST_TEXT // 5 + 1), "more than 600,000 characters"),
    ],
    ids=["encrypted", "scan", "cut", "garbage", "latin-1", "docx", "nul", "blank", "empty", "long"],
)
async def test_what_cannot_be_read_says_what_to_do(data: bytes, words: str) -> None:
    found = await read(data)
    assert isinstance(found, Unreadable), found
    assert words in found.text


async def test_what_takes_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document_reading, "LONGEST_S", 0.01)
    assert "more time or memory" in str(await read(pdf("text")))


def test_many_pages() -> None:
    found = document_reader.text_of(pdf(*["x"] * 501), LARGEST_TEXT)
    assert found is document_reader.Fault.TOO_MANY_PAGES
