"""Makes telephone speech of a folder of 16 kHz WAVs: G.711 mu-law, noise in two of five, and the recogniser's dither.

python telephone.py CLEAN_FOLDER TELEPHONE_FOLDER        (needs numpy and ffmpeg)
"""

from __future__ import annotations

import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

NOISY_SHARE = 0.4
NOISE_DB = (10.0, 25.0)  # below the speech
DITHER_SIGMA = 20.0  # as models/stt/dither.py


def main(clean: str, telephone: str) -> None:
    random = np.random.default_rng(711)
    Path(telephone).mkdir(parents=True, exist_ok=True)
    for file in sorted(Path(clean).glob("*.wav")):
        speech = _decoded(["-i", str(file)], b"", 16_000)
        if random.random() < NOISY_SHARE:
            level = np.sqrt(np.mean(speech**2)) * 10 ** (-random.uniform(*NOISE_DB) / 20)
            speech = speech + random.normal(0, level, len(speech))
        heard = _through_g711(speech)
        _write(Path(telephone) / file.name, heard + random.normal(0, DITHER_SIGMA, len(heard)))


def _through_g711(speech: Samples) -> Samples:
    raw = ["-f", "s16le", "-ar", "16000", "-ac", "1", "-i", "-"]
    coded = _ffmpeg([*raw, "-ar", "8000", "-f", "mulaw", "-"], _pcm(speech))
    return _decoded(["-f", "mulaw", "-ar", "8000", "-ac", "1", "-i", "-"], coded, 16_000)


def _decoded(source: list[str], data: bytes, rate_hz: int) -> Samples:
    pcm = _ffmpeg([*source, "-ar", str(rate_hz), "-ac", "1", "-f", "s16le", "-"], data)
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def _ffmpeg(arguments: list[str], data: bytes) -> bytes:
    command = ["ffmpeg", "-nostdin" if not data else "-hide_banner", "-loglevel", "error", *arguments]
    return subprocess.run(command, input=data, capture_output=True, check=True).stdout


def _pcm(speech: Samples) -> bytes:
    return np.clip(speech.round(), -32768, 32767).astype("<i2").tobytes()


def _write(path: Path, speech: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(_pcm(speech))


if __name__ == "__main__":
    main(*sys.argv[1:])
