"""What a Wyoming server says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from firmware.wyoming.line import Line


@dataclass(frozen=True, slots=True)
class Info:
    """`streams`: a voice that begins to speak before it has all of the text."""

    hears: bool
    speaks: bool
    streams: bool


async def described(line: Line) -> Info:
    """Raises: SpeechFailed."""
    await line.send("describe", {})
    while (event := await line.receive()).type != "info":
        pass
    ears, voices = _programs(event.data.get("asr")), _programs(event.data.get("tts"))
    streams = any(each.get("supports_synthesize_streaming") is True for each in voices)
    return Info(bool(ears), bool(voices), streams)


def _programs(found: object) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
