"""Lists that were uploaded, and are looked at or on their way to the phone process: kept for the worker to come.

Pieces of memory without a name, as the slate is: what people upload must not lie on the disk of the page, and a worker
may be replaced at any moment. What is known of each stands on the slate.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import TypeAdapter

from app.settings import Settings
from provisioning.slate import Slate

LARGEST_LIST = 16 * 1024 * 1024
"""100,000 rows with 160 bytes each."""

_PLACES = 3
"""Lists at a time: 48 MB in all, and no more than three people of an office upload lists."""

_KEPT_S = 30 * 60
"""For somebody who compares columns, and is called to the telephone meanwhile."""

_SECTION = "lists"


class Kept(Settings):
    """One list. `columns`: for each field of the campaign, the column that fills it, counted from 0. `trouble`: why
    sending stopped."""

    id: str
    campaign_id: str
    file_name: str
    size: int
    encoding: str
    separator: str
    header: tuple[str, ...]
    row_count: int
    fault_count: int
    at_s: float
    state: Literal["looked at", "on its way"] = "looked at"
    import_id: str = ""
    columns: dict[str, int] = {}  # noqa: RUF012 - pydantic copies it
    trouble: str = ""


_Places = TypeAdapter(dict[int, Kept])


class Shelf:
    """`now`: seconds of a clock that all workers share, such as `time.monotonic`."""

    def __init__(self, slate: Slate, descriptors: list[int]) -> None:
        self._slate, self._descriptors = slate, descriptors

    @classmethod
    def fresh(cls, slate: Slate) -> Shelf:
        return cls(slate, [os.memfd_create("deskbell-list") for _ in range(_PLACES)])

    @property
    def descriptors(self) -> list[int]:
        return self._descriptors

    def put(self, data: bytes, about: dict[str, Any], now: float) -> Kept | None:
        """In a free place, or that of the list that was looked at longest ago; None while all are on their way."""
        with self._slate.held(_SECTION) as section:
            places = _read(section)
            place = self._free(places, now)
            if place is None:
                return None
            kept = Kept(id=secrets.token_hex(6), size=len(data), at_s=now, **about)
            os.ftruncate(self._descriptors[place], 0)
            _write(section, places | {place: kept})
        os.pwrite(self._descriptors[place], data, 0)
        return kept

    def _free(self, places: dict[int, Kept], now: float) -> int | None:
        for place in range(len(self._descriptors)):
            kept = places.get(place)
            if kept is None or (kept.state == "looked at" and now - kept.at_s > _KEPT_S):
                return place
        looked_at = [place for place, kept in places.items() if kept.state == "looked at"]
        return min(looked_at, key=lambda place: places[place].at_s, default=None)

    def find(self, list_id: str) -> Kept | None:
        return next((kept for kept in self.all() if kept.id == list_id), None)

    def of_import(self, import_id: str) -> Kept | None:
        return next((kept for kept in self.all() if kept.import_id == import_id), None)

    def all(self) -> tuple[Kept, ...]:
        with self._slate.held(_SECTION) as section:
            return tuple(_read(section).values())

    def data(self, list_id: str) -> bytes:
        """Empty where it is gone meanwhile."""
        for place, kept in self._places():
            if kept.id == list_id:
                return os.pread(self._descriptors[place], kept.size, 0)
        return b""

    def _places(self) -> Iterator[tuple[int, Kept]]:
        with self._slate.held(_SECTION) as section:
            places = _read(section)
        yield from places.items()

    def change(self, list_id: str, **changes: object) -> None:
        with self._slate.held(_SECTION) as section:
            places = _read(section)
            changed = {p: kept.model_copy(update=changes) for p, kept in places.items() if kept.id == list_id}
            _write(section, places | changed)

    def drop(self, list_id: str) -> None:
        with self._slate.held(_SECTION) as section:
            places = _read(section)
            for place in [place for place, kept in places.items() if kept.id == list_id]:
                os.ftruncate(self._descriptors[place], 0)
                del places[place]
            _write(section, places)


def _read(section: dict[str, Any]) -> dict[int, Kept]:
    return _Places.validate_python(section)


def _write(section: dict[str, Any], places: dict[int, Kept]) -> None:
    section.clear()
    section.update({str(place): kept.model_dump(mode="json") for place, kept in places.items()})
