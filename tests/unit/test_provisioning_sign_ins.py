"""Who is signed in and who guesses, as lists of times, and what one worker leaves to the next."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from provisioning.kept_sign_ins import KeptSignIns, boot_id
from provisioning.sign_ins import IDLE_S, MOST, SignIns
from provisioning.slate import Slate
from provisioning.throttle import ADDRESSES, FORGOTTEN_AFTER_S, LONGEST_S, Throttle

pytestmark = pytest.mark.unit


@pytest.fixture
def slate() -> Slate:
    return Slate.fresh()


def test_the_wait_doubles_and_ends(slate: Slate) -> None:
    throttle, now = Throttle(slate), 0.0
    waits: list[float] = []
    for _ in range(10):
        assert throttle.admit("a", now) == 0
        waits.append(throttle.admit("a", now) if len(waits) >= 2 else 0.0)
        now += waits[-1]
    assert waits == [0, 0, 1, 2, 4, 8, 16, LONGEST_S, LONGEST_S, LONGEST_S]


def test_nobody_else_waits_and_in_the_end_nobody_does(slate: Slate) -> None:
    throttle = Throttle(slate)
    for _ in range(3):
        throttle.admit("192.0.2.1", 0)
    assert throttle.admit("192.0.2.1", 0) == 1
    assert throttle.admit("192.0.2.2", 0) == 0
    assert throttle.admit("192.0.2.1", FORGOTTEN_AFTER_S + 1) == 0
    assert throttle.admit("192.0.2.1", FORGOTTEN_AFTER_S + 1) == 0, "and starts afresh"


def test_who_tries_once_in_ten_minutes_is_still_the_one_who_guessed(slate: Slate) -> None:
    throttle = Throttle(slate)
    for _ in range(3):
        assert throttle.admit("192.0.2.1", 0) == 0
    assert throttle.admit("192.0.2.1", 600) == 0, "nobody is locked out"
    assert throttle.admit("192.0.2.1", 600) == 2, "and nothing begins afresh"


def test_however_busy_somebody_is_a_sign_in_ends_after_a_week(slate: Slate) -> None:
    sign_ins, hour_s = SignIns(slate), 3600.0
    token = sign_ins.begin(0)
    for hour in range(0, 7 * 24, 11):
        assert sign_ins.find(token, hour * hour_s)
    assert sign_ins.find(token, 7 * 24 * hour_s + 1) is None
    assert sign_ins.find(token, 7 * 24 * hour_s) is None, "and does not come back"


def test_a_success_is_forgiven(slate: Slate) -> None:
    throttle = Throttle(slate)
    for _ in range(100):
        assert throttle.admit("192.0.2.1", 0) == 0
        throttle.succeeded("192.0.2.1")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_who_counts_as_one_guesser(slate: Slate, one: str, other: str, same: bool) -> None:
    throttle = Throttle(slate)
    for _ in range(3):
        throttle.admit(one, 0)
    assert (throttle.admit(other, 0) > 0) is same


def test_the_throttle_is_bounded(slate: Slate) -> None:
    throttle = Throttle(slate)
    for number in range(ADDRESSES + 10):
        throttle.admit(str(number), 0)
    with slate.held("failures") as failures:
        assert len(failures) == ADDRESSES
        assert "0" not in failures


def test_sign_ins_end_by_themselves(slate: Slate) -> None:
    sign_ins = SignIns(slate)
    token = sign_ins.begin(0)
    assert sign_ins.find(token, IDLE_S)
    assert sign_ins.find(token, 2 * IDLE_S + 1) is None


def test_sign_ins_are_bounded_and_kept_as_hashes(slate: Slate) -> None:
    sign_ins = SignIns(slate)
    tokens = [sign_ins.begin(at) for at in range(MOST + 1)]
    assert sign_ins.find(tokens[0], MOST) is None
    assert sign_ins.find(tokens[1], MOST)
    kept = os.pread(slate.fileno(), 2**22, 0)
    assert [token for token in tokens if token.encode() in kept] == []


def test_sign_ins_outlive_the_process_but_not_the_machine(slate: Slate, tmp_path: Path) -> None:
    before = SignIns(slate, KeptSignIns(tmp_path, "boot-1"))
    token, out = before.begin(0), before.begin(0)
    before.end(out)
    after = SignIns(Slate.fresh(), KeptSignIns(tmp_path, "boot-1"))
    after.restore(60)
    found = after.find(token, 60)
    assert found == before.find(token, 60)
    assert found
    assert after.find(out, 60) is None
    rebooted = SignIns(Slate.fresh(), KeptSignIns(tmp_path, "boot-2"))
    rebooted.restore(10)
    assert rebooted.find(token, 10) is None


def test_kept_sign_ins_end_by_themselves(slate: Slate, tmp_path: Path) -> None:
    idle = SignIns(slate, KeptSignIns(tmp_path, "boot-1")).begin(0)
    later = SignIns(Slate.fresh(), KeptSignIns(tmp_path, "boot-1"))
    later.restore(IDLE_S + 1)
    assert later.find(idle, IDLE_S + 1) is None


def test_the_file_has_hashes_only_is_private_and_seldom_written(slate: Slate, tmp_path: Path) -> None:
    sign_ins = SignIns(slate, KeptSignIns(tmp_path, "boot-1"))
    token = sign_ins.begin(0)
    found = sign_ins.find(token, 0)
    assert found
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert token not in file.read_text()
    assert found.csrf not in file.read_text()
    first = file.stat().st_ino
    for now in range(0, 3601, 30):
        sign_ins.find(token, now)
    assert file.stat().st_ino == first
    sign_ins.find(token, 3662)
    assert file.stat().st_ino != first
    sign_ins.end_all()
    assert KeptSignIns(tmp_path, "boot-1").read() == {}


def test_a_full_disk_signs_nobody_out_now_and_nobody_in_later(
    slate: Slate, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sign_ins = SignIns(slate, KeptSignIns(tmp_path, "boot-1"))
    stays, leaves = sign_ins.begin(0), sign_ins.begin(0)
    (tmp_path / "sign-ins.part").symlink_to("/dev/full")
    with caplog.at_level(logging.WARNING):
        sign_ins.end(leaves)
        (tmp_path / "sign-ins.part").symlink_to("/dev/full")
        sign_ins.begin(0)
    assert sign_ins.find(stays, 0)
    assert KeptSignIns(tmp_path, "boot-1").read() == {}, "better nobody than who has left"
    assert [record.getMessage() for record in caplog.records] == ["sign-ins do not outlive the page's processes"]


@pytest.mark.parametrize("text", ["", "not json", '{"boot": "boot-1", "sign_ins": {"x": ["soon", 1]}}', "\udcff"])
def test_a_damaged_file_is_no_sign_in(slate: Slate, tmp_path: Path, text: str) -> None:
    (tmp_path / "sign-ins").write_text(text, errors="surrogateescape")
    sign_ins = SignIns(slate, KeptSignIns(tmp_path, "boot-1"))
    sign_ins.restore(0)
    assert sign_ins.find(sign_ins.begin(0), 0)


def test_each_start_of_the_machine_has_a_name() -> None:
    assert len(boot_id()) == 36


def test_a_flash_is_said_once(slate: Slate) -> None:
    sign_ins = SignIns(slate)
    token = sign_ins.begin(0)
    sign_ins.say_next(token, "Saved.")
    assert [sign_ins.take_flash(token), sign_ins.take_flash(token)] == ["Saved.", ""]
    sign_ins.say_next("nobody", "Saved.")
    assert sign_ins.take_flash("nobody") == ""


OTHER = """
import sys
from provisioning.slate import Slate
slate = Slate(int(sys.argv[1]))
for _ in range(200):
    with slate.held("count") as count:
        count["n"] = count.get("n", 0) + 1
"""


def test_processes_share_it_and_lose_no_change_of_the_others(slate: Slate) -> None:
    command = [sys.executable, "-c", OTHER, str(slate.fileno())]
    others = [subprocess.Popen(command, pass_fds=[slate.fileno()]) for _ in range(2)]
    for _ in range(200):
        with slate.held("count") as count:
            count["n"] = count.get("n", 0) + 1
    assert [other.wait(timeout=60) for other in others] == [0, 0]
    with slate.held("count") as count:
        assert count["n"] == 600


def test_what_failed_in_the_middle_is_not_kept(slate: Slate) -> None:
    with slate.held("x") as before:
        before["kept"] = 1
    with pytest.raises(RuntimeError), slate.held("x") as section:  # noqa: PT012 - the block is what fails
        section["lost"] = 2
        raise RuntimeError
    with slate.held("x") as after:
        assert after == {"kept": 1}


def test_a_writer_killed_in_the_middle_spoils_nothing(slate: Slate) -> None:
    """Half a text where the next one goes, without the head that would count it."""
    with slate.held("x") as section:
        section["kept"] = 1
    copy, _ = slate._read()
    os.pwrite(slate.fileno(), b'{"x": {"ke', (4096, 4096 + 2**20)[1 - copy])
    with slate.held("x") as after:
        assert after == {"kept": 1}
        after["kept"] = 2
    with slate.held("x") as last:
        assert last == {"kept": 2}
