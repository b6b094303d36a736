import pytest

from models.stt import english
from models.stt.language_model import build, office_phrases
from models.stt.ngrams import Trigrams
from models.stt.pronunciation import Dictionary

pytestmark = pytest.mark.unit


def trigrams(*sentences: str) -> Trigrams:
    made = Trigrams()
    for sentence in sentences:
        made.add(sentence.split(), 1.0)
    return made


@pytest.mark.parametrize("history", [(), ("a",), ("<s>",), ("<s>", "a"), ("b", "a"), ("never", "seen")])
def test_what_may_follow_a_history_adds_up_to_one(history: tuple[str, ...]) -> None:
    made = trigrams("a b a", "a c", "b")
    assert sum(made.probability((*history, word)) for word in ("a", "b", "c", "</s>")) == pytest.approx(1)


def test_what_was_seen_is_more_likely_than_what_was_not() -> None:
    made = trigrams("speak to anna", "speak to bob")
    assert made.probability(("speak", "to", "anna")) > made.probability(("speak", "to", "speak")) > 0


def test_a_heavier_sentence_is_more_likely() -> None:
    made = Trigrams()
    made.add(["yes"], 3.0)
    made.add(["no"], 1.0)
    assert made.probability(("<s>", "yes")) > made.probability(("<s>", "no"))


def test_back_off_of_the_file_gives_the_same_probability_as_the_model() -> None:
    made = trigrams("a b a", "a c", "b")
    bigrams = made.arpa().partition("\\2-grams:\n")[2].splitlines()
    row = next(row.split() for row in bigrams if row.split()[1:3] == ["a", "b"])
    unseen, shorter = made.probability(("a", "b", "c")), made.probability(("b", "c"))
    back_off = 10 ** float(row[-1])
    assert unseen == pytest.approx(back_off * shorter, rel=1e-3)


def test_the_header_counts_what_follows() -> None:
    arpa = build(["one two three"]).arpa
    counts = [int(line.partition("=")[2]) for line in arpa.splitlines() if line.startswith("ngram ")]
    sections = arpa.split("-grams:\n")[1:]
    assert counts == [sum(line.startswith("-") or line[:1] == "0" for line in part.splitlines()) for part in sections]


def test_every_word_has_a_pronunciation() -> None:
    model = build(["Do you sell flumpeters?"], names=["Anna Kowalczyk"], vocabulary=["VPN"])
    lines = model.dictionary.splitlines()
    assert {"flumpeters", "anna", "kowalczyk", "vpn", "monday", "thirty"} <= model.words
    assert all(len(line.split()) >= 2 for line in lines)
    assert len(lines) == len({line.split()[0] for line in lines})


def test_words_and_dictionary_are_the_same_set() -> None:
    model = build(["where can I park"], names=["Sales"])
    unigrams = model.arpa.partition("\\1-grams:\n")[2].partition("\n\n")[0].splitlines()
    assert {row.split()[1] for row in unigrams} - {"<s>", "</s>"} == model.words


def test_an_agent_without_words_of_its_own_still_understands_the_telephone() -> None:
    assert {"yes", "goodbye", "message", "double", "o'clock"} <= build([]).words


def test_it_has_heard_of_what_offices_are_called_for() -> None:
    assert {"wheelchair", "installments", "reschedule"} <= build([]).words
    assert not {"volcano", "penguins", "helen"} & build([]).words  # the world, and people of other offices


def test_office_phrases_are_many_and_each_once() -> None:
    phrases = office_phrases()
    assert len(phrases) > 300
    assert len(phrases) == len(set(phrases))


def test_office_phrases_need_no_guessed_pronunciations() -> None:
    known = Dictionary(english.DICTIONARY)
    assert [word for word in build([]).words if word not in known] == []


def test_what_is_personal_is_only_what_was_given() -> None:
    assert "kowalczyk" not in build(["Is Anna Miller there?"]).words


def test_an_answer_that_is_awaited_is_likelier_than_it_would_be() -> None:
    def first(word: str, *answers: str) -> float:
        bigrams = build(["where can I park"], answers=answers).arpa.partition("\\2-grams:\n")[2].splitlines()
        return next((float(row.split()[0]) for row in bigrams if row.split()[1:3] == ["<s>", word]), -99.0)

    assert first("reschedule", "reschedule", "7") > first("reschedule")
    assert first("seven", "reschedule", "7") > first("seven")
