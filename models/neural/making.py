"""`just models --with NAME`: a neural pack, made of what the manifest declares, and the engine that reads it.

With --from FOLDER it is made of the owner's own files: FOLDER holds them, and a pack.toml that says what they are,
without [files]; docs/speech-packs.md shows some.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from models import packs
from models.neural import engines, pack_file
from models.neural.pack_file import Description, PackedFile, PackFault
from models.packs import Pack, PackProblem

PACKS: Final = packs.HERE.parent / "build" / "packs"
"""Where finished packs lie."""

_FILE_KEYS = {"files"}


class NoPack(PackProblem):
    """There is no such pack, or it cannot be made. The text says why, and what to do."""


def declared(manifest: Path = packs.MANIFEST) -> dict[str, dict[str, Any]]:
    """The [[pack]] entries by name."""
    return {entry["name"]: entry for entry in tomllib.loads(manifest.read_text()).get("pack", [])}


def made(name: str, ensure: Callable[[Pack], None], *, manifest: Path = packs.MANIFEST) -> Path:
    """The finished pack. `ensure` fetches a file where it is missing. Raises: PackProblem, OSError."""
    found = declared(manifest)
    if name not in found:
        raise NoPack(f"there is no pack “{name}” in {manifest.name}. It has {', '.join(sorted(found)) or 'none'}")
    files = packs.load(manifest)
    chosen = {inside: files[each] for inside, each in found[name]["files"].items()}
    for file in chosen.values():
        ensure(file)
    promised = {inside: PackedFile(file.size_bytes, file.sha256) for inside, file in chosen.items()}
    return _put(found[name], promised, {inside: file.where() for inside, file in chosen.items()})


def made_from(name: str, folder: Path) -> Path:
    """The finished pack of somebody's own files. Raises: PackProblem, OSError."""
    try:
        entry = tomllib.loads((folder / pack_file.DESCRIPTION).read_text())
    except FileNotFoundError:
        raise NoPack(f"{folder} has no {pack_file.DESCRIPTION}: write one, as docs/speech-packs.md shows") from None
    except tomllib.TOMLDecodeError as fault:
        raise NoPack(f"{folder / pack_file.DESCRIPTION} cannot be read: {fault}") from None
    paths = {each.name: each for each in sorted(folder.iterdir()) if each.is_file()}
    paths.pop(pack_file.DESCRIPTION)
    return _put(entry | {"name": name}, {inside: _hashed(path) for inside, path in paths.items()}, paths)


def _put(entry: Mapping[str, Any], promised: Mapping[str, PackedFile], paths: Mapping[str, Path]) -> Path:
    description = description_of(entry, promised)
    engines.install(description.engine)
    PACKS.mkdir(parents=True, exist_ok=True)
    target = PACKS / f"{description.name}{pack_file.SUFFIX}"
    pack_file.packed(description, paths, target)
    return target


def description_of(entry: Mapping[str, Any], promised: Mapping[str, PackedFile]) -> Description:
    """As a box reads it, so that what it would refuse is refused here. Raises: NoPack."""
    texts = {name: entry.get(name, "") for name in Description.__dataclass_fields__ if name not in _FILE_KEYS}
    try:
        return pack_file.described(pack_file.written(Description(**texts, files=promised)))
    except PackFault as fault:
        raise NoPack(f"the pack “{texts['name']}” cannot be made: {fault}") from None


def _hashed(path: Path) -> PackedFile:
    with path.open("rb") as file:
        return PackedFile(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
