"""What a SIP message proposes for audio, read from its text. Pure.

The text comes from the network, and pjproject has refused it: anything may be in it. What is taken out goes into the
log and onto the page, so it is little, short, and of few characters; keys, which stand beside the codecs, never are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.establishing import Encryption, Offer

LONGEST = 65_536
"""Characters looked at. pjproject takes packets of 4000 bytes."""

MOST_CODECS = 20
"""Nobody reads more; the longest offer that telephones make has about fifteen."""

_STATIC = {
    0: "PCMU",
    3: "GSM",
    4: "G723",
    5: "DVI4",
    6: "DVI4",
    7: "LPC",
    8: "PCMA",
    9: "G722",
    10: "L16",
    11: "L16",
    12: "QCELP",
    15: "G728",
    16: "DVI4",
    17: "DVI4",
    18: "G729",
}
"""RFC 3551, table 4."""

_NO_SPEECH = {"telephone-event", "cn", "red", "tone"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9.+_-]{0,15}")
_MEDIUM = re.compile(r"m=(\S{1,20}) (\d{1,9})(?:/\d{1,9})? (\S{1,30})((?: \d{1,9}){0,100})")
_MAP = re.compile(r"a=rtpmap:(\d{1,9}) ([^\s/]{1,64})/")


@dataclass(slots=True)
class _Medium:
    profile: str
    types: list[int]
    names: dict[int, str] = field(default_factory=dict)
    sdes: bool = False

    def codecs(self) -> Iterator[str]:
        for number in self.types:
            name = self.names.get(number) or _STATIC.get(number, "")
            if name and name.casefold() not in _NO_SPEECH:
                yield name


def read_offer(message: str) -> Offer | None:
    """The audio that a SIP message with SDP offers, or answers with; None if it names none that is switched on.

    Several audio lines are alternatives: their codecs count together, and the mildest encryption is what is required.
    """
    media = list(_audio(message[:LONGEST]))
    if not media:
        return None
    codecs = dict.fromkeys(codec for medium in media for codec in medium.codecs())
    return Offer(tuple(codecs)[:MOST_CODECS], _encryption(media))


def _audio(message: str) -> Iterator[_Medium]:
    """Header lines are looked at too: none of them can begin with `m=`, since a header has a colon after its name."""
    current: _Medium | None = None
    for line in message.splitlines():
        if line.startswith("m="):
            current = _medium(line)
            if current:
                yield current
        elif current:
            _take(current, line)


def _medium(line: str) -> _Medium | None:
    found = _MEDIUM.match(line)
    if found is None or found[1].casefold() != "audio" or int(found[2]) == 0:
        return None
    return _Medium(found[3].upper(), [int(number) for number in found[4].split()])


def _take(medium: _Medium, line: str) -> None:
    if line.startswith("a=crypto:"):
        medium.sdes = True
    elif (found := _MAP.match(line)) and _NAME.fullmatch(found[2]):
        medium.names[int(found[1])] = found[2]


def _encryption(media: list[_Medium]) -> Encryption:
    required = ["SAVP" in medium.profile for medium in media]  # SAVPF too
    if not all(required):
        return Encryption.OFFERED if any(required) or any(medium.sdes for medium in media) else Encryption.NONE
    return Encryption.DTLS if all(medium.profile.startswith("UDP/TLS/") for medium in media) else Encryption.SDES
