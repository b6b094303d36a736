"""The offline receptionist: answers in its owner's words, or asks, and never makes anything up.

It is deterministic. Each utterance makes a new `_Mind` out of the last one, so that a reply which the caller never
heard (they went on speaking) is undone by taking the old one back.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from app.brains import taking_messages
from app.brains.answers import yes_or_no
from app.brains.clauses import clauses
from app.brains.intents import Act, Intent, Kind, intents_of
from app.brains.matching import Decision, Matcher, Verdict
from app.brains.numbers import digits_in
from app.brains.taking_messages import Note, Stage
from app.brains.words import words
from app.ports import Action, Expects, HangUp, Heard, Likeness, Say
from app.settings import Agent

_log = logging.getLogger(__name__)

# After this many utterances in a row that led to nothing, the agent offers to take a message instead.
_FAILURES = 2
# A guess is worth offering beside the first where it is at least half as likely.
_SECOND_GUESS = 0.5
# Two recognisers as alike as this have heard the same sentence.
_AGREED = 0.75

_ANYTHING_ELSE = "Is there anything else I can do for you?"
_AGAIN = "I am sorry, I did not understand you. Please say it in other words."
_OFFER_MESSAGE = "I am sorry, I cannot help you with that. Shall I take a message?"


@dataclass(frozen=True, slots=True)
class _Mind:
    """All that the receptionist remembers of a call."""

    expects: Expects = Expects.ANYTHING
    last_said: str = ""
    guesses: tuple[Intent, ...] = ()  # what it asked whether it was meant
    offered_message: bool = False
    offered_end: bool = False  # it asked whether there was anything else
    failures: int = 0
    wanted: str = ""  # the person whom the caller asked for
    note: Note | None = None
    outcome: str = ""  # set: hang up once this is said


class Receptionist:
    """The brain of one call. The matcher may be shared by all calls of an agent: it holds nothing of a call."""

    def __init__(self, agent: Agent, matcher: Matcher) -> None:
        self._agent, self._matcher = agent, matcher
        self._mind = self._before = _Mind()
        self._decided: tuple[Heard, Decision] | None = None

    @property
    def expects(self) -> Expects:
        return self._mind.expects

    @property
    def results(self) -> dict[str, str]:
        wanted = {"wanted": self._mind.wanted} if self._mind.wanted else {}
        return wanted | (self._mind.note.results() if self._mind.note else {})

    @property
    def decision(self) -> Decision | None:
        """How the last utterance was understood, for traces and benches."""
        return self._decided[1] if self._decided else None

    def greet(self) -> AsyncGenerator[Action, None]:
        return self._become(replace(self._mind, last_said=self._agent.greeting))

    def check_in(self) -> AsyncGenerator[Action, None]:
        self._before = self._mind  # nothing is taken back if this is never heard
        return _speak("Are you still there?")

    def say_goodbye(self) -> AsyncGenerator[Action, None]:
        return self._become(self._parting(self._mind, "silence"))

    def reply(self, heard: Heard) -> AsyncGenerator[Action, None]:
        return self._become(self._next(replace(self._mind, outcome=""), heard))

    def interrupted(self, said: str) -> None:
        """What was never heard was never said: the caller went on, and the whole utterance comes again."""
        if not said.strip():
            self._mind = self._before
        elif self._mind.note is not None and words(said) == words(self._mind.last_said)[: len(words(said))]:
            self._mind = replace(self._mind, note=self._mind.note.cut_off(said))

    def believed(self, heard: Heard) -> str:
        if not (heard.own and heard.general) or self._mind.expects in (Expects.MESSAGE, Expects.NAME):
            return heard.general or heard.own
        if self._mind.expects is Expects.NUMBER:
            return heard.own if digits_in(heard.own) else heard.general
        decision = self._decide(heard)
        answered = self._mind.expects is Expects.YES_NO and yes_or_no(heard) is not None
        agreed = answered or decision.verdict is Verdict.BELIEVE or decision.agreement >= _AGREED
        return heard.own if agreed else heard.general

    def _become(self, mind: _Mind) -> AsyncGenerator[Action, None]:
        """Change the mind now, not when the first clause is taken: a reply may be thrown away before that."""
        self._before, self._mind = self._mind, mind
        return _speak(mind.last_said, mind.outcome)

    def _decide(self, heard: Heard) -> Decision:
        if self._decided is None or self._decided[0] is not heard:
            decision = self._matcher.decide(heard)
            _log.debug("decided", extra={"verdict": decision.verdict.value, "evidence": decision.numbers()})
            self._decided = heard, decision
        return self._decided[1]

    # -- what comes next ---------------------------------------------------------------------------------------

    def _next(self, mind: _Mind, heard: Heard) -> _Mind:
        if not (heard.own or heard.general):
            return self._failed(mind, None)
        if mind.note is not None and mind.note.stage is not Stage.TAKEN:
            return self._noting(mind, mind.note, heard)
        answer = yes_or_no(heard)
        if mind.offered_message and answer is not None:
            return self._take_message(mind) if answer else _say(mind, "All right. " + _ANYTHING_ELSE, offered_end=True)
        if mind.guesses and (meant := self._which_guess(mind, heard, answer)):
            return self._carry_out(mind, meant)
        return self._wish(mind, heard, answer)

    def _wish(self, mind: _Mind, heard: Heard, answer: bool | None) -> _Mind:
        """The caller says what they want."""
        decision = self._decide(heard)
        if decision.intent is not None:
            return self._carry_out(mind, decision.intent)
        if mind.offered_end and answer is False:
            return self._parting(mind, self._outcome(mind))
        if mind.offered_end and answer is True:
            return _say(mind, "Yes, please?")
        return self._failed(mind, decision)

    def _which_guess(self, mind: _Mind, heard: Heard, answer: bool | None) -> Intent | None:
        if len(mind.guesses) == 1 and answer is True:
            return mind.guesses[0]
        said = {*words(heard.own), *words(heard.general)}
        if len(mind.guesses) == 2 and said & {"first", "second", "latter"} and not {"first", "second"} <= said:
            return mind.guesses[0 if "first" in said else 1]
        if answer is False:
            return None
        again = self._decide(heard)
        if again.verdict is not Verdict.NOTHING and again.guesses[0] in mind.guesses:
            return again.guesses[0]  # likely twice in a row: the caller has said it again
        return self._matcher.decide(heard, among=mind.guesses).intent

    def _failed(self, mind: _Mind, decision: Decision | None) -> _Mind:
        """Not understood: ask which of the likeliest was meant; say so; in the end offer to take a message."""
        failures = mind.failures + 1
        if failures > _FAILURES:
            return _say(mind, _OFFER_MESSAGE, expects=Expects.YES_NO, offered_message=True)
        if decision is None or decision.verdict is not Verdict.ASK:
            return _say(mind, _AGAIN, failures=failures)
        guesses = self._worth_offering(decision)
        text = f"I am not sure I understood you. {_question(guesses)}"
        return _say(mind, text, expects=Expects.YES_NO, guesses=guesses, failures=failures)

    def _worth_offering(self, decision: Decision) -> tuple[Intent, ...]:
        best = decision.probabilities[0]
        pairs = zip(decision.guesses, decision.probabilities, strict=True)
        return tuple(intent for intent, probability in pairs if probability >= _SECOND_GUESS * best)

    def _carry_out(self, mind: _Mind, intent: Intent) -> _Mind:
        match intent.kind:
            case Kind.KNOWLEDGE:
                return _say(mind, self._agent.knowledge[intent.place].answer)
            case Kind.PERSON:
                return self._person(mind, intent.key)
            case Kind.ACT:
                return self._acts[Act(intent.key)](mind)
            case _:
                assert_never(intent.kind)

    @property
    def _acts(self) -> Mapping[Act, Callable[[_Mind], _Mind]]:
        return {
            Act.HOURS: self._hours,
            Act.SOMEONE: self._someone,
            Act.MESSAGE: self._take_message,
            Act.REPEAT: self._repeat,
            Act.GOODBYE: lambda mind: self._parting(mind, self._outcome(mind)),
            Act.GREETING: lambda mind: _say(mind, "Hello. How can I help you?"),
        }

    # -- the acts ----------------------------------------------------------------------------------------------

    def _person(self, mind: _Mind, name: str) -> _Mind:
        text = f"I would put you through to {name}, but I cannot transfer calls yet. Shall I take a message for {name}?"
        return _say(replace(mind, wanted=name), text, expects=Expects.YES_NO, offered_message=True)

    def _someone(self, mind: _Mind) -> _Mind:
        text = "I cannot transfer calls yet. Shall I take a message, so that somebody calls you back?"
        return _say(mind, text, expects=Expects.YES_NO, offered_message=True)

    def _hours(self, mind: _Mind) -> _Mind:
        if self._agent.hours:
            return _say(mind, self._agent.hours)
        text = "I do not know the opening hours. Shall I take a message, so that somebody calls you back?"
        return _say(mind, text, expects=Expects.YES_NO, offered_message=True)

    def _repeat(self, mind: _Mind) -> _Mind:
        """Say the last thing again, whole, and go on waiting for what it asked."""
        return replace(mind, last_said=mind.last_said or self._agent.greeting or "Hello. How can I help you?")

    def _parting(self, mind: _Mind, outcome: str) -> _Mind:
        return _say(mind, self._agent.goodbye, outcome=outcome)

    def _outcome(self, mind: _Mind) -> str:
        return "message taken" if mind.note and mind.note.stage is Stage.TAKEN else "answered"

    # -- a message ---------------------------------------------------------------------------------------------

    def _take_message(self, mind: _Mind) -> _Mind:
        return self._noted(mind, taking_messages.begin(mind.wanted))

    def _noting(self, mind: _Mind, note: Note, heard: Heard) -> _Mind:
        """An answer while a message is being taken. Only good-bye and "say that again" mean what they always mean."""
        if note.stage is not Stage.MESSAGE:
            intent = self._decide(heard).intent
            if intent is not None and intent.key == Act.REPEAT.value:
                return self._repeat(replace(mind, note=replace(note, heard_whole=True)))
            if intent is not None and intent.key == Act.GOODBYE.value and note.stage is not Stage.READ_BACK:
                return self._parting(mind, "answered")
        return self._noted(mind, taking_messages.step(note, heard))

    def _noted(self, mind: _Mind, step: taking_messages.Step) -> _Mind:
        note, text = step
        taken = note.stage is Stage.TAKEN
        return _say(mind, text, expects=note.stage.value or Expects.ANYTHING, note=note, offered_end=taken)


def matcher_of(agent: Agent, likeness: Likeness) -> Matcher:
    """The matcher for all calls of `agent`."""
    return Matcher(intents_of(agent), likeness)


def _say(
    mind: _Mind,
    text: str,
    *,
    expects: Expects = Expects.ANYTHING,
    guesses: tuple[Intent, ...] = (),
    offered_message: bool = False,
    offered_end: bool = False,
    failures: int = 0,
    note: Note | None = None,
    outcome: str = "",
) -> _Mind:
    """The mind after saying `text`: what was asked before is settled, what `text` asks is open."""
    return replace(
        mind,
        last_said=text,
        expects=expects,
        guesses=guesses,
        offered_message=offered_message,
        offered_end=offered_end,
        failures=failures,
        note=note or mind.note,
        outcome=outcome,
    )


async def _speak(text: str, outcome: str = "") -> AsyncGenerator[Action, None]:
    for clause in clauses(text):
        yield Say(clause)
    if outcome:
        yield HangUp(outcome)


def _question(guesses: tuple[Intent, ...]) -> str:
    first, *others = map(_title, guesses)
    return f"Did you want {first}{''.join(f', or {other}' for other in others)}?"


_TITLES = {
    Act.HOURS: "to know our opening hours",
    Act.SOMEONE: "to speak to somebody",
    Act.MESSAGE: "to leave a message",
    Act.REPEAT: "me to say that again",
    Act.GOODBYE: "to end the call",
    Act.GREETING: "to say hello",
}


def _title(intent: Intent) -> str:
    match intent.kind:
        case Kind.KNOWLEDGE:
            return f'to ask, "{intent.key}"'
        case Kind.PERSON:
            return f"to speak to {intent.key}"
        case Kind.ACT:
            return _TITLES[Act(intent.key)]
        case _:
            assert_never(intent.kind)
