"""What callers of offices say, by what it is about: sentences.txt."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

# Not topics of an office: what nobody calls one for, and whoever is asked for by name.
OTHER, PERSON = "other", "person"

SENTENCES = Path(__file__).with_name("sentences.txt")


@functools.cache
def stock() -> Mapping[str, tuple[str, ...]]:
    """The sentences of each topic, as they are written there."""
    found: dict[str, list[str]] = {}
    topic = ""
    for line in map(str.strip, SENTENCES.read_text().splitlines()):
        if line.startswith("["):
            topic = line.strip("[]")
        elif line and not line.startswith("#"):
            found.setdefault(topic, []).append(line)
    return {topic: tuple(sentences) for topic, sentences in found.items()}
