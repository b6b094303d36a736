"""What the rules look at: the files of the source tree, tracked or about to be."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]


@cache
def files() -> tuple[str, ...]:
    """Paths below the tree that are in git, or not ignored by it and so about to be."""
    command = ["git", "-c", f"safe.directory={TREE}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=TREE, capture_output=True, text=True, check=True).stdout
    return tuple(sorted(path for path in listed.split("\0") if path and (TREE / path).is_file()))


def python_files(*folders: str) -> list[str]:
    """Python files of the tree, or of some of its top folders."""
    return [path for path in files() if path.endswith(".py") and (not folders or path.split("/")[0] in folders)]


@cache
def parsed(path: str) -> ast.Module:
    return ast.parse((TREE / path).read_text(), filename=path)


def calls(module: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module) if isinstance(node, ast.Call))


def called_name(call: ast.Call) -> str:
    """ "trio.move_on_after" for trio.move_on_after(2)."""
    return ast.unparse(call.func)
