"""What a sentence is about, by the committed table; and that a table can be made."""

from __future__ import annotations

import random

import numpy as np
import pytest

from app.brains.intents import ACT_PHRASES
from app.brains.words import words
from models import packs
from models.topics.stock import stock
from models.topics.table import Table
from models.topics.training import train
from tests.bench.intent import sentence_set

pytestmark = pytest.mark.unit


@pytest.fixture(scope="module")
def table() -> Table:
    return Table.load(packs.path("topics"))


def told(table: Table, text: str) -> str:
    return table.topics[int(table.of(words(text)).argmax())]


@pytest.mark.parametrize("name", ["scored", "tuning"])
def test_no_sentence_of_the_intent_bench_is_among_those_it_learned_from(name: str) -> None:
    learned = {words(text) for texts in stock().values() for text in texts}
    assert not learned & {words(text) for text, _, _ in sentence_set(name).requests}


def test_every_topic_has_sentences_and_the_table_knows_them_all(table: Table) -> None:
    assert set(table.topics) == set(stock())
    assert min(map(len, stock().values())) >= 8
    assert {act.value for act in ACT_PHRASES} <= set(stock())


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("whereabouts is your practise located", "address"),
        ("which metro goes to your office", "transit"),
        ("my girlfriend cannot walk upstairs", "access"),
        ("would my insurer reimburse the therapy", "insurance"),
        ("I would rather speak to a human being", "someone"),
        ("have somebody telephone me this evening", "message"),
        ("please repeat your last sentence", "repeat"),
        ("could we postpone our appointment", "cancel"),
        ("what does it cost", "price"),
        ("the volcano erupted in the evening", "other"),
        ("yes", "other"),
    ],
)
def test_it_tells_what_sentences_are_about_that_it_never_saw(table: Table, text: str, topic: str) -> None:
    assert told(table, text) == topic


def test_shares_are_shares_whatever_was_said(table: Table) -> None:
    for said in ((), ("zyx",), ("the",) * 500, ("where", "can", "i", "park")):
        shares = table.of(said)
        assert shares.sum() == pytest.approx(1.0, abs=1e-5)
        assert (shares >= 0).all()


def test_words_that_it_never_saw_in_a_sentence_tell_something_by_their_vectors(table: Table) -> None:
    word = "railroad"
    assert word not in table.phrases
    assert told(table, word) == "transit"


def test_a_table_can_be_made() -> None:
    known = [
        train.Sentence("food", ("we", "eat", "bread")),
        train.Sentence("food", ("hot", "soup")),
        train.Sentence("travel", ("a", "fast", "train")),
        train.Sentence("travel", ("we", "take", "the", "bus")),
    ]
    vocabulary = ["bread", "soup", "rice", "train", "bus", "plane"]
    directions = np.array([[1, 0], [0.9, 0.1], [0.95, 0], [0, 1], [0.1, 0.9], [0, 0.95]], np.float32)
    made = train.made(known, vocabulary, directions - directions.mean(0))
    table = Table(
        tuple(str(made["topics"]).split("\n")),
        {phrase: place for place, phrase in enumerate(str(made["phrases"]).split("\n"))},
        made["weights"].astype(np.float32),
        made["told"].astype(np.int8),
        float(made["told_unit"]),
        {word: place for place, word in enumerate(vocabulary)},
        made["vectors"].astype(np.int8),
        made["vector_units"].astype(np.float32),
        made["meant"].astype(np.float32),
        made["base"].astype(np.float32),
    )
    for sentence in known:
        assert table.topics[int(table.of(sentence.words).argmax())] == sentence.topic
    assert told(table, "rice") == "food"  # in no sentence, but near bread
    assert told(table, "a plane") == "travel"


def test_words_of_the_training_are_those_of_the_product() -> None:
    for text in random.Random(1).sample([text for texts in stock().values() for text in texts], 300):
        assert train.plain(text) == words(text)


def test_the_commonest_words_of_a_language_model() -> None:
    arpa = [
        "\\data\\",
        "\\1-grams:",
        "-3.0 rare 0.1",
        "-1.0 common 0.2",
        "-0.5 <s> 0.1",
        "-2.0 it's 0.1",
        "",
        "\\2-grams:",
        "-0.1 a b",
    ]
    assert train.commonest(arpa) == ["common", "rare"]
