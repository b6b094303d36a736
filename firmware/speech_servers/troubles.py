"""What goes wrong between the box and a server that hears or speaks for it, and what its owner can do about it."""

from __future__ import annotations

from enum import Enum

from app.speech_servers import SpeechFailed
from app.web_addresses import NEEDS_TLS

LONGEST_DETAIL = 200
"""Characters of a server's own words that are shown."""


class Trouble(Enum):
    NO_NAME = "its host name cannot be found. Check the spelling, or use its address"
    NOBODY = "nothing answers at its address. Check that the server is on, the port right, and no firewall between"
    NOT_PRIVATE = f"its address is not in your own network, and {NEEDS_TLS}. Use https://"
    IN_CLEAR = "its address is not in your own network, and the Wyoming protocol has no encryption. Use a server there"
    CERTIFICATE = (
        "its certificate is not trusted: made by itself, expired, or for another name. Give the server one of a public "
        "authority; in your own network, http:// works without"
    )
    WRONG_KEY = "it refuses the key. Enter the right key under Settings > Connectivity"
    NOT_THERE = "it knows no such model or voice, or its path is wrong. Compare them, and the end of the address"
    TOO_MANY = "it has too much to do, or the account's quota is used up. Look into the account, or try again later"
    REFUSED = "it does not take the question. Check model and voice, and that the server is for what it is asked"
    ITS_FAULT = "it met an error of its own. Look into the server's log"
    MOVED = "it says that it has moved. Enter the new address under Settings > Connectivity"
    GARBAGE = "what answers is no speech server of this kind: it sent something else. Check address and port"
    NO_EARS = "it does not hear: it offers no speech-to-text. Enter the address of one that does"
    NO_VOICE = "it does not speak: it offers no text-to-speech. Enter the address of one that does"
    CUT = "it broke off in the middle. Look into the server's log"
    SLOW = "it is too slow. Look at how busy the server is, or take a smaller model"
    EARLY = "it answered before everything was said. Switch off its own detection of silence"
    MUTE = "it sent no sound. Try another voice"
    SOUND = "its sound is of a kind that the box cannot play. Choose 16-bit PCM, mono or stereo"
    TOO_LONG = "its answer does not end. Try another model or voice"


def failed(trouble: Trouble, status: int = 0, detail: str = "") -> SpeechFailed:
    code = f" ({status})" if status else ""
    return SpeechFailed(f"the speech server cannot be used{code}: {trouble.value}", detail[:LONGEST_DETAIL])
