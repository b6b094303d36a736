"""Every sealed secret that the database has, whichever table it is in. Inside one transaction."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from firmware.storage.records import Db, rows

SEALED = {
    "connections": ("password", "login"),
    "connectivity": ("api_key",),
    "webhook": ("secret",),
    "mail_server": ("password",),
    "http_tools": ("headers",),
}
"""Fields by table. Each has a column for the seal and one, `<field>_revision`, for what the seal binds."""


@dataclasses.dataclass(frozen=True, slots=True)
class StoredSecret:
    """`table`, `record`, `field` and `revision` are the place that the seal binds."""

    table: str
    record: str
    field: str
    revision: int
    data: bytes = dataclasses.field(repr=False)


def read_sealed(db: Db) -> Iterator[StoredSecret]:
    for table, fields in SEALED.items():
        for name in fields:
            asked = f"SELECT id, {name} AS data, {name}_revision AS revision FROM {table} WHERE {name} IS NOT NULL"  # noqa: S608  # our own names
            for row in rows(db, asked):
                yield StoredSecret(table, row["id"], name, row["revision"], row["data"])


def write_sealed(db: Db, secret: StoredSecret, data: bytes) -> None:
    """The same secret, of the same revision, sealed anew."""
    db.execute(f"UPDATE {secret.table} SET {secret.field} = ? WHERE id = ?", (data, secret.record))  # noqa: S608  # our own names
