"""Every test says what kind it is, and none is skipped in silence."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

KINDS = {"unit", "contract", "scene", "wire", "web", "rules", "image"}

# Tests that may be skipped on a developer's machine, by node id, each with the reason that it gives. Any other skip is
# a failure, and in CI every skip is.
_NEEDS_ROOT = "mounting a small disk needs root"
DECLARED_SKIPS: dict[str, str] = {
    "tests/contract/test_recording_crash.py::test_a_full_disk_keeps_what_was_recorded": _NEEDS_ROOT,
    "tests/contract/test_ledger_full_disk.py::test_a_full_disk_stops_no_call_and_loses_nothing": _NEEDS_ROOT,
    "tests/contract/test_ledger_full_disk.py::test_a_full_disk_is_still_read_and_something_can_be_deleted": _NEEDS_ROOT,
    "tests/contract/test_ledger_full_disk.py::test_one_that_starts_full_is_read_and_can_delete": _NEEDS_ROOT,
    "tests/web/test_full_disk.py::test_a_box_that_starts_on_a_full_disk_says_so": _NEEDS_ROOT,
    "tests/web/test_full_disk.py::test_a_full_disk_is_told_and_a_deletion_helps": _NEEDS_ROOT,
    "tests/wire/test_box_full_disk.py::test_the_call_goes_on_and_what_was_recorded_is_kept": _NEEDS_ROOT,
    "tests/unit/test_data_folder.py::test_a_read_only_folder_is_a_message": _NEEDS_ROOT,
}

_SKIPPED = "skipped, but not on the list of declared skips in tests/conftest.py: {}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse the run if a test has no kind, or more than one."""
    wrong = [item.nodeid for item in items if len(KINDS & {mark.name for mark in item.iter_markers()}) != 1]
    if wrong:
        raise pytest.UsageError(f"give each of these exactly one kind ({', '.join(sorted(KINDS))}): {', '.join(wrong)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        why = str(call.excinfo.value) if call.excinfo else ""
        declared = DECLARED_SKIPS.get(item.nodeid)
        if "CI" in os.environ or declared is None or not why.endswith(declared):
            report.outcome = "failed"
            report.longrepr = _SKIPPED.format(why)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = _SKIPPED.format("a whole module")
    return report
