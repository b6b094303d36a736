"""The story of one call. Read this first.

The caller's frames are the clock: each 32 ms chunk of them may bring a turn event, a barge-in or a silence event,
and nothing else makes the agent act. A short pause *drafts* the recognition, the natural pause *commits* it to a
reply, and a reply is a task with its own cancel scope: an interruption is its cancellation. Replies never overlap;
each waits for the one before to be gone.

May not happen here: anything shared between calls, a wait without an end when the call is over (the ears end, and
everything in the nursery with them), a word in the transcript that was not played.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import trio

from app.dictation import Dictated
from app.echo import rms_dbfs
from app.listening import Chunk, Draft, Listener
from app.ports import Action, Call, Expects, Heard
from app.presence import Presence
from app.reply import CallersTurn, Parts, Reply
from app.screening import Screening, Step
from app.turns.answering_machine import PAUSE_MS
from app.turns.barge_in import BargeIn, Move, Why
from app.turns.endpoint import SpeechEnded, SpeechPaused, SpeechResumed, SpeechStarted
from app.turns.keys import PAUSE_MS as PAUSE_AFTER_KEYS_MS
from app.turns.keys import Dtmf, Keys, KeyWays
from app.turns.natural_pause import Because, Pause, longest_pause_ms, natural_pause
from app.turns.said import are_words, said
from app.turns.silence import HoldClock, Silence

# A draft that the caller spoils by going on costs a second recognition of the utterance so far. Questions are short;
# a dictated message with many pauses would fall ever further behind.
_LONGEST_DRAFT_MS = 4_000
# Longer than any "uh-huh", "yes" or "okay".
_SENTENCE_MS = 600
# Finishing a recognition takes 0.1 s on x86; the seat is not held longer than this for words that nobody waits for.
_LAST_WORDS_S = 5.0
INTERRUPTED_BY = "Interrupted by"
"""How a note of the session begins that says why the agent stopped."""
NOT_INTERRUPTED_BY = "As the call began, not interrupted by"


async def converse(call: Call, parts: Parts, screening: Screening | None = None) -> str:
    """Hold the conversation of an answered call until the call ends; return what it came to. With `screening`, wait
    until it is clear who answered before anything is said.

    That is what the agent hung up with, "transferred to" somebody whom it put the caller through to, "silence" where it
    left a caller whom it could not reach any more, and nothing where the caller hung up.
    """
    listener = Listener(parts.hearing, parts.activity, parts.echo, parts.tones)
    async with trio.open_nursery() as turns:
        floor = Floor(call, parts, listener, turns, screening)
        if screening is None:
            floor.greet()
        turns.start_soon(floor.take_keys)
        async for frame in call.ears():
            for chunk in listener.chunks(frame, floor.pause.ms):
                await floor.hear(chunk)
        await floor.last_words()
        turns.cancel_scope.cancel()
    return floor.conclusion


class Floor:
    """Who has the floor: at most one reply, the draft of the next, and the deciders that look at each chunk."""

    def __init__(
        self, call: Call, parts: Parts, listener: Listener, turns: trio.Nursery, screening: Screening | None = None
    ) -> None:
        self._call, self._parts, self._listener, self._turns = call, parts, listener, turns
        self._screening = screening
        self._put_off: CallersTurn | None = None  # said before it was clear who spoke
        self._barge_in = BargeIn()
        self._barge_in.learn()
        self._keys, self._key_ways = Keys(), KeyWays()
        self._presence = Presence(listener, round(parts.agent.silence_s * 1000), self._drafted, self._are_words)
        self._reply = Reply.none(call, parts)
        self._draft: Draft | None = None
        self._pause: Pause | None = None  # by the words of the draft
        self._judged = False  # whether the words of the draft were looked at
        self._waved_off = False  # it was no interruption, and no turn
        self._late: SpeechEnded | None = None  # said over the agent or before it, of words not known yet
        self._speech_start_ms = self._now_ms = 0
        self._interrupted = False
        self._played_ms = 0
        self._left = False
        self._over_sound: Reply | None = None  # said although something is heard, in which there are no words
        self._greeting: Reply | None = None
        self._hold = HoldClock()

    @property
    def conclusion(self) -> str:
        """Set once the agent has hung up."""
        return self._reply.hung_up_as or ("silence" if self._left else "")

    @property
    def _held(self) -> bool:
        """Nobody has the floor but a message for a machine."""
        return self._screening is not None and self._screening.holds

    @property
    def pause(self) -> Pause:
        """The pause that ends the caller's turn, as of now: their words so far decide, once they are known."""
        if self._held:
            return Pause(PAUSE_MS, Because.PLAIN)
        brain, base_ms = self._parts.brain, self._parts.agent.pause_ms
        if self._draft is None:
            return natural_pause(brain.expects, base_ms, None)
        heard = self._draft.found
        if heard is None:
            return Pause(longest_pause_ms(base_ms), Because.PLAIN)
        if self._pause is None:
            self._pause = natural_pause(brain.expects, base_ms, heard, understood=brain.understands(heard))
        return self._pause

    async def hear(self, chunk: Chunk) -> None:
        """One chunk of the caller: first its event, then the deciders that look at the state which that leaves."""
        self._now_ms = chunk.end_ms
        self._mind_words()
        if isinstance(chunk.event, SpeechStarted):
            await self._caller_starts(chunk.event.since_ms)
        await self._listener.take(chunk)
        match chunk.event:
            case SpeechPaused(since_ms) if since_ms - self._speech_start_ms <= _LONGEST_DRAFT_MS:
                self._draft = self._drafted()
            case SpeechResumed():
                self._forget_draft()
            case SpeechEnded() as ended if self._held:
                self._put_off_turn(self._turn(ended, chunk.end_ms))
            case SpeechEnded() as ended if self._is_hello(ended):
                self._late = None if self._judged else ended
                self._note(f"{NOT_INTERRUPTED_BY} {Why.HELLO.value}")
            case SpeechEnded() as ended if self._is_turn(ended):
                turn = self._turn(ended, chunk.end_ms)
                self._give_floor(Reply(self._call, self._parts, to=turn))
            case SpeechEnded() as ended if self._interruptible and not self._judged:
                self._late = ended
            case SpeechPaused() | SpeechStarted() | SpeechEnded() | None:
                pass
        self._mind_answerer(chunk)
        self._mind_put_off()
        self._mind_tones(chunk)
        self._mind_keys(chunk.end_ms)
        self._mind_return()
        self._mind_interruption(chunk)
        self._mind_silence(chunk.end_ms)

    def _is_turn(self, ended: SpeechEnded) -> bool:
        """Over the agent's speech, it was an "uh-huh", or else the caller would have interrupted; a whole sentence
        that was not allowed to interrupt is answered after the agent's own."""
        if self._waved_off or self._reply.is_away or self._keys.pressed:
            return False
        spoken_over = self._reply.audible and not self._interrupted
        finishes = self._is_protected or not self._parts.agent.barge_in
        return not spoken_over or (finishes and ended.voiced_ms >= _SENTENCE_MS)

    @property
    def _awaits_greeting(self) -> bool:
        """Somebody called, and has not heard anything yet."""
        greets = self._reply is self._greeting and self._reply.active and not self._reply.audible
        return greets and self._call.direction == "inbound"

    def _is_hello(self, ended: SpeechEnded) -> bool:
        """Said into the silence before the greeting, which is the answer to it."""
        heard = self._draft.found if self._draft else None
        understood = heard is not None and self._parts.brain.understands(heard)
        return self._awaits_greeting and ended.voiced_ms < _SENTENCE_MS and not understood

    @property
    def _is_protected(self) -> bool:
        """A greeting that every caller has to have heard."""
        return self._parts.agent.protect_greeting and self._reply is self._greeting and self._reply.active

    async def last_words(self) -> None:
        """The call is over: what the caller said last, and got no answer to, still counts."""
        unanswered = self._reply.to if self._reply.active and not self._reply.audible else self._put_off
        answers_keys = self._reply.active and self._reply.answers_keys
        if self._listener.in_speech and not (self._reply.audible or answers_keys):
            voiced_ms = self._now_ms - self._speech_start_ms
            unanswered = self._turn(SpeechEnded(self._now_ms, voiced_ms), self._now_ms)
        unanswered = self._keyed(self._now_ms + PAUSE_AFTER_KEYS_MS) or unanswered
        if unanswered is None:
            return
        self._reply.taken_back = True
        self._reply.scope.cancel()
        with trio.move_on_after(_LAST_WORDS_S):
            await self._reply.gone.wait()
            await Reply(self._call, self._parts, to=unanswered).note()

    def _turn(self, ended: SpeechEnded, now_ms: int) -> CallersTurn:
        interrupts, self._interrupted = self._interrupted, False
        because = self.pause.because
        self._draft = self._draft or self._drafted()
        sound_ms = self._listener.last_sound_ms if ended.since_ms < now_ms else now_ms
        return CallersTurn(self._draft, self._speech_start_ms, ended, now_ms, because, sound_ms, interrupts)

    def _are_words(self, heard: Heard) -> bool:
        return are_words(heard, understood=self._parts.brain.understands(heard))

    def _forget_draft(self) -> None:
        """The caller goes on."""
        self._draft = self._pause = self._late = None
        self._judged = self._waved_off = False

    def _drafted(self) -> Draft:
        draft = Draft()
        self._turns.start_soon(draft.make, self._parts.hearing)
        return draft

    def greet(self) -> None:
        self.say(self._parts.brain.greet())
        self._greeting = self._reply

    def say(self, actions: AsyncGenerator[Action, None]) -> None:
        """Say something unasked: the greeting, the check-in, the good-bye."""
        self._give_floor(Reply(self._call, self._parts), actions)

    def _say_into_silence(self, actions: AsyncGenerator[Action, None]) -> None:
        """Or into music: that does not interrupt it."""
        self.say(actions)
        self._over_sound = self._reply if self._listener.in_speech else None

    def _give_floor(self, reply: Reply, actions: AsyncGenerator[Action, None] | None = None) -> None:
        before, self._reply = self._reply, reply
        self._barge_in.over()
        before.go_on()  # or it would never be gone
        self._turns.start_soon(reply.run, before, actions)

    async def _caller_starts(self, since_ms: int) -> None:
        """Whoever speaks first goes first; and until an answer is audible, the caller just goes on with the turn
        that a pause had seemed to end."""
        over_sound = self._reply is self._over_sound
        unheard = self._reply.active and not self._reply.audible and not self._held and not over_sound
        unheard = unheard and not (self._is_protected or self._reply.is_away or self._reply.answers_keys)
        if unheard and self._awaits_greeting:
            # Who calls waits to be greeted: what is heard by then is the room, or a hello.
            unheard = False
            self._barge_in.learn()
        goes_on = unheard and self._reply.to is not None
        if unheard:
            self._reply.taken_back = goes_on
            self._reply.scope.cancel()
        if self._put_off and not self._put_off.draft.found:  # it would be given the words that come now
            self._put_off, goes_on = None, True
        if not goes_on:
            self._speech_start_ms = since_ms
        self._forget_draft()
        self._put_off_turn(None)
        await self._listener.begin(anew=not goes_on, expected=self._awaited)

    @property
    def _awaited(self) -> Dictated:
        """What the recogniser is to listen for."""
        brain = self._parts.brain
        is_free = brain.dictated is Dictated.NOTHING and brain.expects in (Expects.MESSAGE, Expects.NAME)
        return Dictated.FREE if is_free else brain.dictated

    def _mind_answerer(self, chunk: Chunk) -> None:
        match self._screening.feed(chunk) if self._screening else None:
            case Step.TALK:
                self._begin_talk()
            case Step.HANG_UP:
                self._turns.start_soon(self._call.hang_up)
            case Step.LEAVE_MESSAGE if self._screening:
                self._reply.stop()  # a person was greeted, and then it beeped
                self.say(self._screening.say_message())
            case _:
                pass

    def _begin_talk(self) -> None:
        """The greeting answers the first words, whatever they were; without one, the brain does."""
        if self._parts.agent.greeting:
            self.greet()
        elif self._put_off:
            reply, self._put_off = Reply(self._call, self._parts, to=self._put_off), None
            self._give_floor(reply)

    def _put_off_turn(self, turn: CallersTurn | None) -> None:
        """Keep `turn` until it is clear who speaks; the one before gets its line in the transcript and no answer."""
        before, self._put_off = self._put_off, turn
        if before:
            self._turns.start_soon(Reply(self._call, self._parts, to=before).note)

    def _mind_put_off(self) -> None:
        """It is clear who speaks, and what they said first is known."""
        if not self._held and self._put_off and self._put_off.draft.found:
            self._put_off_turn(None)

    async def take_keys(self) -> None:
        async for key in self._call.dtmf():
            if self._key_ways.message(key):
                self._take_key(key)

    def _take_key(self, key: Dtmf) -> None:
        """Where a number was asked for, keys answer; elsewhere they mean nothing."""
        if not self._parts.brain.takes_keys:
            return
        self._keys.press(key)
        if self._reply.audible:  # they know the question
            self._reply.stop()

    def _mind_tones(self, chunk: Chunk) -> None:
        if chunk.key:
            key = Dtmf(chunk.key, chunk.start_ms)
            if self._key_ways.tone(key, has_events=self._call.has_key_events):
                self._take_key(key)

    def _mind_keys(self, now_ms: int) -> None:
        if keyed := self._keyed(now_ms):
            self._give_floor(Reply(self._call, self._parts, to=keyed))

    def _keyed(self, now_ms: int) -> CallersTurn | None:
        start_ms, number = self._keys.start_ms, self._keys.feed(now_ms)
        if not number:
            return None
        ended = SpeechEnded(self._keys.last_ms, self._keys.last_ms - start_ms)
        draft, last_ms = Draft.of(Heard(number, number)), self._keys.last_ms
        return CallersTurn(draft, start_ms, ended, now_ms, Because.DICTATED, last_ms, keyed=True)

    def _mind_return(self) -> None:
        """Who could not be put through is told so."""
        if (back := self._reply.came_back) and not self._reply.active:
            self.say(self._parts.brain.not_put_through(back.person, back.why))

    @property
    def _interruptible(self) -> bool:
        may = self._reply.audible and self._parts.agent.barge_in and not self._held and not self._is_protected
        return may and not self._reply.is_away

    def _mind_interruption(self, chunk: Chunk) -> None:
        """By how long the caller speaks over the agent."""
        may_interrupt = self._interruptible and self._reply is not self._over_sound
        if not may_interrupt:
            self._barge_in.over()
            self._reply.go_on()
        if may_interrupt or self._barge_in.is_learning:
            awaits_words = self._listener.in_speech and not self._waved_off
            span = chunk.start_ms, chunk.end_ms, chunk.probability
            level_dbfs = rms_dbfs(chunk.pcm)
            self._interrupt(self._barge_in.feed(*span, level_dbfs=level_dbfs, awaits_words=awaits_words))

    def _mind_words(self) -> None:
        """By what the caller has said: once, as soon as it is known."""
        heard = self._draft.found if self._draft else None
        if heard is None or self._judged:
            return
        self._judged = True
        understood = self._parts.brain.understands(heard)
        if are_words(heard, understood=understood):
            self._presence.words(self._now_ms)
        if self._interruptible:
            what = said(heard, understood=understood, ours=self._reply.said)
            move = self._barge_in.words(what)
            self._waved_off = move is Move.GO_ON
            self._interrupt(move)
            if move is not Move.STOP and (why := self._barge_in.passes_over(what, self._speech_start_ms)):
                self._note(f"{NOT_INTERRUPTED_BY} {why.value}")
        late, self._late = self._late, None
        if late and (self._interrupted or (understood and not self._reply.audible)):
            self._give_floor(Reply(self._call, self._parts, to=self._turn(late, self._now_ms)))

    def _interrupt(self, move: Move | None) -> None:
        match move:
            case Move.HOLD:
                self._reply.hold()
            case Move.GO_ON:
                self._reply.go_on()
            case Move.STOP:
                self._interrupted = True
                self._reply.stop()
                self._note(f"{INTERRUPTED_BY} {self._barge_in.why.value}")
            case None:
                pass

    def _note(self, text: str) -> None:
        self._parts.log.note(self._call.mouth.clock_ms, text)

    def _mind_silence(self, now_ms: int) -> None:
        played_ms, self._played_ms = self._played_ms, self._call.mouth.played_ms
        stuck = not self._reply.preparing and played_ms == self._played_ms  # on hold: the line takes nothing from us
        speaking = self._reply.active and self._reply.is_talk and not stuck
        speaking = speaking and not self._presence.asked  # or it is the check-in
        speaking = speaking or self._reply.is_away or self._keys.pressed
        speaking = self._hold.excused(now_ms, on_hold=self._call.on_hold) or speaking
        if speaking or (self._held and not self._reply.active):
            self._presence.words(now_ms)
        match self._presence.feed(now_ms, self._speech_start_ms, self._draft):
            case Silence.CHECK_IN:
                self._say_into_silence(self._parts.brain.check_in())
            case Silence.GIVE_UP:
                self._say_into_silence(self._parts.brain.say_goodbye())
            case Silence.LEAVE:
                self._left = True
                self._turns.start_soon(self._call.hang_up)
            case None:
                pass
