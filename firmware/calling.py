"""Calls that somebody asks for: to a number, or from the box's own microphone.

Each is on the disk, with its session and key, before anything is sent: a power cut at any moment leaves a record, and
whoever asks again with the same key gets no second call.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from typing import Protocol, TypeVar

import trio

from app.agents.reception import STOPPED, Errand
from app.control import verbs
from app.control.refusals import Refusal, Why
from app.outbound.dialling import dial_string
from app.outbound.variables import names_in
from app.outcomes import NotPlaced, not_placed
from app.ports import Call, Outcome, Result, SessionLog
from firmware import telephony
from firmware.audio.handset import HandsetCall, HandsetProblem, open_handset
from firmware.counting import CountedSession, Counts
from firmware.employer import AtWork
from firmware.storage import SqliteLedger, call_records, records
from firmware.switchboard import Switchboard
from firmware.told_ledger import ToldSession

END_S = 3.0
"""How long a hang-up waits for the outcome: a round trip to the PBX, and the caller's last words."""

_NOT_RUNNING = Refusal(
    why=Why.NOT_NOW, text="The call was not started: the agent is not running. Start it, then call again."
)
_FULL = Refusal(
    why=Why.NOT_NOW,
    text="The call was not started: every seat of the agent is taken. Wait for a call to end, or raise its Max opened "
    "sessions.",
)
NOT_WANTED = Refusal(why=Why.NOT_NOW, text="The call was not started: it is not wanted any more.")
_OTHER_CALL = Refusal(
    why=Why.TAKEN,
    text="The call was not started: this idempotency key was used within the last 24 hours for another call. Use a new "
    "key for each call.",
    fields={"idempotency_key": "was used for another call within the last 24 hours"},
)

_log = logging.getLogger(__name__)

T = TypeVar("T")
Tell = Callable[[verbs.EventKind, str], None]


@dataclass(slots=True)
class _Live:
    """A call that goes on. `end` is the person's way to end it, None until it is dialled."""

    id: str
    end: Callable[[], None] | None = None
    ended_early: bool = False
    over: trio.Event = field(default_factory=trio.Event)
    loudness_dbfs: float | None = None


class _Session(ToldSession):
    """Also says how far the call came."""

    def __init__(
        self,
        session: SessionLog,
        changed: Callable[[str], None],
        *,
        talks: Callable[[], None],
        over: Callable[[], None],
    ) -> None:
        super().__init__(session, changed)
        self._talks, self._over = talks, over

    def connected(self, codec: str) -> None:
        super().connected(codec)
        self._talks()

    def close(self, outcome: Outcome, conclusion: str, results: dict[str, str]) -> None:
        super().close(outcome, conclusion, results)
        self._over()


class Claim(Protocol):
    """Somebody's part in the transaction that puts a call on the disk."""

    def is_wanted(self, db: records.Db) -> bool:
        """Whether it still is; nothing is called otherwise."""

    def claim(self, db: records.Db, call_id: str, session_id: str) -> None:
        """Note that this is the call."""


class Calling:
    """`at_work`: the agents that run now, by id. `nursery` outlives every call. `tell` hears of each change."""

    def __init__(
        self,
        store: SqliteLedger,
        at_work: Mapping[str, AtWork],
        switchboard: Switchboard,
        nursery: trio.Nursery,
        tell: Tell,
        counts: Counts,
    ) -> None:
        self._store, self._at_work, self._switchboard = store, at_work, switchboard
        self._nursery, self._tell, self._counts = nursery, tell, counts
        self._live: dict[str, _Live] = {}
        self._unfinished: set[str] = set()
        self._one_at_a_time = trio.Lock()  # a key is looked up and kept before the next one is

    def loudness_dbfs(self, call_id: str) -> float | None:
        """What an echo test hears."""
        live = self._live.get(call_id)
        return live.loudness_dbfs if live else None

    @property
    def unfinished(self) -> Collection[str]:
        """Calls to numbers of which more is to come: they go on, or their results are being written down."""
        return self._unfinished

    async def hang_up(self, call_id: str) -> None:
        """End the call, or cancel it while it rings; return once that is on record, or after END_S. Nothing happens to
        a call that is over."""
        live = self._live.get(call_id)
        if live is None:
            return
        live.ended_early = True
        if live.end:
            live.end()
        with trio.move_on_after(END_S):
            await live.over.wait()

    # -- to a number ---------------------------------------------------------------------------------------------

    async def place(self, ask: verbs.PlaceCall) -> str | Refusal:
        """The id of the call, which is being dialled; or that of the one that was placed with the same key."""
        async with self._one_at_a_time:
            key = call_records.Key(ask.idempotency_key, _hash(ask)) if ask.idempotency_key else None
            if key and (kept := await self._kept(key.text)):
                return kept.call_id if kept.asked_sha256 == key.asked_sha256 else _OTHER_CALL
            return await self._place(ask, key)

    async def place_claimed(self, ask: verbs.PlaceCall, claim: Claim) -> str | Refusal:
        """As `place`, for who keeps a record of the call in the same transaction. NOT_WANTED: it was not any more."""
        return await self._place(ask, None, claim)

    async def _kept(self, key: str) -> call_records.KeptKey | None:
        return await self._store.transact(lambda db: call_records.find_key(db, key, datetime.now(UTC)))

    async def _place(
        self, ask: verbs.PlaceCall, key: call_records.Key | None, claim: Claim | None = None
    ) -> str | Refusal:
        at_work = self._at_work.get(ask.agent_id)
        if at_work is None:
            return _NOT_RUNNING
        wanted = self._wanted(ask, at_work)
        if isinstance(wanted, Refusal):
            return wanted
        new, account = wanted
        if not at_work.reception.reserve(new.id):
            return _FULL
        session_id = await self._written(at_work, new, partial(_on_the_disk, new, key, claim))
        if session_id is None:
            at_work.reception.release(new.id)
            return NOT_WANTED
        self._send_out(at_work, account, new, ask, session_id)
        return new.id

    def _send_out(
        self,
        at_work: AtWork,
        account: telephony.Account,
        new: call_records.NewCall,
        ask: verbs.PlaceCall,
        session_id: str,
    ) -> None:
        live, session = self._begun(new, session_id)
        errand = Errand(
            session,
            ask.greeting,
            ask.variables,
            ask.ring_s,
            partial(self._hears, live) if ask.echo else None,
            ask.on_machine,
            ask.message,
            partial(self._unfinished.discard, new.id),
        )
        if self._at_work.get(ask.agent_id) is at_work:
            self._unfinished.add(new.id)
            at_work.reception.place(new.id, partial(self._dialled, account, new.dialled, live), errand)
        else:  # it was stopped while the disk wrote
            session.close(not_placed(Result.CANCELLED), STOPPED, {})

    def _wanted(
        self, ask: verbs.PlaceCall, at_work: AtWork
    ) -> tuple[call_records.NewCall, telephony.Account] | Refusal:
        line = self._line(at_work, ask.connection_id)
        if isinstance(line, Refusal):
            return line
        connection_id, account = line
        dialled = dial_string(ask.target, account.connection.dialling).text
        if why := _unsayable(ask, at_work) or _undiallable(dialled, account):
            return why
        new = call_records.NewCall(
            id=records.new_id(),
            what="echo test" if ask.echo else "call",
            agent_id=ask.agent_id,
            agent=at_work.reception.agent.name,
            connection_id=connection_id,
            direction="outbound",
            remote=ask.target,
            dialled=dialled,
            variables=ask.variables,
        )
        return new, account

    def _line(self, at_work: AtWork, connection_id: str | None) -> tuple[str, telephony.Account] | Refusal:
        """The connection to call through: one of those that the agent was started with."""
        attached = tuple(at_work.connections)
        if not connection_id and len(attached) > 1:
            text = "The call was not started: the agent has several connections. Say which one to call through."
            return Refusal(why=Why.INVALID, text=text, fields={"connection_id": text})
        chosen = connection_id or "".join(attached)
        account = self._switchboard.account(chosen) if chosen in attached else None
        if account is None:
            text = (
                "The call was not started: the agent does not use this connection now. Attach it, restart the agent, "
                "then call again."
            )
            return Refusal(why=Why.NOT_NOW, text=text, fields={"connection_id": text})
        return chosen, account

    async def _dialled(self, account: telephony.Account, number: str, live: _Live) -> Call | NotPlaced:
        try:
            call = await account.dial(number, live.id)
        except telephony.NotConnectedError as fault:
            return NotPlaced(Result.NETWORK_ERROR, str(fault))
        except telephony.TooManyCallsError as fault:
            return NotPlaced(Result.CAPACITY, str(fault))
        except telephony.BadTargetError as fault:  # a SIP URI that only the stack could tell
            return NotPlaced(Result.FAILED, str(fault))
        live.end = partial(self._nursery.start_soon, call.hang_up)
        if live.ended_early:
            live.end()
        return call

    # -- from the box's own microphone ---------------------------------------------------------------------------

    async def from_handset(self, ask: verbs.HandsetCall) -> str | Refusal:
        """The id of the call, which rings at the agent."""
        at_work = self._at_work.get(ask.agent_id)
        if at_work is None:
            return _NOT_RUNNING
        agent, call_id = at_work.reception.agent.name, records.new_id()
        if not at_work.reception.reserve(call_id):
            return _FULL
        try:
            opened = await self._nursery.start(self._hold_handset, ask.device, call_id)
        except BaseException:
            at_work.reception.release(call_id)
            raise
        if isinstance(opened, HandsetProblem):
            at_work.reception.release(call_id)
            return Refusal(why=Why.NOT_NOW, text=opened.text, fields={"device": opened.text})
        new = call_records.NewCall(call_id, "handset", ask.agent_id, agent, "", "inbound", opened.remote)
        try:
            session_id = await self._written(
                at_work, new, lambda db: call_records.insert_call(db, new, None, datetime.now(UTC))
            )
        except BaseException:
            opened.put_down()
            raise
        live, session = self._begun(new, session_id)
        live.end = opened.put_down
        if self._at_work.get(ask.agent_id) is at_work:
            at_work.reception.take(opened, Errand(session))
        else:
            session.close(not_placed(Result.CANCELLED), STOPPED, {})
            opened.put_down()
        return call_id

    async def _hold_handset(
        self, device: str, call_id: str, *, task_status: trio.TaskStatus[HandsetCall | HandsetProblem]
    ) -> None:
        """The sound card is ours until the call is over. The wall: a bug on the way of its sound ends this call only.
        Raises, before `started`: what `open_handset` does."""
        opened: HandsetCall | HandsetProblem | None = None
        try:
            async with open_handset(device, call_id) as opened:
                task_status.started(opened)
                if isinstance(opened, HandsetCall):
                    await opened.ended()
        except* Exception:
            if opened is None:
                raise
            _log.exception("a call from the box itself failed", extra={"call_id": call_id})

    # -- on record -----------------------------------------------------------------------------------------------

    async def _written(self, at_work: AtWork, new: call_records.NewCall, work: Callable[[records.Db], T]) -> T:
        """The call is on the disk. Raises: StorageFault; the seat is free again then."""
        try:
            return await self._store.transact(work)
        except BaseException:
            at_work.reception.release(new.id)
            raise

    def _begun(self, new: call_records.NewCall, session_id: str) -> tuple[_Live, SessionLog]:
        live = self._live[new.id] = _Live(new.id)
        session = _Session(
            CountedSession(self._store.session_log(session_id), self._counts, new.direction),
            partial(self._tell, verbs.EventKind.SESSION),
            talks=partial(self._tell, verbs.EventKind.CALL, new.id),
            over=partial(self._over, live),
        )
        self._tell(verbs.EventKind.SESSION, session_id)
        self._tell(verbs.EventKind.CALL, new.id)
        return live, session

    def _over(self, live: _Live) -> None:
        del self._live[live.id]
        live.over.set()
        self._tell(verbs.EventKind.CALL, live.id)

    def _hears(self, live: _Live, loudness_dbfs: float) -> None:
        live.loudness_dbfs = loudness_dbfs
        self._tell(verbs.EventKind.CALL, live.id)


def _on_the_disk(
    new: call_records.NewCall, key: call_records.Key | None, claim: Claim | None, db: records.Db
) -> str | None:
    """The id of the session, which is open from now on."""
    if claim and not claim.is_wanted(db):
        return None
    session_id = call_records.insert_call(db, new, key, datetime.now(UTC))
    if claim:
        claim.claim(db, new.id, session_id)
    return session_id


def _hash(ask: verbs.PlaceCall) -> str:
    """Of all that was asked but the key, whatever the order of its fields and variables."""
    asked = ask.model_dump(mode="json", exclude={"idempotency_key"})
    return sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _unsayable(ask: verbs.PlaceCall, at_work: AtWork) -> Refusal | None:
    """A greeting, message or question that asks for what was not given would be said with a hole in it."""
    greeting = at_work.reception.agent.greeting if ask.greeting is None else ask.greeting
    said = {"greeting": greeting, "message": ask.message}
    said |= {f"question for “{each.name}”": each.question for each in at_work.reception.agent.result_fields}
    missing = {text: [name for name in names_in(said[text]) if not ask.variables.get(name)] for text in said}
    text = next((text for text in said if missing[text]), None)
    if ask.echo or text is None:
        return None
    what = f"the {text} says {', '.join(f'{{{name}}}' for name in missing[text])}: give a variable of that name"
    return Refusal(why=Why.INVALID, text=f"The call was not started: {what}.", fields={"variables": what})


def _undiallable(target: str, account: telephony.Account) -> Refusal | None:
    try:
        telephony.target_uri(target, account.connection.domain)
    except telephony.BadTargetError as fault:
        return Refusal(why=Why.INVALID, text=f"The call was not started: {fault}.", fields={"target": str(fault)})
    return None
