"""Backup, factory reset, support bundle: what is asked, and what is answered. Part of the table in `verbs`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from app.control.passwords import LONGEST, SHORTEST
from app.settings import Secret, Settings

_MAX_ID = 64

LARGEST_BACKUP = 2 * 1024 * 1024
"""Bytes of a backup's file: the settings of any office, packed, are a twentieth of it. Its base64 in one question takes
the phone process some milliseconds."""


class MakeBackup(Settings):
    """`passphrase`: opens the backup again, here or on another box; nothing else does."""

    passphrase: Secret = Field(
        examples=["three green frogs"], json_schema_extra={"minLength": SHORTEST, "maxLength": LONGEST}
    )


class OpenBackup(Settings):
    """`content_base64`: the file as it was downloaded."""

    passphrase: Secret
    content_base64: str = Field(max_length=4 * (LARGEST_BACKUP // 3 + 1), repr=False)


class RestoreBackup(Settings):
    """`id`: of the preview. `confirmed`: the person was told which calls are cut off."""

    id: str = Field(max_length=_MAX_ID)
    confirmed: bool = False


class FactoryReset(Settings):
    """`extent` "everything": sessions and recordings too. `box_name`: typed by the person, against a slip of the hand.
    `confirmed`: the person was told which calls are cut off."""

    extent: Literal["settings", "everything"]
    box_name: str = Field(max_length=80)
    confirmed: bool = False


class FileView(Settings):
    """A file to take away, small enough for one answer."""

    name: str
    media_type: str
    content_base64: str = Field(repr=False)


class Holdings(Settings):
    """By name. `do_not_call`: how many numbers are on that list."""

    connections: tuple[str, ...]
    connectivity: tuple[str, ...]
    agents: tuple[str, ...]
    campaigns: tuple[str, ...] = ()
    do_not_call: int = 0


class BackupPreview(Settings):
    """A backup that was opened, and changed nothing yet. `id` goes into `restore_backup`, for ten minutes. `starts`:
    agents that will run; `without_password`: connections whose password could not be read when the backup was made;
    `retention_days`: what sessions on this box are kept for afterwards, 0 for ever."""

    id: str
    made_at: datetime
    software: str
    box_name: str
    retention_days: int
    brings: Holdings
    replaces: Holdings
    starts: tuple[str, ...]
    without_password: tuple[str, ...]


class ResetToFollow(Settings):
    """A factory reset that the page has not followed yet; `extent` "" if there is none."""

    id: str
    extent: Literal["", "settings", "everything"]
