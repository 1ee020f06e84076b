"""What is printed: how to see a failing case again, a line for each part, and the summary."""

import os
import shlex
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis.errors import UnsatisfiedAssumption
from schemathesis import Case

from .contract_coverage import COVERAGE
from .document import BASE_PATH, AnyCase
from .options import EXAMPLES, SEED
from .settings import AUTHORIZATION

LOCAL = "http://127.0.0.1:8000"
"""Where `make mock` serves: printed commands go there, since a test's own mock is gone."""


@dataclass
class Progress:
    """How far one test is; JUnit files hold this as properties."""

    name: str = ""
    run: str = ""
    cases: int = 0
    failed_after: int | None = None
    seconds: float = 0


current = Progress()


def replay() -> str:
    test, _, part = current.name.partition("[")
    slice_ = part.partition("]")[0]
    only = shlex.quote(f"{test} and {slice_}" if slice_.isidentifier() else test)
    return f"make fuzz FUZZ_SEED={SEED} FUZZ_EXAMPLES={EXAMPLES} FUZZ_ONLY={only}"


def curl(case: AnyCase) -> str:
    try:
        return case.as_curl_command({"Authorization": AUTHORIZATION}, base_url=LOCAL + BASE_PATH)
    except Exception as error:  # HTTP can't carry every case.
        return f"none: {error}"


@contextmanager
def counted(shortest: Any, *, cases: int = 1) -> Iterator[None]:
    """Count a case; if it fails, add the case, its curl command, the seed and how to replay it."""
    current.cases += cases
    try:
        yield
    except UnsatisfiedAssumption:
        current.cases -= cases
        raise
    except Exception as error:
        if current.failed_after is None:
            current.failed_after = current.cases
        error.add_note(f"shortest case: {shortest!r}")
        if isinstance(shortest, Case):
            error.add_note(f"the same by hand, while `make mock` runs:\n  {curl(shortest)}")
        error.add_note(f"seed: {SEED}; first seen at case {current.failed_after} of this test")
        error.add_note(f"to replay it:\n  {replay()}")
        raise


class Reporter:
    """A pytest plugin of the process that the user sees, with or without workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._start = time.monotonic()
        self._parts = 0
        self._cases: Counter[str] = Counter()
        self._gaps: list[str] = []

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Print no dot for what has a line of its own."""
        return ("passed", "", "") if report.when == "call" and report.passed else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told: dict[str, Any] = dict(report.user_properties)
        # Schemathesis gives all slices of a test one id: no report could tell them apart.
        report.nodeid = f"{report.nodeid.partition('::')[0]}::{told['name']}"
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is None or report.when != "call" or "run" not in told:
            return
        self._parts += 1
        self._cases[told["run"]] += told["cases"]
        terminal.ensure_newline()
        terminal.write_line(
            f"{self._parts:3} {report.outcome:6} {told['run']:9} {told['cases']:6,} cases "
            f"{told['seconds']:5.1f} s  {told['name']}"
        )

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail if all runs together left something of the document out."""
        if os.environ.get("FUZZ_REPORT") == "all":
            self._gaps = COVERAGE.gaps()
        if self._gaps and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        runs = ", ".join(f"{run} {count:,}" for run, count in self._cases.items())
        seconds = f"{time.monotonic() - self._start:.0f} s"
        terminalreporter.ensure_newline()
        for gap in self._gaps:
            terminalreporter.write_line(f"not covered: {gap}")
        terminalreporter.write_line(f"covered: {COVERAGE.summary()}")
        total = f"{self._cases.total():,} cases with seed {SEED}"
        terminalreporter.write_line(f"fuzz: {total} in {seconds}: {runs}")
