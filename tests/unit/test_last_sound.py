"""Where the caller's last sound ended, which only the figures of a turn ask for."""

from __future__ import annotations

import numpy as np
import pytest

from app.turns.last_sound import last_sound_ms

pytestmark = pytest.mark.unit

SINCE_MS, START_MS = 1_000, 616
_LENGTH_MS = 576


def heard(sound_until_ms: int, *, noise_dbfs: float = -96.0, sound_dbfs: float = -25.0) -> bytes:
    """From START_MS on: a sound, then the line."""
    chance = np.random.default_rng(1)
    noise = chance.normal(0, 32_768 * 10 ** (noise_dbfs / 20), _LENGTH_MS * 16)
    noise[: (sound_until_ms - START_MS) * 16] += chance.normal(
        0, 32_768 * 10 ** (sound_dbfs / 20), (sound_until_ms - START_MS) * 16
    )
    return np.asarray(noise, np.int16).tobytes()


@pytest.mark.parametrize("until_ms", [704, 883, 1_000, 1_040, 1_047])
@pytest.mark.parametrize("noise_dbfs", [-96.0, -70.0, -48.0])
def test_it_is_where_the_sound_ends_whatever_the_line_sounds_like(until_ms: int, noise_dbfs: float) -> None:
    assert abs(last_sound_ms(heard(until_ms, noise_dbfs=noise_dbfs), START_MS, SINCE_MS) - until_ms) <= 6


def test_a_faint_last_sound_counts_wherever_it_falls() -> None:
    """Ten milliseconds just above the edge; windows side by side would see half of them."""
    for at_ms in range(900, 912):
        pcm = bytearray(heard(800))
        chance = np.random.default_rng(2).normal(0, 32_768 * 10 ** (-48 / 20), 160)
        pcm[(at_ms - START_MS) * 32 : (at_ms + 10 - START_MS) * 32] = chance.astype(np.int16).tobytes()
        assert abs(last_sound_ms(bytes(pcm), START_MS, SINCE_MS) - (at_ms + 5)) <= 4


def test_a_click_in_the_pause_is_no_word() -> None:
    pcm = bytearray(heard(900))
    pcm[(1_100 - START_MS) * 32 : (1_110 - START_MS) * 32] = b"\xff\x3f" * 160
    assert abs(last_sound_ms(bytes(pcm), START_MS, SINCE_MS) - 900) <= 6


def test_without_any_sound_it_is_where_the_pause_begins() -> None:
    assert last_sound_ms(bytes(_LENGTH_MS * 32), START_MS, SINCE_MS) == SINCE_MS
    assert last_sound_ms(b"", START_MS, SINCE_MS) == SINCE_MS


def test_of_a_call_that_has_only_begun_there_is_less_to_look_at() -> None:
    pcm = heard(900)[100 * 32 :]
    assert abs(last_sound_ms(pcm, START_MS + 100, SINCE_MS) - 900) <= 6
