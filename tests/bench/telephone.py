"""What a telephone does to speech, for benches: the band of 8 kHz and G.711's mu-law, or G.722, there and back."""

from __future__ import annotations

import subprocess

import numpy as np
import numpy.typing as npt
import soxr

Pcm = npt.NDArray[np.int16]

_G722_LATE = 22  # samples of the two filters (ITU-T G.722)
_BIAS, _CLIP = 132, 32635  # ITU-T G.711, on the scale of 16-bit samples


def through_g711(pcm: Pcm) -> Pcm:
    """16 kHz speech as it sounds after a call with G.711: resampled to 8 kHz, through mu-law, back to 16 kHz."""
    narrow = soxr.resample(pcm, 16_000, 8_000)
    return np.asarray(soxr.resample(decode_mu_law(encode_mu_law(narrow)), 8_000, 16_000), np.int16)


def through_g722(pcm: Pcm) -> Pcm:
    """16 kHz speech as it sounds after a call with G.722, without the 1.4 ms that it is later. Some samples fewer."""
    raw = "-f s16le -ar 16000 -ac 1"
    coded = _ffmpeg(f"{raw} -i pipe:0 -f g722 pipe:1", pcm.astype("<i2").tobytes())
    return np.frombuffer(_ffmpeg(f"-f g722 -i pipe:0 {raw} pipe:1", coded), np.int16)[_G722_LATE:]


def _ffmpeg(arguments: str, given: bytes) -> bytes:
    command = ["ffmpeg", "-v", "error", *arguments.split()]
    return subprocess.run(command, input=given, capture_output=True, check=True).stdout


def encode_mu_law(pcm: Pcm) -> npt.NDArray[np.uint8]:
    """8 bits for each sample: sign, three bits of exponent, four of mantissa, all inverted on the wire."""
    sign = np.where(pcm < 0, 0x80, 0)
    level = np.minimum(np.abs(pcm.astype(np.int32)), _CLIP) + _BIAS
    exponent = np.floor(np.log2(level)).astype(np.int32) - 7
    mantissa = (level >> (exponent + 3)) & 0x0F
    return np.asarray(~(sign | (exponent << 4) | mantissa) & 0xFF, np.uint8)


def decode_mu_law(code: npt.NDArray[np.uint8]) -> Pcm:
    bits = ~code.astype(np.int32) & 0xFF
    level = ((((bits & 0x0F) << 3) + _BIAS) << ((bits >> 4) & 0x07)) - _BIAS
    return np.asarray(np.where(bits & 0x80, -level, level), np.int16)
