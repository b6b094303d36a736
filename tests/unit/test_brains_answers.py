import pytest

from app.brains.answers import name_in, yes_or_no
from app.ports import Heard

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("own", "general", "answer"),
    [
        ("yes", "yes", True),
        ("yes", "jess", True),
        ("that's right", "that's right", True),
        ("that is not right", "that is not right", False),
        ("no", "no", False),
        ("no that's right", "no that's right", False),
        ("yes", "no", None),
        ("yes that is wrong", "yes that is", None),
        ("the number", "the number", None),
        ("yes I would like that very much", "yes I would like that very much", True),
        ("is it all right to park in front", "is it all right to park in front", None),
        ("", "", None),
    ],
)
def test_yes_and_no(own: str, general: str, answer: bool | None) -> None:
    assert yes_or_no(Heard(own, general)) is answer


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("my name is john smith", "John Smith"),
        ("john smith", "John Smith"),
        ("yes hello this is john smith speaking", "John Smith"),
        ("it's mary ann o'neill", "Mary Ann Oneill"),
        ("s. m. i. t. h.", "Smith"),
        ("john smith s. m. i. t. h.", "John Smith"),
        ("one two three four five", "One Two Three Four"),
        ("um", ""),
        ("", ""),
    ],
)
def test_names(said: str, name: str) -> None:
    assert name_in(said) == name
