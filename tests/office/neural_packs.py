"""Neural packs for tests, with the real engines: a Piper voice of one kilobyte, which sounds a tone for whatever it
reads, and Moonshine's smallest recogniser. Engines and recogniser are fetched once, as `just models --with` does.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from models.fetch_packs import fetch
from models.neural import engines, making, pack_file
from models.neural.pack_file import Description, PackedFile
from models.packs import Pack, PackProblem, verify

RATE_HZ: Final = 22_050
SYMBOL_SAMPLES: Final = 1024
"""For each phoneme, and for each gap between two."""

TONE_HZ: Final = RATE_HZ * 32 / SYMBOL_SAMPLES
"""689 Hz: whole periods in each symbol, so that nothing clicks."""

_PHONEMES: Final = "^_$ abcdefghijklmnopqrstuvwxyzɪəɛæʌɔʊɑɹðθʃʒŋɡɐˈˌːɚɜ,.?!"


def description(name: str = "tone", files: Mapping[str, bytes] | None = None, **changes: str) -> Description:
    """Of a voice, unless `changes` say something else."""
    contents = files if files is not None else {"tone.onnx": b"x"}
    texts = {
        "name": name,
        "title": "A tone",
        "kind": "voice",
        "engine": "piper",
        "architecture": "",
        "language": "en",
        "licence": "None needed",
        "source": "Made by a test",
        "needs": "Nothing",
    }
    promised = {each: PackedFile(len(data), hashlib.sha256(data).hexdigest()) for each, data in contents.items()}
    return Description(**texts | changes, files=promised)


def packed(folder: Path, described: Description, files: Mapping[str, bytes]) -> Path:
    """A pack file of these contents."""
    content = folder / f"{described.name}-content"
    content.mkdir(parents=True)
    for name, data in files.items():
        (content / name).write_bytes(data)
    target = folder / f"{described.name}{pack_file.SUFFIX}"
    pack_file.packed(described, {name: content / name for name in files}, target)
    return target


def tone_pack(folder: Path, name: str = "tone") -> Path:
    """The voice, for the real Piper."""
    engines.install("piper")
    config = {
        "num_symbols": len(_PHONEMES),
        "num_speakers": 1,
        "audio": {"sample_rate": RATE_HZ},
        "espeak": {"voice": "en-us"},
        "phoneme_id_map": {each: [number] for number, each in enumerate(_PHONEMES)},
    }
    files = {"tone.onnx": _tone_network(), "tone.onnx.json": json.dumps(config).encode()}
    return packed(folder, description(name, files), files)


def moonshine_pack() -> Path:
    """The real recogniser."""
    return declared_pack("moonshine-tiny")


def declared_pack(name: str) -> Path:
    """One of models/manifest.toml."""
    return making.made(name, _ensure)


def _ensure(file: Pack) -> None:
    try:
        verify(file)
    except PackProblem:
        fetch(file)


def _tone_network() -> bytes:
    """An ONNX network with the inputs and the output of Piper's: for each symbol of `input` the same samples."""
    tone = [math.sin(2 * math.pi * TONE_HZ * at / RATE_HZ) for at in range(SYMBOL_SAMPLES)]
    nodes = [
        _node("Cast", ["input"], "as_float", to=1),
        _node("Mul", ["as_float", "zero"], "zeros"),
        _node("Add", ["zeros", "one"], "ones"),
        _node("Reshape", ["ones", "column"], "symbols"),
        _node("MatMul", ["symbols", "tone"], "sounds"),
        _node("Reshape", ["sounds", "line"], "output"),
    ]
    tensors = [
        _tensor("zero", 1, [1], struct.pack("<f", 0)),
        _tensor("one", 1, [1], struct.pack("<f", 1)),
        _tensor("column", 7, [2], struct.pack("<2q", -1, 1)),
        _tensor("tone", 1, [1, SYMBOL_SAMPLES], struct.pack(f"<{SYMBOL_SAMPLES}f", *tone)),
        _tensor("line", 7, [4], struct.pack("<4q", 1, 1, 1, -1)),
    ]
    inputs = [_value("input", 7, 2), _value("input_lengths", 7, 1), _value("scales", 1, 1)]
    graph = b"".join(
        [
            *(_bytes(1, each) for each in nodes),
            _bytes(2, b"tone"),
            *(_bytes(5, each) for each in tensors),
            *(_bytes(11, each) for each in inputs),
            _bytes(12, _value("output", 1, 4)),
        ]
    )
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))


# -- what ONNX is made of: protocol buffers, by hand ------------------------------------------------------------------


def _node(kind: str, inputs: list[str], output: str, **attributes: int) -> bytes:
    named = (
        b"".join(_bytes(1, name.encode()) for name in inputs) + _bytes(2, output.encode()) + _bytes(4, kind.encode())
    )
    return named + b"".join(
        _bytes(5, _bytes(1, name.encode()) + _number(3, value) + _number(20, 2)) for name, value in attributes.items()
    )


def _tensor(name: str, kind: int, shape: list[int], data: bytes) -> bytes:
    dimensions = b"".join(_number(1, each) for each in shape)
    return dimensions + _number(2, kind) + _bytes(8, name.encode()) + _bytes(9, data)


def _value(name: str, kind: int, dimensions: int) -> bytes:
    shape = b"".join(_bytes(1, _bytes(2, f"{name}_{at}".encode())) for at in range(dimensions))
    tensor = _number(1, kind) + _bytes(2, shape)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))


def _bytes(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
