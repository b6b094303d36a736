"""Whether a Wyoming server is of the kind that it is to be used as, for whoever tests it."""

from __future__ import annotations

from app.engines import WyomingEars, WyomingVoice
from firmware.speech_servers.troubles import Trouble, failed
from firmware.wyoming.info import described
from firmware.wyoming.line import connected

_MOST_BYTES = 1024 * 1024


async def look_at(engine: WyomingEars | WyomingVoice) -> None:
    """Raises: SpeechFailed, if it is not, or cannot be reached."""
    async with connected(engine.address, _MOST_BYTES) as line:
        info = await described(line)
    if isinstance(engine, WyomingEars) and not info.hears:
        raise failed(Trouble.NO_EARS)
    if isinstance(engine, WyomingVoice) and not info.speaks:
        raise failed(Trouble.NO_VOICE)
