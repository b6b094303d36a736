"""The demo opens its page where there is a desktop, and only there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.demo import box as demo

pytestmark = pytest.mark.unit

ADDRESS = "https://localhost:8443"


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What was started, instead of starting it."""
    started: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: started.append(command))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return started


def with_opener(monkeypatch: pytest.MonkeyPatch, folder: Path) -> str:
    opener = folder / "xdg-open"
    opener.write_text("#!/bin/sh\n")
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return str(opener)


@pytest.mark.parametrize("screen", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_desktop_is_shown_the_page(
    opened: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, screen: str
) -> None:
    opener = with_opener(monkeypatch, tmp_path)
    monkeypatch.setenv(screen, ":0")
    assert demo.open_browser(ADDRESS)
    assert opened == [[opener, ADDRESS]]


def test_a_terminal_alone_is_not(opened: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with_opener(monkeypatch, tmp_path)
    assert not demo.open_browser(ADDRESS)
    assert opened == []


def test_nor_a_screen_without_a_way_to_open_it(
    opened: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DISPLAY", ":0")
    assert not demo.open_browser(ADDRESS)
    assert opened == []
