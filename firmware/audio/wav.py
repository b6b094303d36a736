"""WAV files in memory: what a person recorded, and what a test has spoken."""

from __future__ import annotations

import io
from enum import Enum

import numpy as np
import soundfile

from app.ports import SAMPLE_RATE_HZ
from firmware.audio.resampling import Samples, resampled

LONGEST_S = 10
_RATES_HZ = range(8_000, 48_001)
_MOST_CHANNELS = 2


class WavProblem(Enum):
    """Why a file cannot be used, and what to do."""

    NOT_WAV = "this is not a WAV file, or only a part of one. Save the recording as WAV, 16 bit, and choose it again"
    UNUSUAL = "the recording has more than two channels, or an unusual sample rate. Save it as WAV, mono, 16000 Hz"
    EMPTY = "there is no sound in this file. Record it again"
    TOO_LONG = f"the recording is longer than {LONGEST_S} s. Record one sentence"


def read_wav(data: bytes) -> Samples | WavProblem:
    """One channel at 16 kHz, within ±1. Blocks."""
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":  # libsndfile knows two dozen formats, and we want none of them
        return WavProblem.NOT_WAV
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            return _read(file)
    except soundfile.LibsndfileError:
        return WavProblem.NOT_WAV


def _read(file: soundfile.SoundFile) -> Samples | WavProblem:
    if file.channels > _MOST_CHANNELS or file.samplerate not in _RATES_HZ:
        return WavProblem.UNUSUAL
    sound = file.read(LONGEST_S * file.samplerate + 1, dtype="float32", always_2d=True)
    if not len(sound):
        return WavProblem.EMPTY
    if len(sound) > LONGEST_S * file.samplerate:
        return WavProblem.TOO_LONG
    mono = np.nan_to_num(sound.mean(axis=1), posinf=0.0, neginf=0.0)
    return resampled(np.clip(mono, -1.0, 1.0), file.samplerate, SAMPLE_RATE_HZ)


def wav_of(samples: Samples) -> bytes:
    """A WAV file of 16 bit at 16 kHz. Blocks."""
    file = io.BytesIO()
    soundfile.write(file, samples, SAMPLE_RATE_HZ, format="WAV", subtype="PCM_16")
    return file.getvalue()


def of_pcm(pcm: bytes) -> Samples:
    return np.frombuffer(pcm, "<i2").astype(np.float32) / 32768


def pcm_of(samples: Samples) -> bytes:
    return bytes(np.round(np.clip(samples, -1.0, 32767 / 32768) * 32768).astype("<i2").tobytes())
