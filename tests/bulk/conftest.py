"""Run `signalwire-compat bulk` against a mock."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from tests.conftest import PROJECT

COMMAND = Path(sys.executable).with_name("signalwire-compat")
PURCHASE = "phone_numbers.purchase"
ACCOUNT = f"project '{PROJECT}' at 127.0.0.1"


class Ended(NamedTuple):
    """How a run ended."""

    status: int
    out: str
    err: str

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each number, as the summary says."""
        rows = (line.split("  ") for line in self.out.splitlines() if line.startswith("+"))
        return {row[0]: row[1].rstrip() for row in rows}

    @property
    def summary(self) -> str:
        """What follows the table."""
        return "\n".join(line for line in self.out.splitlines() if not line.startswith("+"))


@dataclass
class Bulk:
    """The command with its files, and a mock to buy from."""

    folder: Path
    mock: MockServer
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    process: "subprocess.Popen[str]" = field(init=False)

    @property
    def numbers(self) -> Path:
        return self.folder / "numbers.csv"

    @property
    def results(self) -> Path:
        return self.folder / "results.jsonl"

    def write(self, *numbers: str) -> None:
        """Write the CSV file."""
        self.numbers.write_text("\n".join(["PhoneNumber", *numbers]), "utf-8")

    def run(
        self,
        *numbers: str,
        results: Path | None = None,
        settle: str = "1",
        settings: Mapping[str, str] | None = None,
    ) -> Ended:
        """Buy the numbers of the CSV file. Without `numbers` it stays as it is."""
        if numbers:
            self.write(*numbers)
        files = (str(self.numbers), str(results or self.results))
        return self.call("bulk", PURCHASE, *files, "--settle", settle, settings=settings)

    def find(self, count: int, *options: str) -> Ended:
        """Find and buy."""
        return self.call(*finding(self.results, count), "--settle", "1", *options)

    def call(self, *arguments: str, settings: Mapping[str, str] | None = None) -> Ended:
        """Run the command in this process, without its question."""
        for name, value in {**self.mock.environment, **(settings or {})}.items():
            self.monkeypatch.setenv(name, value)
        self.monkeypatch.setattr("sys.argv", ["signalwire-compat", *arguments, "--yes"])
        (command,) = entry_points(group="console_scripts", name="signalwire-compat")
        try:
            status = command.load()()
        except SystemExit as ended:
            status = ended.code
        return Ended(status, *self.capsys.readouterr())

    def start(
        self,
        *numbers: str,
        find: int = 0,
        stderr: int = subprocess.PIPE,
        command: str | Path = COMMAND,
        **settings: str,
    ) -> "subprocess.Popen[str]":
        """Buy the numbers, or as many as `find` says, in a process of its own."""
        self.write(*numbers)
        arguments = ["bulk", PURCHASE, str(self.numbers), str(self.results)]
        if find:
            arguments = finding(self.results, find)
        return subprocess.Popen(
            [sys.executable, "-W", "error", command, *arguments, "--yes"],
            env={**os.environ, **self.mock.environment, **settings},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )

    def wait_for_purchase(self, process: "subprocess.Popen[str]") -> None:
        while not self.purchases():
            assert process.poll() is None
            time.sleep(0.005)

    @contextmanager
    def at_charge(self, number: int, signal: signal.Signals) -> Iterator[None]:
        """Send the process a signal before it gets the reply to its purchase of that number."""

        def change(answer: Answer) -> Answer:
            if answer.operation_id == "purchase" and self.mock.charges() == number:
                self.process.send_signal(signal)
            return answer

        with self.mock.answering(change):
            yield

    def write_results(self, *lines: str, **job: Any) -> None:
        head = {"account": ACCOUNT, "operation": PURCHASE, "find": None, **job}
        self.results.write_text("\n".join([json.dumps(head), *lines]), "utf-8")

    def purchases(self) -> Counter[str]:
        """Count the purchases that were sent to the end, by number."""
        return purchases(self.mock)


def purchases(mock: MockServer) -> Counter[str]:
    """Count the purchases that were sent to the end, by number."""
    forms = (dict(e.form) for e in mock.journal if e.operation_id == "purchase" and e.form)
    return Counter(form["PhoneNumber"] for form in forms)


def finding(results: Path, count: int) -> list[str]:
    """Give the arguments that find and buy."""
    search = ["--find", "phone_numbers.search_local", "US", "AreaCode=512"]
    return ["bulk", PURCHASE, *search, "--count", str(count), "--results", str(results)]


def records(results: Path) -> list[dict[str, Any]]:
    """Read the records of a results file."""
    return [json.loads(line) for line in results.read_text("utf-8").splitlines()[1:]]


def record(number: str, outcome: str, at: str = "2026-01-31T12:00:00+00:00") -> str:
    """Write a record as it stands in the results file."""
    return json.dumps({"at": at, "outcome": outcome, "arguments": {"PhoneNumber": number}})


@pytest.fixture
def bulk(
    tmp_path: Path,
    mock: MockServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Bulk:
    return Bulk(tmp_path, mock, monkeypatch, capsys)
