"""The offline receptionist: answers in its owner's words, or asks, and never makes anything up.

It is deterministic. Each utterance makes a new `Mind` out of the last one, so that a reply which the caller never
heard (they went on speaking) is undone by taking the old one back.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import replace
from typing import assert_never

from app.brains import guesses, taking_messages, taking_results
from app.brains.answers import yes_or_no
from app.brains.do_not_call import asked_not_to_call
from app.brains.field_answers import answer_in, asks_something
from app.brains.intents import Act, Intent, Kind, intents_of
from app.brains.interview import Interview
from app.brains.matching import Decision, Likeness, Matcher, Verdict
from app.brains.mind import Mind, say, speak
from app.brains.numbers import digits_in
from app.brains.people import not_reached, rather_named
from app.brains.results import DO_NOT_CALL, offline_results
from app.brains.stages import Stages
from app.brains.taking_messages import Note, Stage
from app.brains.taking_results import Asking
from app.brains.words import words
from app.dictation import Dictated
from app.ports import Action, Direction, Expects, Heard, Result
from app.settings import Agent
from app.transfers import is_away, reachable, reached

_log = logging.getLogger(__name__)

# After this many utterances in a row that led to nothing, the agent offers to take a message instead.
_FAILURES = 2
# Two recognisers as alike as this have heard the same sentence.
_AGREED = 0.75

_AGAIN = "I am sorry, I did not understand you. Please say it in other words."
_CANNOT_HELP = "I am sorry, I cannot help you with that."
_CALLED_BACK = "Shall I take a message, so that somebody calls you back?"
_WHOM = "Whom would you like to speak to?"
_NO_MORE_CALLS = "I am sorry. You will not be called again. Good-bye."
_OFFER_NO_CALLS = "Shall I see to it that you are not called again?"


class Receptionist:
    """The brain of one call. The matcher may be shared by all calls of an agent: it holds nothing of a call."""

    def __init__(self, agent: Agent, matcher: Matcher, direction: Direction = "inbound", *, asks: bool = True) -> None:
        """`asks`: for what the calls should bring, from the beginning."""
        self._agent, self._matcher = agent, matcher
        self._mind = self._before = Mind()
        self._decided: tuple[Heard, Decision] | None = None
        self._interview = Interview(agent, direction, asks=asks)
        self._stages = Stages(self._interview, self._results_of)

    @property
    def expects(self) -> Expects:
        return self._mind.expects

    @property
    def takes_keys(self) -> bool:
        asking = self._mind.waits_for
        is_amount = asking is not None and asking.open is not None and asking.open.type == "number"
        is_read_out = self.dictated is Dictated.DIGITS
        return self.expects is Expects.NUMBER or is_read_out or (is_amount and not (asking and asking.unsure))

    @property
    def dictated(self) -> Dictated:
        noting, asking = self._mind.noting, self._mind.waits_for
        if noting is not None:
            return Dictated.DIGITS if noting.stage is Stage.NUMBER else Dictated.NOTHING
        return asking.dictated if asking else Dictated.NOTHING

    @property
    def results(self) -> dict[str, str]:
        return self._results_of(self._mind)

    def _results_of(self, mind: Mind) -> dict[str, str]:
        noted = {"wanted": mind.wanted} if mind.wanted else {}
        noted |= mind.note.results() if mind.note else {}
        found = offline_results(self._agent.result_fields, noted, taking_results.results(mind.asking))
        return found | noted | ({DO_NOT_CALL: "yes"} if mind.do_not_call else {})

    @property
    def decision(self) -> Decision | None:
        """How the last utterance was understood, for traces and benches."""
        return self._decided[1] if self._decided else None

    @property
    def is_asking(self) -> bool:
        """It has asked something, and the next utterance is the answer."""
        mind = self._mind
        return mind.waits_for is not None or (mind.asks_something_else and not mind.lets_go)

    def hears_refusal(self, heard: Heard) -> bool:
        """They may not want to be called again: only a call of ours is understood so."""
        return self._interview.is_our_call and asked_not_to_call(heard) is not False

    def hears_goodbye(self, heard: Heard) -> bool:
        intent = self._decide(heard).intent
        return intent is not None and intent.key == Act.GOODBYE.value

    def look_up(self, text: str) -> list[Intent]:
        """What the agent knows, and whom, of these few words; best first."""
        return [each for each in self._matcher.nearest(text) if each.kind is not Kind.ACT]

    async def conclude(self) -> None:
        """All is in `results`."""

    def begin_asking(self) -> None:
        """From now on, for what the calls should bring: nobody else does."""
        self._interview.asks = True

    def greet(self) -> AsyncGenerator[Action, None]:
        return self._become(self._interview.greeted(self._mind, self._agent.greeting))

    def check_in(self) -> AsyncGenerator[Action, None]:
        self._before = self._mind  # nothing is taken back if this is never heard
        return speak(Mind(last_said="Are you still there?"))

    def say_goodbye(self) -> AsyncGenerator[Action, None]:
        return self._become(self._parting(self._mind, "silence"))

    def take_leave(self) -> AsyncGenerator[Action, None]:
        """The caller wants to end the call."""
        return self._become(self._parting(self._mind, self._interview.conclusion(self._mind)))

    def put_through(self, person: str) -> AsyncGenerator[Action, None]:
        """The caller wants to speak to `person` of the directory."""
        return self._become(self._person(self._settled, person))

    def take_message(self, person: str = "") -> AsyncGenerator[Action, None]:
        """The caller wants to leave one, for `person` of the directory if that is said."""
        return self._become(self._take_message(replace(self._settled, wanted=person or self._mind.wanted)))

    def reply(self, heard: Heard) -> AsyncGenerator[Action, None]:
        return self._become(self._stages.reply(self._settled, heard, self._next))

    @property
    def state(self) -> str:
        return self._mind.state

    def enter(self, state: str) -> None:
        """Whoever talks instead has led the conversation there."""
        self._mind = self._stages.led(self._mind, state)

    def not_put_through(self, person: str, why: Result) -> AsyncGenerator[Action, None]:
        wanted = self._mind.wanted if is_away(self._agent, self._mind.wanted) else person  # somebody may stand in
        mind, because = replace(self._mind, put_through="", wanted=wanted), not_reached(person, why)
        text = f"I am sorry, {because}"
        return self._become(self._offering_message(mind, text, f"Shall I take a message for {wanted}?"))

    def interrupted(self, said: str) -> None:
        """What was never heard was never said: the caller went on, and the whole utterance comes again."""
        if not said.strip():
            self._mind = self._before
        elif words(said) == words(self._mind.last_said)[: len(words(said))]:
            self._mind = self._mind.cut_off(said)

    def believed(self, heard: Heard) -> str:
        if self.dictated is not Dictated.NOTHING and (read_out := self._read_out(heard)):
            return read_out
        if not (heard.own and heard.general) or self._mind.expects in (Expects.MESSAGE, Expects.NAME):
            return heard.general or heard.own
        if self._mind.expects is Expects.NUMBER:
            return heard.own if digits_in(heard.own) else heard.general
        decision = self._decide(heard)
        agreed = self._is_answered(heard) or decision.verdict is Verdict.BELIEVE or decision.agreement >= _AGREED
        return heard.own if agreed else heard.general

    def understands(self, heard: Heard) -> bool:
        """A yes or no that was asked for, or something that the caller wants. A lone "hello" only opens a sentence."""
        expects = self._mind.expects
        if self.dictated is not Dictated.NOTHING and yes_or_no(Heard(heard.own, "")) is not True:
            return False  # "no" is followed by what is right
        if expects not in (Expects.ANYTHING, Expects.YES_NO) or not (heard.own or heard.general):
            return False
        if self._is_answered(heard):
            return True
        intent = self._decide(heard).intent
        return intent is not None and intent.key != Act.GREETING.value

    def _read_out(self, heard: Heard) -> str:
        """What was spelled as the text that it means, in the words that were told to hear it otherwise."""
        asking = self._mind.waits_for
        if asking is None:
            return ""  # a number for a message
        answer = None if asking.unsure else taking_results.answer(asking, heard)
        return answer.value if answer and asking.open and asking.open.type == "text" else heard.own

    def _is_answered(self, heard: Heard) -> bool:
        """Both readings answer what was asked, alike."""
        asking = self._mind.waits_for
        answer = answer_in(asking.open, heard) if asking and asking.open else None
        plain = self._mind.expects is Expects.YES_NO and yes_or_no(heard) is not None
        return plain or (answer is not None and answer.sure)

    @property
    def _settled(self) -> Mind:
        return replace(self._mind, put_through="", conclusion="", notes=())

    def _become(self, mind: Mind) -> AsyncGenerator[Action, None]:
        """Change the mind now, not when the first clause is taken: a reply may be thrown away before that."""
        self._before, self._mind = self._mind, mind
        return speak(mind)

    def _decide(self, heard: Heard) -> Decision:
        if self._decided is None or self._decided[0] is not heard:
            decision = self._matcher.decide(heard)
            _log.debug("decided", extra={"verdict": decision.verdict.value, "evidence": decision.numbers()})
            self._decided = heard, decision
        return self._decided[1]

    # -- what comes next ---------------------------------------------------------------------------------------

    def _next(self, mind: Mind, heard: Heard) -> Mind:
        if not (heard.own or heard.general):
            return self._nothing_heard(mind)
        refuses = asked_not_to_call(heard) if self._interview.is_our_call else False
        if refuses:
            return self._never_again(mind)
        if refuses is None and mind.noting is None:  # half of a message may sound like it
            return self._offer_no_calls(mind)
        answer = yes_or_no(heard)
        if mind.offered_no_calls and answer is not None:
            return self._never_again(mind) if answer else self._interview.led_on(say(mind, "All right."))
        if mind.noting is not None:
            return self._noting(mind, mind.noting, heard)
        if mind.offered_message and answer is not None:
            return self._take_message(mind) if answer else self._interview.led_on(say(mind, "All right."))
        if mind.guesses and (
            meant := guesses.meant(mind.guesses, heard, answer, lambda: self._decide(heard), self._matcher)
        ):
            return self._interview.led_back(self._carry_out(mind, meant))
        return self._asked_or_told(mind, heard, answer)

    def _nothing_heard(self, mind: Mind) -> Mind:
        if mind.waits_for is None:
            return self._failed(mind, None)
        return self._interview.asked(mind, taking_results.not_understood(mind.waits_for))

    def _asked_or_told(self, mind: Mind, heard: Heard, answer: bool | None) -> Mind:
        """An answer to what is asked for, or something that the caller wants."""
        if self._interview.asks_who_we_are(mind, heard):
            return self._interview.introduced(mind)
        if mind.asking is not None and mind.asking.open is not None:
            return self._answered(mind, mind.asking, heard)
        if mind.asking is None and self._interview.fields(mind):
            return self._first_words(mind, heard)
        return self._wish(mind, heard, answer)

    def _wish(self, mind: Mind, heard: Heard, answer: bool | None) -> Mind:
        """The caller says what they want."""
        decision = self._decide(heard)
        if intent := rather_named(decision, heard):
            return self._carry_out(mind, intent)
        if mind.offered_end and answer is False:
            return self._parting(mind, self._interview.conclusion(mind))
        if mind.offered_end and answer is True:
            return say(mind, "Yes, please?")
        return self._failed(mind, decision)

    def _failed(self, mind: Mind, decision: Decision | None) -> Mind:
        """Not understood: ask which of the likeliest was meant; say so; in the end offer to take a message."""
        failures = mind.failures + 1
        if failures > _FAILURES:
            return self._offering_message(mind, _CANNOT_HELP, "Shall I take a message?")
        if decision is None or decision.verdict is not Verdict.ASK:
            return say(mind, _AGAIN, failures=failures)
        offered = guesses.worth_offering(decision)
        text = f"I am not sure I understood you. {guesses.question(offered)}"
        return say(mind, text, expects=Expects.YES_NO, guesses=offered, failures=failures)

    def _carry_out(self, mind: Mind, intent: Intent) -> Mind:
        match intent.kind:
            case Kind.KNOWLEDGE:
                return say(mind, self._agent.knowledge[intent.place].answer)
            case Kind.PERSON:
                return self._person(mind, intent.key)
            case Kind.ACT:
                return self._acts[Act(intent.key)](mind)
            case _:
                assert_never(intent.kind)

    @property
    def _acts(self) -> Mapping[Act, Callable[[Mind], Mind]]:
        return {
            Act.HOURS: self._hours,
            Act.SOMEONE: self._someone,
            Act.MESSAGE: self._take_message,
            Act.REPEAT: self._repeat,
            Act.GOODBYE: lambda mind: self._parting(mind, self._interview.conclusion(mind)),
            Act.GREETING: lambda mind: say(mind, "Hello. How can I help you?"),
        }

    # -- the acts ----------------------------------------------------------------------------------------------

    def _person(self, mind: Mind, name: str) -> Mind:
        mind, who = replace(mind, wanted=name), reached(self._agent, name)
        away = f"{name} is not here now." if is_away(self._agent, name) else ""
        if who and self._stages.allows(mind, "transfer"):
            return say(mind, f"{away} I am putting you through to {who}.".strip(), put_through=who)
        return self._offering_message(mind, away or not_reached(name), f"Shall I take a message for {name}?")

    def _someone(self, mind: Mind) -> Mind:
        names = [each.name for each in reachable(self._agent)]
        if len(names) == 1:
            return self._person(mind, names[0])
        if names and mind.last_said != _WHOM:
            return say(mind, _WHOM)
        return self._offering_message(mind, "I cannot put you through without a name.", _CALLED_BACK)

    def _hours(self, mind: Mind) -> Mind:
        if self._agent.hours:
            return say(mind, self._agent.hours)
        return self._offering_message(mind, "I do not know the opening hours.", _CALLED_BACK)

    def _offering_message(self, mind: Mind, text: str, offer: str) -> Mind:
        """Where none may be taken, only what there is to say."""
        if not self._stages.allows(mind, "take_message"):
            return say(mind, text)
        return say(mind, f"{text} {offer}", expects=Expects.YES_NO, offered_message=True)

    def _repeat(self, mind: Mind) -> Mind:
        """Say the last thing again, whole, and go on waiting for what it asked."""
        return replace(mind, last_said=mind.last_said or self._agent.greeting or "Hello. How can I help you?")

    def _parting(self, mind: Mind, conclusion: str) -> Mind:
        return say(mind, self._interview.goodbye, conclusion=conclusion)

    # -- what the call should bring ------------------------------------------------------------------------------

    def _first_words(self, mind: Mind, heard: Heard) -> Mind:
        """Nothing was asked for yet: nobody has been greeted, or the greeting offered help."""
        intent = rather_named(self._decide(heard), heard)
        if intent is not None and intent.key != Act.GREETING.value:
            return self._interview.led_back(self._carry_out(mind, intent))
        if not mind.last_said:
            return self._interview.introduced(mind)
        first = "Hello." if intent else taking_results.NOT_UNDERSTOOD
        return self._interview.begun(mind, first)

    def _answered(self, mind: Mind, asking: Asking, heard: Heard) -> Mind:
        """An answer, or something else that the caller wants; then the question comes again."""
        intent = rather_named(self._decide(heard), heard)
        step = taking_results.step(asking, heard)
        is_free = asking.expects in (Expects.MESSAGE, Expects.NAME)  # anything is an answer
        if intent is not None and intent.key == Act.REPEAT.value and (step is None or is_free):
            return self._repeat(replace(mind, asking=replace(asking, heard=True)))
        wants = step is None or (asks_something(heard) and intent is not None) or (is_free and _says_bye(heard))
        if wants and intent is not None and intent.key != Act.GREETING.value:
            return self._interview.led_back(self._carry_out(mind, intent))
        return self._interview.asked(mind, step or taking_results.not_understood(asking))

    # -- no more calls -------------------------------------------------------------------------------------------

    def _offer_no_calls(self, mind: Mind) -> Mind:
        return say(mind, _OFFER_NO_CALLS, expects=Expects.YES_NO, offered_no_calls=True)

    def _never_again(self, mind: Mind) -> Mind:
        return replace(say(mind, _NO_MORE_CALLS, conclusion="asked not to be called"), do_not_call=True)

    # -- a message ---------------------------------------------------------------------------------------------

    def _take_message(self, mind: Mind) -> Mind:
        if not self._stages.allows(mind, "take_message"):
            return say(mind, "I cannot take a message now.")
        return self._noted(mind, taking_messages.begin(mind.wanted))

    def _noting(self, mind: Mind, note: Note, heard: Heard) -> Mind:
        """An answer while a message is being taken. Only good-bye and "say that again" mean what they always mean."""
        if note.stage is not Stage.MESSAGE:
            intent = self._decide(heard).intent
            if intent is not None and intent.key == Act.REPEAT.value:
                return self._repeat(replace(mind, note=replace(note, heard_whole=True)))
            if intent is not None and intent.key == Act.GOODBYE.value and note.stage is not Stage.READ_BACK:
                return self._parting(mind, "finished")
        return self._noted(mind, taking_messages.step(note, heard))

    def _noted(self, mind: Mind, step: taking_messages.Step) -> Mind:
        note, text = step
        noted = say(mind, text, expects=note.stage.value or Expects.ANYTHING, note=note)
        return self._interview.led_on(noted) if note.stage is Stage.TAKEN else noted


def _says_bye(heard: Heard) -> bool:
    return "bye" in words(f"{heard.own} {heard.general}")


def matcher_of(agent: Agent, likeness: Likeness) -> Matcher:
    """The matcher for all calls of `agent`."""
    return Matcher(intents_of(agent), likeness)
