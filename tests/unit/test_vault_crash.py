"""A process that is killed at any step of what it does to the keys costs no secret, and hides none from a reset."""

from __future__ import annotations

import functools
import itertools
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from pydantic import SecretStr

from firmware.vault import Binder, Unreadable, Vault, open_vault
from firmware.vault.files import replace_file

pytestmark = pytest.mark.unit

# Everything that changes a file or a folder, but for the write itself: that is in `path`.new until it is replaced.
STEPS = ("open", "replace", "fsync", "pwrite", "unlink", "rmdir")
SECRETS = {"c1": SecretStr("correct horse"), "c2": SecretStr("battery"), "c3": SecretStr("staple")}


class Box:
    """A vault and a file with secrets that it sealed."""

    def __init__(self, folder: Path) -> None:
        self.vault_folder, self._secrets = folder / "vault", folder / "secrets.json"

    def fill(self, vault: Vault) -> dict[str, bytes]:
        for record, secret in SECRETS.items():
            self.store(record, vault.seal("connections", record, "password", 1, secret))
        return self.stored()

    def store(self, record: str, sealed: bytes) -> None:
        everything = {**self.stored(), record: sealed}
        replace_file(self._secrets, json.dumps({key: value.hex() for key, value in everything.items()}).encode())

    def stored(self) -> dict[str, bytes]:
        if not self._secrets.exists():
            return {}
        return {key: bytes.fromhex(value) for key, value in json.loads(self._secrets.read_text()).items()}

    def rotate(self) -> None:
        vault = open_vault(self.vault_folder)
        vault.begin_rotation()
        for record, sealed in self.stored().items():
            if vault.needs_resealing(sealed):
                self.store(record, self.resealed(vault, record, sealed))
        vault.finish_rotation()

    def resealed(self, vault: Vault, record: str, sealed: bytes) -> bytes:
        secret = vault.unseal("connections", record, "password", 1, sealed)
        assert isinstance(secret, SecretStr)
        return vault.seal("connections", record, "password", 1, secret)


def opened(vault: Vault, secrets: dict[str, bytes]) -> dict[str, SecretStr | Unreadable]:
    return {record: vault.unseal("connections", record, "password", 1, sealed) for record, sealed in secrets.items()}


def is_killed_at(step: int, story: Callable[[], object]) -> bool:
    """Let a child live through the story until its `step`th step. False: it has fewer, and came to its end."""
    child = os.fork()
    if child == 0:
        live_until(step, story)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, -signal.SIGKILL}
    return code != 0


def live_until(step: int, story: Callable[[], object]) -> NoReturn:
    taken, code = itertools.count(1), 1
    try:
        for name in STEPS:
            setattr(os, name, _counted(getattr(os, name), taken, step))
        story()
        code = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
        raise
    finally:
        os._exit(code)  # never back into pytest


def _counted(real: Callable[..., object], taken: Iterator[int], last: int) -> Callable[..., object]:
    def counted(*args: object, **kwargs: object) -> object:
        if next(taken) == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    return counted


def killed_at_each_step(
    folder: Path, prepare: Callable[[Box], object], story: Callable[[Box], object]
) -> Iterator[Box]:
    """A box for each step of the story, whose process was killed just before that step."""
    for step in itertools.count(1):
        box = Box(folder / str(step))
        prepare(box)
        if not is_killed_at(step, functools.partial(story, box)):
            return
        yield box


def fill(box: Box) -> None:
    box.fill(open_vault(box.vault_folder))


def credentials(box: Box) -> Path:
    """Where systemd would put the key, from now on."""
    folder = box.vault_folder.with_name("credentials")
    folder.mkdir(exist_ok=True)
    (folder / "deskbell-kek").write_bytes(bytes(range(32)))
    return folder


def open_with_key_file(box: Box) -> Vault:
    return open_vault(box.vault_folder)


def open_with_credentials(box: Box) -> Vault:
    return open_vault(box.vault_folder, credentials(box))


def test_a_first_opening_that_was_killed_is_done_again(tmp_path: Path) -> None:
    boxes = list(killed_at_each_step(tmp_path, lambda box: box.vault_folder.parent.mkdir(), open_with_key_file))
    assert len(boxes) >= 3 * 4  # device id, key and keyset: open, sync, replace, sync the folder
    for box in boxes:
        secrets = box.fill(open_vault(box.vault_folder))
        assert opened(open_vault(box.vault_folder), secrets) == SECRETS


def test_a_rotation_that_was_killed_costs_no_secret_and_is_finished_by_the_next(tmp_path: Path) -> None:
    boxes = list(killed_at_each_step(tmp_path, fill, Box.rotate))
    assert len(boxes) >= (2 + len(SECRETS)) * 4
    for box in boxes:
        vault, before = open_vault(box.vault_folder), box.stored()
        assert opened(vault, before) == SECRETS
        box.rotate()
        vault = open_vault(box.vault_folder)
        assert not vault.is_rotating
        assert opened(vault, box.stored()) == SECRETS


def test_a_rotation_can_be_killed_twice(tmp_path: Path) -> None:
    for box in killed_at_each_step(tmp_path, kill_in_the_middle, Box.rotate):
        assert opened(open_vault(box.vault_folder), box.stored()) == SECRETS


def kill_in_the_middle(box: Box) -> None:
    fill(box)
    assert is_killed_at(12, box.rotate)
    assert open_vault(box.vault_folder).is_rotating


def test_a_finished_rotation_has_destroyed_the_old_keys(tmp_path: Path) -> None:
    box = Box(tmp_path)
    before = box.fill(open_vault(box.vault_folder))
    box.rotate()
    vault = open_vault(box.vault_folder)
    assert opened(vault, before) == dict.fromkeys(SECRETS, Unreadable.WRONG_KEY)
    assert opened(vault, box.stored()) == SECRETS


def test_going_over_to_a_credential_can_be_killed(tmp_path: Path) -> None:
    boxes = list(killed_at_each_step(tmp_path, fill, open_with_credentials))
    assert len(boxes) >= 4 + 4  # wrap anew; wipe the key file
    for box in boxes:
        vault = open_with_credentials(box)
        assert vault.binder is Binder.SYSTEMD
        assert opened(vault, box.stored()) == SECRETS
        assert not (box.vault_folder / "kek").exists()


@pytest.mark.parametrize("opening", [open_with_key_file, open_with_credentials])
def test_a_factory_reset_that_was_killed_can_be_done_again(tmp_path: Path, opening: Callable[[Box], Vault]) -> None:
    def reset(box: Box) -> None:
        opening(box).destroy()

    boxes = list(killed_at_each_step(tmp_path, fill, reset))
    assert len(boxes) >= 4  # write over, sync, remove, sync the folder
    for box in boxes:
        reset(box)
        assert {path.name for path in box.vault_folder.iterdir()} == {"device-id"}
        assert opened(opening(box), box.stored()) == dict.fromkeys(SECRETS, Unreadable.WRONG_KEY)
