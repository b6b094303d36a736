"""The decision on one utterance, with a likeness of letters in place of sounds."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from app.brains.evidence import WEIGHTS, Evidence, Sides, Strangeness
from app.brains.intents import ACT_PHRASES, Act, Kind, intents_of
from app.brains.matching import Decision, Matcher, Thresholds, Verdict
from app.brains.phrases import likely_phrases, names
from app.ports import Heard
from app.settings import Agent
from models import packs
from models.stt.likeness import Likeness
from models.topics.stock import stock
from models.topics.table import Table
from tests.bench.intent import office_agent

pytestmark = pytest.mark.unit


class Letters:
    """A likeness that needs no dictionary: pairs of letters in common (Dice's coefficient). Topics are real ones."""

    def alike(self, heard: str, meant: str) -> float:
        one, other = _pairs(heard), _pairs(meant)
        return 2 * len(one & other) / (len(one) + len(other)) if one and other else 0.0

    def closest(self, groups: Sequence[Sequence[str]], least: float = 0.0) -> Callable[[str], Sequence[float]]:
        def likest(heard: str) -> list[float]:
            found = (max(self.alike(heard, saying) for saying in sayings) for sayings in groups)
            return [alike if alike >= least else 0.0 for alike in found]

        return likest

    def topics(self, words: Sequence[str]) -> Mapping[str, float]:
        table = _table()
        return {topic: float(share) for topic, share in zip(table.topics, table.of(words), strict=True)}

    def echoes(self, text: str) -> Mapping[str, float]:
        return _echoes(text)


@functools.cache
def _pairs(text: str) -> frozenset[str]:
    return frozenset(map("".join, itertools.pairwise(text.casefold())))


@functools.cache
def _table() -> Table:
    return Table.load(packs.path("topics"))


@functools.cache
def _echoes(text: str) -> Mapping[str, float]:
    return dict(zip(stock(), Letters().closest(list(stock().values()))(text), strict=True))


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


def test_more_is_needed_to_believe_texts_that_disagree() -> None:
    intents = intents_of(office_agent())
    for general in ("where can I park", "we are done"):
        heard = Heard("where can I park", general)
        decided = Matcher(intents, Letters()).decide(heard)
        needed = decided.probabilities[0] - 0.4 * (1 - decided.agreement)
        for believe, verdict in ((needed - 0.001, Verdict.BELIEVE), (needed + 0.001, Verdict.ASK)):
            thresholds = Thresholds(believe=believe, ask=0.0, doubted=0.4)
            assert Matcher(intents, Letters(), thresholds=thresholds).decide(heard).verdict is verdict


def test_one_text_alone_is_believed_as_on_an_ordinary_line() -> None:
    intents = intents_of(office_agent())
    heard = Heard("where can I park", "")
    needed = Matcher(intents, Letters()).decide(heard).probabilities[0] - 0.2 * 0.4
    for believe, verdict in ((needed - 0.001, Verdict.BELIEVE), (needed + 0.001, Verdict.ASK)):
        thresholds = Thresholds(believe=believe, ask=0.0, doubted=0.4)
        assert Matcher(intents, Letters(), thresholds=thresholds).decide(heard).verdict is verdict


def test_the_numbers_for_the_log_hold_no_words() -> None:
    numbers = decide("I would like to speak to Anna Miller").numbers()
    assert set(numbers) == {
        "agreement", "off_topic", "probability_1", "probability_2", "own_sound", "own_asked", "own_explained",
        "own_about", "own_echoed", "general_about", "general_echoed",
        "general_sound", "general_asked", "general_explained",
    }  # fmt: skip
    assert all(isinstance(value, float) and math.isfinite(value) for value in numbers.values())


def test_there_is_a_weight_for_each_feature() -> None:
    evidence = Evidence(intents_of(office_agent())[0], Sides(0, 0, 0, 0, 0), Sides(0, 0, 0, 0, 0))
    assert len(evidence.features()) == len(WEIGHTS.intent)
    assert len(Strangeness(0, 0, 0, 0, 0).features()) == len(WEIGHTS.none)


def test_an_agent_that_knows_nothing_still_understands_its_acts() -> None:
    matcher = Matcher(intents_of(Agent(name="bare")), Letters())
    intent = matcher.decide(Heard("can I leave a message", "can I leave a message")).intent
    assert intent is not None
    assert intent.key == "message"


def test_a_question_without_words_harms_nobody() -> None:
    agent = Agent.model_validate({"name": "odd", "knowledge": [{"questions": ["???"], "answer": "!"}]})
    assert Matcher(intents_of(agent), Letters()).decide(Heard("the", "the")).intent is None


def _library(entries: int, people: int) -> Agent:
    """An agent of another kind of house, with more to tell than is compared in full."""
    things = [f"{colour} {thing}" for colour in _COLOURS for thing in _THINGS][:entries]
    return Agent.model_validate(
        {
            "name": "library",
            "knowledge": [{"questions": [f"do you lend the {each}", f"how long may I keep a {each}"], "answer": each}
                          for each in things],
            "directory": [{"name": f"{first} {last}", "extension": str(100 + place)}
                          for place, (first, last) in enumerate(itertools.product(_FIRST, _LAST)) if place < people],
        }
    )  # fmt: skip


_COLOURS = ("crimson", "purple", "golden", "silver", "brown", "orange", "yellow", "scarlet", "ivory", "violet")
_THINGS = ("atlas", "globe", "banjo", "tractor", "ladder", "puppet", "kettle", "lantern", "camera", "trumpet")
_FIRST = ("Agnes", "Bertram", "Clara", "Dorian", "Edith", "Felix")
_LAST = ("Winter", "Marlowe", "Quill", "Ashby", "Thorne", "Vance")


def test_among_many_entries_and_people_the_right_one_is_found() -> None:
    agent = _library(100, 36)
    matcher = Matcher(intents_of(agent), Letters())
    for entry in agent.knowledge[::9]:
        for question in entry.questions:
            intent = matcher.decide(Heard(question, question)).intent
            assert intent is not None, question
            assert intent.key == entry.questions[0], question
    for person in agent.directory[::7]:
        request = f"could I speak to {person.name.lower()}"
        intent = matcher.decide(Heard(request, request)).intent
        assert intent is not None
        assert intent.key == person.name


class _Counting(Letters):
    """Tells how often two texts were compared one by one."""

    def __init__(self) -> None:
        self.compared = 0

    def alike(self, heard: str, meant: str) -> float:
        self.compared += 1
        return super().alike(heard, meant)

    def closest(self, groups: Sequence[Sequence[str]], least: float = 0.0) -> Callable[[str], Sequence[float]]:
        return Letters().closest(groups, least)


def test_however_much_an_agent_knows_its_questions_are_not_compared_one_by_one() -> None:
    """That took two seconds for five hundred entries and two hundred people, on the thread that answers all calls."""
    likeness = _Counting()
    matcher = Matcher(intents_of(_library(100, 36)), likeness)
    likeness.compared = 0
    strangeness, found = matcher.evidence(Heard("do you lend the ivory kettle", "do you bend the ivory cattle"))
    assert likeness.compared == 1  # both texts with each other
    assert len(found) == 32
    assert 0 < strangeness.disagreement < 1


def test_what_was_offered_is_compared_though_it_is_not_among_the_likeliest() -> None:
    intents = intents_of(_library(100, 36))
    heard = Heard("do you lend the ivory kettle", "do you lend the ivory kettle")
    decision = Matcher(intents, Letters()).decide(heard, among=[intents[0]])
    assert decision.guesses == (intents[0],)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("I'd like to come in for a cleaning", "I would like to make an appointment"),
        ("is an examination free", "how much is a check up"),
        ("do I pay right away or do you bill me", "how can I pay"),
        ("where do I find you on the internet", "what is your e mail address"),
        ("no thanks, I'm fine", "goodbye"),
        ("what's the exact location of the dentist", "what is your address"),
    ],
)
def test_a_word_of_another_intent_does_not_lead_there(text: str, key: str) -> None:
    """Of the tuning set: all went wrong before sentences were compared by what they are about."""
    intent = decide(text).intent
    assert intent is not None
    assert intent.key == key


@pytest.mark.parametrize("own", ["wear do you patience bark", "can i lead my car their"])
def test_what_was_misheard_is_understood_by_its_sound(own: str) -> None:
    matcher = Matcher(intents_of(office_agent()), Likeness())
    intent = matcher.decide(Heard(own, own)).intent
    assert intent is not None
    assert intent.key == "where can I park"


def test_what_is_about_nothing_of_offices_is_believed_less() -> None:
    strange, plain = (MATCHER.evidence(Heard(text, text))[0] for text in ("the volcano erupted", "where can I park"))
    assert strange.about > 0.6
    assert plain.about < 0.2
    assert strange.own_echoed == strange.general_echoed


def test_likely_phrases_hold_every_question_and_its_variants_once() -> None:
    agent = office_agent()
    phrases = likely_phrases(agent)
    assert len(set(phrases)) == len(phrases)
    assert {question for entry in agent.knowledge for question in entry.questions} <= set(phrases)
    assert "is there a lift" not in phrases  # the article is the question's
    assert "is there an lift" in phrases
    assert "can I speak to Anna Miller" in phrases
    assert "Anna Miller" in names(agent)
