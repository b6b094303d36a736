"""The decision on one utterance, with a likeness of letters in place of sounds."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import replace

import pytest

from app.brains.intents import ACT_PHRASES, Act, Kind, intents_of
from app.brains.matching import WEIGHTS, Decision, Evidence, Matcher, Sides, Thresholds, Verdict
from app.brains.phrases import likely_phrases, names
from app.ports import Heard
from app.settings import Agent
from tests.bench.intent import office_agent

pytestmark = pytest.mark.unit


class Letters:
    """A likeness that needs no dictionary: pairs of letters in common (Dice's coefficient)."""

    def alike(self, heard: str, meant: str) -> float:
        one, other = _pairs(heard), _pairs(meant)
        return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0


@functools.cache
def _pairs(text: str) -> frozenset[str]:
    return frozenset(map("".join, itertools.pairwise(text.casefold())))


MATCHER = Matcher(intents_of(office_agent()), Letters())


def decide(own: str, general: str | None = None) -> Decision:
    return MATCHER.decide(Heard(own, own if general is None else general))


@pytest.mark.parametrize("act", list(Act))
def test_every_plain_form_of_an_act_is_understood(act: Act) -> None:
    for phrase in ACT_PHRASES[act]:
        intent = decide(phrase).intent
        assert intent is not None, phrase
        assert intent.key == act.value, phrase


def test_every_listed_question_is_understood() -> None:
    for entry in office_agent().knowledge:
        for question in entry.questions:
            intent = decide(question).intent
            assert intent is not None, question
            assert intent.key == entry.questions[0], question


def test_people_are_found_in_sentences() -> None:
    for person in office_agent().directory:
        intent = decide(f"good morning could I speak to {person.name.lower()} please").intent
        assert intent is not None
        assert (intent.kind, intent.key) == (Kind.PERSON, person.name)


def test_a_word_of_the_same_meaning_is_enough() -> None:
    intent = decide("do you have a lift").intent
    assert intent is not None
    assert intent.key == "is there an elevator"


@pytest.mark.parametrize(
    "text", ["how tall is the eiffel tower", "my cat ran away", "the the the", "zyx", "who wrote hamlet"]
)
def test_what_has_nothing_to_do_with_the_office_is_not_believed(text: str) -> None:
    assert decide(text).intent is None


def test_what_only_the_agents_own_model_understood_is_believed_less() -> None:
    question = "do you have a car park"
    both, one = decide(question), decide(question, "the moon is made of cheese")
    assert one.agreement < both.agreement
    assert one.probabilities[0] < both.probabilities[0]


def test_what_dictation_fits_better_is_believed_less() -> None:
    heard = Heard("do you have a car park", "do you have a car park")
    usual, odd = MATCHER.decide(heard), MATCHER.decide(replace(heard, off_topic=1.0))
    assert odd.guesses == usual.guesses
    assert odd.probabilities[0] < usual.probabilities[0]


def test_silence_is_nothing() -> None:
    assert decide("", "").verdict is Verdict.NOTHING


def test_the_choice_can_be_restricted_to_what_was_offered() -> None:
    offered = [intent for intent in intents_of(office_agent()) if intent.key in ("where can I park", "hours")]
    decision = MATCHER.decide(Heard("the parking", "the parking"), among=offered)
    assert decision.guesses[0].key == "where can I park"
    assert set(decision.guesses) <= set(offered)


def test_probabilities_are_probabilities_and_ranked() -> None:
    for text in ("where", "can I pay", "appointment", "hello hello"):
        first, second = decide(text).probabilities
        assert 1 >= first >= second >= 0
        assert first + second <= 1 + 1e-9


def test_thresholds_make_the_verdict() -> None:
    probability = decide("where can I park").probabilities[0]
    intents = intents_of(office_agent())
    heard = Heard("where can I park", "where can I park")
    for thresholds, verdict in (
        (Thresholds(believe=probability, ask=0.0), Verdict.BELIEVE),
        (Thresholds(believe=1.1, ask=probability), Verdict.ASK),
        (Thresholds(believe=1.1, ask=1.1), Verdict.NOTHING),
    ):
        assert Matcher(intents, Letters(), thresholds=thresholds).decide(heard).verdict is verdict


def test_the_numbers_for_the_log_hold_no_words() -> None:
    numbers = decide("I would like to speak to Anna Miller").numbers()
    assert set(numbers) == {
        "agreement", "off_topic", "probability_1", "probability_2", "own_sound", "own_asked", "own_explained",
        "general_sound", "general_asked", "general_explained",
    }  # fmt: skip
    assert all(isinstance(value, float) and math.isfinite(value) for value in numbers.values())


def test_there_is_a_weight_for_each_feature() -> None:
    evidence = Evidence(intents_of(office_agent())[0], Sides(0, 0, 0), Sides(0, 0, 0))
    assert len(evidence.features()) == len(WEIGHTS.features)


def test_an_agent_that_knows_nothing_still_understands_its_acts() -> None:
    matcher = Matcher(intents_of(Agent(name="bare")), Letters())
    intent = matcher.decide(Heard("can I leave a message", "can I leave a message")).intent
    assert intent is not None
    assert intent.key == "message"


def test_a_question_without_words_harms_nobody() -> None:
    agent = Agent.model_validate({"name": "odd", "knowledge": [{"questions": ["???"], "answer": "!"}]})
    assert Matcher(intents_of(agent), Letters()).decide(Heard("what", "what")).intent is None


def test_likely_phrases_hold_every_question_and_its_variants_once() -> None:
    agent = office_agent()
    phrases = likely_phrases(agent)
    assert len(set(phrases)) == len(phrases)
    assert {question for entry in agent.knowledge for question in entry.questions} <= set(phrases)
    assert "is there a lift" not in phrases  # the article is the question's
    assert "is there an lift" in phrases
    assert "can I speak to Anna Miller" in phrases
    assert "Anna Miller" in names(agent)
