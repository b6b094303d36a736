"""Letters made of what ended, and sent until the mail server takes them. See the package."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

import trio
from pydantic import SecretStr

from app.control.mail import MailServer
from app.control.webhook import Attempt
from app.outbound.deliveries import DELAYS_S, next_attempt, wait_s
from firmware.mail.client import MailClient, open_mail
from firmware.mail.letter import test_words, words_of
from firmware.mail.line import Way
from firmware.mail.troubles import Trouble
from firmware.rounds import Rounds
from firmware.storage import SqliteLedger, letter_records, records
from firmware.storage.letter_records import RESULTS_S, Letter, MailRecord
from firmware.vault import Unreadable, Vault

AT_ONCE = 20
"""Letters of one connection: mail servers rather have that than as many log-ins."""

_LOOK_S = 60.0
"""What ended is told of at once; this is for a clock that was set, and for what was missed."""

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Letters:
    """Made by `run_letters`. `changed` hears that a letter was made, or tried."""

    def __init__(
        self,
        store: SqliteLedger,
        vault: Vault,
        client: MailClient,
        changed: Callable[[], None],
        *,
        now: Callable[[], datetime] = utc_now,
        delays_s: tuple[float, ...] = DELAYS_S,
    ) -> None:
        self._store, self._vault, self._client, self._changed = store, vault, client, changed
        self._now, self._delays_s = now, delays_s
        self._rounds = Rounds("e-mails")
        self._in_vain, self._rests_until_s = 0, 0.0

    def wake(self) -> None:
        """A call ended, or an agent was edited."""
        self._rounds.wake()

    def try_again(self) -> None:
        """The mail server was edited, or a letter is wanted now: whatever was wrong with it may be mended."""
        self._in_vain, self._rests_until_s = 0, 0.0
        self.wake()

    def password_of(self, server: MailRecord) -> SecretStr | Unreadable | None:
        return opened_password(self._vault, server)

    async def run(self) -> None:
        """Until cancelled."""
        await self._rounds.run(self._one_round)

    async def tried(self, server: MailServer, password: SecretStr | None, to: str) -> Attempt:
        """A test, which is not repeated and not kept. Takes as long as it takes: its caller has the patience."""
        _, box = await self._store.transact(records.read_box)
        words, found = test_words(box), list[Trouble]()
        letter = Letter(records.new_id(), to, words.subject, words.body, self._now(), 0, self._now())

        async def noted(_: Letter, trouble: Trouble | None) -> None:
            await trio.lowlevel.checkpoint()
            found.extend([trouble] if trouble else [])

        at, began_s = self._now(), trio.current_time()
        trouble = await self._client.post(Way(server, password, box.name), [letter], noted)
        return _attempt(at, began_s, trouble or next(iter(found), None))

    async def _one_round(self) -> float:
        """Send what is due; how long to wait until the next round. Raises: StorageFault."""
        server, box_name, waiting, is_to_come = await self._store.transact(self._read)
        password = self.password_of(server)
        if not server.settings.host or isinstance(password, Unreadable):
            return _LOOK_S
        soon_s = RESULTS_S if is_to_come else _LOOK_S
        rest_s = self._rests_until_s - trio.current_time()
        if rest_s > 0:
            return min(soon_s, rest_s)
        pauses_s = {each.id: wait_s(each.next_at, self._now(), max(self._delays_s)) for each in waiting}
        due = [each for each in waiting if not pauses_s[each.id]]
        if not due:
            return min([soon_s, *pauses_s.values()])
        await self._post(Way(server.settings, password, box_name), due)
        return 0.0

    def _read(self, db: records.Db) -> tuple[MailRecord, str, list[Letter], bool]:
        server, (_, box) = letter_records.read_server(db), records.read_box(db)
        if server.settings.host:
            letter_records.take_ended(db, words_of, self._now())
        return server, box.name, letter_records.read_waiting(db, AT_ONCE), letter_records.is_to_come(db)

    async def _post(self, way: Way, due: list[Letter]) -> None:
        """Raises: StorageFault; what was sent and not noted is sent again then."""
        left = {each.id: each for each in due}
        began_s, at = trio.current_time(), self._now()

        async def noted(letter: Letter, trouble: Trouble | None) -> None:
            nonlocal began_s, at
            del left[letter.id]
            await self._note(letter, _attempt(at, began_s, trouble), trouble)
            began_s, at = trio.current_time(), self._now()

        trouble = await self._client.post(way, due, noted)
        if trouble is None:
            self._in_vain = 0
            return
        # One log-in with a wrong password is enough, however many letters wait: mailboxes get locked.
        self._rests_until_s = trio.current_time() + self._delays_s[min(self._in_vain, len(self._delays_s) - 1)]
        self._in_vain += 1
        for letter in [*left.values()]:
            await noted(letter, trouble)

    async def _note(self, letter: Letter, attempt: Attempt, trouble: Trouble | None) -> None:
        attempts = letter.attempts + 1
        again = trouble is not None and not trouble.is_final
        next_at = next_attempt(attempts, self._now(), self._delays_s) if again else None
        await self._store.transact(lambda db: letter_records.OUTBOX.note_attempt(db, letter.id, attempt, next_at))
        if trouble:
            _log.warning("an e-mail was not sent", extra={"attempt": attempts, "cause": trouble.cause.value})
        self._changed()


def opened_password(vault: Vault, server: MailRecord) -> SecretStr | Unreadable | None:
    """In clear; None where there is none."""
    sealed = server.password
    return vault.unseal("mail_server", letter_records.ID, "password", sealed.revision, sealed.data) if sealed else None


def _attempt(at: datetime, began_s: float, trouble: Trouble | None) -> Attempt:
    took_ms = round((trio.current_time() - began_s) * 1000)
    return Attempt(
        at=at, status=trouble.code if trouble else 0, problem=trouble.text if trouble else "", took_ms=took_ms
    )


async def run_letters(
    store: SqliteLedger, vault: Vault, changed: Callable[[], None], *, task_status: trio.TaskStatus[Letters]
) -> None:
    """The service, for `firmware.lifetimes.serving`."""
    async with open_mail() as client:
        letters = Letters(store, vault, client, changed)
        task_status.started(letters)
        await letters.run()
