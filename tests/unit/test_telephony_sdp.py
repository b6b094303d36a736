"""What a SIP message proposes for audio: as telephones write it, and as nobody should."""

from __future__ import annotations

import random

import pytest

from app.establishing import Encryption, Offer
from firmware.telephony.sdp import LONGEST, MOST_CODECS, read_offer

pytestmark = pytest.mark.unit

INVITE = "INVITE sip:200@192.0.2.1 SIP/2.0\r\nFrom: <sip:900@pbx>;tag=1\r\nContent-Type: application/sdp\r\n\r\n"
SESSION = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
KEY = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0\r\n"


def offer(*media: str) -> Offer | None:
    return read_offer(INVITE + SESSION + "".join(media))


def audio(profile: str = "RTP/AVP", types: str = "0", *lines: str, port: int = 4000) -> str:
    return f"m=audio {port} {profile} {types}\r\n" + "".join(f"{line}\r\n" for line in lines)


def test_codecs_in_the_order_of_the_offer_without_what_carries_no_speech() -> None:
    maps = ("a=rtpmap:97 iLBC/8000", "a=rtpmap:111 G726-32/8000", "a=rtpmap:101 telephone-event/8000")
    assert offer(audio("RTP/AVP", "3 97 111 18 13 101", *maps)) == Offer(("GSM", "iLBC", "G726-32", "G729"))


def test_types_without_a_map_are_the_static_ones_and_others_are_nothing() -> None:
    assert offer(audio("RTP/AVP", "9 8 96 250 99999999")) == Offer(("G722", "PCMA"))


@pytest.mark.parametrize(
    ("media", "encryption"),
    [
        (audio(), Encryption.NONE),
        (audio() + KEY, Encryption.OFFERED),
        (audio("RTP/SAVP") + KEY, Encryption.SDES),
        (audio("RTP/SAVPF") + KEY, Encryption.SDES),
        (audio("UDP/TLS/RTP/SAVPF"), Encryption.DTLS),
        (audio("RTP/SAVP") + KEY + audio(), Encryption.OFFERED),
        (audio("RTP/SAVP") + KEY + audio(port=0), Encryption.SDES),
        (audio() + "m=video 4002 RTP/SAVP 99\r\n" + KEY, Encryption.NONE),
    ],
)
def test_encryption(media: str, encryption: Encryption) -> None:
    assert offer(media) == Offer(("PCMU",), encryption)


@pytest.mark.parametrize(
    "message",
    ["", "SIP/2.0 488 Not Acceptable Here\r\n\r\n", INVITE, INVITE + SESSION, INVITE + SESSION + audio(port=0)],
)
def test_no_audio(message: str) -> None:
    assert read_offer(message) is None


def test_sdp_inside_of_something_else_is_found() -> None:
    assert read_offer(f"{INVITE}--x\nContent-Type: application/sdp\n\n{SESSION}{audio()}\n--x--") == Offer(("PCMU",))


def test_keys_and_long_or_odd_names_are_never_taken_out() -> None:
    names = ("<script>", "0049301234567", "x" * 17, "a b", "G729\x00", "\udcff", "ï")
    maps = [f"a=rtpmap:{96 + number} {name}/8000" for number, name in enumerate(names)]
    assert offer(audio("RTP/SAVP", "96 97 98 99 100 101 102", *maps) + KEY) == Offer((), Encryption.SDES)


def test_what_is_endless_is_cut() -> None:
    maps = "".join(f"a=rtpmap:{number} C{number}/8000\r\n" for number in range(100))
    found = offer("m=audio 1 RTP/AVP " + " ".join(map(str, range(100))) + "\r\n" + maps)
    assert found is not None
    assert len(found.codecs) == MOST_CODECS
    assert read_offer(INVITE + "x" * LONGEST + "\r\n" + audio()) is None


def test_nothing_makes_it_fail() -> None:
    rng = random.Random(1)
    whole = INVITE + SESSION + audio("RTP/SAVP", "0 8 97", "a=rtpmap:97 iLBC/8000") + KEY
    for _ in range(2000):
        message = list(whole)
        for _ in range(rng.randrange(1, 12)):
            at = rng.randrange(len(message))
            message[at] = chr(rng.choice((0, 10, 13, 32, 47, 58, 61, 0xDCFF, rng.randrange(0x110000))))
        cut = "".join(message)[: rng.randrange(len(message))]
        found = read_offer(cut)
        assert found is None or all(len(codec) <= 16 for codec in found.codecs)
