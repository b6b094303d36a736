"""What is logged, as the page keeps it: fixed texts with fields, whose agent it was, and nothing that was typed."""

from __future__ import annotations

import logging
from functools import partial

import pytest
import trio
import trio.testing

from firmware.logs import LogLine, about, log_for_page

pytestmark = pytest.mark.unit

OURS = logging.getLogger("firmware.of_this_test")


async def test_a_line_has_its_fields_and_its_agent() -> None:
    kept: list[LogLine] = []
    with log_for_page(kept.append):
        with about(agent_id="a1"):
            OURS.warning("call refused with %d", 486, extra={"sip_code": 486})
        OURS.info("listening")
        await trio.testing.wait_all_tasks_blocked()
    assert [(each.level, each.source, each.agent_id, each.text, each.fields) for each in kept] == [
        (logging.WARNING, OURS.name, "a1", "call refused with 486", {"sip_code": "486"}),
        (logging.INFO, OURS.name, "", "listening", {}),
    ]


async def test_of_an_exception_only_its_kind_is_kept() -> None:
    """Its text may quote what was typed or said."""
    kept: list[LogLine] = []
    with log_for_page(kept.append):
        try:
            int("canary")
        except ValueError:
            OURS.exception("a question failed")
        await trio.testing.wait_all_tasks_blocked()
    [line] = kept
    assert line.fields == {"exception": "ValueError"}
    assert "canary" not in repr(line)


async def test_lines_of_threads_come_in_order_and_those_of_others_do_not_come() -> None:
    kept: list[LogLine] = []
    with log_for_page(kept.append):
        for number in range(3):
            await trio.to_thread.run_sync(partial(OURS.info, "line %d", number))
        logging.getLogger("httpx").warning("not ours")
        OURS.debug("too small")
        await trio.testing.wait_all_tasks_blocked()
    OURS.warning("nobody keeps it any more")
    await trio.testing.wait_all_tasks_blocked()
    assert [each.text for each in kept] == ["line 0", "line 1", "line 2"]
