"""The notebook of changes that the kills are judged by: it must tell a lost one, and one that was written by halves."""

from __future__ import annotations

import pytest

from tests.web.editing import ABSENT, HALF, Notebook, _expiry_s, _number

pytestmark = pytest.mark.unit


def changed(*, answered: bool) -> Notebook:
    """A record with the acknowledged number 1, and then changed to 2."""
    notebook = Notebook()
    assert notebook.trying("Office") == 1
    notebook.done("Office")
    assert notebook.trying("Office") == 2
    if answered:
        notebook.done("Office")
    return notebook


@pytest.mark.parametrize(
    ("answered", "found", "lost"),
    [
        (True, 2, False),
        (True, 1, True),
        (True, ABSENT, True),
        (False, 2, False),
        (False, 1, False),
        (False, ABSENT, True),
        (False, 3, True),
    ],
)
def test_what_was_acknowledged_must_be_there_and_what_was_not_may(answered: bool, found: int, lost: bool) -> None:
    notebook = changed(answered=answered)
    notebook.compare("Office", found)
    assert bool(notebook.lost) is lost
    assert notebook.half == []


def test_a_deletion_counts_like_a_change() -> None:
    notebook = changed(answered=True)
    notebook.trying("Office", ABSENT)
    notebook.done("Office")
    notebook.compare("Office", 2)
    assert notebook.lost == ["Office: 2, not 0 or None"]


def test_what_was_found_must_stay() -> None:
    notebook = changed(answered=False)
    notebook.compare("Office", 1)
    notebook.compare("Office", 2)
    assert notebook.lost == ["Office: 2, not 1 or None"]


def test_fields_that_do_not_agree_are_a_half_record() -> None:
    assert _number("7", "7", _expiry_s(7), readable=True) == 7
    halves = [
        _number("7", "8", _expiry_s(7), readable=True),
        _number("7", "7", _expiry_s(8), readable=True),
        _number("7", "7", _expiry_s(7), readable=False),
    ]
    assert halves == [HALF] * 3
    notebook = changed(answered=True)
    notebook.compare("Office", HALF)
    assert len(notebook.half) == 1
