"""Secrets at rest: opened for one field of one record of one device, and for nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from firmware.vault import Binder, Unreadable, Vault, open_vault
from firmware.vault.seal import Place, seal, unseal

pytestmark = pytest.mark.unit

KEY, KEY_ID, NONCE = bytes(range(32)), b"\x01\x02\x03\x04", bytes(range(100, 112))
PLACE = Place("0" * 32, "connections", "c1", "password", 1)
PASSWORD = SecretStr("correct horse")
# Format 1, made once: data that was sealed by any version must open in every later one.
KNOWN = "4442530101010203046465666768696a6b6c6d6e6f577ec9b8fdc6027293b1670c97dfab7b1c546e3fd7b02e9263a15f9c91"


def sealed_by(vault: Vault) -> bytes:
    return vault.seal("connections", "c1", "password", 1, PASSWORD)


def opened_by(vault: Vault, sealed: bytes) -> SecretStr | Unreadable:
    return vault.unseal("connections", "c1", "password", 1, sealed)


def test_the_format_is_the_known_one() -> None:
    assert seal(KEY, KEY_ID, PLACE, b"correct horse", NONCE).hex() == KNOWN
    assert unseal({KEY_ID: KEY}, PLACE, bytes.fromhex(KNOWN)) == b"correct horse"


def test_every_flipped_bit_is_noticed() -> None:
    sealed = bytes.fromhex(KNOWN)
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        assert isinstance(unseal({KEY_ID: KEY}, PLACE, bytes(flipped)), Unreadable), bit


def test_every_cut_is_noticed() -> None:
    sealed = bytes.fromhex(KNOWN)
    for length in range(len(sealed)):
        assert isinstance(unseal({KEY_ID: KEY}, PLACE, sealed[:length]), Unreadable)


@pytest.mark.parametrize(
    "elsewhere",
    [
        Place("1" * 32, "connections", "c1", "password", 1),
        Place("0" * 32, "agents", "c1", "password", 1),
        Place("0" * 32, "connections", "c2", "password", 1),
        Place("0" * 32, "connections", "c1", "login", 1),
        Place("0" * 32, "connections", "c1", "password", 2),
        Place("0" * 32, "connectionsc", "1", "password", 1),
    ],
)
def test_a_secret_that_was_moved_does_not_open(elsewhere: Place) -> None:
    assert isinstance(unseal({KEY_ID: KEY}, elsewhere, bytes.fromhex(KNOWN)), Unreadable)


def test_what_was_sealed_opens_after_a_restart(tmp_path: Path) -> None:
    sealed = sealed_by(open_vault(tmp_path))
    again = open_vault(tmp_path)
    assert opened_by(again, sealed) == PASSWORD
    assert again.binder is Binder.KEY_FILE


def test_another_box_cannot_read_it_and_starts_all_the_same(tmp_path: Path) -> None:
    sealed = sealed_by(open_vault(tmp_path / "a"))
    assert opened_by(open_vault(tmp_path / "b"), sealed) is Unreadable.WRONG_KEY


def test_a_lost_key_means_enter_it_again(tmp_path: Path) -> None:
    sealed = sealed_by(open_vault(tmp_path))
    (tmp_path / "kek").unlink()
    vault = open_vault(tmp_path)
    assert opened_by(vault, sealed) is Unreadable.WRONG_KEY
    assert opened_by(open_vault(tmp_path), sealed_by(vault)) == PASSWORD


def test_damaged_keys_are_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    open_vault(tmp_path)
    (tmp_path / "keyset.json").write_text("{half")
    vault = open_vault(tmp_path)
    assert opened_by(vault, sealed_by(vault)) == PASSWORD
    assert list(tmp_path.glob("keyset.json.damaged-*"))
    assert "set aside" in caplog.text


def test_rotation_keeps_every_secret_and_destroys_the_old_key(tmp_path: Path) -> None:
    vault = open_vault(tmp_path)
    old = sealed_by(vault)
    vault.begin_rotation()
    assert vault.needs_resealing(old)
    new = sealed_by(vault)
    assert not vault.needs_resealing(new)
    assert opened_by(vault, old) == PASSWORD
    assert open_vault(tmp_path).is_rotating
    vault.finish_rotation()
    for each in (vault, open_vault(tmp_path)):
        assert opened_by(each, new) == PASSWORD
        assert opened_by(each, old) is Unreadable.WRONG_KEY
        assert not each.is_rotating


def test_the_key_file_gives_way_to_a_credential(tmp_path: Path) -> None:
    sealed = sealed_by(open_vault(tmp_path / "vault"))
    (tmp_path / "deskbell-kek").write_bytes(bytes(range(32)))
    bound = open_vault(tmp_path / "vault", tmp_path)
    assert bound.binder is Binder.SYSTEMD
    assert opened_by(bound, sealed) == PASSWORD
    assert not (tmp_path / "vault" / "kek").exists()
    assert opened_by(open_vault(tmp_path / "vault", tmp_path), sealed) == PASSWORD


def test_a_factory_reset_leaves_nothing_to_open(tmp_path: Path) -> None:
    vault = open_vault(tmp_path)
    sealed = sealed_by(vault)
    vault.destroy()
    assert opened_by(vault, sealed) is Unreadable.WRONG_KEY
    assert opened_by(open_vault(tmp_path), sealed) is Unreadable.WRONG_KEY


def test_files_are_private_and_nothing_shows_a_secret(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "vault")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "vault").iterdir()}
    assert set(modes.values()) == {0o600}
    assert "correct" not in repr(vault) + repr(vars(vault))


def test_no_nonce_comes_twice(tmp_path: Path) -> None:
    vault = open_vault(tmp_path)
    assert len({sealed_by(vault) for _ in range(10_000)}) == 10_000
