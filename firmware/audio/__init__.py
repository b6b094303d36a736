"""Sound files: the only importer of soundfile."""

from firmware.audio.recording import Recording, recording
from firmware.audio.unfinished import Finished, finish_unfinished

__all__ = ["Finished", "Recording", "finish_unfinished", "recording"]
