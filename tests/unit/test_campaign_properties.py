"""What holds for every campaign: any order of outcomes, any shares, any spelling, any flow."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.outbound.breaker import LONGEST_PAUSE, Allowed, Breaker, OneProbe, UntilInstant, allows, noted
from app.outbound.campaign import BreakerRules, Campaign, FieldType, ParticipantField, Retry
from app.outbound.campaign import Retried as RetriedWord
from app.outbound.do_not_call import canonical, index_key, same
from app.outbound.flow import END, Flow
from app.outbound.participants import UnfitError, fitting
from app.outbound.retries import LONGEST, after
from app.outbound.seats import Claim, shares
from app.outbound.walking import MOST_STEPS, CallNow, Facts, Stuck, WaitUntil, walk
from app.outbound.ways import rounds
from app.ports import Result
from app.settings import DialRules

pytestmark = pytest.mark.unit

same_every_time = settings(derandomize=True, deadline=None, database=None, max_examples=60)

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
OUTCOMES = tuple(each.value for each in Result)

# -- retries -----------------------------------------------------------------------------------------------------

RETRY = st.builds(
    Retry,
    after=st.sampled_from(get_args(RetriedWord)),
    attempts=st.integers(1, 10),
    wait_minutes=st.integers(1, 60 * 24 * 14),
    growth=st.floats(1.0, 4.0),
)


@same_every_time
@given(
    st.lists(RETRY, max_size=8, unique_by=lambda rule: rule.after),
    st.integers(1, 20),
    st.lists(st.sampled_from(OUTCOMES), min_size=20, max_size=20),
    st.datetimes(datetime(2026, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC)),
)
def test_a_communication_ends_after_as_many_calls_as_it_may_have(
    rules: list[Retry], attempts: int, outcomes: list[str], now: datetime
) -> None:
    campaign = Campaign(name="Survey", agent_id="a", retries=tuple(rules), attempts=attempts)
    ended = Counter[str]()
    for count, outcome in enumerate(outcomes, start=1):
        ended[outcome] += 1
        then = after(outcome, ended, count, campaign, now)
        if not isinstance(then, datetime):
            break
        assert now < then <= now + LONGEST
        now = then
    assert count <= attempts
    assert not isinstance(then, datetime)
    for rule in rules:
        assert ended[rule.after] <= max(1, rule.attempts)


# -- the breaker -------------------------------------------------------------------------------------------------

RULES = st.builds(
    BreakerRules, window=st.integers(4, 100), percent=st.integers(10, 100), pause_minutes=st.integers(1, 120)
)
STEPS = st.lists(st.tuples(st.sampled_from(OUTCOMES), st.integers(-90, 90)), max_size=60)


@same_every_time
@given(RULES, STEPS)
def test_a_breaker_never_waits_for_longer_than_it_may_and_then_tries_one(
    rules: BreakerRules, steps: list[tuple[str, int]]
) -> None:
    """Also where the clock is set back now and then."""
    breaker, now = Breaker(), NOW
    for outcome, minutes in steps:
        now += timedelta(minutes=minutes)
        breaker = noted(breaker, outcome, now, rules)
        assert len(breaker.recent) <= rules.window
        held = allows(breaker, 0, now)
        if isinstance(held, UntilInstant):
            assert now < held.at <= now + LONGEST_PAUSE
            assert allows(breaker, 0, held.at) == OneProbe(goes_on=False)
            assert noted(breaker, "answered", held.at, rules) == Breaker()


@same_every_time
@given(
    RULES, st.lists(st.sampled_from(["answered", "busy", "declined", "no answer", "machine", "capacity", "unknown"]))
)
def test_a_breaker_stays_closed_where_the_line_works(rules: BreakerRules, outcomes: list[str]) -> None:
    breaker = Breaker()
    for outcome in outcomes:
        breaker = noted(breaker, outcome, NOW, rules)
        assert allows(breaker, 0, NOW) == Allowed()


@same_every_time
@given(RULES, st.lists(st.booleans(), max_size=120))
def test_a_breaker_opens_at_its_share_and_not_before(rules: BreakerRules, failures: list[bool]) -> None:
    breaker = Breaker()
    for count, failed in enumerate(failures, start=1):
        breaker = noted(breaker, "failed" if failed else "answered", NOW, rules)
        share = sum(failures[:count][-rules.window :]) / rules.window * 100
        assert isinstance(allows(breaker, 0, NOW), UntilInstant) is (share >= rules.percent - 1e-9)
        if share >= rules.percent - 1e-9:
            break


# -- seats -------------------------------------------------------------------------------------------------------


@st.composite
def claims(draw: st.DrawFn) -> list[Claim]:
    return [
        Claim(
            f"c{place}",
            draw(st.integers(0, 4)),
            draw(st.integers(0, 20)),
            NOW + timedelta(seconds=draw(st.integers(0, 100))),
            draw(st.integers(1, 16)),
            draw(st.integers(0, 4)),
        )
        for place in range(draw(st.integers(0, 5)))
    ]


@same_every_time
@given(claims(), st.integers(1, 16), st.integers(0, 16))
def test_seats_are_given_until_nobody_may_have_one_more(asked: list[Claim], seats: int, inbound: int) -> None:
    opened = inbound + sum(claim.running for claim in asked)
    given_ = shares(asked, seats, opened)
    left = seats - opened - sum(given_.values())
    for claim in asked:
        has = given_[claim.campaign_id]
        assert 0 <= has <= claim.ready
        assert has == 0 or claim.running + has <= claim.at_once
        may_have_more = has < claim.ready and claim.running + has < claim.at_once and left > claim.seats_for_inbound
        assert not may_have_more
    if any(given_.values()):
        assert left >= min(claim.seats_for_inbound for claim in asked if given_[claim.campaign_id])


@same_every_time
@given(claims(), st.integers(1, 16))
def test_nobody_gets_a_second_seat_before_another_who_may_have_a_first(asked: list[Claim], seats: int) -> None:
    alike = [Claim(each.campaign_id, 0, 20, each.waiting_since, 16, 1) for each in asked]
    has = sorted(shares(alike, seats, 0).values())
    assert not has or has[-1] - has[0] <= 1


# -- numbers -----------------------------------------------------------------------------------------------------

GERMANY = DialRules(country_code="49")
NATIONAL = st.from_regex(re.compile(r"[1-9][0-9]{6,10}"), fullmatch=True)
SEPARATORS = st.sampled_from(["", " ", "-", "/", ".", "\u00a0", "\u2013", "\u200e", " - "])


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """A national number without its 0, and one way to write it."""
    number = draw(NATIONAL)
    begin = draw(st.sampled_from(["0", "+49", "0049", "+49 (0)", "(0)", "tel:+49", "+49 0"]))
    return number, begin + "".join(digit + draw(SEPARATORS) for digit in number)


@same_every_time
@given(spellings())
def test_a_number_is_found_in_every_spelling(spelt: tuple[str, str]) -> None:
    number, written = spelt
    assert canonical(written, GERMANY) == f"+49{number}"
    without_country = canonical(written, DialRules())
    if not written.startswith("+49 0"):  # without its country, nobody knows that the 0 is one too many
        assert same(without_country, f"+49{number}")


@same_every_time
@given(st.text(max_size=30), st.sampled_from([GERMANY, DialRules(), DialRules(trunk_prefix="", extension_digits=0)]))
def test_whatever_somebody_writes_is_itself(written: str, rules: DialRules) -> None:
    number = canonical(written, rules)
    assert same(number, number) is (number != "")
    assert number == number.strip()


@same_every_time
@given(st.from_regex(r"\+?[0-9]{1,12}", fullmatch=True), st.from_regex(r"\+?[0-9]{1,12}", fullmatch=True))
def test_same_goes_both_ways_and_by_the_index(one: str, other: str) -> None:
    assert same(one, other) is same(other, one)
    longer = one.removeprefix("+") + other.removeprefix("+")
    for first, second in ((one, other), (other, longer), (f"+{longer}", other)):
        assert not same(first, second) or index_key(first) == index_key(second)


# -- values ------------------------------------------------------------------------------------------------------


@same_every_time
@given(st.sampled_from(get_args(FieldType)), st.one_of(st.text(max_size=20), st.from_regex(r"[-+]?[0-9 .,']{1,12}")))
def test_what_is_kept_is_in_its_last_spelling(kind: FieldType, text: str) -> None:
    try:
        kept = fitting(kind, text)
    except UnfitError:
        return
    assert fitting(kind, kept) == kept


@same_every_time
@given(st.dates(date(1900, 1, 1)))
def test_a_date_is_one_however_it_is_written(day: date) -> None:
    for written in (day.isoformat(), f"{day:%d.%m.%Y}", f"{day.day}.{day.month}.{day.year:04}"):
        assert fitting("date", written) == day.isoformat()


@same_every_time
@given(st.integers(-(10**9), 10**9), st.integers(0, 99))
def test_a_number_is_one_however_it_is_written(whole: int, cents: int) -> None:
    for text in (f"{whole}.{cents:02}", f"{whole},{cents:02}", f"{whole:,}.{cents:02}", f"{whole:_},{cents:02}"):
        assert fitting("number", text.replace("_", ".")) == f"{whole}.{cents:02}"


# -- ways --------------------------------------------------------------------------------------------------------

IDS = ("a", "b", "c", "d", "e", "f")


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any steps that lead anywhere among themselves."""
    there = st.sampled_from((*IDS, END))

    def step(name: str) -> dict[str, Any]:
        match draw(st.sampled_from(["call", "wait", "check", "check", "set", "webhook", "other flow"])):
            case "check":
                of = draw(st.sampled_from(["field name", "field age", "calls", "outcome", "result mood"]))
                operator = draw(st.sampled_from(["is", "is not", "is set", "at least", "contains"]))
                ways = {"match": draw(there), "otherwise": draw(there)}
                return {"do": "check", "id": name, "of": of, "operator": operator, "value": draw(VALUES)} | ways
            case "set":
                field = draw(st.sampled_from(["name", "age"]))
                return {"do": "set", "id": name, "field": field, "value": draw(VALUES), "then": draw(there)}
            case "webhook":
                return {"do": "webhook", "id": name, "event": "x", "then": draw(there)}
            case "other flow":
                return {"do": "other flow", "id": name, "campaign": "Thanks"}
            case "wait":
                return {"do": "wait", "id": name, "minutes": 5, "then": draw(there)}
            case _:
                return {"do": "call", "id": name, "then": draw(there)}

    return Flow.model_validate({"steps": [step(name) for name in IDS]})


VALUES = st.sampled_from(["", "1", "2", "Ada", "{name}{name}", "{age}", "{result:mood}", "answered"])
FIELDS = (
    ParticipantField(name="number", type="phone"),
    ParticipantField(name="name"),
    ParticipantField(name="age", type="number"),
)


@same_every_time
@given(flows(), st.sampled_from(IDS), st.integers(0, 3), st.sampled_from(["", "answered", "busy"]))
def test_a_flow_without_rounds_always_comes_to_a_stop(flow: Flow, start: str, calls: int, outcome: str) -> None:
    campaign = Campaign(name="Survey", agent_id="a", fields=FIELDS, flow=flow)
    facts = Facts({"name": "Ada", "age": "2"}, {"mood": "good"}, outcome, "Completed", calls)
    way = walk(campaign, start, facts, NOW)
    assert len(way.effects) <= MOST_STEPS
    assert all(len(value) <= 500 for value in way.values.values())
    if isinstance(way.stop, Stuck):
        assert rounds(flow)
    if isinstance(way.stop, CallNow):
        assert way.stop.step in flow.steps
    if isinstance(way.stop, WaitUntil):
        assert way.stop.due_at == NOW + timedelta(minutes=5)


@same_every_time
@given(flows())
def test_a_round_leads_from_each_of_its_steps_to_the_next(flow: Flow) -> None:
    found = rounds(flow)
    assume(found)
    steps = {each.id: each.model_dump() for each in flow.steps}
    for way in found:
        assert len(set(way)) == len(way)
        for here, there in zip(way, (*way[1:], way[0]), strict=True):
            assert steps[here]["do"] not in ("call", "wait")
            assert there in (steps[here].get("then"), steps[here].get("match"), steps[here].get("otherwise"))
