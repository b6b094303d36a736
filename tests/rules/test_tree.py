"""What stands where, how large it is, and what may be written in it."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from models import packs
from tests.rules.tree import TREE, files, parsed, python_files

pytestmark = pytest.mark.rules

TOP_LEVEL = {
    "app", "firmware", "image", "models", "provisioning", "tests", "docs",
    "justfile", "pyproject.toml", "requirements.lock", "requirements-dev.lock", "deskbell.example.toml",
    "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE",
}  # fmt: skip
LONGEST_FILE = 400
MEDIAN_FUNCTION = 10
LARGEST_FILE_BYTES = 2_000_000
LARGEST_PICTURE_BYTES = 150_000

# Where package registries and mirrors live. The machine's own configuration names them; the tree never does.
REGISTRY_HOSTS = re.compile(
    r"pypi\.org|pythonhosted\.org|[\w.-]*\.debian\.(?:org|net)/debian|(?:deb|security|snapshot|ftp[\w.]*)\.debian\.org"
    r"|archive\.ubuntu\.com|registry\.npmjs\.org|(?:static\.)?crates\.io|proxy\.golang\.org|conda\.anaconda\.org"
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}*-])/(?:work|root|home/[a-z_]\w*|Users/\w+|tmp/brief)/\w")
THIS_FILE = "tests/rules/test_tree.py"


def misplaced(paths: Iterable[str]) -> list[str]:
    """Top-level names that nobody agreed on. Dot files are for tools."""
    tops = {path.split("/")[0] for path in paths}
    return sorted(top for top in tops if top not in TOP_LEVEL and not top.startswith("."))


def bad_lines(path: str, text: str) -> Iterator[str]:
    for number, line in enumerate(text.splitlines(), start=1):
        for what, pattern in (("a registry's host", REGISTRY_HOSTS), ("a path of one machine", MACHINE_PATHS)):
            if pattern.search(line):
                yield f"{path}:{number} holds {what}"
        if path.endswith(".lock") and "://" in line:
            yield f"{path}:{number} holds an address"


def texts() -> Iterator[tuple[str, str]]:
    for path in files():
        data = (TREE / path).read_bytes()
        if b"\0" not in data:
            yield path, data.decode()


def binaries() -> list[str]:
    return [path for path in files() if b"\0" in (TREE / path).read_bytes()]


def pictures() -> set[str]:
    """Those that README.md and docs/*.md show; `just screens --docs` makes them."""
    documents = [path for path in files() if path == "README.md" or re.fullmatch(r"docs/[^/]+\.md", path)]
    names = [name for path in documents for name in re.findall(r"\]\(([^)]+\.png)\)", (TREE / path).read_text())]
    return {f"docs/{Path(name).name}" for name in names}


def function_lengths(modules: Iterable[ast.Module]) -> list[int]:
    """Lines of each function without its docstring, decorators and signature."""
    return [
        (node.end_lineno or node.lineno) - _body(node)[0].lineno + 1
        for module in modules
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _body(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    return node.body[1:] if ast.get_docstring(node, clean=False) is not None and node.body[1:] else node.body


def test_the_top_level_is_fixed() -> None:
    assert misplaced(files()) == []


def test_no_registry_and_no_machine_is_named() -> None:
    assert [bad for path, text in texts() if path != THIS_FILE for bad in bad_lines(path, text)] == []


def test_lock_files_pin_by_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (TREE / name).read_text()
        pins = re.findall(r"^(\S+==\S+) \\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[a-zA-Z]", text, re.MULTILINE)) > 10, name


def test_binary_files_are_declared_models_and_pictures_that_a_document_shows() -> None:
    declared = {f"models/{pack.path}" for pack in packs.load().values() if pack.committed}
    shown = pictures()
    assert [path for path in binaries() if path not in declared | shown] == []
    assert [path for path in sorted(shown) if (TREE / path).stat().st_size > LARGEST_PICTURE_BYTES] == []


def test_committed_models_are_as_declared() -> None:
    for pack in packs.load().values():
        if pack.committed:
            packs.verify(pack)


def test_no_file_is_large() -> None:
    assert [path for path in files() if (TREE / path).stat().st_size > LARGEST_FILE_BYTES] == []


def test_no_python_file_is_long() -> None:
    lengths = {path: len((TREE / path).read_text().splitlines()) for path in python_files()}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


@pytest.mark.parametrize("folder", ["app", "firmware", "image", "models", "provisioning"])
def test_the_median_function_is_short(folder: str) -> None:
    lengths = function_lengths(parsed(path) for path in python_files(folder))
    assert statistics.median(lengths) <= MEDIAN_FUNCTION


def test_every_debian_package_has_a_reason() -> None:
    listed = (TREE / "image" / "debian-packages.txt").read_text().splitlines()
    groups = [line for line in listed if line.startswith("#")]
    packages = [line for line in listed if line and not line.startswith("#")]
    assert groups
    assert [line for line in packages if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]+(\s+# .+)?", line)] == []
    assert len({line.split()[0] for line in packages}) == len(packages)


def test_the_top_level_rule_sees() -> None:
    assert misplaced(["utils/x.py", "app/x.py", "notes.md", ".ci/run"]) == ["notes.md", "utils"]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("README.md", "pip install --index-url https://pypi.org/simple x"),
        ("tests/office/pbx.py", "MIRROR = 'http://deb.debian.org/debian'"),
        ("docs/x.md", "see http://ftp.de.debian.org/debian"),
        ("firmware/x.py", 'DATA = "/work/shared/models"'),
        ("firmware/x.py", 'DATA = "/root/models"'),
        ("requirements.lock", "# from https://example.com/simple"),
    ],
)
def test_the_address_rule_sees(path: str, line: str) -> None:
    assert list(bad_lines(path, line))


@pytest.mark.parametrize("line", ["see https://www.rfc-editor.org/rfc/rfc3261", "a folder named work/x", "/var/lib/x"])
def test_the_address_rule_allows(line: str) -> None:
    assert list(bad_lines("README.md", line)) == []


def test_the_length_rule_counts_statements_only() -> None:
    source = (
        'def f(\n    a,\n    b,\n):\n    """Says\n    what."""\n    return a\n\ndef g():\n    x = 1\n    return x\n'
    )
    assert function_lengths([ast.parse(source)]) == [1, 2]


def test_the_tree_is_read_from_git() -> None:
    assert "justfile" in files()
    assert not any(Path(path).parts[0] in {"build", ".venv"} for path in files())
