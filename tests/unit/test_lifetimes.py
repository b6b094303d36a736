"""Services outlive their users, and every fault is seen, at exact virtual times."""

from __future__ import annotations

from types import TracebackType

import pytest
import trio
from trio.testing import MockClock

from firmware.lifetimes import serving

pytestmark = pytest.mark.unit


@pytest.fixture
def clock(autojump_clock: MockClock) -> MockClock:
    return autojump_clock


class Diary:
    def __init__(self) -> None:
        self.entries: list[tuple[float, str]] = []

    def note(self, text: str) -> None:
        self.entries.append((trio.current_time(), text))


async def stack(diary: Diary, name: str = "stack", *, task_status: trio.TaskStatus[str]) -> None:
    """Takes 1 s to come up and 2 s to go down."""
    await trio.sleep(1)
    diary.note(f"{name} up")
    task_status.started(f"the {name}")
    try:
        await trio.sleep_forever()
    finally:
        with trio.move_on_after(2, shield=True):
            await trio.sleep(2)
        diary.note(f"{name} down")


class SaysGoodBye:
    """A user that needs half a second at its end, as a call with its BYE does."""

    def __init__(self, diary: Diary) -> None:
        self._diary = diary

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *exc: type[BaseException] | BaseException | TracebackType | None) -> None:
        with trio.move_on_after(1, shield=True):
            await trio.sleep(0.5)
        self._diary.note("BYE")


async def test_the_body_gets_what_the_service_started_with(clock: MockClock) -> None:
    start, diary = clock.current_time(), Diary()
    async with serving(stack, diary) as value:
        assert value == "the stack"
        await trio.sleep(3)
    assert [(at - start, what) for at, what in diary.entries] == [(1, "stack up"), (6, "stack down")]


async def test_cancelled_from_outside_the_user_ends_before_the_service(clock: MockClock) -> None:
    start, diary = clock.current_time(), Diary()
    with trio.move_on_after(5):
        async with serving(stack, diary), SaysGoodBye(diary):
            await trio.sleep_forever()
    assert [(at - start, what) for at, what in diary.entries] == [(1, "stack up"), (5.5, "BYE"), (7.5, "stack down")]


async def test_three_in_a_row_stop_in_reverse(clock: MockClock) -> None:
    start, diary = clock.current_time(), Diary()
    with trio.move_on_after(10):
        async with serving(stack, diary, "a"), serving(stack, diary, "b"), serving(stack, diary, "c"):
            await trio.sleep_forever()
    ups = [(1, "a up"), (2, "b up"), (3, "c up")]
    assert [(at - start, what) for at, what in diary.entries] == [*ups, (12, "c down"), (14, "b down"), (16, "a down")]


async def test_a_service_that_fails_cancels_its_user_and_says_why(clock: MockClock) -> None:
    start = clock.current_time()

    async def fragile(*, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        await trio.sleep(2)
        raise OSError("the cable was pulled")

    diary = Diary()
    with pytest.RaisesGroup(pytest.RaisesExc(OSError, match="cable")):
        async with serving(fragile), SaysGoodBye(diary):
            await trio.sleep_forever()
    assert [(at - start, what) for at, what in diary.entries] == [(2.5, "BYE")]


async def test_a_body_that_fails_stops_the_service(clock: MockClock) -> None:
    start, diary = clock.current_time(), Diary()
    with pytest.RaisesGroup(pytest.RaisesExc(KeyError, match="bug")):
        async with serving(stack, diary):
            raise KeyError("bug")
    assert [(at - start, what) for at, what in diary.entries] == [(1, "stack up"), (3, "stack down")]


async def test_a_service_that_cannot_start_keeps_the_body_from_running(clock: MockClock) -> None:
    start = clock.current_time()

    async def refuses(*, task_status: trio.TaskStatus[None]) -> None:
        await trio.sleep(1)
        raise OSError("port taken")

    ran = False
    with pytest.RaisesGroup(pytest.RaisesExc(OSError, match="port taken")):
        async with serving(refuses):
            ran = True
    assert not ran
    assert clock.current_time() - start == 1


async def test_a_start_up_can_be_cancelled(clock: MockClock) -> None:
    start, diary = clock.current_time(), Diary()
    with trio.move_on_after(0.25) as scope:
        async with serving(stack, diary):
            pytest.fail("it never came up")
    assert scope.cancelled_caught
    assert clock.current_time() - start == 0.25
    assert diary.entries == []


async def test_a_service_that_returns_by_itself_leaves_the_body_alone(clock: MockClock) -> None:
    start = clock.current_time()

    async def one_off(*, task_status: trio.TaskStatus[int]) -> None:
        task_status.started(7)

    async with serving(one_off) as value:
        await trio.sleep(1)
    assert value == 7
    assert clock.current_time() - start == 1


async def test_a_start_that_was_cancelled_and_has_not_noticed_yet_is_stopped(clock: MockClock) -> None:
    """It was busy with what may not be cut off, and says that it has started to nobody."""
    start, diary = clock.current_time(), Diary()

    async def slow_to_notice(*, task_status: trio.TaskStatus[str]) -> None:
        with trio.move_on_after(3, shield=True):
            await trio.sleep_forever()
        await stack_from_here(task_status)

    async def stack_from_here(task_status: trio.TaskStatus[str]) -> None:
        task_status.started("the stack")
        try:
            await trio.sleep(60)
            diary.note("still there")
        finally:
            diary.note("down")

    with trio.move_on_after(1):
        async with serving(slow_to_notice):
            diary.note("body")
    assert [(at - start, what) for at, what in diary.entries] == [(3, "down")]
