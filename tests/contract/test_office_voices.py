"""What the synthetic callers promise: real engines, one format, one loudness, made once."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.office.voices import SPEAKERS, Samples, Speaker, samples, say

pytestmark = pytest.mark.contract

TEXT = "where can I park"
ENGINES = {speaker.engine: speaker for speaker in SPEAKERS.values() if speaker.tract == 1.0}


@pytest.mark.parametrize("speaker", ENGINES.values(), ids=ENGINES)
async def test_every_engine_speaks_in_the_common_format_and_loudness(speaker: Speaker, tmp_path: Path) -> None:
    path = await say(speaker, TEXT, cache=tmp_path)
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
    pcm = samples(path).astype(float)
    assert 1.0 < len(pcm) / 16_000 < 4.0
    assert not pcm[:3200].any()
    assert not pcm[-3200:].any()
    voiced = pcm[np.abs(pcm) > 0.02 * np.abs(pcm).max()]
    assert 20 * np.log10(np.sqrt(np.mean(voiced**2)) / 32768) == pytest.approx(-23, abs=3)


async def test_a_smaller_tract_is_higher_at_the_same_tempo(tmp_path: Path) -> None:
    usual = samples(await say(SPEAKERS["ked"], TEXT, cache=tmp_path))
    small = samples(await say(SPEAKERS["ked-small"], TEXT, cache=tmp_path))
    assert len(small) == pytest.approx(len(usual), rel=0.03)
    assert _centroid(small) > 1.05 * _centroid(usual)


def _centroid(pcm: Samples) -> float:
    """The middle of the spectrum, in arbitrary units."""
    power = np.abs(np.fft.rfft(pcm)) ** 2
    return float((np.arange(len(power)) * power).sum() / power.sum() / len(power))


async def test_what_was_said_once_is_not_made_again(tmp_path: Path) -> None:
    first = await say(SPEAKERS["kal"], TEXT, cache=tmp_path)
    made = first.stat().st_mtime_ns
    assert await say(SPEAKERS["kal"], TEXT, cache=tmp_path) == first
    assert first.stat().st_mtime_ns == made
    assert await say(SPEAKERS["kal"], "something else", cache=tmp_path) != first
    assert os.listdir(tmp_path) == ["kal"]  # noqa: PTH208 - nothing half made is left


async def test_a_missing_engine_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="install Debian's package flite"):
        await say(SPEAKERS["kal"], TEXT, cache=tmp_path)
