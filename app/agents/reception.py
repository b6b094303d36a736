"""An agent at its desk: takes every call there is a seat for, and keeps one call's trouble to that call."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

import trio

from app.conversation import converse
from app.echo import echo
from app.listening import Echo, KeyTones, NoTones
from app.outbound.variables import filled
from app.outcomes import NotPlaced, Report, Stopped, not_placed, outcome_of
from app.ports import (
    Brain,
    Call,
    Connected,
    Direction,
    Ears,
    Ended,
    EndedBy,
    Ledger,
    Result,
    SessionLog,
    Voice,
    VoiceActivity,
)
from app.reply import Parts
from app.screening import Beeps, Screening
from app.settings import Agent, OnMachine, Workflow
from app.speech_servers import Told

BUSY_HERE = 486
SERVER_INTERNAL_ERROR = 500
# `Call.hang_up` itself gives up after two seconds, which cover the first retransmissions of a BYE (RFC 3261, T1).
_HANG_UP_S = 3.0
# RFC 3261's 64*T1: whoever has not acknowledged or opened the media by then never will. (A call that begins on hold.)
_MEDIA_S = 32.0
STOPPED = "the agent was stopped"
_FAULT = "an error on the box"
# Whoever tests a line has heard enough by then, and a forgotten one must not keep it busy.
_ECHO_S = 120.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What an agent works with. `brain`, `activity`, `echo`, `beeps`, `tones` and `recording` make a new one for each
    call; the brain gets the agent with what it says in this call and who is there when it begins (`at_this_hour`), and
    who called whom. `served`: ears and voice of one call, where servers hear or speak in front of the box's own."""

    ears: Ears
    voice: Voice
    ledger: Ledger
    brain: Callable[[Agent, Direction], Brain]
    activity: Callable[[], VoiceActivity]
    echo: Callable[[], Echo]
    beeps: Callable[[], Beeps]
    recording: Callable[[Call, SessionLog], AbstractAsyncContextManager[None]]
    tones: Callable[[], KeyTones] = NoTones
    at_this_hour: Callable[[Agent], Agent] = lambda agent: agent
    served: Callable[[Ears, Voice, Told], tuple[Ears, Voice]] = lambda ears, voice, _: (ears, voice)


@dataclass(frozen=True, slots=True)
class Errand:
    """What a call was asked for. `session` was opened before. `greeting`: in place of the agent's own, where not None.
    `ring_s`: how long the other side may ring. `hears`: an echo test instead of a talk; it is told how loud the other
    side is, in dBFS. `on_machine`, with the `message` to leave: unless that is "ignore", whoever answers is listened to
    before the agent speaks. `done` hears that nothing more comes of the call: its results are written down, too."""

    session: SessionLog
    greeting: str | None = field(default=None, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    ring_s: float = 45.0
    hears: Callable[[float], None] | None = None
    on_machine: OnMachine = "ignore"
    message: str = field(default="", repr=False)
    done: Callable[[], None] = lambda: None


Dial = Callable[[], Awaitable[Call | NotPlaced]]


class Reception:
    """One agent's seats: calls that come in and calls that go out share them. `calls` is the nursery they live in;
    `changed` hears that a call began or ended."""

    def __init__(
        self, desk: Desk, agent: Agent, calls: trio.Nursery, changed: Callable[[], None] = lambda: None
    ) -> None:
        self.agent = agent
        self._desk, self._calls, self._changed = desk, calls, changed
        self._taken: set[str] = set()

    @property
    def opened(self) -> int:
        """Sessions now."""
        return len(self._taken)

    @property
    def is_full(self) -> bool:
        return self.opened >= self.agent.max_opened_sessions

    def reserve(self, call_id: str) -> bool:
        """Keep a seat for a call that is about to be placed; `release` it where it comes to nothing. False: there is
        none, and the log says so."""
        if self.is_full:
            _log.warning(
                "call not placed: every seat of the agent is taken; raise its Max opened sessions",
                extra={"call_id": call_id, "agent": self.agent.name, "seats": self.agent.max_opened_sessions},
            )
            return False
        self._taken.add(call_id)
        return True

    def release(self, call_id: str) -> None:
        self._taken.discard(call_id)
        self._changed()

    def place(self, call_id: str, dial: Dial, errand: Errand) -> None:
        """Dial, for a call that has a seat, and converse with whoever answers."""
        self._calls.start_soon(self._place, call_id, dial, errand)
        self._changed()

    def take(self, call: Call, errand: Errand | None = None) -> None:
        """Converse with whoever is on the line. Where there is no seat, the caller hears "busy", and the log says
        why."""
        seated = call.id in self._taken or not self.is_full
        if seated:
            self._taken.add(call.id)
        else:
            _log.warning(
                "call refused with 486 Busy Here: every seat of the agent is taken; raise its Max opened sessions",
                extra={"call_id": call.id, "agent": self.agent.name, "seats": self.agent.max_opened_sessions},
            )
        self._calls.start_soon(self._converse, call, errand, seated)
        self._changed()

    async def _place(self, call_id: str, dial: Dial, errand: Errand) -> None:
        try:
            if call := await _dialled(call_id, dial, errand):
                await take_call(call, self._desk, self.agent, errand, over=lambda: self.release(call_id))
        finally:
            errand.done()
            self.release(call_id)

    async def _converse(self, call: Call, errand: Errand | None, seated: bool) -> None:
        """The seat is free once the line is, while what the call brought is still being written down."""

        def over() -> None:
            if seated:
                self.release(call.id)

        try:
            await take_call(call, self._desk, self.agent, errand, seated=seated, over=over)
        finally:
            over()


async def attend(incoming: AsyncIterable[Call], desk: Desk, agent: Agent) -> None:
    """Answer calls until cancelled."""
    async with trio.open_nursery() as calls:
        reception = Reception(desk, agent, calls)
        async for call in incoming:
            reception.take(call)


@dataclass(slots=True)
class _Course:
    """What we did with a call. What stands here when we are stopped is what the ledger is told."""

    talked: bool = False
    stopped: Stopped | None = Stopped.CANCELLED
    conclusion: str = STOPPED
    screening: Screening | None = None

    @property
    def answerer(self) -> dict[str, str]:
        """Who answered, among the results, where that was to be found out."""
        return self.screening.results if self.screening else {}

    def ends(self, stopped: Stopped | None, conclusion: str = "") -> None:
        self.stopped, self.conclusion = stopped, conclusion


async def take_call(
    call: Call,
    desk: Desk,
    agent: Agent,
    errand: Errand | None = None,
    *,
    seated: bool = True,
    over: Callable[[], None] = lambda: None,
) -> None:
    """One call from ringing to its last line in the ledger: the wall between calls. A bug in one ends that one.
    Who is not `seated` hears "busy". `over` hears that the line is free."""
    session = errand.session if errand else None
    brain: Brain | None = None
    course = _Course()
    try:
        session = session or desk.ledger.open_session(
            call_id=call.id, agent=agent.name, direction=call.direction, remote=call.remote
        )
        errand = errand or Errand(session)
        if seated:
            agent = desk.at_this_hour(_briefed(agent, errand))
            brain = desk.brain(agent, call.direction)
            await _attend(call, desk, agent, brain, errand, course)
        else:
            course.ends(Stopped.FULL)
    except* Exception:  # noqa: BLE001 - the wall; a cancellation in the same group goes on
        course.ends(Stopped.FAULT, _FAULT)
        _log.exception("call failed", extra={"call_id": call.id})
    finally:
        ended = await _hung_up(call, SERVER_INTERNAL_ERROR if seated else BUSY_HERE)
        _close(call, session, brain, course, ended)
        over()
    if session and brain and course.talked:
        await _conclude(call, session, brain, course)


async def _conclude(call: Call, session: SessionLog, brain: Brain, course: _Course) -> None:
    try:
        results = await brain.conclude()
    except Exception:  # noqa: BLE001 - the wall
        _log.exception("the results of a call were not written down", extra={"call_id": call.id})
    else:
        if results is not None:
            session.found(results | course.answerer)


async def _dialled(call_id: str, dial: Dial, errand: Errand) -> Call | None:
    """The call; None if it was not placed, which its session is told. The wall, as in `take_call`."""
    call: Call | None = None
    outcome, conclusion = not_placed(Result.CANCELLED), STOPPED
    try:
        match await dial():
            case NotPlaced(result, reason):
                outcome, conclusion = not_placed(result, reason), ""
            case placed:
                call = placed
    except* Exception:  # noqa: BLE001 - the wall; a cancellation in the same group goes on
        outcome, conclusion = not_placed(Result.FAILED), _FAULT
        _log.exception("call failed", extra={"call_id": call_id})
    finally:
        if call is None:
            _log.info("call not placed", extra={"call_id": call_id, "outcome": outcome.result.value})
            errand.session.close(outcome, conclusion, {})
    return call


def _briefed(agent: Agent, errand: Errand) -> Agent:
    """The agent with what it says, and knows, in this call."""
    greeting = agent.greeting if errand.greeting is None else errand.greeting
    return briefed(agent.model_copy(update={"greeting": greeting}), errand.variables)


def briefed(agent: Agent, variables: Mapping[str, str]) -> Agent:
    """The agent with `variables` filled in, in all that it says and knows."""
    questions = ({"question": filled(each.question, variables)} for each in agent.result_fields)
    fields = (each.model_copy(update=own) for each, own in zip(agent.result_fields, questions, strict=True))
    said = {name: filled(getattr(agent, name), variables) for name in ("greeting", "instructions")}
    workflow = _begun_with(agent.workflow, variables) if agent.workflow else None
    return agent.model_copy(update={**said, "result_fields": tuple(fields), "workflow": workflow})


def _begun_with(workflow: Workflow, variables: Mapping[str, str]) -> Workflow:
    """Only what is said: instructions hold nothing that somebody else wrote."""
    states = (each.model_copy(update={"says": filled(each.says, variables)}) for each in workflow.states)
    return workflow.model_copy(update={"states": tuple(states)})


async def _hung_up(call: Call, sip_code: int) -> Ended:
    """Hang up unless it is done already; how the call ended."""
    with trio.move_on_after(_HANG_UP_S, shield=True):
        await call.hang_up(sip_code)
        return await call.ended()
    return Ended(EndedBy.AGENT, 0, "the line did not end in time")


def _close(call: Call, session: SessionLog | None, brain: Brain | None, course: _Course, ended: Ended) -> None:
    screening = course.screening
    machine, message_said = (screening.machine, screening.message_said) if screening else (False, False)
    report = Report(call.direction, ended, call.progress, course.talked, course.stopped, machine, message_said)
    outcome = outcome_of(report)
    _log.info("call over", extra={"call_id": call.id, "outcome": outcome.result.value, "sip_code": outcome.sip_code})
    if session:
        results = brain.results if brain else {}
        session.close(outcome, course.conclusion, results | course.answerer)


async def _attend(call: Call, desk: Desk, agent: Agent, brain: Brain, errand: Errand, course: _Course) -> None:
    session = errand.session
    if call.direction == "inbound":
        await call.answer()
    connection = await _connected(call, errand.ring_s)
    if connection is None:
        course.ends(Stopped.GAVE_UP if call.progress.answered_s is None else Stopped.NO_AUDIO)
        return
    if isinstance(connection, Ended):
        course.ends(None)
        return
    course.talked = True
    session.connected(connection.codec)
    _log.info("call answered", extra={"call_id": call.id, "codec": connection.codec})
    if errand.hears:
        with trio.move_on_after(_ECHO_S):
            await echo(call, errand.hears)
        course.ends(None, "echo test")
        return
    course.screening = _screening(call, desk, errand)
    ears, voice = desk.served(desk.ears, desk.voice, lambda text: session.note(call.mouth.clock_ms, text))
    async with desk.recording(call, session), ears.open(narrow_band=connection.narrow_band) as hearing:
        parts = Parts(hearing, desk.activity(), desk.echo(), voice, brain, session, agent, desk.tones())
        conclusion = await converse(call, parts, course.screening)
    course.ends(None, conclusion)


def _screening(call: Call, desk: Desk, errand: Errand) -> Screening | None:
    if errand.on_machine == "ignore":
        return None
    message = filled(errand.message, errand.variables) if errand.on_machine == "leave message" else ""
    return Screening(call.id, desk.beeps(), message)


async def _connected(call: Call, ring_s: float) -> Connected | Ended | None:
    """Media, or the end; None: nobody answered a call of ours for as long as it may ring, or no media came."""
    if call.direction == "outbound":
        with trio.move_on_after(ring_s):
            return await call.connected()
        if call.progress.answered_s is None:
            return None
    with trio.move_on_after(_MEDIA_S):
        return await call.connected()
    return None
