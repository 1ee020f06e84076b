"""The pytest plugin: it counts the cases of fuzz tests, and reports what they did.

pytest loads it in every run, so nothing heavy is imported before a fuzz test needs it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from .budget import BUDGET, NO_TIME, left
from .options import TESTS

pytest.register_assert_rewrite("signalwire_compat_fuzz")
FOLDERS = (Path(__file__).with_name("suite"), *(Path(name).resolve() for name in TESTS))


@pytest.fixture
def contract_fuzz() -> Callable[..., None]:
    """Return a function that fuzzes a server which the test has started, or a client.

    Its arguments are the options of the command, such as `url=server.url, seconds=30`; one that
    can be repeated takes a list, and one without a value takes True.
    The test fails with what the command printed, if that finds anything.
    """

    def run(**options: object) -> None:
        command = [sys.executable, "-m", "signalwire_compat_fuzz"]
        for name, given in options.items():
            option = f"--{name.replace('_', '-')}"
            values = given if isinstance(given, list) else [given]
            command += [option if v is True else f"{option}={v}" for v in values if v is not False]
        done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603  # ours
        if done.returncode:
            pytest.fail(f"{done.stdout}{done.stderr}", pytrace=False)

    return run


def is_fuzz(item: pytest.Item) -> bool:
    return any(item.path.is_relative_to(folder) for folder in FOLDERS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ours = [*filter(is_fuzz, items)]
    for item in ours:
        item.user_properties.append(("name", item.name))
    BUDGET.waiting = len(ours) / int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if os.environ.get("FUZZ_REPORT") and "PYTEST_XDIST_WORKER" in os.environ:
        # The part that takes longest begins first: no other process waits for it in the end. Then
        # come those that find most in least time.
        items.sort(key=lambda i: (i.path.stem != "test_direct", type(i).__name__))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    if not is_fuzz(item):
        return (yield)
    from . import console

    if left() <= 0:
        pytest.skip(NO_TIME)
    BUDGET.begin(is_capped=item.path.is_relative_to(FOLDERS[0]))
    name = item.path.stem.removeprefix("test_")
    progress = console.current = console.Progress(item.name, run=name)
    start = time.monotonic()
    try:
        result = yield
    finally:
        progress.seconds = round(time.monotonic() - start, 3)
        item.user_properties += asdict(progress).items()
    if progress.cases == 0:
        pytest.fail("not one case was tried")
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say of a failure what happened, the case, and how to see it again: no more."""
    report = yield
    if report.failed and call.when == "call" and call.excinfo and is_fuzz(item):
        from .console import essence, known_failures

        report.longrepr = essence(call.excinfo.value)
        if item.name in known_failures():
            report.outcome, report.wasxfail = "skipped", "it is known"
    return report


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and os.environ.get("FUZZ_REPORT"):
        from .console import Reporter

        config.pluginmanager.register(Reporter(config), "fuzz-report")


def pytest_sessionfinish(session: pytest.Session) -> None:
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    covered = sys.modules.get("signalwire_compat_fuzz.contract_coverage")
    if output is not None and covered:
        output["coverage"] = covered.COVERAGE.export()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    if reached := getattr(node, "workeroutput", {}).get("coverage"):
        from .contract_coverage import COVERAGE

        COVERAGE.merge(reached)
