"""What `just setup` says when something is missing or has moved on; its steps themselves run in CI from nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from image.setup import debian, environment, running

pytestmark = pytest.mark.unit


def test_the_package_list_is_names_without_reasons() -> None:
    assert debian.wanted("# group\n\ngit  # tree\nxz-utils\n") == ["git", "xz-utils"]


def test_without_root_there_is_one_line_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(running.SetupFailed, match=r"\n  sudo apt-get install --no-install-recommends swig tcpdump\n"):
        debian.install(["swig", "tcpdump"])


@pytest.mark.parametrize(
    ("stderr", "cause", "remedy"),
    [
        (
            "WARNING: Retrying (Retry(total=0))\nERROR: No matching distribution found for trio==0.35.0",
            "trio==0.35.0 cannot be had: the package index cannot be reached",
            "PIP_INDEX_URL",
        ),
        (
            "ERROR: No matching distribution found for trio==99",
            "trio==99 cannot be had: the package index does not have it",
            "change trio in pyproject.toml, then run: just lock",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n    trio==0.35.0 from file:///x (from -r x):\n  Expected",
            "trio==0.35.0 has another sha256 than requirements-dev.lock says",
            "just lock",
        ),
        ("ERROR: disk quota exceeded", "disk quota exceeded", "requirements-dev.lock"),
    ],
)
def test_pip_is_translated(stderr: str, cause: str, remedy: str) -> None:
    told = environment.explain_pip(stderr)
    assert cause in told
    assert remedy in told


def test_a_step_is_done_only_for_the_same_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "STAMPS", tmp_path / "stamps")
    assert not running.is_done("wheel", "a")
    running.mark_done("wheel", "a")
    assert running.is_done("wheel", "a")
    assert not running.is_done("wheel", "b")


def test_a_program_that_fails_says_why_in_its_own_words() -> None:
    with pytest.raises(running.SetupFailed, match="no such mirror"):
        running.run(["sh", "-c", "echo no such mirror >&2; exit 3"], timeout_s=5)
    with pytest.raises(running.SetupFailed, match="not installed"):
        running.run(["no-such-program"], timeout_s=5)
    with pytest.raises(running.SetupFailed, match="within 0 s"):
        running.run(["tail", "-f", os.devnull], timeout_s=0.05)


def test_an_environment_that_was_made_anew_lacks_pjsua2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was noted when it was installed into the one before."""
    wheels, packages = tmp_path / "wheels", tmp_path / "venv" / "lib" / "python3.11" / "site-packages"
    for folder in (wheels, packages):
        folder.mkdir(parents=True)
    monkeypatch.setattr(running, "STAMPS", tmp_path / "stamps")
    monkeypatch.setattr(environment, "WHEELS", wheels)
    monkeypatch.setattr(environment, "VENV", tmp_path / "venv")
    (wheels / "pjsua2-2-cp311.whl").touch()
    running.mark_done("pjsua2", environment.pjsua2_inputs())
    assert not environment.has_pjsua2()
    (packages / "pjsua2.py").touch()
    assert environment.has_pjsua2()
