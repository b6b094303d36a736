"""Factory reset: promised in a file, and done at the next start, before anything else opens the data.

    promised   the file is on the disk: from here on the box is reset, whatever happens
    done       the keys first, so that every secret is gone at once; then the rows; then the files
    followed   the page has done its part (`get_reset`): the file goes

Each step can be done twice, so a process that is killed anywhere goes on at the next start.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from firmware.board import home
from firmware.data_folder import DATABASE, PACKS, RECORDINGS, VAULT
from firmware.storage import StorageFault
from firmware.storage.forgetting import forget_everything, forget_settings
from firmware.vault import VaultProblem, destroy_keys
from firmware.vault.files import replace_file, set_aside, sync_folder

Extent = Literal["settings", "everything"]

_FILE = "factory-reset.json"

_log = logging.getLogger(__name__)


class ResetUnfinished(Exception):
    """A factory reset was promised, and cannot be done. The text says why, and what to do."""


class Promise(BaseModel):
    model_config = ConfigDict(frozen=True)
    id: str
    extent: Extent
    done: bool = False


def promise_reset(data: Path, extent: Extent) -> None:
    """Raises: OSError, and nothing is promised then."""
    _write(data, Promise(id=secrets.token_hex(8), extent=extent))


def reset_promised(data: Path) -> Promise | None:
    """Raises: OSError."""
    file = data / _FILE
    try:
        return Promise.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError:
        _log.error("the note of a factory reset is damaged: it was set aside", extra={"file": set_aside(file).name})
        return None


def keep_promise(data: Path) -> None:
    """Reset the box, if that was promised. Blocks, some seconds for a thousand recordings. Raises: ResetUnfinished."""
    try:
        promise = reset_promised(data)
        if promise is None or promise.done:
            return
        destroy_keys(data / VAULT)
        if promise.extent == "settings":
            forget_settings(data / DATABASE, datetime.now(UTC))
        else:
            _forget_everything(data)
        (data / home.FILE).unlink(missing_ok=True)
        _write(data, promise.model_copy(update={"done": True}))
    except (OSError, StorageFault, VaultProblem) as fault:
        raise ResetUnfinished(
            f"the factory reset that was asked for is not finished: {fault}. Passwords are gone already, and the rest "
            "goes as soon as this is mended and the box is started again"
        ) from fault
    _log.warning("the box was reset", extra={"outcome": promise.extent})


def forget_promise(data: Path, promise_id: str) -> None:
    """The page has followed. Raises: OSError."""
    promise = reset_promised(data)
    if promise and promise.done and promise.id == promise_id:
        (data / _FILE).unlink()
        sync_folder(data)


def _forget_everything(data: Path) -> None:
    """Raises: OSError."""
    forget_everything(data / DATABASE)
    for folder in (data / RECORDINGS, data / VAULT, data / PACKS):
        if folder.exists():
            shutil.rmtree(folder)
    sync_folder(data)


def _write(data: Path, promise: Promise) -> None:
    replace_file(data / _FILE, promise.model_dump_json().encode())
