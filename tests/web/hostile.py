"""What nobody should type, and somebody will."""

from __future__ import annotations

SCRIPT = '<script>alert("1")</script>'
ATTRIBUTE = '" onmouseover="alert(1)" x="'
"""Ends the attribute that it stands in, if that lets it."""

MARKS = (SCRIPT, ATTRIBUTE)
"""Never in a page as they are: escaped, or not at all."""

TEXTS = {
    "empty": "",
    "blank": " \t ",
    "long": "x" * 100_001,
    "letters of others": "Zoë Ångström, Ελλάδα, 日本語",
    "right to left": "\u202eשלום עולם\u202c",
    "pictures": "👩‍👩‍👧‍👦 🔔 ☎️",
    "control characters": "a\x07b\x1b[31mc\x7f",
    "nul": "a\x00b",
    "a header": "a\r\nSet-Cookie: planted=1\r\n\r\n<html>",
    "lines that are none": "a\u2028b\u0085c",
    "half a character": "a\ud800b",
    "script": SCRIPT,
    "attribute": ATTRIBUTE,
    "sql": "'; DROP TABLE agents; --",
    "wild cards": "%_\\%",
    "path": "../../../../etc/passwd",
    "template": "{{ 7*7 }}{% raise %}${7*7}",
    "format": "%s%n{0.__class__}",
    "url": "javascript:alert(1)//",
    "other site": "//evil.example/",
    "a number": "9" * 5000,
    "less than nothing": "-1",
    "a broken number": "1e999",
    "no number": "NaN",
    "other digits": "٤٢",
}
"""By what is wrong with them; some are not wrong everywhere."""
