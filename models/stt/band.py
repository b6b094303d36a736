"""What the recogniser has to know of the line: the wide band of 16 kHz, or the telephone's of 8 kHz."""

from __future__ import annotations

from dataclasses import dataclass

from models import packs


@dataclass(frozen=True, slots=True)
class Band:
    """`transform`: file of the MLLR transform of the acoustic model, empty for none. `cepstral_mean`: of speech over
    such a line, before anything was heard of it. `dithered`: with noise added, as in training the transform, and with
    the line's own taken out before.
    """

    transform: str
    cepstral_mean: str
    dithered: bool


# The means of eight synthetic voices of flite, festival and espeak-ng, 12 sentences each, none of them one that the
# intent bench scores: as they are, and through G.711 with dither.
_WIDE_MEAN = "46.1,4.8,5.5,19.0,-4.4,2.4,-1.6,-5.8,-3.1,0.0,4.0,0.0,3.4"
_NARROW_MEAN = "44.6,6.9,-5.0,19.1,-5.0,-3.3,4.8,-12.6,1.9,-0.6,-1.5,6.2,-3.7"

WIDE = Band(transform="", cepstral_mean=_WIDE_MEAN, dithered=False)


def narrow() -> Band:
    """Raises: packs.PackProblem when the transform is missing or is not the declared one."""
    return Band(transform=str(packs.path("mllr_phone")), cepstral_mean=_NARROW_MEAN, dithered=True)
