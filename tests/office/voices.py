"""Synthetic callers: text in, the WAV file of a caller saying it out.

Three engines of Debian's main section, and the same voices again through a vocal tract of another length: the
spectrum is stretched (pitch and formants together, as between a child and a man) while the tempo stays. To a
recogniser that is another person. Everything is 16 kHz mono 16 bit, at one loudness, with silence around it, and
kept under build/voices so that it is made once.
"""

from __future__ import annotations

import hashlib
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import trio
from numpy.typing import NDArray

from app.ports import SAMPLE_RATE_HZ

Samples = NDArray[np.int16]

CACHE = Path(__file__).resolve().parents[2] / "build" / "voices"
_VERSION = "1"  # of what this file does to the sound; part of the cache's keys
_LOUDNESS_DBFS = -23.0  # RMS of the speech, where an ordinary telephone talker lies
_SILENCE_MS = 250


@dataclass(frozen=True, slots=True)
class Speaker:
    """A voice. `tract` is the vocal tract's length against the original's: 0.9 is smaller and higher."""

    name: str
    engine: Literal["flite", "festival", "espeak-ng"]
    voice: str
    tract: float = 1.0


_ALL = (
    Speaker("slt", "flite", "slt"),
    Speaker("rms", "flite", "rms"),
    Speaker("awb", "flite", "awb"),
    Speaker("kal", "flite", "kal16"),
    Speaker("awb-small", "flite", "awb", tract=0.88),
    Speaker("rms-small", "flite", "rms", tract=0.86),
    Speaker("kal-diphone", "festival", "kal_diphone"),
    Speaker("espeak-f3", "espeak-ng", "en-us+f3"),
    Speaker("ked", "festival", "ked_diphone"),
    Speaker("ked-small", "festival", "ked_diphone", tract=0.88),
    Speaker("slt-hts", "festival", "cmu_us_slt_arctic_hts"),
    Speaker("slt-hts-large", "festival", "cmu_us_slt_arctic_hts", tract=1.12),
    Speaker("espeak-us", "espeak-ng", "en-us"),
)
SPEAKERS = {speaker.name: speaker for speaker in _ALL}

DEBIAN_PACKAGES = {"flite": "flite", "festival": "festival", "espeak-ng": "espeak-ng"}


async def say(speaker: Speaker, text: str, *, cache: Path = CACHE) -> Path:
    """The WAV file of `speaker` saying `text`, made unless it is there."""
    key = hashlib.sha256("\0".join((_VERSION, repr(speaker), text)).encode()).hexdigest()[:24]
    path = cache / speaker.name / f"{key}.wav"
    if not await trio.Path(path).exists():
        await trio.Path(path.parent).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            await _synthesise(speaker, text, Path(scratch), path)
    return path


def samples(path: Path) -> Samples:
    """The samples of a WAV file of `say`, int16."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


async def _synthesise(speaker: Speaker, text: str, folder: Path, path: Path) -> None:
    raw, plain = folder / "raw.wav", folder / "plain.wav"
    await _run(_command(speaker, text, raw), speaker.engine)
    with wave.open(str(raw)) as file:
        rate_hz = file.getframerate()
    stretch = f"asetrate={round(rate_hz / speaker.tract)},aresample={SAMPLE_RATE_HZ},atempo={speaker.tract:.4f}"
    to_16k = ["-ar", str(SAMPLE_RATE_HZ), "-ac", "1", "-c:a", "pcm_s16le"]
    await _run(["ffmpeg", "-v", "error", "-y", "-i", str(raw), "-af", stretch, *to_16k, str(plain)], "ffmpeg")
    _write(folder / "caller.wav", _levelled(samples(plain)))
    await trio.Path(folder, "caller.wav").replace(path)  # whole or not at all: others may be making it too


def _command(speaker: Speaker, text: str, out: Path) -> list[str]:
    match speaker.engine:
        case "flite":
            return ["flite", "-voice", speaker.voice, "-t", text, "-o", str(out)]
        case "espeak-ng":
            return ["espeak-ng", "-v", speaker.voice, "-w", str(out), "--", text]
        case "festival":
            script = out.with_suffix(".txt")
            script.write_text(text)
            return ["text2wave", "-eval", f"(voice_{speaker.voice})", "-o", str(out), str(script)]


async def _run(command: list[str], package: str) -> None:
    try:
        await trio.run_process(command, capture_stdout=True, capture_stderr=True)
    except FileNotFoundError:
        needed = DEBIAN_PACKAGES.get(package, package)
        raise RuntimeError(
            f"{command[0]} is not installed: install Debian's package {needed}, or run `just setup`"
        ) from None


def _levelled(pcm: Samples) -> Samples:
    """At the common loudness (never clipped), with silence before and after."""
    signal = pcm.astype(np.float64)
    voiced = np.abs(signal) > 0.02 * np.abs(signal).max(initial=1.0)
    rms = float(np.sqrt(np.mean(np.square(signal[voiced])))) if voiced.any() else 1.0
    gain = min(32768 * 10 ** (_LOUDNESS_DBFS / 20) / rms, 32000 / np.abs(signal).max(initial=1.0))
    silence = np.zeros(SAMPLE_RATE_HZ * _SILENCE_MS // 1000)
    levelled: Samples = np.concatenate([silence, signal * gain, silence]).round().astype("<i2")
    return levelled


def _write(path: Path, pcm: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm.astype("<i2").tobytes())
