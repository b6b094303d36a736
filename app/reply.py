"""One thing that the agent says: from the decision to say it until its last word was played, or cut.

A reply runs inside its own cancel scope; cancelling the scope is the interruption. Whatever way it ends, it then
tells the transcript and the brain what the caller really heard.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import trio

from app.announcing import announcement_of
from app.listening import Draft, Echo, KeyTones, NoTones
from app.outcomes import why_not_put_through
from app.ports import (
    BYTES_PER_MS,
    Action,
    Brain,
    Call,
    HangUp,
    Hearing,
    Line,
    Noted,
    Result,
    Say,
    SessionLog,
    Voice,
    VoiceActivity,
)
from app.pressing import NOT_PRESSED, Press, noted
from app.settings import Agent
from app.speech import Clause, Speech
from app.tones import ring_tone
from app.transfers import Handover, Transfer, TransferStep, concluded, number_of
from app.turn_times import Turn
from app.turns.endpoint import SpeechEnded
from app.turns.natural_pause import Because
from app.turns.said import are_words

# Sounds this short in which no recogniser found a word are coughs and clicks: asking "sorry?" would be odd.
_SHORTEST_WORD_MS = 400
# People begin to wonder whether anybody is there. The box's ears need 0.1 s, or 1.3 where a server leaves them waiting
# (app.speech_servers.HEARING_S): what takes longer is a process that is loaded, or started anew.
BRIDGES_AFTER_S, BRIDGES_AGAIN_AFTER_S = 1.8, 2.2
JUST_A_MOMENT, A_MOMENT_MORE = "Just a moment.", "A moment more."
# The voice may be ahead of the line by one whole clause (500 characters are 47 s at the slowest pace, in chunks of at
# least 50 ms), so that what was played of it can be told exactly.
_CLAUSE_CHUNKS = 950


@dataclass(frozen=True, slots=True)
class Parts:
    """What one call is made of. All of it is this call's own."""

    hearing: Hearing
    activity: VoiceActivity
    echo: Echo
    voice: Voice
    brain: Brain
    log: SessionLog
    agent: Agent
    tones: KeyTones = field(default_factory=NoTones)


@dataclass(frozen=True, slots=True)
class CallersTurn:
    """What the caller said last: where it lay on the audio clock, and its recognition under way."""

    draft: Draft
    start_ms: int
    ended: SpeechEnded
    commit_ms: int
    because: Because
    last_sound_ms: int
    interrupts: bool = False  # it cut the agent short
    keyed: bool = False  # nobody presses it again: speech after it does not take it back


@dataclass(frozen=True, slots=True)
class CameBack:
    """A caller who could not be put through."""

    person: str
    why: Result


@dataclass(slots=True)
class _Stages:
    """Wall-clock instants of one answer, in seconds; the turn's line in the session is made of them."""

    decode_ms: float
    heard_s: float
    first_action_s: float | None = None


class Reply:
    """At most one of these has the floor. `gone` is set when it holds nothing of the call any more."""

    def __init__(self, call: Call, parts: Parts, *, to: CallersTurn | None = None, of_brain: bool = True) -> None:
        """`to`: what it answers. `of_brain`: or the brain knows nothing of it."""
        self.to, self._of_brain = to, of_brain
        self.scope = trio.CancelScope()
        self.gone = trio.Event()
        self._hung_up_as = ""
        self.taken_back = False  # the caller goes on: the same turn comes again, longer
        self.preparing = False  # it has the floor, and its first audio is being made
        self.puts_through_to = ""  # whom, while that is tried
        self.presses = False  # keys, and is not done with it
        self.came_back: CameBack | None = None
        self._call, self._parts = call, parts
        self._speech = Speech()
        self._base_ms = 0
        self._held_at_ms: int | None = None
        self._held_ms = 0  # in all, of holds that are over
        self._thinking = self._finished = self._told = self._bridged = False
        self._to_words = False  # whether `to` held any, once that is known
        self._stages: _Stages | None = None
        self._callers_line: Line | None = None

    @classmethod
    def none(cls, call: Call, parts: Parts) -> Reply:
        """The reply before the first: already gone."""
        reply = cls(call, parts)
        reply.gone.set()
        return reply

    @property
    def hung_up_as(self) -> str:
        """What the talk came to, once this has ended it."""
        transferred = self._call.progress.transferred_s is not None and self.puts_through_to
        return concluded(self.puts_through_to) if transferred else self._hung_up_as

    @property
    def active(self) -> bool:
        return not self.gone.is_set()

    @property
    def answers_keys(self) -> bool:
        return self.to is not None and self.to.keyed

    @property
    def audible(self) -> bool:
        """The caller has heard a word of it."""
        return self.active and bool(self.said)

    @property
    def said(self) -> str:
        """What the caller has heard of it so far."""
        return self._speech.heard(self._call.mouth.played_ms)

    def hold(self) -> None:
        """Silent at once, until `go_on` or `stop`."""
        self._call.mouth.hold()
        self._held_at_ms = self._call.mouth.clock_ms

    def go_on(self) -> None:
        """From where `hold` stopped it. Without a hold, nothing happens."""
        if self._held_at_ms is not None:
            self._call.mouth.release()
            self._held_ms += self._call.mouth.clock_ms - self._held_at_ms
            self._held_at_ms = None

    def stop(self) -> None:
        """For good."""
        self._held_at_ms = None
        self.scope.cancel()
        self._call.mouth.hush()

    @property
    def is_away(self) -> bool:
        """It does something for which nobody's words matter: "thank you" takes nothing back, and a menu talks on."""
        return bool(self.puts_through_to) or self.presses

    @property
    def is_talk(self) -> bool:
        """It is said unasked, or answers words; what answers a sound is not."""
        return self.to is None or self._to_words

    async def run(self, before: Reply, actions: AsyncGenerator[Action, None] | None = None) -> None:
        """Say `actions`, or what the brain answers to `self.to`, once `before` is gone."""
        await before.gone.wait()  # also when cancelled meanwhile: whoever comes next must not overlap with `before`
        self._base_ms, self.preparing = self._call.mouth.played_ms, True
        try:
            with self.scope:
                if self.to is not None:
                    await self._bridge(self.to.draft)
                    actions = await self._think(self.to)
                if actions is not None:
                    await self._perform(actions)
                self._finished = self._speech.over_at(self._call.mouth.played_ms)  # or else the call has ended
        finally:
            self._account()
            self.gone.set()

    async def note(self) -> None:
        """The caller has hung up: hear `self.to` and let the brain note it; nobody is left to answer."""
        if self.to and (actions := await self._think(self.to)):
            await actions.aclose()
        self._tell_callers_line()

    async def _bridge(self, draft: Draft) -> None:
        """Until it is known what the caller said: nobody waits for that in silence."""
        patience_s, says = BRIDGES_AFTER_S, JUST_A_MOMENT
        while True:
            with trio.move_on_after(patience_s):
                await draft.heard()
                return
            await Reply(self._call, self._parts, of_brain=False).run(Reply.none(self._call, self._parts), _saying(says))
            self._base_ms, self._bridged = self._call.mouth.played_ms, True
            patience_s, says = BRIDGES_AGAIN_AFTER_S, A_MOMENT_MORE

    async def _think(self, turn: CallersTurn) -> AsyncGenerator[Action, None] | None:
        heard = await turn.draft.heard()
        self._to_words = are_words(heard, understood=self._parts.brain.understands(heard))
        awaits_answer = turn.ended.voiced_ms >= _SHORTEST_WORD_MS or turn.interrupts or self._bridged
        if not (heard.own or heard.general or awaits_answer):
            return None
        believed = self._parts.brain.believed(heard)
        self._callers_line = Line("caller", believed, turn.start_ms, turn.ended.since_ms)
        self._stages = _Stages(heard.decode_ms, trio.current_time())
        self._thinking = True
        return self._parts.brain.reply(heard)

    async def _perform(self, actions: AsyncGenerator[Action, None]) -> None:
        async with aclosing(actions):
            async for action in actions:
                if isinstance(action, Noted):
                    self._parts.log.note(self._call.mouth.clock_ms, action.text)
                    continue
                if self._stages and self._stages.first_action_s is None:
                    self._stages.first_action_s = trio.current_time()
                match action:
                    case Say(text):
                        await self._say(text)
                    case HangUp(conclusion):
                        await self._call.mouth.drained()
                        self._hung_up_as, self._finished = conclusion, True  # the end of the call ends us too
                        await self._call.hang_up()
                    case Transfer(person):
                        await self._put_through(person)
                    case Press(keys):
                        await self._press(keys)
        await self._call.mouth.drained()

    async def _was_heard(self) -> bool:
        """The caller has heard all that was said before; or the call has ended."""
        await self._call.mouth.drained()
        self._finished = self._speech.over_at(self._call.mouth.played_ms)
        if self._finished:
            self._tell_own_line()
        return self._finished

    async def _press(self, keys: str) -> None:
        if not await self._was_heard():
            return
        self._tell_callers_line()
        self._parts.log.note(self._call.mouth.clock_ms, noted(keys))  # also where the call ends with the last of them
        self.presses, self.preparing = True, False
        if not await self._call.press(keys):
            self._parts.log.note(self._call.mouth.clock_ms, NOT_PRESSED)
        self.presses = False

    async def _put_through(self, person: str) -> None:
        """Only once the caller has heard all that was said before; and only to whom the owner wrote down."""
        if not await self._was_heard():
            return
        self.puts_through_to, number = person, number_of(self._parts.agent, person)
        step = await self._handed_over(number) if number else TransferStep(Handover.FAILED)
        if step.handover is Handover.ANSWERED:
            await self._call.hang_up()
            return
        self.puts_through_to = ""
        self._parts.log.note(self._call.mouth.clock_ms, _in_words(person, step))
        self.came_back = CameBack(person, why_not_put_through(step))

    async def _handed_over(self, number: str) -> TransferStep:
        rings = trio.Event()

        def told(step: TransferStep) -> None:
            if step.rang:
                rings.set()

        async with trio.open_nursery() as waiting:
            waiting.start_soon(self._let_hear_ringing, rings)
            step = await self._call.transfer(number, told, self._introduces())
            waiting.cancel_scope.cancel()
        self._call.mouth.hush()
        return step

    def _introduces(self) -> Callable[[Call], Awaitable[bool]] | None:
        """Says to whoever answers who calls, where the agent should."""
        agent, voice = self._parts.agent, self._parts.voice
        announcement = announcement_of(agent, self._call.remote, self._parts.brain.results)
        return (lambda call: announcement(call, voice)) if announcement else None

    async def _let_hear_ringing(self, rings: trio.Event) -> None:
        """Nobody waits in silence."""
        await rings.wait()
        while True:
            await self._call.mouth.play(ring_tone())
            await trio.lowlevel.checkpoint()  # a call that has ended takes all at once

    async def _say(self, text: str) -> None:
        spoken_ms = sum(clause.audio_ms for clause in self._speech.clauses)
        clause = self._speech.add(text, from_ms=self._base_ms + spoken_ms)
        send, receive = trio.open_memory_channel[bytes](_CLAUSE_CHUNKS)
        async with trio.open_nursery() as both:
            both.start_soon(self._synthesise, clause, send)
            async for pcm in receive:
                self._mark_first_audio()
                await self._call.mouth.play(pcm)
                if self.audible:  # from here on, the turn can't be taken back
                    self._tell_callers_line()

    async def _synthesise(self, clause: Clause, send: trio.MemorySendChannel[bytes]) -> None:
        async with send, aclosing(self._parts.voice.speak(clause.text)) as chunks:
            async for pcm in chunks:
                clause.audio_ms += len(pcm) // BYTES_PER_MS
                await send.send(pcm)
            clause.complete = True

    def _mark_first_audio(self) -> None:
        if self._speech.start_ms is not None:
            return
        self.preparing = False
        self._speech.start_ms = now_ms = self._call.mouth.clock_ms
        if self.to is None or self._stages is None or self._stages.first_action_s is None:
            return
        self._parts.log.turn(
            Turn(
                speech_end_ms=self.to.last_sound_ms - self._call.behind_ms,
                commit_ms=self.to.commit_ms,
                first_audio_ms=now_ms,
                decode_ms=self._stages.decode_ms,
                brain_ms=(self._stages.first_action_s - self._stages.heard_s) * 1000,
                voice_ms=(trio.current_time() - self._stages.first_action_s) * 1000,
                pause_because=self.to.because.value,
            )
        )

    def _tell_callers_line(self) -> None:
        """Once, and only for a turn that stands."""
        line, self._callers_line = self._callers_line, None
        if line and not self.taken_back:
            self._parts.log.line(line)

    def _account(self) -> None:
        """What was really said goes into the transcript, and to the brain where it was cut."""
        if not self._finished:
            self._call.mouth.hush()  # only now can nothing more be added
        self._tell_callers_line()
        self._tell_own_line()
        if not self._finished and self._of_brain and (self._thinking or self._speech.clauses):
            self._parts.brain.interrupted(self._speech.heard(self._call.mouth.played_ms))

    def _tell_own_line(self) -> None:
        """Once."""
        start_ms, played_ms = self._speech.start_ms, self._call.mouth.played_ms
        said = self._speech.heard(played_ms)
        if said and start_ms is not None and not self._told:
            end_ms = start_ms + self._held_ms + played_ms - self._base_ms
            self._parts.log.line(Line("agent", said, start_ms, end_ms, interrupted=not self._finished))
            self._told = True


async def _saying(text: str) -> AsyncGenerator[Action, None]:
    yield Say(text)


def _in_words(person: str, step: TransferStep) -> str:
    """For whoever reads the session."""
    code = f"{step.sip_code} " if step.sip_code else ""
    because = f": {code}{step.reason}".rstrip() if step.reason or code else ""
    return f"{person} could not be reached{because}"
