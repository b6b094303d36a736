"""The keys and their folder: what is kept, what is set aside, what is gone, and what the owner is told."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from firmware.vault import Binder, Unreadable, Vault, VaultProblem, credentials_folder, open_vault
from firmware.vault import keyset as keysets
from firmware.vault.files import replace_file, wipe
from firmware.vault.kek import Kek

pytestmark = pytest.mark.unit

PASSWORD = SecretStr("correct horse")
NOW = datetime(2026, 11, 25, tzinfo=UTC)

# A whole vault of version 1, made once: what any version left on a box must open in every later one.
DEVICE_ID, KEK, KEY = "0" * 32, bytes(range(32)), bytes(range(32, 64))
KEYSET = b"""{
 "version": 1,
 "keys": [
  {
   "id": "01020304",
   "alg": 1,
   "created": "2026-11-25T07:00:00Z",
   "status": "active",
   "wrapped": "ZGVmZ2hpamtsbW5vFDCZ6byAUHXT9z9U3qT2vED3oAerZd2a/gbMicYP8swjm6RYyCsm0aQMmyxy8Qd4"
  }
 ],
 "primary": "01020304"
}"""
SEALED = bytes.fromhex(
    "4442530101010203046465666768696a6b6c6d6e6fe7c48a4da0c52caaaec5942959eed7248fba3ec3b54bedc1d28d70e165"
)


def known_box(folder: Path) -> Path:
    for name, data in (("device-id", DEVICE_ID.encode()), ("kek", KEK), ("keyset.json", KEYSET)):
        (folder / name).write_bytes(data)
    return folder


def sealed_by(vault: Vault) -> bytes:
    return vault.seal("connections", "c1", "password", 1, PASSWORD)


def opened_by(vault: Vault, sealed: bytes) -> SecretStr | Unreadable:
    return vault.unseal("connections", "c1", "password", 1, sealed)


def credential(folder: Path, key: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "deskbell-kek").write_bytes(key)
    return folder


def fails_with(number: int) -> Callable[..., None]:
    def failing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return failing


def test_what_the_first_version_left_on_a_box_opens(tmp_path: Path) -> None:
    vault = open_vault(known_box(tmp_path))
    assert vault.device_id == DEVICE_ID
    assert opened_by(vault, SEALED) == PASSWORD
    assert (tmp_path / "keyset.json").read_bytes() == KEYSET


def test_a_keyset_with_any_flipped_bit_gives_the_right_key_or_none() -> None:
    ours = [Kek(Binder.KEY_FILE, KEK)]
    whole = keysets.KeysetFile.model_validate_json(KEYSET)
    assert keysets.unwrapped(whole, DEVICE_ID, ours).keys == {bytes.fromhex("01020304"): KEY}
    for bit in range(len(KEYSET) * 8):
        flipped = bytearray(KEYSET)
        flipped[bit // 8] ^= 1 << bit % 8
        assert keys_of(bytes(flipped), ours) in ([KEY], []), bit


def keys_of(data: bytes, ours: list[Kek]) -> list[bytes]:
    try:
        file = keysets.KeysetFile.model_validate_json(data)
    except ValueError:
        return []
    return list(keysets.unwrapped(file, DEVICE_ID, ours).keys.values())


@pytest.mark.parametrize("length", range(0, len(KEYSET), 10))
def test_a_keyset_that_was_cut_is_set_aside_and_the_box_starts(tmp_path: Path, length: int) -> None:
    (known_box(tmp_path) / "keyset.json").write_bytes(KEYSET[:length])
    vault = open_vault(tmp_path)
    assert opened_by(vault, SEALED) is Unreadable.WRONG_KEY
    assert opened_by(open_vault(tmp_path), sealed_by(vault)) == PASSWORD
    assert (tmp_path / "keyset.json.damaged-1").read_bytes() == KEYSET[:length]


def test_a_wrapped_key_belongs_to_one_device_and_one_id() -> None:
    kek = Kek(Binder.KEY_FILE, KEK)
    file = keysets.fresh(DEVICE_ID, kek, NOW).file
    assert keysets.unwrapped(file, DEVICE_ID, [kek]).keys
    assert keysets.unwrapped(file, "1" * 32, [kek]).keys == {}
    renamed = file.keys[0].model_copy(update={"id": "01020304"})
    assert keysets.unwrapped(file.model_copy(update={"keys": (renamed,)}), DEVICE_ID, [kek]).keys == {}


@pytest.mark.parametrize(
    "damage",
    [b"", b"\xff\xfe not text", b"0" * 31, b"0" * 32 + b"\n", b"G" * 32],
    ids="empty binary short line letters".split(),
)
def test_a_damaged_device_id_is_set_aside_and_the_box_starts(
    tmp_path: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (known_box(tmp_path) / "device-id").write_bytes(damage)
    vault = open_vault(tmp_path)
    assert opened_by(vault, SEALED) is Unreadable.WRONG_KEY
    assert opened_by(open_vault(tmp_path), sealed_by(vault)) == PASSWORD
    assert (tmp_path / "device-id.damaged-1").read_bytes() == damage
    assert "Enter the secrets again" in caplog.text


def test_keys_sleep_until_the_credential_is_back(tmp_path: Path) -> None:
    folder, bound = tmp_path / "vault", credential(tmp_path / "credentials", KEK)
    with_credential = sealed_by(open_vault(folder, bound))
    vault = open_vault(folder)
    assert vault.binder is Binder.KEY_FILE
    assert opened_by(vault, with_credential) is Unreadable.WRONG_KEY
    without = sealed_by(vault)
    back = open_vault(folder, bound)
    assert back.binder is Binder.SYSTEMD
    assert opened_by(back, with_credential) == opened_by(back, without) == PASSWORD


def test_a_rotation_does_not_destroy_keys_that_sleep(tmp_path: Path) -> None:
    folder, bound = tmp_path / "vault", credential(tmp_path / "credentials", KEK)
    asleep = sealed_by(open_vault(folder, bound))
    vault = open_vault(folder)
    vault.begin_rotation()
    vault.finish_rotation()
    assert opened_by(vault, asleep) is Unreadable.WRONG_KEY
    assert opened_by(open_vault(folder, bound), asleep) == PASSWORD


def test_the_key_file_is_not_wiped_before_all_that_it_wrapped_is_wrapped_anew(tmp_path: Path) -> None:
    """The primary key opens with nothing that we have, but another one with the key file, and a credential has come."""
    folder = known_box(tmp_path)
    ours, stranger = Kek(Binder.KEY_FILE, KEK), Kek(Binder.SYSTEMD, bytes(32))
    stored = keysets.load(folder / "keyset.json", DEVICE_ID, [ours])
    keysets.save(folder / "keyset.json", keysets.with_new_primary(stored, DEVICE_ID, stranger, NOW))
    bound = credential(tmp_path / "credentials", bytes(range(1, 33)))
    assert opened_by(open_vault(folder, bound), SEALED) == PASSWORD
    assert not (folder / "kek").exists()
    assert opened_by(open_vault(folder, bound), SEALED) == PASSWORD


@pytest.mark.parametrize("key", [b"", bytes(31), bytes(33)], ids=len)
def test_a_credential_of_the_wrong_length_is_told_and_not_used(
    tmp_path: Path, key: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    vault = open_vault(tmp_path / "vault", credential(tmp_path / "credentials", key))
    assert vault.binder is Binder.KEY_FILE
    assert "not 32 bytes long" in caplog.text


def test_a_damaged_key_file_is_set_aside(tmp_path: Path) -> None:
    (known_box(tmp_path) / "kek").write_bytes(KEK[:-1])
    vault = open_vault(tmp_path)
    assert opened_by(vault, SEALED) is Unreadable.WRONG_KEY
    assert opened_by(open_vault(tmp_path), sealed_by(vault)) == PASSWORD
    assert (tmp_path / "kek.damaged-1").exists()


def test_systemd_names_its_folder_in_the_environment() -> None:
    assert credentials_folder({"CREDENTIALS_DIRECTORY": "/run/credentials/x"}) == Path("/run/credentials/x")
    assert credentials_folder({}) is None
    assert credentials_folder({"CREDENTIALS_DIRECTORY": ""}) is None


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(VaultProblem, match=r"(?s)cannot be kept there \(Not a directory\).*Make it a folder") as told:
        open_vault(tmp_path / "file" / "vault")
    assert str(tmp_path / "file" / "vault") in str(told.value)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES], ids=os.strerror)
def test_a_disk_that_takes_nothing_is_told_with_why(
    tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", fails_with(number))
    with pytest.raises(VaultProblem, match=os.strerror(number)):
        open_vault(tmp_path)


@pytest.mark.parametrize("step", ["open", "fsync", "replace", "pwrite"])
def test_a_rotation_that_the_disk_refuses_forgets_no_key(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = open_vault(known_box(tmp_path))
    for refused in (vault.begin_rotation, vault.finish_rotation):
        with monkeypatch.context() as full:
            full.setattr(os, step, fails_with(errno.ENOSPC))
            with pytest.raises(VaultProblem, match="No space left"):
                refused()
        assert opened_by(vault, SEALED) == PASSWORD
        # Only the writing over comes after the replacing: then the old key is gone from the disk, as was asked.
        is_done = step == "pwrite" and refused == vault.finish_rotation
        assert opened_by(open_vault(tmp_path), SEALED) == (Unreadable.WRONG_KEY if is_done else PASSWORD)
        refused()
    assert not vault.is_rotating
    assert opened_by(open_vault(tmp_path), sealed_by(vault)) == PASSWORD


def test_beginning_twice_goes_on_with_the_same_rotation(tmp_path: Path) -> None:
    vault = open_vault(known_box(tmp_path))
    vault.begin_rotation()
    once = (tmp_path / "keyset.json").read_bytes()
    vault.begin_rotation()
    open_vault(tmp_path).begin_rotation()
    assert (tmp_path / "keyset.json").read_bytes() == once


def test_finishing_what_was_not_begun_does_nothing(tmp_path: Path) -> None:
    vault = open_vault(known_box(tmp_path))
    vault.finish_rotation()
    assert opened_by(vault, SEALED) == PASSWORD
    assert (tmp_path / "keyset.json").read_bytes() == KEYSET


@pytest.mark.parametrize(
    "on_disk", [KEYSET, b"{half", KEYSET.replace(b"ZGVm", b"AAAA")], ids=["older", "half", "spoilt"]
)
def test_old_keys_are_kept_while_the_new_ones_cannot_be_read_back(tmp_path: Path, on_disk: bytes) -> None:
    vault = open_vault(known_box(tmp_path))
    vault.begin_rotation()
    new = sealed_by(vault)
    (tmp_path / "keyset.json").write_bytes(on_disk)  # a disk that lies
    with pytest.raises(VaultProblem, match=r"(?s)cannot be read back.*Check the disk"):
        vault.finish_rotation()
    assert (tmp_path / "keyset.json").read_bytes() == on_disk
    assert opened_by(vault, SEALED) == opened_by(vault, new) == PASSWORD


def test_what_needs_resealing_is_what_an_old_key_of_ours_sealed(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    vault = open_vault(known_box(tmp_path))
    foreign = sealed_by(open_vault(tmp_path / "other"))
    assert not vault.needs_resealing(SEALED)
    vault.begin_rotation()
    assert vault.needs_resealing(SEALED)
    assert not any(vault.needs_resealing(sealed) for sealed in (foreign, b"", SEALED[:-30], sealed_by(vault)))


def test_a_replaced_keyset_is_written_over(tmp_path: Path) -> None:
    vault = open_vault(known_box(tmp_path))
    os.link(tmp_path / "keyset.json", tmp_path / "first")
    vault.begin_rotation()
    os.link(tmp_path / "keyset.json", tmp_path / "second")
    vault.finish_rotation()
    for old in ("first", "second"):
        assert not (tmp_path / old).read_bytes().strip(b"\0"), old


def test_a_factory_reset_wipes_every_copy_of_the_keys(tmp_path: Path) -> None:
    vault = open_vault(known_box(tmp_path))
    copies = ["kek", "kek.new", "kek.damaged-1", "keyset.json", "keyset.json.new", "keyset.json.damaged-1"]
    for number, name in enumerate(copies):
        (tmp_path / name).write_bytes(KEYSET)
        os.link(tmp_path / name, tmp_path / f"block-{number}")  # what stays on the disk after a removal
    vault.destroy()
    assert not [name for name in copies if (tmp_path / name).exists()]
    assert not [path.name for path in tmp_path.glob("block-*") if path.read_bytes().strip(b"\0")]


def test_after_a_factory_reset_nothing_is_sealed(tmp_path: Path) -> None:
    vault = open_vault(tmp_path)
    sealed = sealed_by(vault)
    vault.destroy()
    vault.destroy()
    assert not vault.is_rotating
    assert opened_by(vault, sealed) is Unreadable.WRONG_KEY
    refused: list[Callable[[], object]] = [
        lambda: sealed_by(vault),
        vault.begin_rotation,
        vault.finish_rotation,
        lambda: vault.needs_resealing(sealed),
    ]
    for call in refused:
        with pytest.raises(VaultProblem, match=r"factory reset\. Start the box again"):
            call()


def test_a_file_is_on_the_disk_before_it_replaces_and_the_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, _noted(steps, name, getattr(os, name)))
    replace_file(tmp_path / "x", b"new")
    assert steps == ["fsync", "replace", "fsync"]


def _noted(steps: list[str], name: str, real: Callable[..., object]) -> Callable[..., object]:
    def noted(*args: object) -> object:
        steps.append(name)
        return real(*args)

    return noted


def test_what_a_killed_process_left_is_no_hindrance_and_keeps_no_mode(tmp_path: Path) -> None:
    (tmp_path / "x.new").write_bytes(b"half of something longer")
    (tmp_path / "x.new").chmod(0o644)
    replace_file(tmp_path / "x", b"new")
    assert (tmp_path / "x").read_bytes() == b"new"
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_wiping_follows_no_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"kept")
    (tmp_path / "link").symlink_to("precious")
    with pytest.raises(OSError, match="symbolic links"):
        wipe(tmp_path / "link")
    assert (tmp_path / "precious").read_bytes() == b"kept"


def test_no_repr_and_no_log_shows_a_key(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    vault = open_vault(known_box(tmp_path))
    vault.begin_rotation()
    (tmp_path / "kek").write_bytes(KEK[:-1])
    open_vault(tmp_path)
    shown = repr(vault) + repr(vars(vault)) + repr(Kek(Binder.KEY_FILE, KEK)) + caplog.text
    assert "was set aside" in shown
    for key in (KEK[:-1], KEY):
        assert not [form for form in (key.hex(), repr(key)[2:-1], str(list(key))[1:-1]) if form in shown]
