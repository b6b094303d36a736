"""Real human speech with known words: Asterisk's English prompts, more than 500 by one speaker.

Debian packages them with their transcripts. The package files are downloaded by apt-get and unpacked into
build/sounds, nothing is installed; each prompt is decoded from G.722 to a 16 kHz 16-bit mono WAV.

Run as a program (`just setup` does), it makes the folder unless it is there; with --check it only says by its status
whether it is.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build"
FOLDER = BUILD / "sounds"
SPEECH, TRANSCRIPTS = "asterisk-core-sounds-en-g722", "asterisk-core-sounds-en"
DOWNLOAD_TIMEOUT_S = 600
DECODE_TIMEOUT_S = 120
FILES_PER_FFMPEG = 50  # starting ffmpeg costs more than decoding a prompt

# Not speech: tones, silence, effects. A note at the end of a line is not spoken either.
_EFFECT = re.compile(r"\[.*\]|<.*>|\(.*\)")
_NOTE = re.compile(r"\s*(?:\[[^]]*\]|\([^)]*\)?)\s*$")


class SoundsError(Exception):
    """The prompts cannot be had. The text says why and what to do next."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One recorded prompt: its name ("digits/1"), the words as their transcript has them, and 16 kHz mono audio."""

    name: str
    text: str
    wav_path: Path


def prompts() -> list[Prompt]:
    """Every prompt that holds speech, by name.

    Raises: SoundsError before `just setup`.
    """
    transcript = FOLDER / "transcript.txt"
    if not transcript.exists():
        raise SoundsError(f"the prompts are not in {FOLDER}. Fetch them with: just setup")
    spoken = dict(_spoken(transcript.read_text()))
    found = {str(wav.relative_to(FOLDER / "wav").with_suffix("")): wav for wav in (FOLDER / "wav").rglob("*.wav")}
    return [Prompt(name, spoken[name], found[name]) for name in sorted(spoken.keys() & found.keys())]


def make_sounds() -> None:
    """Fetch and decode the prompts unless they are there. All or nothing.

    Raises: SoundsError.
    """
    if FOLDER.is_dir():
        return
    part = FOLDER.with_name(f"sounds.part-{os.getpid()}")
    part.mkdir(parents=True)
    try:
        _unpack(part)
        packed = gzip.decompress(next(part.glob("unpacked/usr/share/doc/*/core-sounds-en.txt.gz")).read_bytes())
        (part / "transcript.txt").write_bytes(packed)
        _decode(next(part.glob("unpacked/usr/share/asterisk/sounds/en_US_f_*")), part / "wav")
        shutil.rmtree(part / "unpacked")
        part.rename(FOLDER)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _spoken(transcript: str) -> Iterator[tuple[str, str]]:
    for line in transcript.splitlines():
        name, colon, text = line.partition(":")
        text = text.strip()
        if colon and text and not name.startswith(";") and not _EFFECT.fullmatch(text):
            yield name.strip(), _NOTE.sub("", text)


def _unpack(part: Path) -> None:
    download = ["apt-get", "download", "-o", "APT::Sandbox::User=", SPEECH, TRANSCRIPTS]
    remedy = "Check that this machine reaches its Debian mirror, then try: sudo apt-get update"
    try:
        _run(download, part, DOWNLOAD_TIMEOUT_S, remedy)
    except SoundsError:
        if os.geteuid() != 0:
            raise
        _run(["apt-get", "update", "-qq"], part, DOWNLOAD_TIMEOUT_S, remedy)  # a fresh machine has no package lists
        _run(download, part, DOWNLOAD_TIMEOUT_S, remedy)
    for package in part.glob("*.deb"):
        _run(["dpkg-deb", "-x", package.name, "unpacked"], part, DECODE_TIMEOUT_S, "Is the disk full?")
        package.unlink()


def _decode(packed: Path, wavs: Path) -> None:
    files = iter(sorted(packed.rglob("*.g722")))
    while batch := list(islice(files, FILES_PER_FFMPEG)):
        command = ["ffmpeg", "-nostdin", "-loglevel", "error"]
        for file in batch:
            command += ["-f", "g722", "-i", str(file)]
        for number, file in enumerate(batch):
            wav = wavs / file.relative_to(packed).with_suffix(".wav")
            wav.parent.mkdir(parents=True, exist_ok=True)
            command += ["-map", str(number), "-ar", "16000", "-ac", "1", "-c:a", "pcm_s16le", str(wav)]
        _run(command, packed, DECODE_TIMEOUT_S, "Run: sudo apt-get install ffmpeg")


def _run(command: Sequence[str], folder: Path, timeout_s: float, remedy: str) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False)
    except FileNotFoundError:
        raise SoundsError(f"{command[0]} is not installed. {remedy}") from None
    except subprocess.TimeoutExpired:
        raise SoundsError(f"{command[0]} did not end within {timeout_s:.0f} s. {remedy}") from None
    if done.returncode:
        last = "\n  ".join(done.stderr.strip().splitlines()[-3:])
        raise SoundsError(f"{command[0]} could not get Asterisk's prompts:\n  {last}\n{remedy}")


def main() -> int:
    if sys.argv[1:] == ["--check"]:
        return 0 if FOLDER.is_dir() else 1
    try:
        make_sounds()
        print(f"  {len(prompts())} prompts of human speech in {FOLDER.relative_to(BUILD.parent)}")
    except SoundsError as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
