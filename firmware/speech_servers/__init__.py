"""What stands between a call and a server that hears or speaks for it: patience, the way back to the box's own ears and
voice, and when the server is tried again. The protocols are in `firmware/wyoming` and `firmware/openai_audio`.
"""

from firmware.speech_servers.ears import ServedEars
from firmware.speech_servers.voice import ServedVoice

__all__ = ["ServedEars", "ServedVoice"]
