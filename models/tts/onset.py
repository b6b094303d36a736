"""Where a voice begins to be heard."""

from __future__ import annotations

from typing import Final

import numpy as np

_SILENT_BELOW: Final = 100  # of 32768: -50 dBFS
_KEPT_SAMPLES: Final = 160  # 10 ms, for the onset of the first sound


def loud_samples(pcm: bytes) -> list[int]:
    """Where the first and the last sample lie that are no silence; nothing where all is."""
    loud = np.flatnonzero(np.abs(np.frombuffer(pcm, dtype="<i2").astype(np.int32)) > _SILENT_BELOW)
    return [int(loud[0]), int(loud[-1])] if loud.size else []


class Onset:
    """Cuts a voice's silence before its first sound, flite's 0.2 s and others': the caller has waited for long enough
    by then."""

    def __init__(self) -> None:
        self.begun = False

    def trimmed(self, pcm: bytes) -> bytes:
        """The next chunk, without what lies more than 10 ms before the clause's first sound."""
        if self.begun:
            return pcm
        loud = loud_samples(pcm)
        if not loud:
            return b""
        self.begun = True
        return pcm[2 * max(0, loud[0] - _KEPT_SAMPLES) :]
