"""What an agent asks for in a call, in between whatever else is said, and how it takes its leave. Pure: what is
remembered of the call is in the mind."""

from __future__ import annotations

import re

from app.brains import taking_results
from app.brains.course import Course
from app.brains.mind import Mind, say
from app.brains.results import is_asked_for
from app.brains.taking_messages import Stage
from app.brains.words import words
from app.ports import Direction, Heard
from app.settings import Agent, ResultField

ANYTHING_ELSE = "Is there anything else I can do for you?"
# The good-bye that no owner wrote thanks people for calling; this call was ours.
_OUR_CALL = "Thank you for your time. Good-bye."
# Whoever was called wants to know who it is before they answer anything.
_WHO = re.compile(r"\bwho (?:is|are|am i)\b.*\b(?:this|there|you|calling|speaking|to)\b|\bwhat is this about\b")


class Interview:
    """Of one agent, in one call. While `asks` is false, nothing is asked for."""

    def __init__(self, agent: Agent, direction: Direction, *, asks: bool) -> None:
        self.is_our_call = direction == "outbound"
        self.asks = asks
        self._agent = agent
        self._all = tuple(each for each in agent.result_fields if is_asked_for(each))
        self.course = Course(agent.workflow) if agent.workflow else None

    def fields(self, mind: Mind) -> tuple[ResultField, ...]:
        """Those that are asked for where the conversation is."""
        if not self.asks or self.course is None:
            return self._all if self.asks else ()
        wanted = [*map(str.casefold, self.course.state(mind.state).asks)]
        return tuple(each for each in self._agent.result_fields if each.name.casefold() in wanted)

    @property
    def goodbye(self) -> str:
        unchanged = self._agent.goodbye == Agent.model_fields["goodbye"].default
        return _OUR_CALL if unchanged and self.is_our_call else self._agent.goodbye

    def conclusion(self, mind: Mind) -> str:
        """What the talk came to, if it ends now."""
        if mind.asking is not None and mind.asking.open is None:
            return "results taken" if mind.asking.is_complete else "results incomplete"
        return "message taken" if mind.note and mind.note.stage is Stage.TAKEN else "finished"

    def greeted(self, mind: Mind, greeting: str) -> Mind:
        fields = self.fields(mind)
        step = taking_results.greet(fields, greeting) if greeting and fields else None
        return self.asked(mind, step) if step else say(mind, greeting)

    def begun(self, mind: Mind, first: str) -> Mind:
        return self.asked(mind, taking_results.begin(self.fields(mind), first))

    def asks_who_we_are(self, mind: Mind, heard: Heard) -> bool:
        said = (" ".join(words(text)) for text in (heard.own, heard.general))
        return self.is_our_call and bool(self.fields(mind)) and any(map(_WHO.search, said))

    def introduced(self, mind: Mind) -> Mind:
        """Who we are, once more, and what is asked."""
        greeting = self._agent.greeting or "Hello."
        if mind.asking is None:
            greeted = self.greeted(mind, greeting)
            return greeted if greeted.asking else self.begun(mind, greeting)
        return self.asked(
            mind, taking_results.lead_back(mind.asking, greeting.removesuffix(mind.asking.question).strip())
        )

    def asked(self, mind: Mind, step: taking_results.Step) -> Mind:
        """On to what `step` asks; after the last answer, to the end."""
        asking, text = step
        if asking.open is not None:
            return say(mind, text, expects=asking.expects, asking=asking)
        if not self.is_our_call:
            return say(mind, f"{text} {ANYTHING_ELSE}", offered_end=True, asking=asking)
        is_thanked = text == taking_results.THANKS and "thank" in words(self.goodbye)
        conclusion = self.conclusion(Mind(asking=asking))
        return say(mind, self.goodbye if is_thanked else f"{text} {self.goodbye}", asking=asking, conclusion=conclusion)

    def led_back(self, mind: Mind) -> Mind:
        """Whatever was answered in between, what is asked for comes again after it, or for the first time."""
        if mind.asks_something_else or not self.fields(mind):
            return mind
        if mind.asking is None:
            return self.begun(mind, mind.last_said)
        return self.asked(mind, taking_results.lead_back(mind.asking, mind.last_said)) if mind.asking.open else mind

    def led_on(self, mind: Mind) -> Mind:
        """Back to what is asked for, or else to whatever the caller wants."""
        led = self.led_back(mind)
        return say(mind, f"{mind.last_said} {ANYTHING_ELSE}", offered_end=True) if led is mind else led
