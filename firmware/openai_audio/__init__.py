"""Speech servers behind OpenAI's audio protocol (Speaches, LocalAI, Kokoro, clouds): over HTTP, in clear only in the
own network."""

from firmware.openai_audio.ears import open_http_recogniser
from firmware.openai_audio.voice import open_http_voice

__all__ = ["open_http_recogniser", "open_http_voice"]
