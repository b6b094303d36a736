"""Why two telephones do not agree on audio, as far as one side can tell. Pure, without SIP: what was proposed, and what
a connection has seen of calls.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from app.ports import Direction


class Encryption(Enum):
    """How audio was proposed to travel. The values are for people."""

    NONE = "unencrypted"
    OFFERED = "encrypted (SRTP) if both sides can"
    SDES = "encrypted only (SRTP)"
    DTLS = "encrypted only (DTLS-SRTP, as web browsers do)"


@dataclass(frozen=True, slots=True)
class Offer:
    """Audio as one side proposed it. `codecs`: names as in SDP, in its order, without those that carry no speech."""

    codecs: tuple[str, ...]
    encryption: Encryption = Encryption.NONE


class Reason(Enum):
    """The values go into the log."""

    NO_COMMON_CODEC = "no codec in common"
    ENCRYPTION_REQUIRED = "the other side requires encryption that this connection does not use"
    ENCRYPTION_MISSING = "this connection requires encryption that the other side does not offer"
    NOT_TOLD = "the other side does not say what it would take"


@dataclass(frozen=True, slots=True)
class FailedCall:
    """A call that was not established because of its audio. `sip_code`: of the refusal, ours to an inbound call, theirs
    to an outbound one. `theirs` is None where they named no audio."""

    at: datetime
    direction: Direction
    sip_code: int
    theirs: Offer | None
    ours: Offer

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return tuple(_reasons(self.theirs, self.ours)) or (Reason.NOT_TOLD,)


def _reasons(theirs: Offer | None, ours: Offer) -> Iterator[Reason]:
    if theirs is None:
        return
    if not {codec.casefold() for codec in theirs.codecs} & {codec.casefold() for codec in ours.codecs}:
        yield Reason.NO_COMMON_CODEC
    match theirs.encryption, ours.encryption:
        case (Encryption.DTLS, _) | (Encryption.SDES, Encryption.NONE):
            yield Reason.ENCRYPTION_REQUIRED
        case (Encryption.NONE, Encryption.SDES):
            yield Reason.ENCRYPTION_MISSING


@dataclass(frozen=True, slots=True)
class Seen:
    """What a connection has seen of calls since its settings were changed last, or the box started.

    `failed`: the latest, oldest first. `inbound_at`: when somebody called last, however that went. `established_at`:
    when a call in that direction was last established. `registered_at`: when it first was registered.
    """

    failed: tuple[FailedCall, ...] = ()
    inbound_at: datetime | None = None
    established_at: tuple[tuple[Direction, datetime], ...] = ()
    registered_at: datetime | None = None


_PRETTY = {
    "opus": "Opus",
    "g722": "G.722",
    "pcmu": "G.711 µ-law",
    "pcma": "G.711 A-law",
    "g729": "G.729",
    "g723": "G.723.1",
    "g728": "G.728",
    "g7221": "G.722.1",
    "g719": "G.719",
    "g726-16": "G.726",
    "g726-24": "G.726",
    "g726-32": "G.726",
    "g726-40": "G.726",
    "gsm": "GSM",
    "ilbc": "iLBC",
    "speex": "Speex",
}


def codec_names(offer: Offer) -> str:
    """For people: "G.722, G.711 A-law"."""
    return ", ".join(dict.fromkeys(_PRETTY.get(codec.casefold(), codec) for codec in offer.codecs)) or "no codec"
