"""Makes the noise network: python -m models.stt.train_noise_network.train WAVS OUT [--epochs N]

WAVS is a folder of clean speech, 16 kHz 16-bit mono. Each is made longer or shorter (another voice), put at another
level, and most get noise, 3 to 28 dB below the speech; three of four then go through G.711. The network learns the
gains under which the levels of what is heard come nearest to those of what was said. Needs numpy only.
"""

from __future__ import annotations

import argparse
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.stt import SAMPLE_RATE_HZ
from models.stt.noise import (
    BANDS,
    FIRST_FRAMES,
    FUTURE,
    PAST,
    Floats,
    energies,
    followed,
    levels,
    levels_of,
    seen,
    spectra,
)

Wave = npt.NDArray[np.float64]
Random = np.random.Generator

HIDDEN = 192
LEAST = 0.03
_BATCH = 1024
_LONGEST_SAMPLES = 80_000
_KINDS = ("white", "white", "white", "pink", "brown", "band", "tilted", "hum", "others")
_BIAS, _CLIP = 132, 32635  # ITU-T G.711, on the scale of 16-bit samples


@dataclass(frozen=True, slots=True)
class Material:
    """For each frame what the network sees, the energies that it may turn down, and the levels that were meant."""

    given: Floats
    heard: Floats
    meant: Floats


def material(clips: Sequence[Wave], random: Random) -> Material:
    parts = [_example(clip, clips, random) for clip in clips]
    return Material(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def trained(found: Material, epochs: int, random: Random) -> dict[str, Floats]:
    """The network's file: Adam, with a step that shrinks to nothing."""
    mean, deviation = found.given.mean(0), found.given.std(0) + 1e-3
    weights = _fresh(found.given.shape[1], random)
    moments = [[np.zeros_like(each) for each in weights] for _ in range(2)]
    step = 0
    for epoch in range(epochs):
        pace = 2e-3 * 0.5 * (1 + np.cos(np.pi * epoch / epochs)) + 2e-5
        losses = []
        for batch in _batches(len(found.given), random):
            step += 1
            given = (found.given[batch] - mean) / deviation
            loss, slopes = _slopes(weights, given, found.heard[batch], found.meant[batch])
            losses.append(loss)
            for place, slope in enumerate(slopes):
                first = moments[0][place] = 0.9 * moments[0][place] + 0.1 * slope
                second = moments[1][place] = 0.999 * moments[1][place] + 0.001 * slope**2
                weights[place] -= pace * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
        print(f"epoch {epoch + 1} of {epochs}: {np.mean(losses):.4f}", flush=True)
    return {"mu": mean, "sd": deviation, "gm": np.float32(LEAST)} | {f"w{at}": each for at, each in enumerate(weights)}


def save(network: dict[str, Floats], out: Path) -> None:
    halves = {name: each if name == "gm" else each.astype(np.float16) for name, each in network.items()}
    with out.open("wb") as file:
        np.savez(file, **halves)


# -- the network -----------------------------------------------------------------------------------------------


def _fresh(width: int, random: Random) -> list[Floats]:
    sizes = ((width, HIDDEN, np.sqrt(2 / width)), (HIDDEN, HIDDEN, np.sqrt(2 / HIDDEN)), (HIDDEN, BANDS, 0.01))
    made = []
    for wide, high, spread in sizes:
        made += [random.normal(0, spread, (wide, high)).astype(np.float32), np.zeros(high, np.float32)]
    made[-1] += 2  # at first, let everything through
    return made


def _batches(frames: int, random: Random) -> Iterator[npt.NDArray[np.int64]]:
    order, size = random.permutation(frames), min(_BATCH, frames)
    for start in range(0, frames - size + 1, size):
        yield order[start : start + size]


def _slopes(weights: Sequence[Floats], given: Floats, heard: Floats, meant: Floats) -> tuple[float, list[Floats]]:
    """The mean square of the levels' errors, and by how much it changes with each weight."""
    first, first_bias, second, second_bias, last, last_bias = weights
    one = np.maximum(given @ first + first_bias, 0)
    two = np.maximum(one @ second + second_bias, 0)
    share = 1 / (1 + np.exp(-(two @ last + last_bias)))
    gain = LEAST + (1 - LEAST) * share
    errors = levels_of(gain**2 * heard) - meant
    kept = gain * heard / np.exp(levels_of(gain**2 * heard))  # half the slope of a level with its gain
    out = np.clip(errors, -3, 3) * 4 * kept * (1 - LEAST) * share * (1 - share) / errors.size
    behind_two = (out @ last.T) * (two > 0)
    behind_one = (behind_two @ second.T) * (one > 0)
    slopes = (given.T @ behind_one, behind_one.sum(0), one.T @ behind_two, behind_two.sum(0), two.T @ out, out.sum(0))
    return float(np.mean(errors**2)), [np.asarray(each, np.float32) for each in slopes]


# -- what it learns from ---------------------------------------------------------------------------------------


def _example(clip: Wave, clips: Sequence[Wave], random: Random) -> tuple[Floats, Floats, Floats]:
    speech = _stretched(clip, random.uniform(0.86, 1.16))[:_LONGEST_SAMPLES]
    before, after = random.integers(2000, 5500), random.integers(1000, 5000)
    speech = np.concatenate([np.zeros(before), speech, np.zeros(after)])
    voiced = np.abs(speech) > 0.02 * np.abs(speech).max()
    level = 32768 * 10 ** (random.uniform(-33, -17) / 20)
    speech *= level / np.sqrt(np.mean(speech[voiced] ** 2))
    noise = np.zeros(len(speech))
    if random.random() > 0.18:
        noise = _noise(len(speech), clips, random)
        noise *= level * 10 ** (-random.uniform(3, 28) / 20) / noise.std()
    mixed = np.clip(speech + noise, -32768, 32767)
    if random.random() < 0.75:
        speech, mixed = _narrow(speech), _stretched(_mu_law(_halved(mixed)), 2.0)
    length = min(len(speech), len(mixed))
    found = spectra(mixed[:length].astype(np.float32))
    heard = levels(found)
    floors = followed(heard[:FIRST_FRAMES].mean(0), heard)
    context = np.concatenate([np.repeat(heard[:1], PAST, 0), heard, np.repeat(heard[-1:], FUTURE, 0)])
    return seen(context, floors), energies(found), levels(spectra(speech[:length].astype(np.float32)))


def _noise(length: int, clips: Sequence[Wave], random: Random) -> Wave:
    kind = random.choice(_KINDS)
    if kind == "hum":
        times, hertz = np.arange(length) / SAMPLE_RATE_HZ, random.choice([50.0, 60.0, 100.0, 120.0])
        tones = (
            random.uniform() / k * np.sin(2 * np.pi * hertz * k * times + random.uniform(0, 6)) for k in range(1, 30)
        )
        return np.asarray(sum(tones) + 0.05 * random.normal(0, 1, length))
    if kind == "others":
        picked = (clips[random.integers(len(clips))] for _ in range(random.integers(5, 12)))
        return np.asarray(
            sum(np.resize(np.roll(clip, random.integers(len(clip))), length) / clip.std() for clip in picked)
        )
    lines = np.fft.rfft(random.normal(0, 1, length))
    hertz = np.maximum(np.fft.rfftfreq(length, 1 / SAMPLE_RATE_HZ), 1.0)
    centre, width = np.exp(random.uniform(np.log(200), np.log(3500))), random.uniform(0.3, 1)
    shapes = {
        "white": np.ones_like(hertz),
        "pink": 1 / np.sqrt(hertz),
        "brown": 1 / np.maximum(hertz, 50),
        "band": 0.1 + np.exp(-0.5 * (np.log(hertz / centre) / width) ** 2),
        "tilted": (hertz / 1000) ** random.uniform(-1, 0.6),
    }
    return np.asarray(np.fft.irfft(lines * shapes[str(kind)], length))


def _stretched(signal: Wave, factor: float) -> Wave:
    """`factor` times as long, and as much lower: its spectrum cut off, or filled up with zeros."""
    length = int(len(signal) * factor)
    return np.asarray(np.fft.irfft(np.fft.rfft(signal)[: length // 2 + 1], length) * factor)


def _halved(signal: Wave) -> Wave:
    return _stretched(signal, 0.5)


def _narrow(signal: Wave) -> Wave:
    return _stretched(_halved(signal), 2.0)


def _mu_law(signal: Wave) -> Wave:
    """To mu-law and back: 8 segments of 16 steps."""
    level = np.minimum(np.abs(signal), _CLIP) + _BIAS
    step = 2.0 ** (np.floor(np.log2(level)) - 4)
    return np.asarray(np.sign(signal) * ((np.floor(level / step) + 0.5) * step - _BIAS))


def read(folder: Path) -> list[Wave]:
    found = []
    for path in sorted(folder.rglob("*.wav")):
        with wave.open(str(path)) as file:
            found.append(np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float64))
    return [clip for clip in found if len(clip) > SAMPLE_RATE_HZ // 2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wavs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--epochs", type=int, default=12)
    options = parser.parse_args()
    random = np.random.default_rng(5)
    save(trained(material(read(options.wavs), random), options.epochs, random), options.out)


if __name__ == "__main__":
    main()
