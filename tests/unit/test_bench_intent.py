"""The intent bench's own arithmetic, and that what tunes is not what scores."""

import numpy as np
import pytest

from app.brains.intents import intents_of
from tests.bench import intent_fit
from tests.bench.intent import SentenceSet, Utterance, figures, office_agent, sentence_set
from tests.office.voices import SPEAKERS

pytestmark = pytest.mark.unit

SETS = ("scored", "tuning")


def test_no_sentence_and_no_voice_both_tunes_and_scores() -> None:
    scored, tuning = map(sentence_set, SETS)
    assert not set(scored.voices) & set(tuning.voices)
    assert not {_bare(text) for text, _, _ in scored.requests} & {_bare(text) for text, _, _ in tuning.requests}


def test_scored_voices_are_none_that_the_recognisers_transform_heard() -> None:
    trained_on = {"flite"}  # the other two engines of that training are not used at all
    assert not {SPEAKERS[voice].engine for voice in sentence_set("scored").voices} & trained_on


def _bare(text: str) -> str:
    return " ".join("".join(mark for mark in text.casefold() if mark.isalpha() or mark == " ").split())


@pytest.mark.parametrize("name", SETS)
def test_every_request_is_for_something_that_the_agent_has(name: str) -> None:
    keys = {intent.key for intent in intents_of(office_agent())}
    asked = {intent for _, intent, _ in sentence_set(name).requests if intent is not None}
    assert asked <= keys
    assert len(asked) == len(keys) - 1  # all but the greeting, which nobody calls for


def test_listed_questions_are_the_agents_and_free_ones_are_not() -> None:
    given = {_bare(question) for entry in office_agent().knowledge for question in entry.questions}
    known = {entry.questions[0] for entry in office_agent().knowledge}
    for name in SETS:
        for text, intent, listed in sentence_set(name).requests:
            if intent in known:
                assert (_bare(text) in given) == listed, text


def test_the_scored_set_is_as_large_as_was_asked_for() -> None:
    requests = sentence_set("scored").requests
    inside = [listed for _, intent, listed in requests if intent is not None]
    assert len(inside) >= 60
    assert 0.4 <= sum(inside) / len(inside) <= 0.6
    assert len(requests) - len(inside) >= 20


def test_utterances_are_every_sentence_by_every_voice_over_every_line() -> None:
    two = SentenceSet(("a", "b"), (("x", "hours", True), ("y", None, False)))
    found = list(two.utterances(("wide", "phone")))
    assert len(found) == len(set(found)) == 8


def test_asking_again_is_wrong_and_so_is_answering_a_stranger() -> None:
    def said(condition: str, intent: str | None, *, listed: bool = False) -> Utterance:
        return Utterance("v", condition, "t", intent, listed)

    found = figures(
        [
            (said("wide", "hours", listed=True), "hours"),
            (said("wide", "hours"), None),
            (said("wide", "hours"), "message"),
            (said("wide", None), None),
            (said("wide", None), "hours"),
            (said("phone", "hours"), "hours"),
        ]
    )
    assert found["accuracy_wide"] == pytest.approx(1 / 3, abs=1e-3)
    assert (found["accuracy_listed_wide"], found["accuracy_free_wide"]) == (1.0, 0.0)
    assert found["asked_again_wide"] == pytest.approx(1 / 3, abs=1e-3)
    assert found["ood_accepted_wide"] == 0.5
    assert (found["wrong_wide"], found["wrong_phone"]) == (pytest.approx(1 / 3, abs=1e-3), 0.0)
    assert found["wrong"] == pytest.approx(1 / 4, abs=1e-3)
    assert found["ood_accepted"] == 0.5
    assert found["accuracy_phone"] == 1.0
    assert found["ood_accepted_phone"] is None
    assert found["confusions"] == [
        {"meant": "hours", "decided": "message", "times": 1},
        {"meant": "out of domain", "decided": "hours", "times": 1},
    ]


def test_the_fit_finds_the_weights_that_made_the_choices() -> None:
    rng = np.random.default_rng(1)
    true = np.array([3.0, -2.0])
    table = rng.uniform(size=(3000, 4, 2))
    chances = intent_fit.probabilities(table, true)
    right = np.array([rng.choice(4, p=row) for row in chances])
    assert intent_fit.fitted(table, right) == pytest.approx(true, abs=0.3)


def test_no_sentence_is_judged_by_weights_that_were_fitted_to_it() -> None:
    """Each sentence has a feature of its own that gives the answer away, to whoever has seen that sentence."""
    count = 20
    table = np.zeros((2 * count, 2, count))
    for row in range(2 * count):
        table[row, 1, row // 2] = 1.0
    right = np.ones(2 * count, dtype=np.int64)
    texts = [f"sentence {row // 2}" for row in range(2 * count)]
    assert intent_fit.held_out(table, right, texts)[:, 1] == pytest.approx(np.full(2 * count, 0.5), abs=1e-6)
    assert (intent_fit.probabilities(table, intent_fit.fitted(table, right))[:, 1] > 0.9).all()
