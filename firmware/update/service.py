"""The box's updates as one service of the phone process: after a start it proves the version that runs; from then on it
does what the page asks. It decides, and has the root program do it (`servant.py`).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

import trio

from app.control.updating import LastUpdate, SlotView, Stage
from firmware.storage import StorageFault
from firmware.update import servant
from firmware.update.asking import Told, ask, outcome
from firmware.update.bundle import Box
from firmware.update.places import Places, boot_of, box_of, slot_of
from firmware.update.proof import Proven, Unproven
from firmware.update.restarting import Plan, is_due
from firmware.update.telling import last_of, slots_of, step_of
from firmware.update.trial import Trial, at_start, keep_trial, other, read_trial

ANSWER_S = 180.0
"""For a question to RAUC: longer than the root program itself gives it."""

INSTALL_S = 3600.0
"""A gigabyte onto the slowest card that is sold, at a third of a megabyte a second."""

_NOT_NOTED = (
    "The update was not installed, and nothing has changed: the disk takes no data. Delete sessions that nobody needs, "
    "or look after the disk or SD card, then try again."
)
_RETRY_S = 60.0  # a card that does not take a mark now may take it in a minute
_LOOK_S = 5.0  # whether the time for a restart has come; nobody waits for it

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Outside:
    """What the service asks of the rest of the box. `prove`: looks until there is a verdict. `registered`,
    `unreadable`: ids of connections that are so now."""

    prove: Callable[[Trial | None], Awaitable[Proven | Unproven]]
    registered: Callable[[], Awaitable[tuple[str, ...]]]
    unreadable: Callable[[], Awaitable[tuple[str, ...]]]
    in_call: Callable[[], bool]
    zone: Callable[[], Awaitable[tzinfo]]
    changed: Callable[[], None]


@dataclass(slots=True)
class State:
    """`text`: what is wrong now, for a person. `offered`, `percent`, `step`: of the uploaded bundle."""

    stage: Stage = Stage.ELSEWHERE
    box: Box = field(default_factory=lambda: Box("", ""))
    slot: str = ""
    boot: str = ""
    slots: tuple[SlotView, ...] = ()
    trial: Trial | None = None
    offered: str = ""
    percent: int = 0
    step: str = ""
    text: str = ""
    plan: Plan | None = None


class Updates:
    """`places` None: a machine whose updates come another way. One thing at a time: verbs look at `state.stage` first.
    `nursery`: lives as long as the box."""

    def __init__(self, places: Places | None, outside: Outside, nursery: trio.Nursery) -> None:
        self._places, self._outside, self._nursery = places, outside, nursery
        self._waiting = trio.CancelScope()
        self.state = State()

    def last(self) -> LastUpdate | None:
        """What became of the last update."""
        return last_of(self.state.trial)

    async def run(self) -> None:
        """What is to be done after a start. Returns when that is done."""
        if self._places is None:
            return
        try:
            await self._begin(self._places)
        except (OSError, KeyError) as fault:
            _log.error("there are no updates on this machine", extra={"problem": str(fault)})
            self.state.stage = Stage.ELSEWHERE

    async def check(self) -> None:
        """Whether the uploaded bundle may be installed."""
        self._set(Stage.CHECKING, text="", offered="")
        told = await self._ask(servant.CHECK, ANSWER_S)
        stage = Stage.READY if told.get("ok") else Stage.REFUSED
        self._set(stage, text=str(told.get("text", "")), offered=str(told.get("version", "")))

    async def install(self) -> None:
        """Into the other slot, which the box then starts from."""
        self._set(Stage.INSTALLING, text="", percent=0, step="")
        if not await self._noted_beforehand():
            self._set(Stage.READY, text=_NOT_NOTED)
            return
        told = await self._ask(servant.INSTALL, INSTALL_S, self._progress)
        await self._installed(told)

    async def restart(self) -> None:
        """Now. What is registered is noted as late as possible: that is what the new version has to get back."""
        if self.state.trial and self.state.trial.stage == "installed":
            with suppress(StorageFault):  # what was noted when it was installed is nearly as good
                registered = await self._outside.registered()
                await self._keep(self.state.trial.model_copy(update={"registered": registered}))
        before = self.state.stage
        self._set(Stage.RESTARTING, text="")
        told = await self._ask(servant.RESTART, ANSWER_S)
        if not told.get("ok"):
            _log.error("the box could not be restarted", extra={"problem": str(told.get("text", ""))})
            self._set(before, text="The box could not be restarted. Take its power away for ten seconds.")

    def restart_when(self, plan: Plan | None) -> None:
        """None: not at all."""
        self._waiting.cancel()
        self._waiting = trio.CancelScope()
        self._set(self.state.stage, plan=plan)
        if plan:
            self._nursery.start_soon(self._wait, plan, self._waiting)

    async def _begin(self, places: Places) -> None:
        """Raises: OSError, KeyError."""
        state = self.state
        state.box, state.slot, state.boot = box_of(places), slot_of(places), boot_of(places)
        read = await trio.to_thread.run_sync(read_trial, places.kept)
        start = at_start(read, state.slot, state.boot)
        state.trial = start.trial
        if start.trial and start.trial is not read:
            await self._keep(start.trial)
            _log.error(
                "the last update does not run", extra={"outcome": start.trial.stage, "version": start.trial.version}
            )
        self._set(Stage.PROVING)
        trial = start.trial if start.on_trial else None
        match await self._outside.prove(trial):
            case Proven():
                await self._proven(trial)
            case Unproven() as unproven:
                await self._unproven(trial, unproven)

    async def _proven(self, trial: Trial | None) -> None:
        while not (told := await self._ask(servant.GOOD, ANSWER_S)).get("ok"):
            _log.error("the slot could not be marked good", extra={"problem": str(told.get("text", ""))})
            await trio.sleep(_RETRY_S)
        if trial:
            await self._keep(trial.model_copy(update={"stage": "good"}))
        _log.info("this version has proven itself", extra={"version": self.state.box.version})
        await self._look()
        await self._go_on()

    async def _unproven(self, trial: Trial | None, unproven: Unproven) -> None:
        _log.error("this version has not proven itself", extra={"cause": unproven.check.value})
        self._set(Stage.IDLE, text=f"This version has not proven itself after the start, because {unproven.why}.")
        if trial is None:
            await self._look()
            return
        given_up = {"stage": "given up", "reason": unproven.why, "check": unproven.check.value}
        await self._keep(trial.model_copy(update=given_up))
        self._set(Stage.RESTARTING)
        told = await self._ask(servant.GIVE_UP, ANSWER_S)
        if not told.get("ok"):
            _log.error("the box could not go back", extra={"problem": str(told.get("text", ""))})
            self._set(Stage.IDLE)

    async def _go_on(self) -> None:
        """With what was under way when this process was started anew, and the machine was not."""
        trial = self.state.trial
        if trial is None or trial.boot != self.state.boot:
            self._set(Stage.IDLE)
        elif trial.stage == "installing" and self._places:
            self._set(Stage.INSTALLING)
            await self._installed(await outcome(self._places, servant.INSTALL, INSTALL_S, self._progress))
        else:
            self._set(Stage.INSTALLED if trial.stage == "installed" else Stage.IDLE)

    async def _installed(self, told: Told) -> None:
        trial = self.state.trial
        if trial is None:
            return
        if told.get("ok"):
            await self._keep(trial.model_copy(update={"stage": "installed"}))
            await self._look()
            self._set(Stage.INSTALLED, percent=100)
            return
        words = str(told.get("text", "")).strip()
        _log.error("the update could not be installed", extra={"problem": words})
        reason = f"the installer said: {words.splitlines()[-1] if words else 'nothing'}"
        await self._keep(trial.model_copy(update={"stage": "failed", "reason": reason}))
        self._set(Stage.IDLE)

    async def _noted_beforehand(self) -> bool:
        """On the disk before RAUC writes anything: what is not noted could not be rolled back with a reason."""
        try:
            return await self._keep(await self._new_trial())
        except StorageFault:
            return False

    async def _new_trial(self) -> Trial:
        """Raises: StorageFault."""
        state = self.state
        return Trial(
            version=state.offered,
            slot=other(state.slot),
            from_version=state.box.version,
            from_slot=state.slot,
            at=datetime.now(UTC),
            boot=state.boot,
            stage="installing",
            registered=await self._outside.registered(),
            unreadable=await self._outside.unreadable(),
        )

    async def _look(self) -> None:
        told = await self._ask(servant.LOOK, ANSWER_S)
        self.state.slots = slots_of(told.get("status"), self.state.slot, self.state.box.version, self.state.trial)

    async def _wait(self, plan: Plan, scope: trio.CancelScope) -> None:
        with scope:
            due = False
            while not due:
                await trio.sleep(_LOOK_S)
                due = is_due(plan, datetime.now(await self._outside.zone()), in_call=self._outside.in_call())
            self.state.plan = None
            await self.restart()

    async def _ask(self, wish: str, patience_s: float, heard: Callable[[Told], None] | None = None) -> Told:
        if self._places is None:
            return {}
        return await ask(self._places, wish, patience_s, heard)

    async def _keep(self, trial: Trial) -> bool:
        """Whether it is on the disk. If not, the next start finds the note before: it proves this version once more, or
        tells of a rollback without its reason."""
        self.state.trial = trial
        try:
            if self._places:
                await trio.to_thread.run_sync(keep_trial, self._places.kept, trial)
        except OSError as fault:
            _log.error("the note of an update could not be written", extra={"problem": str(fault.strerror)})
            return False
        return True

    def _progress(self, told: Told) -> None:
        self._set(Stage.INSTALLING, percent=int(told.get("percent", 0)), step=step_of(str(told.get("step", ""))))

    def _set(self, stage: Stage, **more: object) -> None:
        self.state.stage = stage
        for name, value in more.items():
            setattr(self.state, name, value)
        self._outside.changed()
