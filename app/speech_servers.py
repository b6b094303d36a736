"""Servers that hear and speak for the box: what is needed of them, when they are asked, and what the box says itself
where they fail. app/ports.py, continued.

The box's own ears hear beside a server, and its own voice stands ready, so that no turn is lost with one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol

from app.ports import BYTES_PER_MS
from app.speech import CHARACTER_MS, Clause

HEARING_S: Final = 1.3
"""For a server's words, from when they are asked for, 0.2 s after the caller's last one. With `SPEAKING_S`, and 0.2 s
for everything else, a caller of whom both servers make a fool hears something after 2.5 s: within 3 s, with half a
second for the line and a busy box."""

SPEAKING_S: Final = 0.8
"""For the first sound of a clause; and so long may the caller wait in the middle of one."""

LONGEST_SILENCE_MS: Final = 800
"""Inside one clause: longer than between sentences. What goes beyond is left out, so that a server that sends nothing
but silence has sent nothing."""

LONGEST_HEARD: Final = 4000
"""Characters. Nobody says more in the minute that is listened to."""

# The slowest speech has ten characters a second, and flite makes 47 s of the longest clause.
_SLOWEST_MS, _SOME_MS, _LONGEST_SPEECH_MS = 250, 3_000, 47_000
# How much a caller hears twice, rather than not at all: how far a server came is only known by how long it spoke.
_WORDS_AGAIN = 2

Told = Callable[[str], None]
"""Hears, for whoever reads the session, what became of a server. Holds nothing that was said."""


class SpeechFailed(Exception):
    """A server did not hear, or did not speak to the end. The text says why in words of ours, and holds nothing that
    was said: it may be logged. `detail`: what the server says of it, for the eyes of whoever set it up."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(why)
        self.detail = detail


class EarsServer(Protocol):
    async def transcribe(self, audio: AsyncIterator[bytes]) -> str:
        """The words in `audio`, which is handed over as it comes, and ends. Cancel it for audio that goes on after
        all.

        Raises: SpeechFailed.
        """


class VoiceServer(Protocol):
    async def speak(self, text: str, hand_over: Callable[[bytes], Awaitable[None]]) -> None:
        """`text` as audio of the line's rate, in chunks of at most 200 ms.

        Raises: SpeechFailed.
        """


class Rest:
    """When a server that failed is asked again: at first soon, since many failures are a restart; then less and less
    often, since each try costs a turn its patience. Pure: instants are in seconds of any clock that goes on."""

    FIRST_S, LONGEST_S = 15.0, 240.0

    def __init__(self) -> None:
        self.why = ""
        """What failed last; empty while it works."""
        self._until_s, self._rest_s = 0.0, 0.0

    def ready(self, now_s: float) -> bool:
        return now_s >= self._until_s

    def failed(self, now_s: float, why: str) -> float:
        """How many seconds it is left alone. Of those who asked at the same time, only the first counts."""
        if self.ready(now_s):
            self._rest_s = min(self.LONGEST_S, 2 * self._rest_s or self.FIRST_S)
            self._until_s = now_s + self._rest_s
        self.why = why
        return self._until_s - now_s

    def worked(self) -> bool:
        """Whether it had not, before."""
        was, self.why, self._until_s, self._rest_s = self.why, "", 0.0, 0.0
        return bool(was)


def longest_speech_ms(text: str) -> int:
    """No voice takes longer for `text`: what goes on is no speech."""
    return min(_LONGEST_SPEECH_MS, _SOME_MS + _SLOWEST_MS * len(text))


def unspoken(text: str, spoken_bytes: int) -> str:
    """What is left to say of `text` after so much audio, with a word or two from before. Nothing after twice as much as
    it takes at an even pace."""
    spoken_ms = spoken_bytes // BYTES_PER_MS
    if spoken_ms >= 2 * CHARACTER_MS * len(text):
        return ""
    words = text.split(" ")
    said = Clause(text, 0, spoken_ms).heard(spoken_ms)
    return " ".join(words[max(0, len(said.split(" ")) - _WORDS_AGAIN) :] if said else words)
