"""What the decoders get of a noisy line: cleaned where it is a telephone's, as it came where it is not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from models.stt.pool import recogniser_pool
from models.stt.worker import Worker
from tests.contract.test_stt import feed
from tests.contract.test_stt_pool import MODEL

pytestmark = pytest.mark.contract

SIGMA = 400.0
NOISE = np.random.default_rng(4).normal(0, SIGMA, 32_000).astype("<i2")
"""Two seconds of a line on which nobody speaks."""


async def heard_by_decoders(monkeypatch: pytest.MonkeyPatch, *, narrow_band: bool) -> npt.NDArray[np.int16]:
    heard, feeds = bytearray(), Worker.feed

    async def listened(self: Worker, pcm: bytes) -> None:
        heard.extend(pcm)
        await feeds(self, pcm)

    monkeypatch.setattr(Worker, "feed", listened)
    async with (
        recogniser_pool(MODEL, 1, narrow_band=narrow_band) as pool,
        pool.open(narrow_band=narrow_band) as hearing,
    ):
        await hearing.begin()
        await feed(hearing, NOISE.tobytes())
        await hearing.finish()
    return np.frombuffer(bytes(heard), "<i2")


async def test_a_telephones_noise_is_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await heard_by_decoders(monkeypatch, narrow_band=True)).std() < SIGMA / 5


async def test_a_wide_line_is_heard_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert np.array_equal(await heard_by_decoders(monkeypatch, narrow_band=False), NOISE)
