"""What `make fuzz` prints: a line for each finished part, and the closing line."""

import os
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from .budget import SEED
from .coverage import Coverage


class Reporter:
    """A pytest plugin of the process that the user sees, with or without workers."""

    def __init__(self, config: pytest.Config, coverage: Coverage, page: Path) -> None:
        """Begin to count; `page` is where the coverage is written."""
        self._config, self._coverage, self._page = config, coverage, page
        self._start = time.monotonic()
        self._parts = 0
        self._cases: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()
        self._gaps: list[str] = []

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Print no dot for what has a line of its own."""
        return ("passed", "", "") if report.when == "call" and report.passed else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a part that has ended, and say so."""
        told: dict[str, Any] = dict(report.user_properties)
        # Schemathesis gives all slices of a test one id: no report could tell them apart.
        report.nodeid = f"{report.nodeid.partition('::')[0]}::{told['name']}"
        if report.when != "call" or "run" not in told:
            return
        self._parts += 1
        self._cases[told["run"]] += told["cases"]
        self._seconds[told["run"]] += told["seconds"]
        self._write(
            f"{self._parts:3} {report.outcome:6} {told['run']:9} {told['cases']:6,} cases "
            f"{told['seconds']:5.1f} s  {told['name']}"
        )

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the coverage, and fail if all runs together left a gap."""
        self._coverage.save(self._page)
        if os.environ.get("FUZZ_REPORT") == "all":
            self._gaps = self._coverage.gaps()
        if self._gaps and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self) -> None:
        """Say how many cases each run had, and what they covered."""
        for gap in self._gaps:
            self._write(f"not covered: {gap}")
        self._write(f"covered: {self._coverage.summary()}: {os.path.relpath(self._page)}")
        runs = [f"{run} {count:,}" for run, count in self._cases.items()]
        seconds = time.monotonic() - self._start
        workers = int(self._config.getoption("numprocesses", None) or 1)
        client = self._seconds["client"]
        rate = self._cases["client"] / client * workers if client else 0
        told = f"; {rate:.0f} a second through the client" if client else ""
        self._write(
            f"fuzz: {self._cases.total():,} cases with seed {SEED} in {seconds:.0f} s: "
            f"{', '.join(runs)}{told}"
        )

    def _write(self, line: str) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None:
            terminal.ensure_newline()
            terminal.write_line(line)
