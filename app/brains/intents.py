"""What a caller can want of this agent: one intent for each thing it knows, each person, and each act of its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from app.settings import Agent


class Kind(Enum):
    KNOWLEDGE = "knowledge"
    PERSON = "person"
    ACT = "act"


class Act(Enum):
    """What the receptionist can do besides answering and naming people."""

    HOURS = "hours"
    SOMEONE = "someone"
    MESSAGE = "message"
    REPEAT = "repeat"
    GOODBYE = "goodbye"
    GREETING = "greeting"


@dataclass(frozen=True, slots=True)
class Intent:
    """`key` tells it apart: the first listed question, the person's name, or the act. `place` is its index there."""

    kind: Kind
    key: str
    phrases: tuple[str, ...]
    place: int = 0


# How people ask for a person whose name follows.
CARRIERS = (
    "can I speak to {}",
    "I would like to speak to {}",
    "could you put me through to {}",
    "put me through to {}",
    "I want to talk to {}",
    "is {} there",
    "is {} available",
    "{} please",
    "connect me with {}",
    "may I talk to {}",
    "I am calling for {}",
)

# Plain forms of the acts. Also part of what the recogniser's language model is made of.
ACT_PHRASES: dict[Act, tuple[str, ...]] = {
    Act.HOURS: (
        "what are your opening hours", "when are you open", "what time do you open", "what time do you close",
        "when do you close", "how long are you open today", "how late are you open", "are you open today",
        "are you open on saturday", "are you open on sunday", "are you open tomorrow", "are you closed on monday",
        "from when are you open in the morning", "until when can I reach you", "are you open at lunch time",
        "are you open on the weekend", "until what time are you there", "are you there on friday afternoon",
        "what are your office hours", "what are your business hours", "do you work on weekends",
        "when can I reach you on tuesday", "how long are you there on wednesday", "when do you open on thursday",
    ),
    Act.SOMEONE: (
        "can I speak to a person", "can I talk to someone", "I want to talk to a human",
        "I would like to speak to someone", "I want to speak to a real person", "give me the receptionist",
        "can you put me through to somebody", "is anybody there", "is there someone I can talk to",
        "can I talk to a real person please", "I do not want to talk to a machine", "connect me with a colleague",
        "can I speak to somebody in the office", "operator please", "is anyone in the office",
    ),
    Act.MESSAGE: (
        "I would like to leave a message", "can I leave a message", "can you take a message", "take a message please",
        "could you give a message to somebody", "please tell them that I called", "can someone call me back",
        "please call me back", "I would like to be called back", "ask her to call me back", "ask him to call me",
        "could somebody phone me back", "please write down a note", "could you pass on a message",
        "can you ask the doctor to call me", "can you let them know that I called",
    ),
    Act.REPEAT: (
        "could you repeat that", "please repeat", "say that again please", "can you say that again", "pardon",
        "I did not understand", "I did not hear that", "what did you say", "once more please", "sorry what was that",
        "I did not catch that", "excuse me what was that again", "could you say it once more", "come again",
        "sorry I did not understand you", "one more time please",
    ),
    Act.GOODBYE: (
        "good bye", "bye bye", "bye", "that is all", "that was all thank you", "no thank you that is all",
        "thank you good bye", "nothing else thank you", "thank you very much have a nice day", "have a nice day",
        "no thanks", "that is everything", "thanks a lot bye", "okay thank you bye", "see you then good bye",
        "no that is all thank you very much", "that is all I needed", "great thank you", "thank you very much",
    ),
    Act.GREETING: ("hello", "good morning", "good afternoon", "hi", "hello can you hear me", "good evening"),
}  # fmt: skip


def intents_of(agent: Agent) -> tuple[Intent, ...]:
    """Everything that may be asked of `agent`."""
    known = (
        Intent(Kind.KNOWLEDGE, entry.questions[0], entry.questions, place)
        for place, entry in enumerate(agent.knowledge)
    )
    people = (
        Intent(Kind.PERSON, person.name, (person.name, *person.also), place)
        for place, person in enumerate(agent.directory)
    )
    acts = (Intent(Kind.ACT, act.value, phrases) for act, phrases in ACT_PHRASES.items())
    return (*known, *people, *acts)
