"""Is anybody there? What is heard, and whether there are words in it, in; what the agent does about the silence out."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from app.listening import Draft, Listener
from app.ports import Heard
from app.presence import Presence
from app.turns.silence import Silence
from tests.fakes.speech import FakeActivity, FakeEcho, FakeHearing

pytestmark = pytest.mark.unit

LIMIT_MS = 60_000
WORDS, MUSIC = Heard("my story", "my story"), Heard("park", "moon")


class Line(Listener):
    """Where somebody talks, or music plays, as long as the test says so."""

    talks = False

    @property
    def in_speech(self) -> bool:
        return self.talks


@dataclass
class Room:
    listener: Line = field(default_factory=lambda: Line(FakeHearing({}, 0.0), FakeActivity(), FakeEcho()))
    drafts: list[Draft] = field(default_factory=list)

    def presence(self) -> Presence:
        return Presence(self.listener, LIMIT_MS, self._drafted, lambda heard: heard == WORDS)

    def _drafted(self) -> Draft:
        self.drafts.append(Draft())
        return self.drafts[-1]


async def found(draft: Draft, heard: Heard) -> None:
    class Found(FakeHearing):
        async def finish(self) -> Heard:
            return heard

    await draft.make(Found({}, 0.0))


def test_in_silence_it_asks_at_half_time_and_gives_up_at_the_end() -> None:
    presence = Room().presence()
    said = {at_ms: step for at_ms in range(0, 70_000, 1_000) if (step := presence.feed(at_ms, 0, None))}
    assert said == {30_000: Silence.CHECK_IN, 60_000: Silence.GIVE_UP}
    assert presence.asked


async def test_into_sound_it_asks_once_no_words_were_found_in_it() -> None:
    room = Room()
    room.listener.talks, presence = True, room.presence()
    assert presence.feed(30_000, 10_000, None) is None
    assert room.listener.keeps_back
    assert not presence.asked
    await found(room.drafts[0], MUSIC)
    assert presence.feed(30_200, 10_000, None) is Silence.CHECK_IN
    assert not room.listener.keeps_back


async def test_words_in_it_begin_the_silence_anew() -> None:
    room = Room()
    room.listener.talks, presence = True, room.presence()
    presence.feed(30_000, 10_000, None)
    await found(room.drafts[0], WORDS)
    assert presence.feed(30_200, 10_000, None) is None
    assert not room.listener.keeps_back
    room.listener.talks = False
    assert presence.feed(60_000, 10_000, None) is None
    assert presence.feed(60_200, 10_000, None) is Silence.CHECK_IN


def test_speech_that_has_just_begun_is_waited_for() -> None:
    room = Room()
    room.listener.talks, presence = True, room.presence()
    assert presence.feed(30_000, 29_500, None) is None
    assert room.drafts == []
    room.listener.talks = False
    assert presence.feed(30_600, 29_500, None) is Silence.CHECK_IN


async def test_a_recognition_under_way_is_waited_for() -> None:
    presence, draft = Room().presence(), Draft()
    assert presence.feed(30_000, 29_000, draft) is None
    await found(draft, MUSIC)
    assert presence.feed(30_100, 29_000, draft) is Silence.CHECK_IN


def test_a_recogniser_that_never_answers_does_not_hold_the_call_for_ever() -> None:
    room = Room()
    room.listener.talks, presence = True, room.presence()
    steps = {presence.feed(at_ms, 0, None) for at_ms in range(0, 3 * LIMIT_MS, 1_000)}
    assert steps == {None, Silence.LEAVE}
