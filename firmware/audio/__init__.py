"""Sound: files, the audio of a call, and the box's own microphone and speaker (`firmware.audio.handset`).

The only importer of soundfile and alsaaudio.
"""

from firmware.audio.call_audio import Pair, TwoSided
from firmware.audio.recording import Recording, recording
from firmware.audio.unfinished import Finished, finish_unfinished

__all__ = ["Finished", "Pair", "Recording", "TwoSided", "finish_unfinished", "recording"]
