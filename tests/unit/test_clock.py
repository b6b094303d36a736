"""When the clock of the box is believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.clock import SteadyClock, is_set
from app.diagnosis import Facts, findings

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
IN_1970 = datetime(1970, 1, 1, 0, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("first", "then", "steady"),
    [
        (NOW, NOW + HOUR, True),
        (NOW, NOW + HOUR + timedelta(seconds=59), True),
        (NOW, NOW + HOUR - timedelta(seconds=59), True),
        (NOW, NOW + HOUR + timedelta(seconds=61), False),
        (NOW, NOW + timedelta(days=365), False),
        (NOW, NOW, False),
        (IN_1970, NOW, False),
        (IN_1970, IN_1970 + HOUR, False),
    ],
)
def test_a_clock_that_was_set_is_not_steady(first: datetime, then: datetime, steady: bool) -> None:
    clock = SteadyClock()
    assert not clock.is_steady(first, 100.0), "nothing to compare with yet"
    assert clock.is_steady(then, 3700.0) is steady


def test_after_it_was_set_it_is_steady_again() -> None:
    clock = SteadyClock()
    looks = [clock.is_steady(instant, at_s) for instant, at_s in ((IN_1970, 0.0), (NOW, 3600.0), (NOW + HOUR, 7200.0))]
    assert looks == [False, False, True]


def test_a_clock_that_is_not_set_is_a_finding_with_a_remedy() -> None:
    [found] = [each for each in findings(Facts(IN_1970, [], {}, [])) if each.kind == "clock not set"]
    assert found.evidence == "It believes that today is 1 January 1970."
    assert "time server (NTP)" in found.remedy
    assert is_set(NOW)
    assert [each for each in findings(Facts(NOW, [], {}, [])) if each.kind == "clock not set"] == []
