"""A neural pack comes from anywhere: nothing in it is believed, and what is wrong with it is said."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from models.neural import pack_file
from models.neural.pack_file import Description, PackFault, described, unpacked, written
from tests.office.neural_packs import description, packed

pytestmark = pytest.mark.unit

FILES = {"tone.onnx": bytes(range(256)) * 3000, "tone.onnx.json": b"{}"}
WHOLE = description(files=FILES)


def test_a_pack_is_taken_as_it_was_made(tmp_path: Path) -> None:
    pack = packed(tmp_path, WHOLE, FILES)
    assert unpacked(pack, tmp_path / "packs") == WHOLE
    place = tmp_path / "packs" / "tone"
    assert {each.name: each.read_bytes() for each in place.iterdir() if each.name in FILES} == FILES
    assert described((place / "pack.toml").read_text()) == WHOLE
    assert [each.name for each in (tmp_path / "packs").iterdir()] == ["tone"]
    assert {each.stat().st_mode & 0o777 for each in place.iterdir()} == {0o600}


def test_one_of_the_same_name_is_replaced(tmp_path: Path) -> None:
    unpacked(packed(tmp_path, WHOLE, FILES), tmp_path / "packs")
    other = {"other.onnx": b"newer"}
    unpacked(packed(tmp_path / "2", description(files=other), other), tmp_path / "packs")
    assert sorted(each.name for each in (tmp_path / "packs" / "tone").iterdir()) == ["other.onnx", "pack.toml"]
    assert [each.name for each in (tmp_path / "packs").iterdir()] == ["tone"]


def test_one_that_was_taken_stays_though_the_plug_is_pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files are on the disk before it takes its place, and its place in the folder is after that."""
    pack, steps = packed(tmp_path, WHOLE, FILES), list[str]()

    def seen(descriptor: int) -> None:
        is_there = (tmp_path / "packs" / "tone").exists()
        steps.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) and is_there else "file")

    monkeypatch.setattr(os, "fsync", seen)
    unpacked(pack, tmp_path / "packs")
    assert steps == ["file", "file", "file", "folder"]


def written_with(text: str, files: dict[str, bytes], *, kind: int = zipfile.ZIP_STORED) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", kind) as archive:
            archive.writestr("pack.toml", text)
            for name, data in files.items():
                archive.writestr(name, data)

    return write


def cut_short(path: Path) -> None:
    written_with(written(WHOLE), FILES)(path)
    path.write_bytes(path.read_bytes()[:-2000])


def one_byte_changed(path: Path) -> None:
    written_with(written(WHOLE), FILES)(path)
    data = bytearray(path.read_bytes())
    data[300_000] ^= 1
    path.write_bytes(data)


def twice_the_same_file(path: Path) -> None:
    written_with(TEXT, FILES)(path)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("tone.onnx", b"another one")


TEXT = written(WHOLE)
ELSEWHERE = {"../tone.onnx": FILES["tone.onnx"], "tone.onnx.json": b"{}"}
BAD: list[tuple[Callable[[Path], object], str]] = [
    (lambda path: path.write_bytes(b""), "it is no pack, or not all of it arrived"),
    (lambda path: path.write_bytes(b"MZ" * 5000), "it is no pack, or not all of it arrived"),
    (cut_short, "it is no pack, or not all of it arrived"),
    (one_byte_changed, "its file tone.onnx is damaged"),
    (twice_the_same_file, "its files are not those that its pack.toml names"),
    (written_with(TEXT, {}), "its files are not those that its pack.toml names"),
    (written_with(TEXT, FILES | {"more.so": b"x"}), "its files are not those that its pack.toml names"),
    (written_with(TEXT, FILES | {"tone.onnx": bytes(768_000)}), "its file tone.onnx is not the one that it promises"),
    (written_with(TEXT, FILES, kind=zipfile.ZIP_DEFLATED), "something in it is compressed or encrypted"),
    (written_with(TEXT.replace("tone.onnx", "../tone.onnx"), ELSEWHERE), "names a file that no pack may have"),
    (written_with(TEXT.replace('"tone.onnx"', '"pack.toml"'), FILES), "names a file that no pack may have"),
    (written_with(TEXT.replace('"tone"', '"../tone"'), FILES), "name must be up to 40 small letters"),
    (written_with(TEXT.replace('"piper"', '"shell"'), FILES), "for an engine that this version does not know"),
    (written_with(TEXT.replace('"voice"', '"ears"'), FILES), "for an engine that this version does not know"),
    (written_with(TEXT.replace('"en"', '"de"'), FILES), "for the language “de”, and the box speaks English only"),
    (written_with(TEXT.replace("A tone", "A\\ntone"), FILES), "title must be one line"),
    (written_with(TEXT.replace('"None needed"', '""'), FILES), "licence must be filled in"),
    (written_with("name = ", FILES), "its pack.toml cannot be read"),
    (written_with("#" * 70_000, FILES), "it has no pack.toml"),
    (written_with(TEXT, {f"{each}.bin": b"x" for each in range(30)}), "it has more than 20 files"),
]


@pytest.mark.parametrize(("spoil", "why"), BAD, ids=range(len(BAD)))
def test_what_is_wrong_with_a_pack_is_said_and_nothing_is_left(
    spoil: Callable[[Path], object], why: str, tmp_path: Path
) -> None:
    pack = tmp_path / "x.deskbell-pack"
    spoil(pack)
    with pytest.raises(PackFault) as fault:
        unpacked(pack, tmp_path / "packs")
    assert why in str(fault.value)
    assert not (tmp_path / "packs").exists() or not any((tmp_path / "packs").iterdir())
    assert sorted(each.name for each in tmp_path.iterdir() if each.name != "packs") == ["x.deskbell-pack"]


def test_a_bad_one_leaves_the_one_that_was_there(tmp_path: Path) -> None:
    unpacked(packed(tmp_path, WHOLE, FILES), tmp_path / "packs")
    pack = tmp_path / "x.deskbell-pack"
    one_byte_changed(pack)
    with pytest.raises(PackFault):
        unpacked(pack, tmp_path / "packs")
    assert (tmp_path / "packs" / "tone" / "tone.onnx").read_bytes() == FILES["tone.onnx"]


def test_a_full_disk_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack_file, "KEPT_FREE", 2**60)
    with pytest.raises(PackFault, match="there is not enough room"):
        unpacked(packed(tmp_path, WHOLE, FILES), tmp_path / "packs")


@pytest.mark.parametrize("text", ["“quotes”", 'a "quoted" \\ word', "plain", "tab \u00e9", "a bell \U0001f514"])
def test_texts_come_back_as_they_were(text: str) -> None:
    assert described(written(description(title=text))).title == text


@pytest.mark.parametrize("architecture", ["tiny", "medium-streaming"])
def test_a_recogniser_says_of_which_kind_it_is(architecture: str) -> None:
    ears: Description = description(kind="ears", engine="moonshine", architecture=architecture)
    assert described(written(ears)) == ears
    with pytest.raises(PackFault, match="architecture must be one of tiny, base"):
        described(written(description(kind="ears", engine="moonshine")))
