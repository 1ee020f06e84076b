"""What is printed: how to see a failing case again, a line for each part, and the summary."""

import os
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import reject
from hypothesis.errors import UnsatisfiedAssumption
from schemathesis import Case

from . import credentials, report
from .budget import BUDGET, NO_TIME
from .contract_coverage import COVERAGE
from .document import BASE_PATH, AnyCase
from .options import EXAMPLES, SEED, URL, setting, spec_file
from .redaction import HIDDEN, with_variables

_LINES = 12
_WIDTH = 3000
_NAMED = 3
_OF_HYPOTHESIS = ("Falsifying", "You can reproduce", "Explanation", "(note:")
_MOCK = f"signalwire-compat-mock --forgetful --spec {spec_file()}"
MOCK = "make mock" if setting("command") else _MOCK
LOCAL = "http://127.0.0.1:8000"
"""Where `make mock` serves: printed commands go there, since a test's own mock is gone."""
PLACE = URL or LOCAL
BY_HAND = "the same by hand" if URL else f"the same by hand, while `{MOCK}` runs"


@dataclass
class Progress:
    """How far one test is; JUnit files hold this as properties."""

    name: str = ""
    run: str = ""
    cases: int = 0
    failed_after: int | None = None
    seconds: float = 0


current = Progress()


def _short(case: Any) -> str:
    text = repr(case)
    return text if len(text) <= _WIDTH else f"{text[:_WIDTH]}..."


def replay() -> str:
    test, _, part = current.name.partition("[")
    slice_ = part.partition("]")[0]
    only = f"{test} and {slice_}" if slice_.isidentifier() else test
    return report.replay(SEED, examples=EXAMPLES, only=only)


def curl(case: AnyCase) -> str:
    try:
        has_secrets = setting("auth") or setting("header")
        shown = {
            name: HIDDEN if has_secrets else text
            for place, name, text in credentials.sent(case)
            if place == "header"
        }
        return with_variables(case.as_curl_command(shown, base_url=PLACE + BASE_PATH))
    except Exception as error:  # HTTP can't carry every case.
        return f"none: {error}"


def known_file() -> Path:
    """Return the file that lists the failing client tests. Those of a server have a file too."""
    return Path(f"{setting('known')}.client")


def known_failures() -> list[str]:
    is_known = setting("known") and known_file().is_file()
    return known_file().read_text("utf-8").splitlines() if is_known else []


def essence(error: BaseException) -> str:
    """Return what a reader of a failure needs; Hypothesis can find several at once."""
    if isinstance(error, BaseExceptionGroup):
        return "\n\n".join(map(essence, error.exceptions))
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "signalwire_compat_fuzz" in frame.filename]
    where = [f"  in {f.name}, {Path(f.filename).name}:{f.lineno}" for f in (ours or frames)[-1:]]
    lines = f"{type(error).__name__}: {error}".splitlines()
    if len(lines) > _LINES and not getattr(error, "is_whole", False):
        lines = [*lines[:_LINES], "..."]
    notes = [n for n in getattr(error, "__notes__", ()) if not n.startswith(_OF_HYPOTHESIS)]
    return "\n".join([*lines, *where, *notes])


@contextmanager
def counted(shortest: Any, *, cases: int = 1) -> Iterator[None]:
    """Count a case; if it fails, add the case, its curl command, the seed and how to replay it."""
    if BUDGET.is_over():
        if current.failed_after is not None:
            reject()  # What was found is to be told, and not to be made simpler for long.
        pytest.skip(f"its share of the time is over, after {current.cases:,} cases")
    current.cases += cases
    try:
        yield
    except UnsatisfiedAssumption:
        current.cases -= cases
        raise
    except Exception as error:
        if current.failed_after is None:
            current.failed_after = current.cases
        error.add_note(f"shortest case: {_short(shortest)}")
        if isinstance(shortest, Case):
            error.add_note(f"{BY_HAND}:\n  {curl(shortest)}")
        error.add_note(f"seed: {SEED}; first seen at case {current.failed_after} of this test")
        error.add_note(f"to replay it:\n  {replay()}")
        raise


def _left_out_lines(left_out: dict[str, str]) -> Iterator[str]:
    """Write a line for each test: how many of its parts are missing, and the names of some."""
    parts: dict[str, list[str]] = {}
    for name in left_out:
        parts.setdefault(name.partition("[")[0], []).append(name)
    for test, names in parts.items():
        never = sum(left_out[name] == NO_TIME for name in names)
        counts = f"{never} did not begin, {len(names) - never} did not end"
        some = ", ".join(name.removeprefix(test) for name in names[:_NAMED])
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"left out: {test}: {counts}: {some}{more}".removesuffix(": ")
    if left_out:
        yield "left out: reports/fuzz.html has all of them. For more, give more --seconds."


class Reporter:
    """A pytest plugin of the process that the user sees, with or without workers."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._start = time.monotonic()
        self._parts = 0
        self._cases: Counter[str] = Counter()
        self._gaps: list[str] = []
        self._left_out: dict[str, str] = {}
        self._failed: list[str] = []

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Print no dot for what has a line of its own."""
        is_told = report.when == "call" and not report.failed
        return (report.outcome, "", "") if is_told else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        told: dict[str, Any] = dict(report.user_properties)
        # Schemathesis gives all slices of a test one id: no report could tell them apart.
        report.nodeid = f"{report.nodeid.partition('::')[0]}::{told['name']}"
        if report.failed:
            self._failed.append(told["name"])
        why = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        if report.skipped and "time is" in why:
            self._left_out[told["name"]] = why.removeprefix("Skipped: ")
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
        for line in _left_out_lines(self._left_out):
            terminalreporter.write_line(line)
        if setting("learn"):
            names = sorted({*known_failures(), *self._failed})
            known_file().write_text("".join(f"{name}\n" for name in names), "utf-8")
        report.keep(Path("reports/fuzz-client.json"), self._cases.total(), self._left_out)
        terminalreporter.write_line(f"covered: {COVERAGE.summary()}")
        total = f"{self._cases.total():,} cases with seed {SEED}"
        terminalreporter.write_line(f"fuzz: {total} in {seconds}: {runs}")
