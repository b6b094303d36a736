"""One agent from a file, put together. Lifetimes are nested: what calls need outlives the calls, and the telephone,
which comes up last, says good-bye first.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import trio

from app.agents.reception import attend
from app.engines import BoxVoice
from firmware import telephony
from firmware.configuration import Configuration, Process
from firmware.console import ShownLedger, describe
from firmware.data_folder import DATABASE, RECORDINGS, data_folder
from firmware.equipment import open_equipment
from firmware.lifetimes import serving
from firmware.storage import ledger

VERSION = "0.1.0"
_STATS_EVERY_S = 1.0

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
    equipment = await open_equipment(process.data / RECORDINGS)
    async with (
        ledger(process.data / DATABASE) as sessions,
        equipment.desk(agent, BoxVoice(voice=agent.voice), ShownLedger(sessions, tell) if show else sessions) as desk,
        serving(telephony.run_endpoint, endpoint_config(process)) as endpoint,
        serving(telephony.run_account, endpoint, connection) as account,
        trio.open_nursery() as box,
    ):
        box.start_soon(tell_registration, account, tell)
        if stats:
            box.start_soon(write_stats, endpoint, account, stats)
        await attend(account.incoming(), desk, agent)


def endpoint_config(process: Process) -> telephony.EndpointConfig:
    return telephony.EndpointConfig(
        rtp_first_port=process.rtp_first_port,
        rtp_ports=process.rtp_last_port - process.rtp_first_port + 1,
        user_agent=f"Deskbell/{VERSION}",
    )


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
            "delay_p999_ms": endpoint.taps.delays.quantile_ms(0.999),
            "delay_max_ms": endpoint.taps.delays.max_ms,
            "ticks": endpoint.gaps.count,
            "tasks": trio.lowlevel.current_statistics().tasks_living,
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
