"""Fields that are read out: which they are, what is taken, read back, and put right."""

import pytest

from app.brains import dictated, taking_results
from app.brains.taking_results import Asking, begin, not_understood, results, step
from app.dictation import Dictated
from app.ports import Expects, Heard
from app.settings import ResultField

pytestmark = pytest.mark.unit

SPELLED = ResultField(name="last name", question="Please spell your last name.", required=True)
NUMBER = ResultField(name="phone", type="number", question="Your number, all seven digits?", required=True)
MAIL = ResultField(name="e-mail address", required=True)
NAME = ResultField(name="name", question="Who is speaking, please?", required=True)


def read_out(*own: str, general: str = "hum") -> Heard:
    return Heard(own[0], general, others=own)


def says(asking: Asking, *heard: Heard) -> tuple[Asking, str]:
    text = ""
    for each in heard:
        asking, text = step(asking, each) or not_understood(asking)
    return asking, text


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (SPELLED, Dictated.LETTERS),
        (MAIL, Dictated.LETTERS),
        (ResultField(name="email"), Dictated.LETTERS),
        (ResultField(name="wish", description="what to mail us"), Dictated.NOTHING),
        (NUMBER, Dictated.DIGITS),
        (ResultField(name="customer_number", type="number"), Dictated.DIGITS),
        (ResultField(name="guests", type="number", question="What is the number of guests?"), Dictated.NOTHING),
        (ResultField(name="how many", type="number"), Dictated.NOTHING),
        (NAME, Dictated.NOTHING),
        (ResultField(name="phone", question="Which telephone do you have?"), Dictated.NOTHING),
    ],
)
def test_what_a_field_is_read_out_as(field: ResultField, kind: Dictated) -> None:
    assert dictated.kind(field) is kind
    assert begin((field,))[0].dictated is kind


def test_a_name_is_spelled_read_back_and_noted_as_a_name() -> None:
    asking, text = begin((SPELLED,))
    assert (asking.expects, text) == (Expects.LETTERS, "Please spell your last name.")
    asking, text = says(asking, read_out("s m i t h"))
    assert (text, asking.expects) == ("I noted S, M, I, T, H. Is that right?", Expects.YES_NO)
    assert results(asking) == {}, "nothing is taken that was not confirmed"
    assert results(says(asking, read_out("yes"))[0]) == {"last name": "Smith"}


def test_one_letter_is_put_right() -> None:
    asking, text = says(begin((SPELLED,))[0], read_out("n i l l s"), read_out("no m as in mike"))
    assert text.startswith("I noted M as in Mike, I as in India")
    assert results(says(asking, read_out("correct"))[0]) == {"last name": "Mills"}


def test_a_mere_no_asks_for_words_and_what_was_wrong_is_not_offered_again() -> None:
    asking, text = says(begin((SPELLED,))[0], read_out("m e n n"), read_out("no", "n o", "no l e n n"))
    assert text == "I am sorry. Please spell it with a word for each letter, like A as in Alfa, B as in Bravo."
    assert asking.dictated is Dictated.SPELLING_WORDS
    asking, text = says(asking, read_out("m e n n", "n as in november e n n"))
    assert text == "I noted N as in November, E as in Echo, N as in November, N as in November. Is that right?"
    assert results(says(asking, read_out("yes"))[0]) == {"last name": "Nenn"}


def test_a_third_wrong_read_back_is_followed_by_the_next_field() -> None:
    asking, _ = says(begin((SPELLED, NAME))[0], read_out("a b"), read_out("no"), read_out("c d"), read_out("no"))
    asking, _ = says(asking, read_out("e f"))
    assert asking.read_backs == 3
    asking, text = says(asking, read_out("no"))
    assert (text, results(asking)) == ("Never mind. Who is speaking, please?", {})


def test_a_number_as_long_as_the_question_says_is_preferred() -> None:
    asking, text = says(
        begin((NUMBER,))[0], read_out("five five one two three four", "five five five one two three four")
    )
    assert text == "I noted 5 5 5, 1 2 3 4. Is that right?"
    asking, text = says(asking, read_out("no the third digit is nine"))
    assert text == "I noted 5 5 9, 1 2 3 4. Is that right?"
    assert results(says(asking, read_out("yes"))[0]) == {"phone": "5591234"}


def test_a_number_that_both_have_heard_is_not_read_back() -> None:
    words = "five five five one two three four"
    assert results(says(begin((NUMBER,))[0], read_out(words, general=words))[0]) == {"phone": "5551234"}


def test_no_number_in_it_is_asked_for_again() -> None:
    asking, text = says(begin((NUMBER,))[0], read_out("one moment please"))
    assert text == "I am sorry, I did not understand you. Please say it once more, digit by digit."
    assert asking.asked == 2


def test_keys_and_voice_are_mixed() -> None:
    asking, _ = says(begin((NUMBER,))[0], read_out("five five five one two three five"))
    asking, text = says(asking, Heard("5551234", "5551234"))
    assert text == "I noted 5 5 5, 1 2 3 4. Is that right?"


def test_an_address_comes_through_as_one() -> None:
    asking, text = says(begin((MAIL,))[0], read_out("j dot l e e at g mail dot com"))
    assert text == "I noted J, dot, L, E, E, at, G, M, A, I, L, dot, C, O, M. Is that right?"
    assert results(says(asking, read_out("yes"))[0]) == {"e-mail address": "j.lee@gmail.com"}
    whole = read_out("n o", general="john dot smith at example dot org")
    assert says(begin((MAIL,))[0], whole)[0].unsure == "john.smith@example.org"


def test_a_name_that_was_misheard_is_spelled() -> None:
    asking, _ = says(begin((NAME,))[0], Heard("anna", "hannah"), Heard("no", "no"))
    assert asking.dictated is Dictated.SPELLING_WORDS
    asking, text = says(asking, read_out("alfa november alfa"))
    assert text.startswith("I noted A, N, A")
    assert results(says(asking, read_out("yes"))[0]) == {"name": "Ana"}


def test_what_was_not_heard_to_its_end_is_not_confirmed() -> None:
    asking, text = says(begin((SPELLED,))[0], read_out("s m i t h"))
    cut = asking.cut_off("I noted S, M", text)
    asking, text = says(cut, read_out("yes"))
    assert text.startswith("Please listen to the end and say yes or no. I noted S, M, I, T, H.")
    assert results(asking) == {}


def test_somebody_may_not_want_to_say_it() -> None:
    assert says(begin((SPELLED,))[0], Heard("i would rather not say", "i'd rather not say"))[1] == "All right."


def test_neither_yes_nor_anything_else_is_asked_again() -> None:
    asking, _ = says(begin((SPELLED,))[0], read_out("s m i t h"))
    assert taking_results.step(asking, read_out("one moment please")) is None
