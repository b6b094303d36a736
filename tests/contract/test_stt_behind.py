"""Recognisers that are loaded while the line is already told of the agent."""

from __future__ import annotations

from dataclasses import replace

import pytest
import trio

from models.stt.pool import RecogniserFailed, recogniser_pool_behind
from tests.contract.test_stt import FIRST, FIRST_TEXT, feed
from tests.contract.test_stt_pool import MODEL
from tests.contract.test_vad import recorded
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.contract


async def test_a_call_waits_for_recognisers_that_are_loaded_behind() -> None:
    async with recogniser_pool_behind(lambda: MODEL, 1) as pool:
        assert not pool.pids
        async with pool.open(narrow_band=False) as hearing:
            await hearing.begin()
            await feed(hearing, recorded(FIRST))
            assert (await hearing.finish()).own == FIRST_TEXT


async def test_recognisers_that_cannot_be_loaded_behind_end_the_work_with_what_to_do() -> None:
    broken = replace(MODEL, arpa="this is no language model")
    with pytest.raises(ExceptionGroup) as group:
        async with recogniser_pool_behind(lambda: broken, 1):
            await trio.sleep(PATIENCE_S)
    assert group.group_contains(RecogniserFailed, match="just setup")
