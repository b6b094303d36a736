"""A pack as a file: NAME.deskbell-pack, a zip that compresses nothing. In it pack.toml, and the files that it names.

    name = "joe"                   title = "Joe, a man's voice (US English)"
    kind = "voice"                 engine = "piper"              architecture = ""
    language = "en"                licence = "…"                 source = "…"            needs = "…"
    [files]
    "voice.onnx" = {bytes = 63201294, sha256 = "…"}

It comes from anywhere, so nothing in it is believed before it was looked at: no name leaves its folder, nothing grows
when it is unpacked, and every byte is the one that was promised. Runs with the standard library only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

SUFFIX: Final = ".deskbell-pack"
DESCRIPTION: Final = "pack.toml"

LARGEST_BYTES: Final = 1024 * 1024 * 1024
"""Of a whole pack, as in app/control/packs.py."""

MOST_FILES: Final = 20
LONGEST_DESCRIPTION: Final = 64 * 1024
KEPT_FREE: Final = 64 * 1024 * 1024
"""For calls and settings: an hour of recordings."""

ENGINES: Final = {"piper": "voice", "moonshine": "ears"}
"""Which programs there are, and what each does."""

ARCHITECTURES: Final = {
    "piper": ("",),
    "moonshine": ("tiny", "base", "tiny-streaming", "base-streaming", "small-streaming", "medium-streaming"),
}

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TEXTS = {"title": 80, "licence": 400, "source": 400, "needs": 400}
_PIECE_BYTES = 256 * 1024
_STORED_FLAGS = 0x800  # names in UTF-8; anything else is encryption, or a size that stands behind the data


class PackFault(Exception):
    """The pack cannot be used. The text is the end of a sentence: what is wrong, and what to do."""


@dataclass(frozen=True, slots=True)
class PackedFile:
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Description:
    """pack.toml. `files` by name."""

    name: str
    title: str
    kind: str
    engine: str
    architecture: str
    language: str
    licence: str
    source: str
    needs: str
    files: Mapping[str, PackedFile]

    @property
    def size_bytes(self) -> int:
        return sum(each.bytes for each in self.files.values())


def is_name(name: str) -> bool:
    """Whether a pack may have it, and its folder."""
    return bool(_NAME.fullmatch(name))


def described(text: str) -> Description:
    """Raises: PackFault."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise PackFault(f"its {DESCRIPTION} cannot be read ({fault}). Make the pack again") from None
    texts = {name: _text(found, name) for name in ("name", "kind", "engine", "architecture", "language", *_TEXTS)}
    if not is_name(texts["name"]):
        raise PackFault(_wrong("name", "up to 40 small letters, digits and hyphens"))
    if ENGINES.get(texts["engine"]) != texts["kind"]:
        raise PackFault(
            "it is for an engine that this version does not know. Update the box, or make the pack for one of "
            f"{', '.join(f'{engine} ({kind})' for engine, kind in ENGINES.items())}"
        )
    if texts["architecture"] not in ARCHITECTURES[texts["engine"]]:
        raise PackFault(_wrong("architecture", f"one of {', '.join(filter(None, ARCHITECTURES[texts['engine']]))}"))
    if not re.fullmatch(r"en([-_][A-Za-z]+)?", texts["language"]):
        raise PackFault(f"it is for the language “{texts['language'][:10]}”, and the box speaks English only")
    return Description(**texts, files=_files(found.get("files")))


def written(description: Description) -> str:
    """pack.toml. A string of JSON is one of TOML, where JSON writes no mark as two halves, which TOML refuses."""
    fields = asdict(description)
    lines = [f"{name} = {json.dumps(fields[name], ensure_ascii=False)}" for name in fields if name != "files"]
    files = [
        f'{json.dumps(name)} = {{bytes = {each.bytes}, sha256 = "{each.sha256}"}}'
        for name, each in description.files.items()
    ]
    return "\n".join([*lines, "", "[files]", *files, ""])


def packed(description: Description, files: Mapping[str, Path], target: Path) -> None:
    """Write `target`, whole or not at all, also where somebody else does. Raises: OSError."""
    handle, name = tempfile.mkstemp(suffix=".part", dir=target.parent)
    os.close(handle)
    part = Path(name)
    try:
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.writestr(zipfile.ZipInfo(DESCRIPTION), written(description))
            for name in description.files:
                with (
                    files[name].open("rb") as source,
                    archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as place,
                ):
                    shutil.copyfileobj(source, place, _PIECE_BYTES)
        part.chmod(0o644)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def unpacked(pack: Path, folder: Path) -> Description:
    """Everything checked and written to `folder`/NAME, which takes the place of one of that name at once.

    Raises: PackFault, and nothing is left of it.
    """
    with _opened(pack) as archive:
        description = _described_in(archive)
        _room_for(description, folder)
        part, place = folder / f".{description.name}.part", folder / description.name
        shutil.rmtree(part, ignore_errors=True)
        try:
            part.mkdir(mode=0o700, parents=True)
            for name, promised in description.files.items():
                _take(archive, name, promised, part / name)
            _write(part / DESCRIPTION, lambda file: file.write(written(description).encode()))
            _exchange(part, place)
        except OSError as fault:
            raise PackFault(f"the disk of the box does not take it ({fault.strerror}). Delete old sessions") from None
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return description


def tidy(folder: Path) -> None:
    """After an `unpacked` that was killed: what it left goes, and the pack that it was about to replace is there.

    Raises: OSError."""
    for part in folder.glob(".*.part"):
        shutil.rmtree(part)
    for old in folder.glob(".*.old"):
        place = folder / old.name.removeprefix(".").removesuffix(".old")
        if place.exists():
            shutil.rmtree(old)
        else:
            old.rename(place)


def _opened(pack: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(pack)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise PackFault(
            "it is no pack, or not all of it arrived. Choose a file that `just models --with` made"
        ) from None


def _described_in(archive: zipfile.ZipFile) -> Description:
    members = archive.infolist()
    if len(members) > MOST_FILES + 1 or sum(each.file_size for each in members) > LARGEST_BYTES:
        raise PackFault(f"it has more than {MOST_FILES} files, or more than {LARGEST_BYTES // 2**20} MB in them")
    for each in members:
        plain = each.compress_type == zipfile.ZIP_STORED and not each.flag_bits & ~_STORED_FLAGS
        if not plain or each.file_size != each.compress_size:
            raise PackFault("something in it is compressed or encrypted. Make the pack again with `just models --with`")
    names = [each.filename for each in members]
    if names.count(DESCRIPTION) != 1 or archive.getinfo(DESCRIPTION).file_size > LONGEST_DESCRIPTION:
        raise PackFault(f"it has no {DESCRIPTION}, so it is no pack. Choose a file that `just models --with` made")
    try:
        text = archive.read(DESCRIPTION).decode()
    except (zipfile.BadZipFile, UnicodeDecodeError, OSError):
        raise PackFault(f"its {DESCRIPTION} is damaged. Copy the pack again") from None
    description = described(text)
    if sorted(names) != sorted([DESCRIPTION, *description.files]):
        raise PackFault(f"its files are not those that its {DESCRIPTION} names. Make the pack again")
    return description


def _take(archive: zipfile.ZipFile, name: str, promised: PackedFile, place: Path) -> None:
    """Raises: PackFault, OSError."""
    digest = hashlib.sha256()

    def copy(file: BinaryIO) -> None:
        for piece in _pieces(archive, name):
            digest.update(piece)
            file.write(piece)

    _write(place, copy)
    if place.stat().st_size != promised.bytes or digest.hexdigest() != promised.sha256:
        raise PackFault(f"its file {name} is not the one that it promises. Copy the pack again, or make it again")


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as source:
            while piece := source.read(_PIECE_BYTES):
                yield piece
    except (zipfile.BadZipFile, EOFError, NotImplementedError):
        raise PackFault(f"its file {name} is damaged. Copy the pack again") from None


def _write(place: Path, fill: Callable[[BinaryIO], object]) -> None:
    with place.open("xb") as file:
        os.fchmod(file.fileno(), 0o600)
        fill(file)
        file.flush()
        os.fsync(file.fileno())


def _exchange(part: Path, place: Path) -> None:
    """Who has the old one open goes on reading it; once this has returned, the new one stays though the plug is
    pulled."""
    old = place.with_name(f".{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    part.rename(place)
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    shutil.rmtree(old, ignore_errors=True)


def _room_for(description: Description, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free - description.size_bytes < KEPT_FREE:
        raise PackFault(
            f"there is not enough room for its {description.size_bytes // 2**20} MB on the disk of the box. Delete old "
            "sessions or other packs"
        )


def _files(found: object) -> dict[str, PackedFile]:
    if not isinstance(found, dict) or not 0 < len(found) <= MOST_FILES:
        raise PackFault(_wrong("files", f"a table of 1 to {MOST_FILES} files"))
    return {name: _file(name, each) for name, each in found.items()}


def _file(name: str, found: object) -> PackedFile:
    if not _FILE_NAME.fullmatch(name) or name == DESCRIPTION:
        raise PackFault(f"its {DESCRIPTION} names a file that no pack may have. Make the pack again")
    if not isinstance(found, dict) or set(found) != {"bytes", "sha256"}:
        raise PackFault(_wrong("files", "names with bytes and sha256"))
    size, sha256 = found["bytes"], found["sha256"]
    if type(size) is not int or not 0 < size <= LARGEST_BYTES:
        raise PackFault(_wrong("bytes", "a number above 0"))
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise PackFault(_wrong("sha256", "64 hexadecimal digits"))
    return PackedFile(size, sha256)


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name, "")
    if not isinstance(value, str) or len(value) > _TEXTS.get(name, 40) or not value.isprintable():
        raise PackFault(_wrong(name, f"one line of at most {_TEXTS.get(name, 40)} characters"))
    if not value and name in _TEXTS:
        raise PackFault(_wrong(name, "filled in"))
    return value


def _wrong(name: str, expected: str) -> str:
    return f"in its {DESCRIPTION}, {name} must be {expected}. Make the pack again"
