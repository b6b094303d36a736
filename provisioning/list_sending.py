"""Uploaded lists, on their way to the phone process: part by part, whatever becomes of the worker or of the box.

A worker that leaves stops between two parts, and the next one goes on; rows that were sent twice are taken once.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import trio

from app.control.campaigns import ROWS_AT_ONCE, ImportView, RowProblem
from app.control.refusals import Refusal, Why
from provisioning.client import Box
from provisioning.life import Life
from provisioning.shelf import Kept, Shelf
from provisioning.web.csv_reading import Row, Table

_LARGEST_PART = 1_000_000
"""Characters of one question, of which the control socket takes 4 MB: a letter may be four bytes."""

_RETRY_S = 2.0
"""While the phone process is away, or starts."""

_LOOK_S = 5.0
"""For a list that was ordered from a worker that was leaving already: nobody wakes this one for it."""

Part = list[Row]


class Sender:
    """One for each worker; `send` runs as long as it does."""

    def __init__(self, box: Box, shelf: Shelf, life: Life) -> None:
        self._box, self._shelf, self._life = box, shelf, life
        self._ordered = trio.Event()
        self._done: dict[str, trio.Event] = {}
        self._under_way: set[str] = set()

    def order(self, kept: Kept, import_id: str, columns: dict[str, int]) -> None:
        """From here on it is sent."""
        self._shelf.change(kept.id, state="on its way", import_id=import_id, columns=columns)
        self._done[kept.id] = trio.Event()
        self._ordered.set()

    async def ended(self, list_id: str) -> None:
        """Until nothing more is sent of it, for now."""
        if list_id in self._done:
            await self._done[list_id].wait()

    async def send(self) -> None:
        async with trio.open_nursery() as lists:
            while True:
                self._ordered = trio.Event()
                for kept in self._shelf.all():
                    if kept.state == "on its way" and not kept.trouble and kept.id not in self._under_way:
                        self._under_way.add(kept.id)
                        lists.start_soon(self._send_one, kept)
                with trio.move_on_after(_LOOK_S):
                    await self._ordered.wait()

    async def _send_one(self, kept: Kept) -> None:
        answer = await self._parts(kept)
        if isinstance(answer, Refusal):
            self._shelf.change(kept.id, trouble=answer.text)
        elif answer:
            self._shelf.drop(kept.id)
        self._under_way.discard(kept.id)
        self._done.pop(kept.id, trio.Event()).set()

    async def _parts(self, kept: Kept) -> bool | Refusal:
        """False: the next worker has to go on."""
        begun = await self._box.ask("get_import", ImportView, id=kept.import_id)
        if isinstance(begun, Refusal):
            return begun
        parts = _parts_of(kept, self._shelf.data(kept.id), begun.rows)
        while part := await trio.to_thread.run_sync(_next, parts):
            answer = await self._sent(kept, part)
            if not isinstance(answer, ImportView):
                return answer
        return True

    async def _sent(self, kept: Kept, part: Part) -> ImportView | Refusal | bool:
        question = _question(kept, part)
        while not self._life.leaving.is_set():
            answer = await self._box.ask("add_rows", ImportView, **question)
            if not (isinstance(answer, Refusal) and answer.why is Why.BOX_FAULT):
                return answer
            with trio.move_on_after(_RETRY_S):
                await self._life.leaving.wait()
        return False


def _parts_of(kept: Kept, data: bytes, sent: int) -> Iterator[Part]:
    """What is still to be sent. Reads the file as it is asked for more: in a thread."""
    table = Table(data, kept.encoding, kept.separator, kept.header, kept.row_count, kept.fault_count)
    rows = islice(table.rows(), sent, None) if data else iter(())
    part: Part = []
    size = 0
    for row in rows:
        part.append(row)
        size += sum(len(cell) for cell in row.cells)
        if len(part) == ROWS_AT_ONCE or size > _LARGEST_PART:
            yield part
            part, size = [], 0
    yield part


def _next(parts: Iterator[Part]) -> Part:
    return next(parts, [])


def _question(kept: Kept, part: Part) -> dict[str, object]:
    return {
        "id": kept.import_id,
        "first": part[0].number,
        "rows": [
            {} if row.fault else {field: row.cells[column] for field, column in kept.columns.items()} for row in part
        ],
        "unread": [RowProblem(row=row.number, field="", text=row.fault) for row in part if row.fault],
    }
