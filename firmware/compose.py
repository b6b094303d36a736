"""The one place that constructs. Lifetimes are nested: what calls need outlives the calls, and the telephone, which
comes up last, says good-bye first.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import trio

from app.agents.reception import Desk, attend
from app.brains.phrases import likely_phrases, names
from app.brains.receptionist import Receptionist, matcher_of
from app.ports import FRAME_BYTES, FRAME_MS, Call, SessionLog
from app.settings import Agent
from firmware import telephony
from firmware.audio import Recording, finish_unfinished, recording
from firmware.configuration import Configuration
from firmware.console import ShownLedger, describe
from firmware.data_folder import data_folder
from firmware.lifetimes import serving
from firmware.storage import ledger
from models.stt import language_model
from models.stt.likeness import Likeness
from models.stt.pool import recogniser_pool
from models.tts.flite import flite_voice
from models.vad.silero import SileroModel

VERSION = "0.1.0"
_STATS_EVERY_S = 1.0
# After the last frame of a call, its recording gets this long to take what is still in the line's 10 s ring.
_LAST_FRAMES_S = 1.0
_SILENCE = bytes(FRAME_BYTES)

_log = logging.getLogger(__name__)


async def run_box(configuration: Configuration, tell: Callable[[str], None], *, show: bool, stats: Path | None) -> None:
    """Run one box with one agent until cancelled. `tell` gets lines for the terminal, with `show` conversations too.

    Raises, possibly in an ExceptionGroup: DataFolderProblem, TelephonyError, models.packs.PackProblem,
    models.stt.pool.RecogniserFailed, models.tts.libflite.VoiceMissing.
    """
    with data_folder(configuration.process.data):
        await _run_in_own_folder(configuration, tell, show=show, stats=stats)


async def _run_in_own_folder(
    configuration: Configuration, tell: Callable[[str], None], *, show: bool, stats: Path | None
) -> None:
    process, connection, agent = configuration.process, configuration.connection, configuration.agent
    tell("starting: loading the recognisers and the voice")
    recordings = process.data / "recordings"
    await trio.to_thread.run_sync(finish_unfinished, recordings)
    activity, matcher = SileroModel(), matcher_of(agent, Likeness())
    endpoint_config = telephony.EndpointConfig(
        rtp_first_port=process.rtp_first_port,
        rtp_ports=process.rtp_last_port - process.rtp_first_port + 1,
        user_agent=f"Deskbell/{VERSION}",
    )
    async with (
        ledger(process.data / "deskbell.sqlite") as sessions,
        recogniser_pool(words_of(agent), agent.max_opened_sessions) as ears,
        flite_voice(agent.voice, agent.max_opened_sessions) as voice,
        serving(telephony.run_endpoint, endpoint_config) as endpoint,
        serving(telephony.run_account, endpoint, connection) as account,
        trio.open_nursery() as box,
    ):
        desk = Desk(
            ears=ears,
            voice=voice,
            ledger=ShownLedger(sessions, tell) if show else sessions,
            brain=lambda: Receptionist(agent, matcher),
            activity=activity.open,
            recording=recorder(recordings),
        )
        box.start_soon(tell_registration, account, tell)
        if stats:
            box.start_soon(write_stats, endpoint, account, stats)
        await attend(account.incoming(), desk, agent)


def words_of(agent: Agent) -> language_model.LanguageModel:
    """The agent's own language model: what its callers may say, out of everything that its owner wrote."""
    return language_model.build(likely_phrases(agent), names=names(agent), vocabulary=agent.vocabulary)


def recorder(folder: Path) -> Callable[[Call, SessionLog], AbstractAsyncContextManager[None]]:
    """Recordings of calls, each under its session's name."""

    @asynccontextmanager
    async def recorded(call: Call, session: SessionLog) -> AsyncIterator[None]:
        if not isinstance(call, telephony.Call):
            raise TypeError(f"only calls of the telephone are recorded, not {type(call).__name__}")
        path = folder / f"{session.id}.flac"
        session.recorded(path)
        async with recording(path) as file, trio.open_nursery() as copying:
            copying.start_soon(copy_line, call.both(), file)
            yield
            copying.cancel_scope.deadline = trio.current_time() + _LAST_FRAMES_S

    return recorded


async def copy_line(pairs: AsyncIterable[telephony.Pair], file: Recording) -> None:
    """Each frame to its place on the call's audio clock, as in the transcript: silence fills what lies before the
    recording's start, and what was lost on the way."""
    next_ms = 0
    async for pair in pairs:
        for _ in range(next_ms, pair.at_ms, FRAME_MS):
            file.add(_SILENCE, _SILENCE)
        file.add(pair.caller, pair.agent)
        next_ms = pair.at_ms + FRAME_MS


async def tell_registration(account: telephony.Account, tell: Callable[[str], None]) -> None:
    user, domain = account.connection.user, account.connection.domain
    async for registration in account.registrations():
        tell(describe(registration, user, domain))


async def write_stats(endpoint: telephony.Endpoint, account: telephony.Account, file: Path) -> None:
    """Once a second: how punctual the audio clock was, over all calls so far, and what the calls that are up lost.

    A file that cannot be written is told once, and tried again: the calls are what matters.
    """
    told = False
    while True:
        audio = [call.stats for call in account.calls]
        counters = {
            "calls": len(audio),
            "lost_frames": sum(each.lost_frames for each in audio),
            "recorder_lost_frames": sum(each.recorder_lost_frames for each in audio),
            "underruns": sum(each.underruns for each in audio),
            "gap_p999_ms": endpoint.gaps.quantile_ms(0.999),
            "gap_max_ms": endpoint.gaps.max_ms,
            "ticks": endpoint.gaps.count,
        }
        try:
            _replace(file, json.dumps(counters))
        except OSError as fault:
            if not told:
                told = True
                _log.warning("the counters asked for with --stats cannot be written", extra={"problem": fault.strerror})
        await trio.sleep(_STATS_EVERY_S)


def _replace(file: Path, text: str) -> None:
    """Whoever reads `file` gets the old or the new text, never half of it. Raises: OSError."""
    part = file.with_suffix(".part")
    part.write_text(text)
    part.replace(file)
