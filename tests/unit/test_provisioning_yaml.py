"""YAML as people type it: what they mean, and the line of each mistake."""

from __future__ import annotations

import pytest

from app.outbound.campaign import Campaign
from app.outbound.flow import ONE_CALL, Flow
from provisioning.web.campaign_text import campaign_of, campaign_text, flow_of, flow_text
from provisioning.web.yaml_text import LARGEST_TEXT, Mistake, Read, read, written
from tests.unit.campaign_office import FLOW, SETTINGS
from tests.unit.test_provisioning_pages import _agent

pytestmark = pytest.mark.unit


def test_words_are_words() -> None:
    found = read("a: yes\nb: 09:00\nc: 2026-12-24\nd: 12\ne: ~\nf:\ng: [on, 0x10, 1_000]\n'<<': {h: no}")
    assert isinstance(found, Read)
    assert found.value == {
        "a": "yes",
        "b": "09:00",
        "c": "2026-12-24",
        "d": "12",
        "e": None,
        "f": None,
        "g": ["on", "0x10", "1_000"],
        "<<": {"h": "no"},
    }


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 0, "There is nothing in it."),
        ("# only this", 0, "There is nothing in it."),
        ("a: 1\nb: &x 2\nc: *x", 2, "Parts with & and * are not taken here."),
        ("a: *x", 1, "Parts with & and * are not taken here."),
        ("a: !!python/object/apply:os.system [ls]", 1, "Words that begin with ! are not taken here."),
        ("a: 1\nb: c: d", 2, "there is a colon too many"),
        ("a: 1\n\tb: 2", 2, "Use spaces"),
        ("a: 1\nb: 'x", 2, "opened and never closed"),
        ("a: 1\nb: 2\na: 3", 3, "“a” is there twice"),
        ("a: 1\nb\x07: 2", 2, "a character that cannot be seen"),
        ("? [a]\n: 1", 1, "A name was expected here."),
        ("a: 1\n---\nb: 2", 2, "This line cannot be read"),
        ("[" * 3000, 1, "There is more in this text than anybody writes."),
        ("{a: " * 3000, 1, "There is more in this text than anybody writes."),
        ("[" + "x, " * 20_001 + "]", 1, "There is more in this text than anybody writes."),
        ("x" * (LARGEST_TEXT + 1), 0, "This is longer than"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, told: str) -> None:
    found = read(text)
    assert isinstance(found, Mistake)
    assert told in found.text
    assert found.line == line


def test_what_is_written_is_read_as_it_was() -> None:
    value = {
        "yes": [
            "no",
            "null",
            "",
            "~",
            "1",
            "09:00",
            "- x",
            "a: b",
            " blank ",
            "#",
            "é 👩‍👩‍👧",
            "'",
            '"',
            "|",
            "!x",
            "&x",
        ],
        "lines": ["two\nlines\n", "\n", "a\n\n b", " a\nb", "a\r\nb", "\u2028", "\u0085", "\ufeff"],
        "none": None,
    }
    found = read(written(value))
    assert isinstance(found, Read)
    assert found.value == value


def test_words_are_written_as_people_write_them() -> None:
    assert written({"on": "yes", "n": 12, "is": True, "none": None, "tilde": "~", "at": "09:00"}) == (
        "on: yes\nn: 12\nis: true\nnone: null\ntilde: '~'\nat: 09:00\n"
    )


@pytest.mark.parametrize("flow", [FLOW, ONE_CALL, Flow()])
async def test_a_flow_comes_back_from_its_text(flow: Flow) -> None:
    assert await flow_of(flow_text(flow)) == flow


async def test_what_a_model_does_not_take_is_told_with_the_line_of_the_field() -> None:
    text = "steps:\n- id: call\n  do: call\n  ring_s: 4\n- id: Check\n  do: check\n  of: mood\n  match: end\n"
    found = await flow_of(text)
    assert not isinstance(found, Flow)
    told = {(each.line, each.text) for each in found}
    assert (4, "“ring_s”: must be 5 or more.") in told
    assert {line for line, _ in told} == {2, 4, 5, 7} - {2}
    assert any(text.startswith("“otherwise”: must be filled in") for _, text in told)


async def test_a_campaign_comes_back_from_its_text_with_the_agent_of_that_name() -> None:
    agent = _agent().view
    text = campaign_text(SETTINGS, agent.name, "")
    assert "agent: Reception" in text
    assert "a1" not in text
    assert await campaign_of(text, [agent], []) == SETTINGS


async def test_an_agent_that_is_not_there_is_chosen() -> None:
    agent = _agent().view
    text = campaign_text(SETTINGS, "Somebody else", "")
    [mistake] = await campaign_of(text, [agent], [])
    assert isinstance(mistake, Mistake)
    assert (mistake.line, mistake.text) == (3, "This box has no agent of that name. Choose one below.")
    chosen = await campaign_of(text, [agent], [], agent.id)
    assert isinstance(chosen, Campaign)
    assert chosen.agent_id == "a1"
