"""Why a call was not established, as far as one side can tell."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.establishing import Encryption, FailedCall, Offer, Reason, codec_names

pytestmark = pytest.mark.unit

OURS = ("opus", "G722", "PCMU", "PCMA")


@pytest.mark.parametrize(
    ("theirs", "ours", "reasons"),
    [
        (Offer(("GSM", "G729")), Encryption.NONE, [Reason.NO_COMMON_CODEC]),
        (Offer(()), Encryption.NONE, [Reason.NO_COMMON_CODEC]),
        (Offer(("g722",), Encryption.SDES), Encryption.NONE, [Reason.ENCRYPTION_REQUIRED]),
        (Offer(("GSM",), Encryption.SDES), Encryption.NONE, [Reason.NO_COMMON_CODEC, Reason.ENCRYPTION_REQUIRED]),
        (Offer(("PCMU",), Encryption.DTLS), Encryption.OFFERED, [Reason.ENCRYPTION_REQUIRED]),
        (Offer(("PCMU",)), Encryption.SDES, [Reason.ENCRYPTION_MISSING]),
        (Offer(("PCMU",), Encryption.OFFERED), Encryption.SDES, [Reason.NOT_TOLD]),
        (Offer(("PCMU",), Encryption.OFFERED), Encryption.NONE, [Reason.NOT_TOLD]),
        (Offer(("PCMU",)), Encryption.OFFERED, [Reason.NOT_TOLD]),
        (None, Encryption.NONE, [Reason.NOT_TOLD]),
    ],
)
def test_reasons(theirs: Offer | None, ours: Encryption, reasons: list[Reason]) -> None:
    failed = FailedCall(datetime(2026, 11, 26, tzinfo=UTC), "inbound", 488, theirs, Offer(OURS, ours))
    assert list(failed.reasons) == reasons


def test_codecs_by_the_names_that_people_know() -> None:
    assert codec_names(Offer(("PCMU", "G726-32", "G726-40", "iLBC", "EVS"))) == "G.711 µ-law, G.726, iLBC, EVS"
    assert codec_names(Offer(())) == "no codec"
