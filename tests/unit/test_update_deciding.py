"""What of an update is decided: whether a bundle may be installed, whether a version has proven itself, what follows
from the note of the last update at a start, and when a box may restart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import trio.testing

from app.control.updating import LastUpdate, NewerVersion
from app.control.views import Severity
from app.diagnosis.updates import TOLD_FOR, of_update
from firmware.update.bundle import EXPIRED, NO_BUNDLE, NOT_OURS, Box, Offer, numbers, offer, why_not, why_unreadable
from firmware.update.looks import SENTENCE, is_understood
from firmware.update.proof import LIMIT_S, Check, Found, Proven, Unproven, remedy, verdict, wanted
from firmware.update.prover import LOOK_S, prove
from firmware.update.restarting import Plan, is_due
from firmware.update.telling import last_of, slots_of, step_of
from firmware.update.trial import CUT_OFF, DID_NOT_START, Stage, Trial, at_start

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
BOX = Box("1.4.0", "amd64")
TRIAL = Trial(
    version="1.5.0", slot="B", from_version="1.4.0", from_slot="A", at=NOW, boot="before", stage="installed",
    registered=("office",),
)  # fmt: skip
GOOD = Found(good=True)
BAD = Found(good=False, why="it was not so")


@pytest.mark.parametrize("version", ["1.4.0", "1.4.1", "1.10.0", "2.0.0"])
def test_a_version_that_is_not_older_may_be_installed(version: str) -> None:
    assert why_not(Offer(version, "deskbell-amd64", 2**29), BOX) == ""


@pytest.mark.parametrize(
    ("offered", "why"),
    [
        (Offer("1.3.9", "deskbell-amd64", 1), "older than 1.4.0"),
        (Offer("0.10.0", "deskbell-amd64", 1), "older than 1.4.0"),
        (Offer("1.5", "deskbell-amd64", 1), "does not say which version"),
        (Offer("", "deskbell-amd64", 1), "does not say which version"),
        (Offer("1.5.0", "deskbell-arm64", 1), "(arm64)"),
        (Offer("1.5.0", "", 1), "another kind of machine"),
        (Offer("1.5.0", "deskbell-amd64", 2**31), "it needs 2048 MB"),
    ],
)
def test_what_may_not(offered: Offer, why: str) -> None:
    assert why in why_not(offered, BOX)


def test_a_box_that_does_not_know_its_own_version_takes_any() -> None:
    """An image that somebody made himself is no reason to be stuck with it."""
    assert why_not(Offer("0.0.1", "deskbell-amd64", 1), Box("of today", "amd64")) == ""


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"version": "1.0.0"}', '{"version": 1, "images": 5}'])
def test_what_is_no_answer_of_rauc_is_no_offer(text: str) -> None:
    assert offer(text) is None


def test_an_offer_is_as_large_as_its_largest_image() -> None:
    told = (
        '{"compatible":"deskbell-amd64","version":"1.2.3","images":'
        '[{"rootfs":{"filename":"a","size":5}},{"other":{"size":7}}]}'
    )
    assert offer(told) == Offer("1.2.3", "deskbell-amd64", 7)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("signature verification failed: Verify error: unable to get local issuer certificate", NOT_OURS),
        ("signature verification failed: Verify error: certificate has expired", EXPIRED),
        ("Invalid bundle format: Signature size (8680820740569200760) exceeds bundle size", NO_BUNDLE),
        ("", NO_BUNDLE),
    ],
)
def test_the_words_of_rauc_for_a_person(words: str, why: str) -> None:
    assert why_unreadable(words) == why


def test_numbers_are_compared_as_numbers() -> None:
    assert numbers("1.10.0") > numbers("1.9.9")  # type: ignore[operator]  # both are versions
    assert [numbers(text) for text in ("1.4", "1.4.0-rc1", "v1.4.0", "１.4.0.0")] == [None] * 4


# -- proving -----------------------------------------------------------------------------------------------------

ALL = tuple(Check)


def test_registration_is_asked_of_an_update_to_a_box_that_was_registered_and_of_nobody_else() -> None:
    assert wanted(on_trial=True, was_registered=True) == ALL
    for trial, registered in ((True, False), (False, True), (False, False)):
        assert Check.REGISTRATION not in wanted(on_trial=trial, was_registered=registered)


def test_it_is_proven_when_all_is_good_and_not_before() -> None:
    found = dict.fromkeys(ALL, GOOD)
    assert verdict(ALL, found, 0) == Proven()
    for check in ALL:
        assert verdict(ALL, found | {check: BAD}, LIMIT_S - 1) is None
        assert verdict(ALL, {each: GOOD for each in ALL if each is not check}, LIMIT_S - 1) is None


def test_at_the_limit_the_first_that_is_missing_is_the_reason() -> None:
    found = {Check.SETTINGS: GOOD, Check.EARS: GOOD, Check.AUDIO: GOOD, Check.REGISTRATION: BAD}
    late = verdict(ALL, found, LIMIT_S)
    assert late == Unproven(Check.PAGE, "this page had not answered, 10 minutes after the start")
    late = verdict(ALL, found | {Check.PAGE: GOOD}, LIMIT_S)
    assert late == Unproven(Check.REGISTRATION, "it was not so, 10 minutes after the start")


def test_what_will_not_get_better_is_not_waited_for() -> None:
    final = Found(good=False, why="a model is broken", final=True)
    assert verdict(ALL, {Check.EARS: final}, 3) == Unproven(Check.EARS, "a model is broken")


async def test_looking_goes_on_until_it_is_good(autojump_clock: trio.testing.MockClock) -> None:
    looked: list[float] = []

    async def look(_: Trial | None) -> Found:
        looked.append(trio.current_time())
        return GOOD if len(looked) == 3 else BAD

    assert await prove({Check.PAGE: look}, (Check.PAGE,), None) == Proven()
    assert [round(at - looked[0]) for at in looked] == [0, LOOK_S, 2 * LOOK_S]


async def test_looking_ends_at_the_limit_even_if_a_look_does_not(autojump_clock: trio.testing.MockClock) -> None:
    async def look(_: Trial | None) -> Found:
        await trio.sleep_forever()
        raise AssertionError

    began = trio.current_time()
    said = await prove({Check.EARS: look}, (Check.EARS,), None)
    assert isinstance(said, Unproven)
    assert said.why.startswith("the speech recogniser had not answered")
    assert trio.current_time() - began == LIMIT_S


def test_what_to_do_depends_on_what_failed_and_is_said_for_what_a_newer_version_looks_at_too() -> None:
    assert "PBX" in remedy("registration")
    assert "Do not install this version again" in remedy("ears")
    assert "Do not install this version again" in remedy("something of tomorrow")


def test_what_is_understood() -> None:
    assert is_understood(SENTENCE, SENTENCE)
    assert is_understood(SENTENCE, "i would like to make an appointment for next choose day at ten a clock")
    assert not is_understood(SENTENCE, "")
    assert not is_understood(SENTENCE, "the to the a to at the")


def test_one_decoder_makes_up_for_what_another_mishears_and_not_for_one_that_is_broken() -> None:
    assert is_understood(SENTENCE, SENTENCE, "i would like to make an awkward moment to")
    assert not is_understood(SENTENCE, SENTENCE, "the pod where and")


# -- after a start -----------------------------------------------------------------------------------------------


def _stage(stage: Stage, **more: object) -> Trial:
    return TRIAL.model_copy(update={"stage": stage, **more})


def test_a_box_without_a_note_has_nothing_on_trial() -> None:
    assert (at_start(None, "A", "now").trial, at_start(None, "A", "now").on_trial) == (None, False)


@pytest.mark.parametrize("stage", ["installing", "installed", "given up"])
def test_whoever_starts_from_the_new_slot_is_on_trial(stage: Stage) -> None:
    """Also when the power went just after RAUC had finished, and nobody could note that it had."""
    start = at_start(_stage(stage), "B", "now")
    assert (start.on_trial, start.trial) == (True, _stage(stage))


@pytest.mark.parametrize(
    ("stage", "then", "reason"),
    [
        ("installing", "failed", CUT_OFF),
        ("installed", "rolled back", DID_NOT_START),
        ("given up", "rolled back", "it did not hear"),
    ],
)
def test_whoever_starts_from_the_old_slot_was_rolled_back_or_never_installed(
    stage: Stage, then: Stage, reason: str
) -> None:
    start = at_start(_stage(stage, reason="it did not hear"), "A", "now")
    assert start.trial == _stage(then, reason=reason)
    assert not start.on_trial


@pytest.mark.parametrize("stage", ["installing", "installed", "given up", "good", "rolled back", "failed"])
def test_a_process_that_starts_anew_changes_nothing(stage: Stage) -> None:
    start = at_start(_stage(stage), "A", "before")
    assert (start.trial, start.on_trial) == (_stage(stage), False)


@pytest.mark.parametrize("stage", ["good", "rolled back", "failed"])
@pytest.mark.parametrize("slot", ["A", "B"])
def test_what_is_over_is_over(stage: Stage, slot: str) -> None:
    start = at_start(_stage(stage), slot, "now")
    assert (start.trial, start.on_trial) == (_stage(stage), False)


def test_the_note_of_a_newer_version_can_be_read() -> None:
    told = TRIAL.model_dump(mode="json") | {"something": "of tomorrow"}
    assert Trial.model_validate(told) == TRIAL


# -- what is told ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["installing", "installed", "given up", "good", "rolled back", "failed"])
def test_every_stage_is_told_with_its_version(stage: Stage) -> None:
    last = last_of(_stage(stage, reason="it did not hear", check="ears"))
    assert last
    assert "1.5.0" in last.text
    assert bool(last.remedy) == (stage in ("rolled back", "failed"))
    assert last_of(None) is None


def test_what_is_being_written_is_not_called_installed() -> None:
    last = last_of(_stage("installing"))
    assert last
    assert "is being installed" in last.text


def test_what_the_installer_does_is_told_without_its_own_words() -> None:
    assert "written" in step_of("Copying image to rootfs.1")
    assert step_of("Determining slot states done.") == ""


def test_the_first_slot_has_the_version_that_was_noted() -> None:
    status = {
        "slots": [
            {"rootfs.1": {"bootname": "B", "boot_status": "good", "slot_status": {"bundle": {"version": "1.5.0"}}}},
            {"rootfs.0": {"bootname": "A", "boot_status": "good", "slot_status": {}}},
        ]
    }
    told = slots_of(status, "B", "1.5.0", TRIAL)
    assert [(slot.name, slot.version, slot.runs) for slot in told] == [("A", "1.4.0", False), ("B", "1.5.0", True)]


@pytest.mark.parametrize("status", [None, [], "", {"slots": ["?"]}, {"slots": [{"rootfs.0": None}]}])
def test_what_rauc_does_not_tell_is_not_shown(status: object) -> None:
    assert slots_of(status, "A", "1.4.0", None) == ()


def test_a_rollback_is_a_finding_for_a_fortnight() -> None:
    last = last_of(_stage("rolled back", reason="it did not hear"))
    assert last
    [finding] = of_update(last, None, NOW + TOLD_FOR)
    assert (finding.severity, finding.evidence, finding.remedy) == (Severity.WARNING, last.text, last.remedy)
    assert list(of_update(last, None, NOW + TOLD_FOR + timedelta(seconds=1))) == []
    good: LastUpdate | None = last_of(_stage("good"))
    assert list(of_update(good, None, NOW)) == []
    assert list(of_update(None, None, NOW)) == []


def test_a_newer_version_is_a_finding_until_it_was_installed() -> None:
    newer = NewerVersion(version="1.5.0", address="https://example.com/deskbell-amd64-1.5.0.raucb")
    [finding] = of_update(None, newer, NOW)
    assert (finding.severity, "1.5.0" in finding.title, newer.address in finding.evidence) == (
        Severity.INFO,
        True,
        True,
    )
    waiting = last_of(_stage("installed"))
    assert waiting
    assert list(of_update(waiting, newer.model_copy(update={"version": waiting.version}), NOW)) == []


# -- restarting --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "hour", "minute", "in_call", "due"),
    [
        (Plan(), 15, 0, False, True),
        (Plan(), 15, 0, True, False),
        (Plan(3), 2, 59, False, False),
        (Plan(3), 3, 0, False, True),
        (Plan(3), 3, 0, True, False),
        (Plan(3), 3, 59, False, True),
        (Plan(3), 4, 0, False, False),
        (Plan(23), 0, 0, False, False),
        (Plan(0), 0, 30, False, True),
        (Plan(0), 23, 59, False, False),
    ],
)
def test_when_it_restarts(plan: Plan, hour: int, minute: int, in_call: bool, due: bool) -> None:
    assert is_due(plan, NOW.replace(hour=hour, minute=minute), in_call=in_call) is due
