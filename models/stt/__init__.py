"""Speech to text: what a caller said, as words."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

SAMPLE_RATE_HZ = 16_000


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance as two recognisers understood it: in lower case, without punctuation, numbers in words.

    `own` comes from the language model made of the agent's own words, `general` from the dictation model.
    `decode_ms` is what finishing took, in wall-clock milliseconds. `off_topic` is by how much `general` fits the sound
    better than `own`, a log-likelihood ratio in nats per 10 ms; 0 where that cannot be told. `others`: where dictation
    was expected, what `own` may have been, best first.
    """

    own: str
    general: str
    decode_ms: float = 0.0
    off_topic: float = 0.0
    others: tuple[str, ...] = ()


class Hearing(Protocol):
    """One call's recogniser."""

    async def begin(self, expected: str = "") -> None:
        """Start a new utterance; the audio of the one before is forgotten. `expected`: what `own` is to listen for
        instead of the agent's words, a name of LanguageModel.dictation; one that there is not means nothing."""

    async def feed(self, pcm: bytes) -> None:
        """More of the utterance: any whole number of samples of 16 kHz mono signed 16-bit little-endian audio.

        Never waits for the engine. May be called again after `finish`, when the caller went on after all: the next
        `finish` then covers everything since `begin`. Audio fed before the first `begin` is refused.

        Raises: ValueError for half a sample.
        """

    async def hurry(self) -> None:
        """The utterance may be over: begin with whatever was put off, so that `finish` is sooner done. The caller may
        go on all the same. Never waits for the engine."""

    async def finish(self) -> Heard:
        """The utterance since `begin`. Empty strings where nothing was understood."""


class Ears(Protocol):
    def open(self, *, narrow_band: bool) -> AbstractAsyncContextManager[Hearing]:
        """A recogniser for one call; `narrow_band` for telephone audio (8 kHz codecs).

        A crash of the engine is mended inside: the utterance under way may come back empty, the call goes on.
        """
