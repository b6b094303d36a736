"""Is anybody there? The silence counts from the last words, not from the last sound.

Music, comfort noise and a radio are speech to a voice activity detector, for minutes; recognisers find no words in
them. So only words begin the silence anew, the caller's or those of an answer to them. Where the agent should ask
"are you there?" or say good-bye while it hears something, it first finds out whether there are words in that.
"""

from __future__ import annotations

from collections.abc import Callable

from app.listening import Draft, Listener
from app.ports import Heard
from app.turns.silence import Silence, SilenceClock

# The first words of a sentence are not told from music yet; by then, people have made a pause, or said a few more.
_TELLING_MS = 4_000


class Presence:
    """Of one call. `drafted` begins a recognition of what was said so far, `are_words` judges one."""

    def __init__(
        self, listener: Listener, limit_ms: int, drafted: Callable[[], Draft], are_words: Callable[[Heard], bool]
    ) -> None:
        self._listener, self._drafted, self._are_words = listener, drafted, are_words
        self._clock = SilenceClock(limit_ms)
        self._doubted: Silence | None = None  # what is to be done if there are no words in what is heard
        self._probe: Draft | None = None

    @property
    def asked(self) -> bool:
        """The check-in of this silence is over or under way."""
        return self._clock.asked and self._doubted is None

    def words(self, at_ms: int) -> None:
        """Somebody said something that ended at `at_ms`."""
        self._clock.words(at_ms)
        self._believe()

    def feed(self, now_ms: int, since_ms: int, draft: Draft | None) -> Silence | None:
        """The audio clock has come to `now_ms`. `since_ms`: where the last speech began; `draft`: of it, if any, and
        reported by `words` if it has some."""
        step = self._clock.feed(now_ms)
        if step is Silence.LEAVE:
            self._believe()
            return step
        self._doubted = step or self._doubted
        if self._doubted is None:
            return None
        if self._listener.in_speech:
            return self._in_speech(now_ms, now_ms - since_ms, draft)
        return None if draft and draft.found is None else self._believe()

    def _in_speech(self, now_ms: int, lasts_ms: int, draft: Draft | None) -> Silence | None:
        if self._probe and not (self._probe.found or self._probe is draft or self._listener.keeps_back):
            self._probe = None  # a pause, or the end of one, came first: nothing more will be found for it
        if self._probe is None and lasts_ms >= _TELLING_MS:
            self._probe = draft or self._probed()
        heard = self._probe.found if self._probe else None
        if heard is None:
            return None
        if self._are_words(heard):
            self.words(now_ms)
        return self._believe()

    def _probed(self) -> Draft:
        self._listener.keeps_back = True
        return self._drafted()

    def _believe(self) -> Silence | None:
        step, self._doubted, self._probe = self._doubted, None, None
        self._listener.keeps_back = False
        return step
