"""An update's whole way on a machine with two slots, with `rauc` and `systemctl` as small programs: installed, started,
proven or given up, and what the page then tells."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, tzinfo
from pathlib import Path

import pytest
import trio

from app.control.updating import Stage
from firmware.update import asking
from firmware.update.places import Places
from firmware.update.proof import Check, Proven, Unproven
from firmware.update.restarting import Plan
from firmware.update.service import Outside, Updates
from firmware.update.trial import CUT_OFF, DID_NOT_START, ON_TRIAL, Trial
from tests.fakes.rauc import FakeMachine

pytestmark = pytest.mark.contract

NOT_REGISTERED = Unproven(Check.REGISTRATION, "the SIP connection “Office” did not register again")
PATIENCE_S = 30


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMachine:
    monkeypatch.setattr(asking, "LOOK_S", 0.02)
    return FakeMachine(tmp_path, monkeypatch)


class Given:
    """What the rest of the box answers."""

    def __init__(self, verdict: Proven | Unproven) -> None:
        self.verdict = verdict
        self.proved: list[Trial | None] = []
        self.registered_now: tuple[str, ...] = ("office",)
        self.calls = False

    async def prove(self, trial: Trial | None) -> Proven | Unproven:
        self.proved.append(trial)
        return self.verdict

    async def registered(self) -> tuple[str, ...]:
        return self.registered_now

    async def unreadable(self) -> tuple[str, ...]:
        return ()

    async def zone(self) -> tzinfo:
        return UTC

    def in_call(self) -> bool:
        return self.calls

    def outside(self) -> Outside:
        return Outside(self.prove, self.registered, self.unreadable, self.in_call, self.zone, lambda: None)


PROVEN = Given(Proven())


async def until(seen: Callable[[], object]) -> None:
    """Of files that other processes write."""
    with trio.fail_after(PATIENCE_S):
        done = seen()
        while not done:
            await trio.sleep(0.02)
            done = seen()


@asynccontextmanager
async def box(machine: FakeMachine, given: Given = PROVEN) -> AsyncGenerator[Updates, None]:
    """The phone process, from its start to its end; `run` has returned."""
    async with machine.root_program(), trio.open_nursery() as nursery:
        updates = Updates(machine.places, given.outside(), nursery)
        with trio.fail_after(PATIENCE_S):
            await updates.run()
            yield updates
        nursery.cancel_scope.cancel()


async def installed(machine: FakeMachine, given: Given = PROVEN) -> None:
    """From A into B, and told to restart."""
    async with box(machine, given) as updates:
        machine.uploaded()
        await updates.check()
        assert updates.state.offered == "1.1.0", updates.state
        await updates.install()
        stage: Stage = updates.state.stage
        assert stage is Stage.INSTALLED, updates.state
        await updates.restart()
    assert machine.state["reboots"] == 1


async def test_a_box_that_starts_as_always_is_marked_good(machine: FakeMachine) -> None:
    async with box(machine) as updates:
        assert updates.state.stage is Stage.IDLE
        assert [(slot.name, slot.version, slot.runs, slot.good) for slot in updates.state.slots] == [
            ("A", "1.0.0", True, True),
            ("B", "", False, False),
        ]
    assert "rauc status mark-good" in machine.state["asked"]
    assert machine.state["reboots"] == 0


async def test_one_that_does_not_prove_itself_without_an_update_stays_and_says_why(machine: FakeMachine) -> None:
    """There is nothing to go back to that anybody asked for."""
    async with box(machine, Given(Unproven(Check.EARS, "it did not understand itself"))) as updates:
        assert "because it did not understand itself" in updates.state.text
    assert "rauc status mark-good" not in machine.state["asked"]
    assert machine.state["reboots"] == 0


async def test_an_update_that_proves_itself_stays(machine: FakeMachine) -> None:
    given = Given(Proven())
    await installed(machine, given)
    assert (machine.places.kept / ON_TRIAL).read_text() == "B"
    assert not machine.places.bundle.exists()
    machine.starts()
    async with box(machine, given) as updates:
        assert (updates.state.slot, updates.state.box.version) == ("B", "1.1.0")
        last = updates.last()
        assert last
        assert (last.outcome, last.from_version, last.version) == ("good", "1.0.0", "1.1.0")
        assert [(slot.version, slot.good) for slot in updates.state.slots] == [("1.0.0", True), ("1.1.0", True)]
    trial = given.proved[-1]
    assert trial
    assert trial.registered == ("office",)
    assert not (machine.places.kept / ON_TRIAL).exists()
    machine.starts()
    async with box(machine, given):
        assert given.proved[-1] is None, "an update that is good is on trial no more"


async def test_an_update_that_does_not_prove_itself_is_rolled_back_and_told(machine: FakeMachine) -> None:
    await installed(machine)
    machine.starts()
    async with box(machine, Given(NOT_REGISTERED)):
        pass
    assert machine.state["good"] == {"A": True, "B": False}
    assert machine.state["reboots"] == 2
    machine.starts()
    async with box(machine) as updates:
        assert updates.state.slot == "A"
        last = updates.last()
        assert last
        assert last.outcome == "rolled back"
        assert last.text == (
            "The update to 1.1.0 was rolled back, because the SIP connection “Office” did not register again. The box "
            "runs 1.0.0 again, with all its settings."
        )
        assert "PBX" in last.remedy
    assert not (machine.places.kept / ON_TRIAL).exists()


async def test_an_update_that_says_nothing_at_all_is_told_as_that(machine: FakeMachine) -> None:
    """Its kernel panics, or the program that watches over time sends it back."""
    await installed(machine)
    machine.starts("A")
    async with box(machine) as updates:
        last = updates.last()
    assert last
    assert (last.outcome, DID_NOT_START in last.text) == ("rolled back", True)


async def test_a_box_whose_other_slot_is_not_good_does_not_go_there(machine: FakeMachine) -> None:
    await installed(machine)
    machine.starts()
    machine.change(good={"A": False, "B": True})
    async with box(machine, Given(NOT_REGISTERED)) as updates:
        assert updates.state.stage is Stage.IDLE
        assert "because the SIP connection" in updates.state.text
    assert machine.state["good"] == {"A": False, "B": True}
    assert machine.state["reboots"] == 1


@pytest.mark.parametrize(
    ("bundle", "why"),
    [
        ({"version": "0.9.9"}, "older than 1.0.0"),
        ({"compatible": "deskbell-arm64"}, "another kind of machine (arm64)"),
        ({"version": "new"}, "does not say which version"),
        ({"size": 2**31}, "it needs 2048 MB"),
        (
            "signature verification failed: Verify error: unable to get local issuer certificate",
            "not signed with a key",
        ),
        ("signature verification failed: Verify error: certificate has expired", "had expired"),
        ("Invalid bundle format: Signature size is 0", "cut short"),
    ],
)
async def test_what_may_not_be_installed_is_told_before_anything_is_written(
    machine: FakeMachine, bundle: str | dict[str, object], why: str
) -> None:
    async with box(machine) as updates:
        if isinstance(bundle, str):
            machine.places.bundle.write_text(bundle)
        else:
            machine.uploaded(**{"version": "1.1.0"} | bundle)  # type: ignore[arg-type]  # names of this very function
        await updates.check()
        assert updates.state.stage is Stage.REFUSED
        assert why in updates.state.text
        await updates.install()  # whoever asks the root program all the same
        last = updates.last()
    assert last
    assert last.outcome == "failed"
    assert not [asked for asked in machine.state["asked"] if asked.startswith("rauc install")]


async def test_an_installation_that_fails_changes_nothing(machine: FakeMachine) -> None:
    async with box(machine) as updates:
        machine.uploaded(breaks=True)
        await updates.check()
        await updates.install()
        last = updates.last()
        assert last
        assert (last.outcome, "bundle payload is corrupted" in last.text) == ("failed", True)
        assert updates.state.stage is Stage.IDLE
    assert machine.state["primary"] == "A"
    assert not (machine.places.kept / ON_TRIAL).exists()


async def test_power_that_goes_during_the_installation_is_told(machine: FakeMachine) -> None:
    async with box(machine) as updates:
        machine.uploaded()
        await updates.check()
        assert await updates._noted_beforehand()
    machine.starts()
    async with box(machine) as updates:
        last = updates.last()
        assert last
        assert (last.outcome, CUT_OFF in last.text) == ("failed", True)


async def test_a_telephone_that_is_started_anew_during_the_installation_goes_on_with_it(machine: FakeMachine) -> None:
    async with box(machine) as updates:
        machine.uploaded()
        await updates.check()
        assert await updates._noted_beforehand()
    (machine.places.asked / "install").touch()
    async with box(machine) as updates:
        assert updates.state.stage is Stage.INSTALLED
    async with box(machine) as updates:
        assert updates.state.stage is Stage.INSTALLED


async def test_it_restarts_when_no_call_goes_on(machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("firmware.update.service._LOOK_S", 0.02)
    given = Given(Proven())
    given.calls = True
    async with box(machine, given) as updates:
        updates.restart_when(Plan())
        await trio.sleep(0.2)
        assert machine.state["reboots"] == 0
        updates.restart_when(None)
        given.calls = False
        await trio.sleep(0.2)
        assert machine.state["reboots"] == 0, "it was taken back"
        updates.restart_when(Plan())
        await until(lambda: machine.state["reboots"])


async def test_nobody_wishes_for_anything_else(machine: FakeMachine) -> None:
    (machine.places.asked / "rm -rf").touch()
    async with machine.root_program():
        await until(lambda: not list(machine.places.asked.iterdir()))
    assert list(machine.places.told.iterdir()) == []
    assert machine.state["asked"] == []


async def test_on_a_machine_without_slots_there_are_no_updates() -> None:
    async with trio.open_nursery() as nursery:
        updates = Updates(None, PROVEN.outside(), nursery)
        await updates.run()
        assert updates.state.stage is Stage.ELSEWHERE


async def test_a_system_that_does_not_say_what_it_is_has_none(machine: FakeMachine) -> None:
    (machine.places.root / "etc/deskbell-release").unlink()
    async with box(machine) as updates:
        assert updates.state.stage is Stage.ELSEWHERE


async def test_a_wish_that_nobody_grants_is_taken_back(tmp_path: Path) -> None:
    places = Places(tmp_path, tmp_path / "run", tmp_path)
    places.asked.mkdir(parents=True)
    places.told.mkdir()
    told = await asking.ask(places, "good", 0.05)
    assert (told["ok"], list(places.asked.iterdir())) == (False, [])
