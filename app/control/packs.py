"""Neural packs, as they are asked for and told of."""

from __future__ import annotations

from typing import Literal

from pydantic import Base64Bytes, Field

from app.engines import PackName
from app.settings import Settings

LARGEST_PART = 256 * 1024
"""Bytes of one question: a millisecond of JSON and base64, beside the audio."""

LARGEST_PACK = 1024 * 1024 * 1024
"""What a Pi can load beside a telephone is a quarter of that."""


_LARGEST_BASE64 = (LARGEST_PART + 2) // 3 * 4


class PackPart(Settings):
    """Bytes of a pack from `at` on, in base64. Those at 0 begin another one."""

    at: int = Field(ge=0, le=LARGEST_PACK)
    data: Base64Bytes = Field(max_length=_LARGEST_BASE64, repr=False)


class WhichPack(Settings):
    pack: PackName


class PackView(Settings):
    """`listed`: every file of it is one that this version of Deskbell names. `engine_there`: what reads it is on this
    machine. `needs`: of a machine, as who made the pack says. `used_by`: entries of Connectivity, by name."""

    name: str
    title: str
    kind: Literal["ears", "voice"]
    engine: str
    language: str
    licence: str
    source: str
    needs: str
    bytes: int
    listed: bool
    engine_there: bool
    used_by: tuple[str, ...] = ()


class Packs(Settings):
    """`engines`: those on this machine. `checking`: what was uploaded last is still looked at. `taken`: its name, once
    it was taken; `problem`: why it was not."""

    items: tuple[PackView, ...]
    engines: tuple[str, ...]
    checking: bool = False
    taken: str = ""
    problem: str = ""
