"""Pytest plugin of run.py: writes down what happens to each test, as it happens, so that a crash loses nothing.

The environment says where: CN_SUITE_LOG is appended to ("start", "pass", "fail", "skip" and a test's name a line),
CN_SUITE_DONE names the tests that are not to run again, CN_SUITE_SECONDS is the time limit of one test: the process
ends when it is over, whatever C code it is in.
"""

from __future__ import annotations

import faulthandler
import os
import pathlib

import hypothesis
import pytest

hypothesis.settings.register_profile(
    "suite", deadline=None, database=None, derandomize=True, suppress_health_check=list(hypothesis.HealthCheck)
)
hypothesis.settings.load_profile("suite")
MARKS = ("slow", "leaks_references", "valgrind_error", "thread_unsafe", "parallel_threads(n)", "iterations(n)")


def name_of(nodeid: str) -> str:
    """The test's name within its file: "TestClass.test_name[parameters]"."""
    return nodeid.partition("::")[2].replace("::", ".", 1)


def write(word: str, nodeid: str, text: str = "") -> None:
    """Add a line to the log; it is on disk when this returns."""
    with pathlib.Path(os.environ["CN_SUITE_LOG"]).open("a") as log:
        log.write("\t".join((word, name_of(nodeid), text.replace("\n", "\\n"))) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Know NumPy's marks; a fallback is counted, not warned of, because tests count warnings."""
    for mark in MARKS:
        config.addinivalue_line("markers", f"{mark}: NumPy's")
    if os.environ["CN_SUITE_MODULE"] == "cnumeric":
        from cnumeric import _cnumeric, _fallback

        _fallback._warn = lambda name, depth: _cnumeric.count_fallback()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what an earlier process has done."""
    done = set(pathlib.Path(os.environ["CN_SUITE_DONE"]).read_text().split("\n"))
    items[:] = [item for item in items if name_of(item.nodeid) not in done]


def pytest_runtest_logstart(nodeid: str) -> None:
    """A test begins."""
    write("start", nodeid)
    faulthandler.dump_traceback_later(float(os.environ["CN_SUITE_SECONDS"]), exit=True)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A phase of a test is over: only what fails in setup, or is left out there, has no call."""
    if report.failed:
        write("fail", report.nodeid, str(report.longrepr)[-3000:])
    elif report.skipped:
        write("skip", report.nodeid)
    elif report.when == "call":
        write("pass", report.nodeid)


def pytest_runtest_logfinish() -> None:
    """A test is over."""
    faulthandler.cancel_dump_traceback_later()
