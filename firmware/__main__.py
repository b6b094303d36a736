"""`python -m firmware`: the phone process, set up on its page; with `--config FILE`, one agent from a file. It stops
on Ctrl-C, SIGTERM, and when its terminal is closed.
"""

from __future__ import annotations

import signal

# Until the box can stop properly, Ctrl-C just ends the process, without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse  # noqa: E402
import io  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import AsyncIterator, Awaitable, Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import trio  # noqa: E402

from firmware.appliance import run_appliance  # noqa: E402
from firmware.compose import run_box  # noqa: E402
from firmware.configuration import (  # noqa: E402
    Configuration,
    ConfigurationProblem,
    Process,
    read_configuration,
    read_process,
)
from firmware.data_folder import DataFolderProblem  # noqa: E402
from firmware.keeping.reset import ResetUnfinished  # noqa: E402
from firmware.logs import log_to_stderr  # noqa: E402
from firmware.priority import put_telephone_first  # noqa: E402
from firmware.telephony import TelephonyError  # noqa: E402
from firmware.vault import VaultProblem  # noqa: E402
from models.packs import PackProblem  # noqa: E402
from models.stt.pool import RecogniserFailed  # noqa: E402
from models.tts.libflite import VoiceMissing  # noqa: E402

_UNUSABLE, _BAD_CONFIGURATION = 1, 2
_PROBLEMS = (
    DataFolderProblem,
    ResetUnfinished,
    VaultProblem,
    TelephonyError,
    PackProblem,
    RecogniserFailed,
    VoiceMissing,
)


def main() -> int:
    arguments = _arguments()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # what is shown may be in letters that this terminal does not have
    os.umask(0o077)  # sessions and recordings are the owner's alone
    put_telephone_first()
    if arguments.config is None:
        return _run_appliance(show=arguments.show)
    match read_configuration(arguments.config):
        case ConfigurationProblem() as problem:
            print(problem, file=sys.stderr)
            return _BAD_CONFIGURATION
        case Configuration() as configuration:
            log_to_stderr(configuration.process.log_level)
            return _run(lambda: run_box(configuration, _tell, show=arguments.show, stats=arguments.stats))


def _run_appliance(*, show: bool) -> int:
    match read_process():
        case ConfigurationProblem() as problem:
            print(problem, file=sys.stderr)
            return _BAD_CONFIGURATION
        case Process() as process:
            log_to_stderr(process.log_level)
            return _run(lambda: run_appliance(process, _tell, show=show))


def _run(box: Callable[[], Awaitable[None]]) -> int:
    status = 0
    try:
        trio.run(_until_told_to_stop, box)
    except* _PROBLEMS as unusable:
        status = _UNUSABLE
        for problem in _leaves(unusable):
            print(f"Deskbell can't start: {problem}", file=sys.stderr)
    return status


async def _until_told_to_stop(run: Callable[[], Awaitable[None]]) -> None:
    with trio.open_signal_receiver(*_stopping_signals()) as signals:
        async with trio.open_nursery() as nursery:
            box = trio.CancelScope()
            nursery.start_soon(_stop, signals, box)  # outside of the box: it listens until the box is down
            with box:
                await run()
            nursery.cancel_scope.cancel()


def _stopping_signals() -> list[signal.Signals]:
    """SIGHUP comes when the terminal is closed, unless the user asked for going on without one (nohup)."""
    stays = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([] if stays else [signal.SIGHUP])]


async def _stop(signals: AsyncIterator[int], box: trio.CancelScope) -> None:
    async for _ in signals:
        _tell("stopping: hanging up, unregistering" if not box.cancel_called else "still stopping")
        box.cancel()


def _tell(line: str) -> None:
    try:
        print(line, flush=True)
    except OSError:  # the terminal was closed, or the pipe's reader left: calls go on, and nobody is left to tell
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    return [
        leaf
        for each in group.exceptions
        for leaf in (_leaves(each) if isinstance(each, BaseExceptionGroup) else [each])
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="just run", description="Run one Deskbell box against a PBX.")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="one agent from a file (deskbell.example.toml), without the page"
    )
    parser.add_argument("--show", action="store_true", help="show conversations, as they happen, on this terminal")
    parser.add_argument("--stats", type=Path, metavar="FILE", help="write the audio clock's counters there each second")
    arguments = parser.parse_args()
    if arguments.stats and not arguments.config:
        parser.error("--stats goes with --config: the page shows these counters itself")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
