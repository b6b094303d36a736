"""A call's recogniser: two decoders on the same audio, at the same time, each in its process."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

import trio

from models.stt import Heard, dictation, english, process
from models.stt.band import Band
from models.stt.process import DecoderFiles, DecoderLost, DecoderProcess, Found, LoadedDecoder
from models.stt.second_opinion import Crowd, Patience
from models.stt.words import spoken

_log = logging.getLogger(__name__)

# Searched less widely than the engine does by itself, and without its second pass (fwdflat): a tenth of the time to
# finish, a third of the work, for two words in a hundred. README.md beside this file has the measurements.
_OWN_SEARCH: Final = {"fwdflat": False}
_GENERAL_SEARCH: Final = {"fwdflat": False, "maxwpf": 5, "maxhmmpf": 3000}
# Further back than the telephone: a recogniser that is late makes a pause, audio that is late a hole. And the second
# opinion further than the first one, without which there is no answer at all.
_OWN_NICE: Final = 5
_GENERAL_NICE: Final = 10

_CORES: Final = len(os.sched_getaffinity(0))
_PATIENCE: Final = Patience()
_CROWD: Final = Crowd()  # agents share the cores
_NOT_AWAITED: Final = Found("", 0.0, 0)


@dataclass(frozen=True, slots=True)
class AgentFiles:
    """What is the agent's own in what the two decoders read."""

    language_model: Path
    dictionary: Path
    dictation: Mapping[str, Path] = field(default_factory=dict)


class Loaded:
    """Both decoders, loaded for a band. Every method but `kill` raises DecoderLost, and is then of no more use."""

    def __init__(self, own: LoadedDecoder, general: LoadedDecoder, cepstral_mean: str) -> None:
        self._own, self._general, self._cepstral_mean = own, general, cepstral_mean

    @classmethod
    async def start(cls, files: AgentFiles, line: Band) -> Loaded:
        """Start both processes. They are warm after `loaded`."""
        acoustic_model, transform = english.ACOUSTIC_MODEL, line.transform
        own = await LoadedDecoder.start(
            DecoderFiles(
                files.language_model,
                files.dictionary,
                acoustic_model,
                transform,
                _OWN_SEARCH,
                _OWN_NICE,
                files.dictation,
            )
        )
        try:
            general = await LoadedDecoder.start(
                DecoderFiles(
                    english.LANGUAGE_MODEL,
                    english.DICTIONARY,
                    acoustic_model,
                    transform,
                    _GENERAL_SEARCH,
                    _GENERAL_NICE,
                )
            )
        except BaseException:
            await own.kill()
            raise
        return cls(own, general, line.cepstral_mean)

    @property
    def pids(self) -> tuple[int, int]:
        return self._own.pid, self._general.pid

    async def loaded(self) -> None:
        await self._own.loaded()
        await self._general.loaded()

    async def worker(self) -> Worker:
        """A recogniser for a call, at once."""
        own = await self._own.fork()
        try:
            worker = Worker(own, await self._general.fork())
        except BaseException:
            await own.kill()
            raise
        try:
            await worker.open(self._cepstral_mean)
        except BaseException:
            await worker.kill()
            raise
        return worker

    async def kill(self) -> None:
        await self._own.kill()
        await self._general.kill()


class Worker:
    """Every method but `kill` raises DecoderLost, and is then of no more use."""

    def __init__(self, own: DecoderProcess, general: DecoderProcess) -> None:
        self._own, self._general = own, general
        self._expected = ""

    @property
    def pids(self) -> tuple[int, int]:
        return self._own.pid, self._general.pid

    async def open(self, cepstral_mean: str) -> None:
        await self._both(lambda decoder: decoder.open(cepstral_mean))

    async def begin(self, expected: str = "") -> None:
        """`expected`: a name of AgentFiles.dictation, or nothing."""
        self._expected = expected
        await self._own.begin(expected)
        await self._general.begin()

    async def feed(self, pcm: bytes) -> None:
        """At most process.LARGEST_PAYLOAD bytes. Returns when both have taken them."""
        await self._both(lambda decoder: decoder.feed(pcm))

    async def hurry(self) -> None:
        await self._both(DecoderProcess.hurry)

    async def finish(self) -> None:
        """Ask for what `heard` waits for."""
        await self._both(DecoderProcess.finish)

    async def heard(self) -> Heard:
        """What both made of it, or the own decoder alone where the other one would come too late. May be cancelled."""
        started_s = time.perf_counter()
        with _CROWD.joined():
            own = await self._own.found()
            general = await self._second_opinion(started_s)
        heard = _heard(own, general, (time.perf_counter() - started_s) * 1000)
        if self._expected != dictation.LETTERS:
            return heard
        # In a thread: it takes 2 ms on x86 and ten times that on a slow board, and a frame is due each 20.
        return replace(heard, others=await trio.to_thread.run_sync(dictation.known_first, heard.others))

    async def _second_opinion(self, started_s: float) -> Found:
        while True:
            waited_s, waiting = time.perf_counter() - started_s, _CROWD.waiting
            if self._expected != dictation.FREE and _PATIENCE.is_over(waited_s, waiting, _CORES):
                _log.info("second opinion not awaited", extra={"waiting": waiting})
                await self._general.give_up()
                return _NOT_AWAITED
            if waited_s >= process.REPLY_TIMEOUT_S:  # `found` alone never waits so long here
                raise DecoderLost("stuck: it does not answer")
            with trio.move_on_after(_PATIENCE.look_again_s):
                return await self._general.found()

    async def kill(self) -> None:
        await self._own.kill()
        await self._general.kill()

    async def _both(self, do: Callable[[DecoderProcess], Awaitable[None]]) -> None:
        """One after the other: none of these waits for a decoder that has time to read."""
        await do(self._own)
        await do(self._general)


def _heard(own: Found, general: Found, decode_ms: float) -> Heard:
    """In words as everything else here writes them: the general model says "p. m." and "open-source"."""
    off_topic = (general.log_score - own.log_score) / own.frames if own.text and general.text else 0.0
    others = dict.fromkeys(_plain(each) for each in (own.text, *own.others)) if own.others else ()
    return Heard(_plain(own.text), _plain(general.text), decode_ms, off_topic, tuple(others))


def _plain(text: str) -> str:
    return " ".join(spoken(text))
