"""What callers of an agent are likely to say, for the recogniser's language model.

The listed questions alone would teach the recogniser only the owner's words, and then it hears nothing else; each is
given again with words that mean the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.brains.field_answers import likely_answers, short_answers
from app.brains.intents import CARRIERS, Kind, intents_of
from app.brains.meanings import synonyms
from app.brains.words import words
from app.settings import Agent


def likely_phrases(agent: Agent) -> tuple[str, ...]:
    """Sentences a caller of `agent` may say, each once: its listed questions, their variants, people asked for, and
    answers to what it asks for."""
    found: dict[str, None] = {}
    for intent in intents_of(agent):
        for phrase in intent.phrases:
            found.update(dict.fromkeys(carried(phrase) if intent.kind is Kind.PERSON else varied(phrase)))
    for field in agent.result_fields:
        found.update(dict.fromkeys(likely_answers(field)))
    found.update(dict.fromkeys(agent.vocabulary))
    for state in agent.workflow.states if agent.workflow else ():
        found.update(dict.fromkeys(form for way in state.then for phrase in way.said for form in varied(phrase)))
    return tuple(found)


def awaited(agent: Agent) -> tuple[str, ...]:
    """The one-word answers to what the agent asks for."""
    return tuple(dict.fromkeys(answer for field in agent.result_fields for answer in short_answers(field)))


def names(agent: Agent) -> tuple[str, ...]:
    """The people of the directory and the other words for them."""
    return tuple(name for person in agent.directory for name in (person.name, *person.also))


def carried(name: str) -> Iterator[str]:
    """The ways to ask for a person."""
    return (carrier.format(name) for carrier in CARRIERS)


def varied(question: str) -> Iterator[str]:
    """`question`, and once more for each word of it that has another word for it."""
    yield question
    said = words(question)
    for place, word in enumerate(said):
        for other in sorted(synonyms(word)):
            yield " ".join((*said[:place], other, *said[place + 1 :]))
