import pytest

from app.brains.numbers import digits_in, read_back

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("five five five oh one four two", "5550142"),
        ("double five", "55"),
        ("triple seven oh nine", "77709"),
        ("twenty two", "22"),
        ("twenty twenty", "2020"),
        ("forty", "40"),
        ("nineteen eighty four", "1984"),
        ("five hundred", "500"),
        ("my number is zero one, five five five", "01555"),
        ("plus four nine three oh", "+4930"),
        ("+49 30 1234", "+49301234"),
        ("one plus one", "11"),
        ("five to five for five", "52545"),
        ("nine eight oh on", "9801"),
        ("five or one", "501"),
        ("I want to ask for two", "2"),
        ("call me at five on the mobile", "5"),
        ("double trouble", ""),
        ("I have no number", ""),
        ("", ""),
    ],
)
def test_spoken_numbers_become_digits(said: str, digits: str) -> None:
    assert digits_in(said) == digits


@pytest.mark.parametrize(
    ("number", "spoken"),
    [
        ("5550142", "5 5 5, 0 1 4 2"),
        ("204", "2 0 4"),
        ("5550", "5 5 5 0"),
        ("55501", "5 5 5, 0 1"),
        ("02079460018", "0 2 0, 7 9 4, 6 0 0, 1 8"),
        ("+4930", "plus 4 9 3 0"),
        ("7", "7"),
        ("", ""),
    ],
)
def test_numbers_are_read_back_digit_by_digit(number: str, spoken: str) -> None:
    assert read_back(number) == spoken


def test_what_is_read_back_is_what_was_noted() -> None:
    for number in ("5550142", "+12025550142", "0", "999", "12345678"):
        assert digits_in(read_back(number)) == number
