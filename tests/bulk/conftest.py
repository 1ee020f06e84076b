"""Run `signalwire-compat bulk` against a mock."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from tests.conftest import PROJECT

PURCHASE = "phone_numbers.purchase"
ACCOUNT = f"project '{PROJECT}' at 127.0.0.1"
COMMAND = Path(sys.executable).with_name("signalwire-compat")


class Ended(NamedTuple):
    """How a run ended."""

    status: int
    out: str
    err: str

    @property
    def outcomes(self) -> dict[str, str]:
        """The outcome of each number that the summary lists."""
        rows = (line.split("  ") for line in self.out.splitlines() if line.startswith("+"))
        return {row[0]: row[1].rstrip() for row in rows}


@dataclass
class Bulk:
    """The command with its files, and a mock to buy from."""

    folder: Path
    mock: MockServer
    monkeypatch: pytest.MonkeyPatch
    capfd: pytest.CaptureFixture[str]
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

    def arguments(self, *options: str | Path) -> list[str]:
        files = (self.numbers, self.results)
        return ["bulk", PURCHASE, *map(str, files), *map(str, options)]

    def run(self, *numbers: str, options: tuple[str | Path, ...] = (), **settings: str) -> Ended:
        """Run it in this process. Without `numbers` their file stays as it is."""
        if numbers:
            self.write(*numbers)
        return self.call(*self.arguments(*options), **settings)

    def find(self, count: int, *options: str, area: str = "512") -> Ended:
        """Find and buy."""
        return self.call(*finding(self.results, count, area), *options)

    def call(self, *arguments: str, **settings: str) -> Ended:
        for name, value in {**self.mock.environment, **settings}.items():
            self.monkeypatch.setenv(name, value)
        self.monkeypatch.setattr("sys.argv", ["signalwire-compat", *arguments])
        (command,) = entry_points(group="console_scripts", name="signalwire-compat")
        try:
            status = command.load()()
        except SystemExit as ended:
            status = ended.code
        return Ended(status, *self.capfd.readouterr())

    def start(self, *numbers: str, options: tuple[str | Path, ...] = ()) -> "subprocess.Popen[str]":
        """Run it in a process of its own."""
        self.write(*numbers)
        return subprocess.Popen(
            [sys.executable, "-W", "error", COMMAND, *self.arguments(*options)],
            env={**os.environ, **self.mock.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
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
    forms = (e.form for e in mock.journal if e.operation_id == "purchase")
    return Counter(dict(form or ())["PhoneNumber"] for form in forms)


def finding(results: Path, count: int, area: str) -> list[str]:
    """Give the arguments that find and buy."""
    search = ["--find", "phone_numbers.search_local", "US", f"AreaCode={area}"]
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
    capfd: pytest.CaptureFixture[str],
) -> Bulk:
    return Bulk(tmp_path, mock, monkeypatch, capfd)
