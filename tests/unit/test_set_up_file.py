"""The set-up file, read: what is right is a setting, and what is wrong is told by its line, without what was typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.set_up_file import LARGEST_BYTES, Faults, SetUpFile, located, read_set_up_file

pytestmark = pytest.mark.unit

EXAMPLE = Path(__file__).parents[2] / "docs" / "deskbell-setup.example.toml"
GOOD = """\
[page]
password = "three green frogs"
[box]
name = "front-desk"
[[connection]]
name = "Office"
domain = "pbx.lan"
user = "200"
password = 'canary\\"canary'
[[connection]]
name = "Night"
domain = "pbx.lan"
user = "201"
password = "canary"
[[agent]]
name = "Reception"
connections = ["Office"]
[[agent.knowledge]]
questions = ["where"]
answer = "Here."
[[agent]]
name = "Night"
[[agent.knowledge]]
questions = ["when"]
answer = "Now."
"""


def settings(data: bytes) -> SetUpFile:
    read = read_set_up_file(data)
    assert isinstance(read, SetUpFile), read
    return read


def faults(data: bytes) -> tuple[str, ...]:
    read = read_set_up_file(data)
    assert isinstance(read, Faults)
    return read.lines


def test_the_example_is_one() -> None:
    read = settings(EXAMPLE.read_bytes())
    assert (read.box.name, [each.name for each in read.agent]) == ("front-desk", ["Reception"])
    assert read.connection[0].password
    assert read.is_for_the_box


@pytest.mark.parametrize("data", [GOOD.encode(), GOOD.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + GOOD.encode()])
def test_editors_of_all_systems_can_write_it(data: bytes) -> None:
    read = settings(data)
    assert read.connection[0].password
    assert read.connection[0].password.get_secret_value() == 'canary\\"canary'
    assert [len(each.knowledge) for each in read.agent] == [1, 1]
    assert "canary" not in repr(read)


def test_one_table_needs_no_double_brackets() -> None:
    read = settings(b'[connection]\nname = "Office"\ndomain = "pbx.lan"\nuser = "200"\n[agent]\nname = "R"\n')
    assert (len(read.connection), len(read.agent)) == (1, 1)


def test_a_file_may_hold_the_password_alone_or_nothing() -> None:
    assert not settings(b'[page]\npassword = "three green frogs"\n').is_for_the_box
    assert not settings(b"#######").is_for_the_box


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ('"three green frogs"', '"frogs"', "Line 2 (page, password): Choose another password: at least 8"),
        ('name = "front-desk"', 'name = "Front Desk"', "Line 4 (box, name): Use small letters"),
        ("[box]", '[box]\ntime_zone = "Berlin"', "Line 4 (box, time_zone): Must be a time zone by its IANA name"),
        ('user = "200"', "user = 200", "Line 8 (connection 1, user): Must be text, in quotes."),
        ('user = "200"\n', "", "Line 5 (connection 1, user): Must be filled in."),
        ('user = "201"', 'user = "sip:canary@pbx"', "Line 13 (connection 2, user): Must be the extension"),
        ('user = "201"', 'secret-canary = "x"', "Line 13 (connection 2): There is no such setting."),
        ('answer = "Now."', 'answer = ""', "Line 25 (agent 2, knowledge 1, answer): Must be filled in."),
        ('["when"]', '"when"', "Line 24 (agent 2, knowledge 1, questions): Must be a list."),
        ("[box]", "[boxes]", "Line 3: There is no such setting."),
        ('password = "canary"', "password = canary", "Line 14: this is not written as it must be."),
        ("[box]", "[box", "Line 3: this is not written as it must be."),
        ("[[connection]]", "[connection]", "Line 10: this stands here a second time."),
        ("[[agent.knowledge]]", "[agent.knowledge]", "Line 18 (agent 1, knowledge): Must be a list."),
        ('answer = "Now."', 'answer = """Now.', "At the end: this is not written as it must be."),
    ],
)
def test_a_fault_is_told_by_its_line(right: str, wrong: str, told: str) -> None:
    assert right in GOOD
    lines = faults(GOOD.replace(right, wrong).encode())
    assert any(line.startswith(told) for line in lines), lines
    assert "canary" not in " ".join(lines)


def test_all_faults_are_told_at_once() -> None:
    assert len(faults(GOOD.replace('"pbx.lan"', '"not a host!"').encode())) == 2


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (GOOD.encode("utf-16"), "It is not UTF-8 text."),
        (b"\x00" * 10, "Line 1"),
        (b"#" * (LARGEST_BYTES + 1), "It is larger than a megabyte"),
    ],
)
def test_what_is_no_such_file_is_told(data: bytes, told: str) -> None:
    (line,) = faults(data)
    assert line.startswith(told)


def test_what_the_box_refuses_is_told_by_line_too() -> None:
    told = located(GOOD.encode(), {"connection.1.name": "Another is named so.", "agent.1.connections": "No such one."})
    assert told.lines == (
        "Line 11 (connection 2, name): Another is named so.",
        "Line 21 (agent 2, connections): No such one.",
    )
