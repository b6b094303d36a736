"""What an agent works with: recognisers taught its own words, a voice, a brain, recordings."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from pathlib import Path

import trio
from pydantic import SecretStr

from app.agents.reception import Desk, briefed
from app.brains.alphabet import ALPHABET
from app.brains.language_model import ModelBrain
from app.brains.matching import Matcher
from app.brains.passages import Library, Passage
from app.brains.phrases import awaited, likely_phrases, names
from app.brains.prompt import knowledge_left_out, system_prompt
from app.brains.receptionist import Receptionist, matcher_of
from app.engines import BoxVoice, ModelServer
from app.http_tools import HttpTools
from app.ports import Brain, Direction, Ledger
from app.settings import Agent
from app.transfers import at_hour
from firmware.audio import finish_unfinished
from firmware.http_tools import OpenedTool, open_http_tools
from firmware.language_model import open_language_model
from firmware.packs import Packs
from firmware.recorder import recorder
from firmware.served_speech import NO_SERVERS, SpeechServers, open_speech_servers
from models.beep.spectral import SpectralBeeps
from models.echo.correlation import CorrelatedEcho
from models.stt import dictation, language_model
from models.stt.likeness import Likeness
from models.stt.pool import recogniser_pool_behind
from models.tones.spectral import SpectralTones
from models.tts.flite import flite_voice
from models.vad.silero import SileroModel

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Thinking:
    """A language model's server, the key for it, and the zone whose time it goes by. `passages`: of the agent's
    files. `tools`: programs that it may ask."""

    server: ModelServer
    key: SecretStr | None
    zone: tzinfo
    passages: Sequence[Passage] = ()
    tools: Sequence[OpenedTool] = ()


@dataclass(frozen=True, slots=True)
class Equipment:
    """What all agents share: read-only weights, a folder, and the neural packs."""

    activity: SileroModel
    recordings: Path
    packs: Packs | None = None

    @asynccontextmanager
    async def brain(
        self, agent: Agent, zone: tzinfo | None, thinks: Thinking | None, allowed: Callable[[HttpTools], HttpTools]
    ) -> AsyncGenerator[Brain, None]:
        """One brain, without ears and voice. `allowed`: what it may ask of its HTTP tools."""
        matcher = await trio.to_thread.run_sync(lambda: matcher_of(agent, Likeness()))
        async with _brain(agent, matcher, thinks, allowed) as brain:
            yield brain(at_hour(briefed(agent, {}), datetime.now(UTC), zone), "inbound")

    @asynccontextmanager
    async def desk(
        self,
        agent: Agent,
        speaks: BoxVoice,
        ledger: Ledger,
        thinks: Thinking | None = None,
        servers: SpeechServers = NO_SERVERS,
        zone: tzinfo | None = None,
    ) -> AsyncGenerator[Desk, None]:
        """Everything for as many calls as the agent takes. The recognisers learn and are loaded behind: the PBX is told
        of the agent meanwhile, and a call that comes first hears its greeting while they get ready. Without `thinks`,
        the receptionist does. `servers` hear and speak in front of the box's own ears and voice. `zone`: the office's.

        Raises: models.packs.PackProblem, models.stt.pool.RecogniserFailed, models.tts.libflite.VoiceMissing, possibly
        in an ExceptionGroup.
        """
        seats = agent.max_opened_sessions
        matcher = await trio.to_thread.run_sync(lambda: matcher_of(agent, Likeness()))
        async with (
            recogniser_pool_behind(partial(_words, agent), seats) as ears,
            flite_voice(speaks.voice, seats, speaks.speed_percent) as voice,
            _brain(agent, matcher, thinks) as brain,
            open_speech_servers(servers, self.packs) as served,
        ):
            yield Desk(
                ears=ears,
                voice=voice,
                ledger=ledger,
                brain=brain,
                activity=self.activity.open,
                echo=CorrelatedEcho,
                beeps=SpectralBeeps,
                tones=SpectralTones,
                at_this_hour=lambda called: at_hour(called, datetime.now(UTC), zone),
                recording=recorder(self.recordings),
                served=served,
            )


@asynccontextmanager
async def _brain(
    agent: Agent,
    matcher: Matcher,
    thinks: Thinking | None,
    allowed: Callable[[HttpTools], HttpTools] = lambda tools: tools,
) -> AsyncGenerator[Callable[[Agent, Direction], Brain], None]:
    """What makes a brain for each call, of the agent as it is in that call."""
    if thinks is None:
        yield lambda briefed, direction: Receptionist(briefed, matcher, direction)
        return
    if left_out := knowledge_left_out(agent):
        _log.warning("the language model has no room for all the agent knows", extra={"entries": left_out})
    prompt = system_prompt(agent)
    # In a thread: a second for a book, and other agents' calls go on.
    library = await trio.to_thread.run_sync(Library, thinks.passages)
    async with (
        open_language_model(thinks.server, thinks.key) as model,
        open_http_tools(thinks.tools) as tools,
    ):
        yield lambda briefed, direction: ModelBrain(
            briefed,
            Receptionist(briefed, matcher, direction, asks=False),
            model,
            prompt=prompt,
            first_word_s=thinks.server.first_word_s,
            now=datetime.now(thinks.zone),
            library=library,
            http=allowed(tools),
        )


def _words(agent: Agent) -> language_model.LanguageModel:
    """0.6 s on x86."""
    own = language_model.build(
        likely_phrases(agent), names=names(agent), vocabulary=agent.vocabulary, answers=awaited(agent)
    )
    return dictation.added_to(own, dictation.build(ALPHABET))


async def open_equipment(recordings: Path, packs: Packs | None = None) -> Equipment:
    """Also finishes the recordings that a power cut left unfinished."""
    await trio.to_thread.run_sync(finish_unfinished, recordings)
    return Equipment(SileroModel(), recordings, packs)
