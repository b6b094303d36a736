"""Neural packs on the box: kept in the data folder, and each run as a program of its own while an agent needs it."""

from firmware.packs.program import PackEngine, open_pack
from firmware.packs.store import Packs

__all__ = ["PackEngine", "Packs", "open_pack"]
