"""A shield has a deadline, nobody naps, and no generator hands over in the middle of a scope."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.rules.tree import called_name, calls, parsed, python_files

pytestmark = pytest.mark.rules

SCOPES_WITH_A_DEADLINE = {"move_on_after", "move_on_at", "fail_after", "fail_at"}

SCOPES = {"CancelScope", "open_nursery", "serving"}

# `serving` shields a running service and opens the shield itself, when the body has left: that is its whole point.
MAY_SET_SHIELD = {"firmware/lifetimes.py"}

# Files of tests that may sleep the thread, each with its reason.
MAY_SLEEP = {
    "tests/contract/test_recording_crash.py": "lets another process write for a while before killing it",
}


def shields_without_deadline(path: str, module: ast.AST) -> list[str]:
    found = [f"{path}:{call.lineno}" for call in calls(module) if _shields(call) and not _has_deadline(call)]
    if path in MAY_SET_SHIELD:
        return found
    return found + [f"{path}:{node.lineno}" for node in _assigned_shields(module)]


def _shields(call: ast.Call) -> bool:
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    shield = given.get("shield")
    return shield is not None and not (isinstance(shield, ast.Constant) and shield.value is False)


def _has_deadline(call: ast.Call) -> bool:
    name = called_name(call).rpartition(".")[2]
    keywords = {keyword.arg for keyword in call.keywords}
    return name in SCOPES_WITH_A_DEADLINE or bool(keywords & {"deadline", "relative_deadline"})


def _assigned_shields(module: ast.AST) -> Iterator[ast.Assign]:
    for node in ast.walk(module):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Attribute) and target.attr == "shield" for target in node.targets
        ):
            yield node


def naps(path: str, module: ast.AST) -> list[str]:
    return [f"{path}:{call.lineno}" for call in calls(module) if called_name(call) in {"time.sleep", "sleep"}]


def yields_in_scopes(path: str, module: ast.AST) -> list[str]:
    """A plain generator that is left alone at such a yield corrupts Trio's own state, for the whole process."""
    functions = [node for node in ast.walk(module) if isinstance(node, ast.AsyncFunctionDef)]
    return [
        f"{path}:{inner.lineno}"
        for function in functions
        if not any(
            ast.unparse(each).endswith("contextmanager") or "fixture" in ast.unparse(each)
            for each in function.decorator_list
        )
        for scope in _own_nodes(function)
        if isinstance(scope, ast.With | ast.AsyncWith) and any(_opens_scope(item) for item in scope.items)
        for inner in _own_nodes(scope)
        if isinstance(inner, ast.Yield)
    ]


def _own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Without those of functions inside."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _own_nodes(child)


def _opens_scope(item: ast.withitem) -> bool:
    call = item.context_expr
    return isinstance(call, ast.Call) and called_name(call).rpartition(".")[2] in {*SCOPES_WITH_A_DEADLINE, *SCOPES}


def test_every_shield_has_a_deadline() -> None:
    assert [found for path in python_files() for found in shields_without_deadline(path, parsed(path))] == []


def test_nobody_sleeps_a_thread() -> None:
    assert [found for path in python_files() if path not in MAY_SLEEP for found in naps(path, parsed(path))] == []


@pytest.mark.parametrize(
    "source",
    [
        "with trio.CancelScope(shield=True): await bye()",
        "with trio.CancelScope(shield=flag): await bye()",
        "scope.shield = True",
    ],
)
def test_the_shield_rule_sees(source: str) -> None:
    assert shields_without_deadline("app/x.py", _inside_async(source))


@pytest.mark.parametrize(
    "source",
    [
        "with trio.move_on_after(2, shield=True): await bye()",
        "with trio.CancelScope(shield=True, deadline=soon): await bye()",
    ],
)
def test_the_shield_rule_allows(source: str) -> None:
    assert shields_without_deadline("app/x.py", _inside_async(source)) == []


def test_no_generator_hands_over_in_the_middle_of_a_scope() -> None:
    ours = [path for path in python_files() if not path.startswith("tests/")]  # tests read theirs to the end
    assert [found for path in ours for found in yields_in_scopes(path, parsed(path))] == []


@pytest.mark.parametrize("scope", ["async with trio.open_nursery() as n", "with trio.move_on_after(1)"])
def test_the_generator_rule_sees(scope: str) -> None:
    assert yields_in_scopes("app/x.py", _inside_async(f"{scope}:\n        yield 1"))


def test_the_generator_rule_allows_context_managers_and_functions_inside() -> None:
    within = "with trio.move_on_after(1):\n        yield 1"
    assert yields_in_scopes("app/x.py", ast.parse(f"@asynccontextmanager\nasync def f():\n    {within}")) == []
    assert (
        yields_in_scopes("app/x.py", _inside_async("with trio.move_on_after(1):\n        x = await y()\n    yield x"))
        == []
    )


@pytest.mark.parametrize("source", ["time.sleep(1)", "sleep(0.1)"])
def test_the_sleep_rule_sees(source: str) -> None:
    assert naps("app/x.py", _inside_async(source))


def test_the_sleep_rule_allows_trio() -> None:
    assert naps("app/x.py", _inside_async("await trio.sleep(1)")) == []


def _inside_async(source: str) -> ast.Module:
    return ast.parse(f"async def f():\n    {source}")
