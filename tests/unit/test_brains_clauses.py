import pytest

from app.brains.clauses import clauses

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  \n ", []),
        ("Yes.", ["Yes."]),
        ("Hello. How can I help?", ["Hello.", "How can I help?"]),
        ("5 5 5, 0 1 4 2. Is that right?", ["5 5 5, 0 1 4 2.", "Is that right?"]),
        ("Ask for Dr. Miller. She knows.", ["Ask for Dr. Miller.", "She knows."]),
        ("It costs 4.50 dollars. Open at 9.30.", ["It costs 4.50 dollars.", "Open at 9.30."]),
        ("Open to 5 p.m. on weekdays.", ["Open to 5 p.m. on weekdays."]),
        ("No end", ["No end"]),
        ("Wait… what? Yes!", ["Wait…", "what?", "Yes!"]),
    ],
)
def test_sentences_are_clauses(text: str, expected: list[str]) -> None:
    assert list(clauses(text)) == expected


def test_long_sentences_are_cut_where_a_speaker_breathes() -> None:
    text = (
        "With severe pain come in right away, we see you on the same day, and at night or on weekends, "
        "the clinic at the main station helps."
    )
    found = list(clauses(text))
    assert len(found) > 1
    assert all(clause.endswith((",", ".")) and len(clause) >= 25 for clause in found)
    assert " ".join(found) == text


def test_a_long_sentence_without_a_breath_stays_whole() -> None:
    text = " ".join(["word"] * 60) + "."
    assert list(clauses(text)) == [text]
