"""Files that we did not write: declared in manifest.toml, verified each time they are used.

Engines ask for a file by name and get a path to bytes that are known to be right, or a `PackProblem` whose text can
be shown to the box's owner. Hashing costs about 1 ms per megabyte, so nothing about a file's state is remembered.
Fetching is another module's work (`fetch_packs`): nothing downloads at run time.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

HERE = Path(__file__).parent
MANIFEST = HERE / "manifest.toml"

_SOURCE_KEYS = {
    "committed": {"made_by"},
    "pypi": {"package", "version", "file"},
    "debian": {"package", "version", "file"},
    "git": {"repository", "commit", "file"},
}
_OPTIONAL_SOURCE_KEYS = {"committed": {"of"}}
_ENTRY_KEYS = {"name", "path", "sha256", "bytes", "licence", "needed_by", "source"}
_NEEDED_BY = {"box", "tests", "option"}


class PackProblem(Exception):
    """A declared file cannot be used. The text says what, why and what to do next; it holds nothing secret."""


class PackUnknown(PackProblem):
    """Nobody declared such a file."""


class PackMissing(PackProblem):
    """Declared, but not on this machine."""


class PackCorrupt(PackProblem):
    """On this machine, but not the bytes that were declared."""


class ManifestError(PackProblem):
    """The manifest itself is wrong."""


@dataclass(frozen=True, slots=True)
class Pack:
    """One declared file. `source` holds the keys of its kind, as manifest.toml explains them."""

    name: str
    path: str
    sha256: str
    size_bytes: int
    licence: str
    needed_by: str
    source: Mapping[str, str]

    @property
    def committed(self) -> bool:
        return self.source["kind"] == "committed"

    def where(self) -> Path:
        """Where the file is, or belongs."""
        return (HERE if self.committed else fetched_folder()) / self.path


def fetched_folder() -> Path:
    """Where files lie that are not committed: $DESKBELL_MODELS, else build/models beside this folder."""
    return Path(os.environ.get("DESKBELL_MODELS") or HERE.parent / "build" / "models")


def load(manifest: Path = MANIFEST) -> dict[str, Pack]:
    """The declared files by name.

    Raises: ManifestError for an unreadable or contradictory manifest.
    """
    try:
        document = tomllib.loads(manifest.read_text())
    except (OSError, tomllib.TOMLDecodeError) as fault:
        raise ManifestError(f"cannot read {manifest}: {fault}") from fault
    packs = [_pack(entry) for entry in document.get("file", [])]
    names = [pack.name for pack in packs]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise ManifestError(
            f"{manifest.name} declares twice: {', '.join(sorted(doubled))}. Give each file its own name."
        )
    return {pack.name: pack for pack in packs}


def path(name: str, *, manifest: Path = MANIFEST) -> Path:
    """The declared file `name`, verified.

    Raises: PackUnknown, PackMissing, PackCorrupt, ManifestError.
    """
    packs = load(manifest)
    if name not in packs:
        raise PackUnknown(f'no file "{name}" in {manifest.name}: it has {", ".join(sorted(packs)) or "none"}')
    verify(packs[name])
    return packs[name].where()


def verify(pack: Pack) -> None:
    """Raises: PackMissing, PackCorrupt."""
    where = pack.where()
    try:
        data = where.read_bytes()
    except FileNotFoundError:
        raise PackMissing(f"the model file {pack.path} is missing (looked for {where}). {_remedy(pack)}") from None
    except OSError as fault:
        raise PackMissing(f"the model file {where} cannot be read: {fault.strerror}. {_remedy(pack)}") from fault
    if problem := difference(pack, data):
        raise PackCorrupt(f"the model file {where} is not the declared one: {problem}. {_remedy(pack)}")


def difference(pack: Pack, data: bytes) -> str:
    """How `data` differs from what was declared; empty if it does not."""
    if len(data) != pack.size_bytes:
        return f"it has {len(data)} bytes instead of {pack.size_bytes}"
    found = hashlib.sha256(data).hexdigest()
    return "" if found == pack.sha256 else f"its sha256 is {found} instead of {pack.sha256}"


def _remedy(pack: Pack) -> str:
    if pack.committed:
        return f"It belongs to the source tree: restore it from git, or make it again with {pack.source['made_by']}."
    return f"Fetch it again with: just models {pack.name}"


def _pack(entry: Mapping[str, Any]) -> Pack:
    label = f'manifest.toml, file "{entry.get("name", "without a name")}"'
    if wrong := set(entry) ^ _ENTRY_KEYS:
        raise ManifestError(f"{label}: missing or unknown key(s) {', '.join(sorted(wrong))}")
    _check_source(label, entry["source"])
    if entry["needed_by"] not in _NEEDED_BY:
        raise ManifestError(f"{label}: needed_by must be one of {', '.join(sorted(_NEEDED_BY))}")
    if not re.fullmatch(r"[0-9a-f]{64}", entry["sha256"]):
        raise ManifestError(f"{label}: sha256 must be 64 hexadecimal digits")
    if Path(entry["path"]).is_absolute() or ".." in Path(entry["path"]).parts:
        raise ManifestError(f"{label}: path must stay inside the models folder")
    return Pack(
        name=entry["name"],
        path=entry["path"],
        sha256=entry["sha256"],
        size_bytes=entry["bytes"],
        licence=entry["licence"],
        needed_by=entry["needed_by"],
        source=MappingProxyType(dict(entry["source"])),
    )


def _check_source(label: str, source: Mapping[str, str]) -> None:
    kind = source.get("kind", "")
    if kind not in _SOURCE_KEYS:
        raise ManifestError(f"{label}: source.kind must be one of {', '.join(sorted(_SOURCE_KEYS))}")
    given, needed = set(source) - {"kind"}, _SOURCE_KEYS[kind]
    if not needed <= given <= needed | _OPTIONAL_SOURCE_KEYS.get(kind, set()):
        raise ManifestError(f"{label}: a source of kind {kind} has the key(s) {', '.join(sorted(needed))}")
