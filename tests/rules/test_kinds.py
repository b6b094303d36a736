"""tests/conftest.py refuses tests without a kind and skips that nobody declared: seen on small suites of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import DECLARED_SKIPS
from tests.patience import PATIENCE_S
from tests.rules.tree import TREE, python_files

pytestmark = pytest.mark.rules

MARKED = "import pytest\npytestmark = pytest.mark.unit\n"


def run_suite(folder: Path, source: str, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(source)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:schemathesis",
    ]
    configuration = ["-c", str(TREE / "pyproject.toml"), "--rootdir", str(folder), str(folder)]
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}
    environment = inherited | {"PYTHONPATH": str(TREE)} | variables
    return subprocess.run(
        [*command, *configuration],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE_S,
        check=False,
    )


def test_a_marked_test_runs(tmp_path: Path) -> None:
    done = run_suite(tmp_path, MARKED + "def test_it(): pass\n")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "source",
    [
        "def test_it(): pass\n",
        MARKED + "@pytest.mark.wire\ndef test_it(): pass\n",
    ],
)
def test_a_test_without_exactly_one_kind_stops_the_run(tmp_path: Path, source: str) -> None:
    done = run_suite(tmp_path, source)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "exactly one kind" in done.stderr + done.stdout


@pytest.mark.parametrize(
    "source",
    [
        MARKED + "def test_it(): pytest.skip('no engine')\n",
        MARKED + "@pytest.mark.skipif(True, reason='no engine')\ndef test_it(): pass\n",
        MARKED + "pytest.importorskip('no_such_module')\ndef test_it(): pass\n",
    ],
)
def test_a_silent_skip_is_a_failure(tmp_path: Path, source: str) -> None:
    done = run_suite(tmp_path, source)
    assert done.returncode != 0
    assert "declared skips" in done.stdout


def test_a_declared_skip_is_one_on_a_desk_and_a_failure_in_ci(tmp_path: Path) -> None:
    (node, reason), *_ = DECLARED_SKIPS.items()
    path, _, name = node.partition("::")
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(MARKED + f"def {name}(): pytest.skip({reason!r})\n")
    assert run_suite(tmp_path, MARKED + "def test_it(): pass\n").returncode == 0
    assert run_suite(tmp_path, MARKED + "def test_it(): pass\n", CI="true").returncode != 0


def test_every_declared_skip_names_a_test_that_is_there() -> None:
    for node in DECLARED_SKIPS:
        path, _, name = node.partition("::")
        assert f"def {name}(" in (TREE / path).read_text(), node


def test_every_test_module_declares_its_kind_at_the_top_which_is_its_folders() -> None:
    """tests/run.py runs folders."""
    declared = re.compile(r"^pytestmark = \[?pytest\.mark\.(\w+)", re.MULTILINE)
    modules = [Path(path) for path in python_files("tests") if Path(path).name.startswith("test_")]
    kinds = {path: declared.findall((TREE / path).read_text()) for path in modules}
    assert {path: kind for path, kind in kinds.items() if [path.parts[1]] != kind} == {}
