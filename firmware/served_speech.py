"""Servers that hear and speak for an agent, as its owner chose them, in front of the box's own ears and voice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Final

import trio
from pydantic import SecretStr

from app.engines import HttpEars, HttpVoice, PackEars, PackVoice, ServedEars, ServedVoice, WyomingEars, WyomingVoice
from app.ports import Ears, Voice
from app.speech_servers import EarsServer, Rest, Told, VoiceServer
from firmware import speech_servers
from firmware.openai_audio import open_http_recogniser, open_http_voice
from firmware.packs import Packs, open_pack
from firmware.wyoming import WyomingRecogniser, WyomingSpeaker


@dataclass(frozen=True, slots=True)
class SpeechServers:
    """`None`: the box does that by itself."""

    ears: ServedEars | None = None
    voice: ServedVoice | None = None
    ears_key: SecretStr | None = field(default=None, repr=False)
    voice_key: SecretStr | None = field(default=None, repr=False)


NO_SERVERS: Final = SpeechServers()


@asynccontextmanager
async def open_ears_server(
    engine: ServedEars, key: SecretStr | None, packs: Packs | None
) -> AsyncGenerator[EarsServer, None]:
    """Connects when it is asked. A pack is loaded from now on."""
    match engine:
        case WyomingEars(address=address, model=model):
            yield WyomingRecogniser(address, model)
        case HttpEars():
            async with open_http_recogniser(engine, key) as server:
                yield server
        case PackEars(pack=name):
            async with open_pack(packs, name, "ears") as server:
                yield server


@asynccontextmanager
async def open_voice_server(
    engine: ServedVoice, key: SecretStr | None, packs: Packs | None
) -> AsyncGenerator[VoiceServer, None]:
    """Connects when it is asked. A pack is loaded from now on."""
    match engine:
        case WyomingVoice(address=address, voice=voice, speaker=speaker):
            yield WyomingSpeaker(address, voice, speaker)
        case HttpVoice():
            async with open_http_voice(engine, key) as server:
                yield server
        case PackVoice(pack=name):
            async with open_pack(packs, name, "voice") as server:
                yield server


@asynccontextmanager
async def open_speech_servers(
    servers: SpeechServers, packs: Packs | None = None
) -> AsyncGenerator[Callable[[Ears, Voice, Told], tuple[Ears, Voice]], None]:
    """What puts them in front of a call's ears and voice. Servers that failed rest for all calls of the agent.
    `packs`: where a neural pack is looked for."""
    ears_rest, voice_rest = Rest(), Rest()
    async with (
        open_ears_server(servers.ears, servers.ears_key, packs) if servers.ears else nullcontext() as hears,
        open_voice_server(servers.voice, servers.voice_key, packs) if servers.voice else nullcontext() as speaks,
        trio.open_nursery() as clauses,
    ):

        def served(ears: Ears, voice: Voice, told: Told) -> tuple[Ears, Voice]:
            if hears:
                ears = speech_servers.ServedEars(ears, hears, ears_rest, told)
            if speaks:
                voice = speech_servers.ServedVoice(voice, speaks, voice_rest, told, clauses)
            return ears, voice

        yield served
        clauses.cancel_scope.cancel()
