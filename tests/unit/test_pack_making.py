"""`just models --with NAME`: what becomes a pack, and what is said where nothing does."""

from __future__ import annotations

from pathlib import Path

import pytest

from models import fetch_packs, packs
from models.neural import engines, making, pack_file
from models.neural.engines import EngineFailed
from models.neural.making import NoPack, declared, made_from

pytestmark = pytest.mark.unit

OWN = """
title = "Amy"
kind = "voice"
engine = "piper"
architecture = ""
language = "en-US"
licence = "CC0"
source = "A friend"
needs = "not run by us"
"""


@pytest.fixture
def made_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Packs go to a folder of the test. The engines that were asked for."""
    asked: list[str] = []
    monkeypatch.setattr(making, "PACKS", tmp_path / "made")
    monkeypatch.setattr(engines, "install", asked.append)
    return asked


def own(folder: Path, text: str = OWN) -> Path:
    folder.mkdir()
    (folder / "pack.toml").write_text(text)
    (folder / "amy.onnx").write_bytes(b"weights")
    (folder / "amy.onnx.json").write_bytes(b"{}")
    return folder


def test_own_files_become_a_pack_that_a_box_takes(tmp_path: Path, made_here: list[str]) -> None:
    status = fetch_packs.main(["--with", "amy", "--from", str(own(tmp_path / "amy"))])
    assert status == 0
    taken = pack_file.unpacked(tmp_path / "made" / "amy.deskbell-pack", tmp_path / "box")
    assert (taken.name, taken.title, sorted(taken.files)) == ("amy", "Amy", ["amy.onnx", "amy.onnx.json"])
    assert (tmp_path / "box" / "amy" / "amy.onnx").read_bytes() == b"weights"
    assert made_here == ["piper"]


@pytest.mark.usefixtures("made_here")
@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("Amy", OWN, "name must be up to 40 small letters"),
        ("amy", OWN.replace("piper", "espeak"), "for an engine that this version does not know"),
        ("amy", OWN.replace("CC0", ""), "licence must be filled in"),
        ("amy", "title = ", "pack.toml cannot be read"),
    ],
)
def test_what_a_box_would_refuse_is_refused_here(name: str, text: str, why: str, tmp_path: Path) -> None:
    with pytest.raises(NoPack, match=why):
        made_from(name, own(tmp_path / "own", text))
    assert not (tmp_path / "made").exists()


def test_a_folder_that_says_nothing_of_itself(tmp_path: Path) -> None:
    with pytest.raises(NoPack, match=r"has no pack.toml: write one, as docs/speech-packs.md shows"):
        made_from("amy", tmp_path)


def test_a_pack_that_nobody_declared(capsys: pytest.CaptureFixture[str]) -> None:
    assert fetch_packs.main(["--with", "gone"]) == 1
    assert "there is no pack “gone” in manifest.toml. It has moonshine-tiny, piper-joe" in capsys.readouterr().err


@pytest.mark.usefixtures("made_here")
def test_what_is_declared_is_whole() -> None:
    """Every file of a pack is on the list, and what is said of it fits what a box reads."""
    files = packs.load()
    for entry in declared().values():
        chosen = {inside: files[name] for inside, name in entry["files"].items()}
        promised = {inside: pack_file.PackedFile(file.size_bytes, file.sha256) for inside, file in chosen.items()}
        assert making.description_of(entry, promised).name == entry["name"]
        assert {file.needed_by for file in chosen.values()} == {"option"}


def test_an_engine_that_cannot_be_had_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_ENGINES", str(tmp_path / "engines"))
    lock = tmp_path / "none.lock"
    lock.write_text(f"no-such-package==1 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setattr(engines, "lock_of", lambda _: lock)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(EngineFailed, match="the packages of the engine piper cannot be installed: ERROR: No matching"):
        engines.install("piper")
    assert list((tmp_path / "engines").iterdir()) == []
