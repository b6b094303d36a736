"""What every detector of the agent's own echo must do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest

from app.listening import Echo
from models.echo import CHUNK_BYTES
from models.echo.correlation import CorrelatedEcho
from tests.bench.telephone import through_g711
from tests.fakes.line import ECHO
from tests.fakes.speech import FakeEcho
from tests.office.voices import SPEAKERS, samples, say

pytestmark = pytest.mark.contract

Pcm = npt.NDArray[np.int16]
CHUNK = CHUNK_BYTES // 2
SETTLED = 8  # chunks: a quarter of a second of speech


@dataclass(frozen=True)
class Line:
    """What was sent, and what came in while the agent alone, both, or the caller alone spoke."""

    open: Callable[[], Echo]
    sent: Pcm
    echo: Pcm
    both: Pcm
    caller: Pcm


@pytest.fixture(params=["fake", "correlated"])
async def line(request: pytest.FixtureRequest) -> Line:
    if request.param == "fake":
        echo, caller = np.full(16_000, ECHO, np.int16), np.full(16_000, 1, np.int16)
        return Line(FakeEcho, np.full(16_000, 257, np.int16), echo, caller, caller)
    agent = _spoken(samples(await say(SPEAKERS["slt"], "We are open Monday to Thursday from eight to six.")))
    caller = _spoken(samples(await say(SPEAKERS["ked"], "No, please wait a moment, I have a question.")))
    echo = np.concatenate((np.zeros(1_600), through_g711(agent) * 0.1))[: len(agent)]  # 20 dB down, 100 ms later
    both = through_g711((echo[: len(caller)] + caller[: len(echo)]).round().astype(np.int16))
    return Line(CorrelatedEcho, agent, through_g711(echo.round().astype(np.int16)), both, through_g711(caller))


def _spoken(pcm: Pcm) -> Pcm:
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) > 300)
    return pcm[loud[0] : loud[-1] + 1]


def explained(echo: Echo, came: Pcm, sent: Pcm, quietest: float = 0.1) -> float:
    """The share of loud chunks that were taken for our own voice, once there was a quarter of a second of it. Loud:
    with a sample of more than `quietest` of the loudest."""
    told = []
    for number in range(min(len(came), len(sent)) // CHUNK):
        heard, said = (pcm[number * CHUNK : (number + 1) * CHUNK] for pcm in (came, sent))
        echo.feed(heard.tobytes(), said.tobytes())
        if number >= SETTLED and np.abs(heard.astype(np.int32)).max() > quietest * np.abs(came.astype(np.int32)).max():
            told.append(echo.explains())
    return sum(told) / len(told)


async def test_our_own_voice_is_known_again(line: Line) -> None:
    assert explained(line.open(), line.echo, line.sent) == 1.0


async def test_somebody_else_is_not_our_echo(line: Line) -> None:
    assert explained(line.open(), line.caller, line.sent) < 0.2


async def test_somebody_else_is_heard_over_our_echo(line: Line) -> None:
    assert explained(line.open(), line.both, line.sent) < 0.2


async def test_who_speaks_softly_on_a_line_without_echo_is_heard() -> None:
    """As the first syllable of whoever interrupts: level alone tells nothing before an echo was ever heard."""
    agent = _spoken(samples(await say(SPEAKERS["slt"], "We are open Monday to Thursday from eight to six.")))
    caller = _spoken(samples(await say(SPEAKERS["ked"], "No, please wait a moment, I have a question.")))
    softly = through_g711((caller * 0.08).round().astype(np.int16))  # 22 dB down
    assert explained(CorrelatedEcho(), softly, agent) < 0.05


async def test_the_beginning_of_a_word_is_no_echo_by_which_the_rest_would_be_one() -> None:
    """Some milliseconds after silence resemble some of what we said: once in twenty calls, nobody could interrupt any
    more from there on."""
    agent = samples(await say(SPEAKERS["slt"], "Yes. There is an elevator in the hall, on the left."))
    caller = through_g711(samples(await say(SPEAKERS["ked"], "I have to cancel my appointment.")))
    for begin in range(18_600, 18_800, 8):
        came = np.concatenate((np.zeros(begin, np.int16), caller))[: len(agent)]
        assert explained(CorrelatedEcho(), came.astype(np.int16), agent, quietest=0.0) < 0.2


async def test_while_we_are_silent_nothing_is_our_echo(line: Line) -> None:
    assert explained(line.open(), line.caller, np.zeros_like(line.sent)) == 0.0


async def test_a_chunk_has_one_length(line: Line) -> None:
    with pytest.raises(ValueError, match="1024"):
        line.open().feed(bytes(10), bytes(CHUNK_BYTES))
    with pytest.raises(ValueError, match="1024"):
        line.open().feed(bytes(CHUNK_BYTES), bytes(10))
