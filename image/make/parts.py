"""What is in an image that others wrote: Debian's packages, Python's, and models, each with its version and licence.
Written beside the image as an SPDX document for programs, and as a list for people."""

from __future__ import annotations

import gzip
import json
import re
import tomllib
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import Distribution, PackageMetadata, distributions
from pathlib import Path
from urllib.parse import quote

from image.make.application import HOME
from image.make.board import IMAGE_BUILD, Board
from image.make.kit import starters_at
from image.setup.running import SetupFailed, run

STATUS = "./var/lib/dpkg/status"
LICENCES = "licences"
"""Folder of the boot partition, for what is only there."""

_READING_TIMEOUT_S = 120
_DEEPEST = 6
"""A licence is named at the beginning; what is longer than this many words is its text."""

_NOT_SAID = "not said"
_SPDX = {
    "Apache 2.0": "Apache-2.0",
    "BSD 3-Clause License": "BSD-3-Clause",
    "MIT License": "MIT",
    "PSF": "PSF-2.0",
    "The MIT License (MIT)": "MIT",
}
"""What Python packages call licences that have a name of their own."""

_EXPRESSION = re.compile(r"[A-Za-z0-9.+-]+( (OR|AND|WITH) [A-Za-z0-9.+-]+)*")


@dataclass(frozen=True, slots=True)
class Part:
    """`licence`: in SPDX's words, empty where whoever wrote it has others: `words`. `text`: where on the box the whole
    of it can be read. `address`: a package URL. `sha256`: of a part that is one file."""

    kind: str
    name: str
    version: str
    licence: str
    words: str
    text: str
    address: str
    sha256: str = ""


def parts_of(board: Board, root: Path, debian: Path) -> tuple[Part, ...]:
    """Of the root file system, the archive of Debian's part that it was made of, and the boot partition.

    Raises: SetupFailed."""
    status = run(["tar", "--extract", "--to-stdout", "--file", debian, STATUS], timeout_s=_READING_TIMEOUT_S)
    return (*debian_parts(status, root), *boot_parts(board), *python_parts(root), *model_parts(root))


def debian_parts(status: str, root: Path) -> Iterator[Part]:
    """`status`: dpkg's file of that name."""
    for paragraph in status.strip().split("\n\n"):
        told = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if not told.get("Status", "").endswith(" installed"):
            continue
        name, version = told["Package"], told["Version"]
        text = f"usr/share/doc/{name}/copyright"
        yield _debian_part(name, version, told["Architecture"], root / text, f"/{text}")


def boot_parts(board: Board) -> Iterator[Part]:
    """Of the boot partition. Raises: SetupFailed."""
    below = starters_at(board)
    for name in board.starters:
        text = below / "usr/share/doc" / name / "copyright"
        yield _debian_part(
            name, _starter_version(below, name), board.name, text, f"{LICENCES}/{name}.txt on partition 1"
        )


def _starter_version(below: Path, name: str) -> str:
    """As dpkg knows it of this machine, and the package's own changelog of one that is only unpacked.

    Raises: SetupFailed."""
    if below == Path("/"):
        return run(["dpkg-query", "--show", "--showformat=${Version}", name], timeout_s=_READING_TIMEOUT_S)
    with gzip.open(below / "usr/share/doc" / name / "changelog.Debian.gz", "rt") as changes:
        return next(changes).partition("(")[2].partition(")")[0]


def _debian_part(name: str, version: str, processor: str, licence: Path, text: str) -> Part:
    """Raises: SetupFailed."""
    return Part(
        kind="Debian",
        name=name,
        version=version,
        licence="",
        words=_words_of_debian(licence),
        text=text,
        address=f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={processor}",
    )


def python_parts(root: Path) -> Iterator[Part]:
    """Ours, then those of each engine, which has its own."""
    for folder in (root / HOME / "packages", *sorted((root / HOME).glob("engines/*"))):
        yield from _python_parts_in(folder, f"/{folder.relative_to(root)}")


def _python_parts_in(folder: Path, on_the_box: str) -> Iterator[Part]:
    found = sorted(distributions(path=[str(folder)]), key=lambda each: each.metadata["Name"].casefold())
    for each in found:
        words = _words_of_python(each.metadata)
        name, version = each.metadata["Name"], each.version
        licence = _SPDX.get(words, words)
        yield Part(
            kind="Python",
            name=name,
            version=version,
            licence=licence if _EXPRESSION.fullmatch(licence) else "",
            words=words,
            text=f"{on_the_box}/{_folder_of(each)}",
            address=f"pkg:pypi/{quote(name.lower())}@{quote(version)}",
        )


def model_parts(root: Path) -> Iterator[Part]:
    declared = tomllib.loads((root / HOME / "models/manifest.toml").read_text())
    for each in declared["file"]:
        if each["needed_by"] == "box":
            yield Part(
                kind="model",
                name=each["name"],
                version=str(each["source"].get("version") or each["source"].get("commit", "")),
                licence=each["licence"] if _EXPRESSION.fullmatch(each["licence"]) else "",
                words=each["licence"],
                text=f"/{HOME}/models/manifest.toml",
                address="",
                sha256=each["sha256"],
            )


def write_parts(board: Board, parts: tuple[Part, ...], version: str, epoch: int) -> tuple[Path, Path]:
    """The document and the list."""
    document, listed = IMAGE_BUILD / f"deskbell-{board.name}.spdx.json", IMAGE_BUILD / f"deskbell-{board.name}.licences"
    document.write_text(json.dumps(spdx(board, parts, version, epoch), indent=1) + "\n")
    listed.write_text(licence_list(board, parts, version))
    return document, listed


def spdx(board: Board, parts: tuple[Part, ...], version: str, epoch: int) -> dict[str, object]:
    """An SPDX 2.3 document."""
    whole = f"deskbell-{board.name}"
    packages = [_package(number, part) for number, part in enumerate(parts, start=1)]
    own: dict[str, object] = {
        "SPDXID": "SPDXRef-image",
        "name": whole,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "GPL-3.0-or-later",
        "copyrightText": "NOASSERTION",
        "primaryPackagePurpose": "OPERATING-SYSTEM",
    }
    contained = uuid.uuid5(uuid.NAMESPACE_OID, f"{whole} {version} {epoch} {json.dumps(packages)}")
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{whole}-{version}",
        "documentNamespace": f"urn:uuid:{contained}",
        "creationInfo": {
            "created": f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%dT%H:%M:%SZ}",
            "creators": ["Tool: deskbell-image"],
        },
        "packages": [own, *packages],
        "relationships": [
            _related("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-image"),
            *(_related("SPDXRef-image", "CONTAINS", str(each["SPDXID"])) for each in packages),
        ],
    }


def licence_list(board: Board, parts: tuple[Part, ...], version: str) -> str:
    lines = [
        f"What others wrote in Deskbell {version} for {board.name}, and under which licence. The whole texts are in",
        "the image, at the places named here.",
    ]
    for kind, title in (("Debian", "Debian packages"), ("Python", "Python packages"), ("model", "Models")):
        lines += ["", title, "=" * len(title)]
        lines += [_line(part) for part in parts if part.kind == kind]
    return "\n".join(lines) + "\n"


def _line(part: Part) -> str:
    return f"{part.name} {part.version}".rstrip() + f"\n    {part.licence or part.words}\n    {part.text}"


def _package(number: int, part: Part) -> dict[str, object]:
    told: dict[str, object] = {
        "SPDXID": f"SPDXRef-{part.kind}-{number}",
        "name": part.name,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": part.licence or "NOASSERTION",
        "copyrightText": "NOASSERTION",
    }
    if part.version:
        told["versionInfo"] = part.version
    if not part.licence:
        told["licenseComments"] = f"Named by the package: {part.words}. The text is at {part.text}"
    if part.address:
        told["externalRefs"] = [
            {"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": part.address}
        ]
    if part.sha256:
        told["checksums"] = [{"algorithm": "SHA256", "checksumValue": part.sha256}]
    return told


def _related(one: str, how: str, other: str) -> Mapping[str, str]:
    return {"spdxElementId": one, "relationshipType": how, "relatedSpdxElement": other}


def _words_of_debian(copyright_file: Path) -> str:
    """The licences that it names, or those whose texts it refers to where it is not written for programs.

    Raises: SetupFailed: it would be given away without its licence."""
    try:
        text = copyright_file.read_text(errors="replace")
    except OSError as fault:
        raise SetupFailed(
            f"{copyright_file} cannot be read: its package would be given away without a licence"
        ) from fault
    named = [words.strip() for words in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)]
    short = [words for words in named if len(words.split()) <= _DEEPEST]
    mentioned = re.findall(r"/usr/share/common-licenses/([A-Za-z]+(?:-[\d.]*\d)?)", text)
    return ", ".join(dict.fromkeys(short or mentioned)) or _NOT_SAID


def _words_of_python(metadata: PackageMetadata) -> str:
    for name in ("License-Expression", "License"):
        words = metadata[name].strip() if name in metadata else ""
        if words and len(words.splitlines()[0].split()) <= _DEEPEST and not words.startswith("Copyright"):
            return words.splitlines()[0]
    kinds = [words for words in metadata.get_all("Classifier") or [] if words.startswith("License ::")]
    return ", ".join(words.rpartition(" :: ")[2] for words in kinds) or _NOT_SAID


def _folder_of(distribution: Distribution) -> str:
    """Where its licence lies, among what pip noted of it."""
    return next(file.parts[0] for file in distribution.files or () if file.parts[0].endswith(".dist-info"))
