from __future__ import annotations

from pathlib import Path

import pytest

from firmware.configuration import Configuration, ConfigurationProblem, read_configuration

pytestmark = pytest.mark.unit

GOOD = """
[connection]
name = "Office"
domain = "pbx.office.lan"
user = "200"

[agent]
name = "Reception"
"""

STUCK = 'workflow = {first = "a", states = [{name = "a"}]}'


@pytest.fixture
def box_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DESKBELL_SIP_PASSWORD", "s3cret-word")
    return tmp_path / "box.toml"


def problem(file: Path, text: str) -> str:
    file.write_text(text)
    read = read_configuration(file)
    assert isinstance(read, ConfigurationProblem)
    return str(read)


def test_a_file_and_the_password_from_the_environment(box_file: Path) -> None:
    box_file.write_text(GOOD)
    read = read_configuration(box_file)
    assert isinstance(read, Configuration)
    assert read.connection.password.get_secret_value() == "s3cret-word"
    assert read.agent.max_opened_sessions == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('user = "200"', 'user = "200"\nusr = "1"'), "connection.usr: there is no such key"),
        (('domain = "pbx.office.lan"', 'domain = "sip:pbx@office lan"'), "connection.domain: must be a host name"),
        (('domain = "pbx.office.lan"', ""), "connection.domain: this is required"),
        (('user = "200"', 'user = "200@pbx"'), "connection.user: must be the extension"),
        (('user = "200"', 'user = "200"\npassword = "hunter2"'), "DESKBELL_SIP_PASSWORD"),
        (('name = "Reception"', 'name = "Reception"\npause_ms = 5'), "agent.pause_ms"),
        (("[agent]", "[agent"), "not valid TOML"),
        (("[agent]", f"[agent]\n{STUCK}"), "agent.workflow.states.0.then: Nothing leads out of “a”"),
        (("[agent]", '[agent]\ndirectory = [{name = "Ann"}, {name = "ann"}]'), "names somebody twice"),
    ],
)
def test_each_fault_is_named_with_its_place(box_file: Path, change: tuple[str, str], says: str) -> None:
    assert says in problem(box_file, GOOD.replace(*change))


def test_a_secret_never_shows_in_a_problem_or_a_repr(box_file: Path) -> None:
    text = problem(box_file, GOOD.replace('user = "200"', 'user = "200"\npassword = "hunter2"\nlogin = 7'))
    assert "hunter2" not in text
    box_file.write_text(GOOD)
    assert "s3cret-word" not in repr(read_configuration(box_file))


def test_without_the_password_it_says_which_variable(box_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESKBELL_SIP_PASSWORD")
    assert "DESKBELL_SIP_PASSWORD" in problem(box_file, GOOD)


def test_ports_that_contradict_each_other(box_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESKBELL_RTP_FIRST_PORT", "20000")
    monkeypatch.setenv("DESKBELL_RTP_LAST_PORT", "10000")
    assert "rtp_last_port" in problem(box_file, GOOD)


def test_a_file_that_is_not_there(box_file: Path) -> None:
    read = read_configuration(box_file)
    assert isinstance(read, ConfigurationProblem)
    assert "no such file" in str(read)


def test_the_example_that_users_copy_is_valid(box_file: Path) -> None:
    example = Path(__file__).parents[2] / "deskbell.example.toml"
    assert isinstance(read_configuration(example), Configuration)
