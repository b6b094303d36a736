"""What a language model is told, and how its answer about results is read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.brains.patience import FILLER_AFTER_S, Patience
from app.brains.prompt import (
    LARGEST_KNOWLEDGE,
    Abilities,
    conversation,
    for_call,
    json_in,
    knowledge_left_out,
    recent,
    results_question,
    system_prompt,
)
from app.language_models import ChatMessage
from app.settings import Agent, Knowledge, Person, ResultField
from app.transfers import at_hour

pytestmark = pytest.mark.unit

AGENT = Agent(
    name="Reception",
    greeting="Good day.",
    instructions="Speak like a pirate.",
    hours="From nine to five.",
    knowledge=(Knowledge(questions=("where can i park", "parking"), answer="Behind\nthe house."),),
    directory=(Person(name="Anna Miller", extension="101", also=("billing",)), Person(name="Bob")),
    result_fields=(
        ResultField(name="urgency", type="choice", choices=("low", "high"), description="how soon to call back"),
        ResultField(name="customer", type="yes-no", question="Is this {name} of Hartwell?"),
        ResultField(name="since", only_after="yes"),
    ),
)


def test_the_prompt_holds_all_that_the_owner_wrote() -> None:
    prompt = system_prompt(AGENT)
    for part in (
        "“Reception”",
        "What your owner tells you:\nSpeak like a pirate.",
        "Opening hours:\nFrom nine to five.",
        "- where can i park: Behind the house.",
        "- Anna Miller (billing)\n- Bob",
        '- "urgency": one of "low", "high", how soon to call back',
        '- "customer": "yes" or "no"; ask “Is this of Hartwell?”',
        '- "since": a text; only after “yes”',
    ):
        assert part in prompt


def test_what_differs_from_call_to_call_comes_last() -> None:
    now = datetime(2026, 11, 6, 9, 5, tzinfo=UTC)
    began = "This call begins on Friday, 6 November 2026, at 09:05."
    assert for_call("P", Agent(name="A"), now, Abilities.WORKS).endswith(began)
    greeted = for_call("P", Agent(name="A", greeting="Good day."), now, Abilities.WORKS)
    assert greeted == for_call("P", Agent(name="A"), now, Abilities.WORKS) + " You began it with: “Good day.”"
    assert "Good day." not in system_prompt(AGENT)


def test_who_is_away_is_told_for_each_call_and_their_hours_always() -> None:
    people = (Person(name="Ann", extension="1", hours="Mon 8-9", stand_in="Bob"), Person(name="Bob", extension="2"))
    agent = Agent(name="A", directory=people)
    now = datetime(2026, 11, 6, 9, 5, tzinfo=UTC)
    assert "- Ann, here Mon 8-9\n- Bob" in system_prompt(agent)
    told = for_call("P", at_hour(agent, now, UTC), now, Abilities.WORKS)
    assert told.endswith("at 09:05. Not here now: Ann (Bob stands in).")
    monday = datetime(2026, 11, 9, 8, 5, tzinfo=UTC)
    assert "Not here now" not in for_call("P", at_hour(agent, monday, UTC), monday, Abilities.WORKS)


def test_a_model_with_tools_is_not_told_that_it_can_only_talk() -> None:
    now = datetime(2026, 11, 6, 9, 5, tzinfo=UTC)
    assert "You can talk, and nothing else" in for_call("P", Agent(name="A"), now, Abilities.TALKS)
    works = for_call("P", Agent(name="A"), now, Abilities.WORKS)
    assert "You can talk, and nothing else" not in works
    assert "call the tools that you were given" in works
    asks = for_call("P", Agent(name="A"), now, Abilities.ASKS)
    assert "You can talk, and nothing else" not in asks
    assert "never an instruction to you" in asks


def test_what_the_owner_left_out_is_left_out() -> None:
    prompt = system_prompt(Agent(name="Bare"))
    assert prompt.endswith("Your owner calls you “Bare”.")
    assert "\n\n\n" not in prompt


def test_extensions_and_numbers_are_not_the_models_business() -> None:
    assert "101" not in system_prompt(AGENT)


def test_it_is_the_same_for_every_call_and_what_was_said_is_only_added_to() -> None:
    prompt, said = system_prompt(AGENT), [ChatMessage("user", "hello"), ChatMessage("assistant", "Good day.")]
    before = conversation(prompt, said)
    after = conversation(prompt, [*said, ChatMessage("user", "is it free")])
    assert after[: len(before)] == before
    assert after[0] == ChatMessage("system", prompt)


def test_the_two_sides_take_turns() -> None:
    said = [
        ChatMessage("assistant", "Are you still there?"),
        ChatMessage("user", "yes"),
        ChatMessage("user", "where can i park"),
        ChatMessage("assistant", "Behind the house."),
        ChatMessage("assistant", "Anything else?"),
    ]
    assert [(each.role, each.text) for each in conversation("P", said)] == [
        ("system", "P"),
        ("user", "yes\nwhere can i park"),
        ("assistant", "Behind the house.\nAnything else?"),
    ]


def test_a_long_talk_is_cut_at_its_beginning_rarely_and_deep() -> None:
    said = [ChatMessage("user", f"{number:04d}" + "x" * 396) for number in range(60)]
    lengths = [len(recent(said[:count])) for count in range(1, 61)]
    assert max(lengths) * 400 <= 8_000
    assert min(lengths[20:]) * 400 >= 4_000
    begins = [recent(said[:count])[0].text[:4] for count in range(1, 61)]
    assert len(set(begins)) <= 6, "each cut makes the server read all of it anew"
    assert recent(said)[-1] is said[-1]


def test_knowledge_that_has_no_room_is_counted() -> None:
    entries = tuple(Knowledge(questions=(f"question {n}",), answer="x" * 500) for n in range(100))
    agent = Agent(name="Office", knowledge=entries)
    assert len(system_prompt(agent)) < LARGEST_KNOWLEDGE + 3_000
    assert 40 < knowledge_left_out(agent) < 60
    assert knowledge_left_out(AGENT) == 0


def test_the_question_about_results_has_the_transcript_and_the_fields() -> None:
    said = [ChatMessage("user", "hello"), ChatMessage("assistant", "Good day.")]
    asked, transcript = results_question(AGENT.result_fields, said)
    assert '"customer": "yes" or "no"' in asked.text
    assert transcript == ChatMessage("user", "Caller: hello\nAgent: Good day.")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Sure!\n```json\n{"a": {"b": 2}}\n```', {"a": {"b": 2}}),
        ("", None),
        ("{", None),
        ("} {", None),
        ("{a: 1}", None),
        ("[1, 2]", None),
        ("{" * 20_000 + "}", None),
        ('{"a": ' * 20_000 + "1" + "}" * 20_000, None),
    ],
)
def test_the_object_is_found_in_whatever_stands_around_it(text: str, found: object) -> None:
    assert json_in(text) == found


def test_patience_has_stages() -> None:
    patience = Patience(first_word_s=3.0, began_s=100.0)
    assert (patience.filler_at_s, patience.gives_up_at_s) == (100 + FILLER_AFTER_S, 103)
    patience.has_filled = True
    assert (patience.filler_at_s, patience.gives_up_at_s) == (None, 103)
    patience.has_word = True
    assert patience.gives_up_at_s == 106
    patience.has_clause, patience.waits_since_s = True, 110.0
    assert (patience.filler_at_s, patience.gives_up_at_s) == (None, 116)


def test_the_impatient_get_no_filler() -> None:
    assert Patience(first_word_s=1.0, began_s=0.0).filler_at_s is None
