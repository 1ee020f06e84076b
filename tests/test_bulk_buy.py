"""The example that buys many numbers buys none of them twice, however it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import ROOT
from signalwire_compat_mock import MockServer

SCRIPT = ROOT / "examples" / "bulk_buy.py"


def command(folder: Path, numbers: Sequence[str]) -> list[str]:
    source = folder / "numbers.csv"
    source.write_text("\n".join(["phone_number", *numbers]), "utf-8")
    return [sys.executable, "-W", "error", str(SCRIPT), str(source), str(folder / "results.jsonl")]


def run(
    mock: MockServer, folder: Path, numbers: Sequence[str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(folder, numbers),
        env={**os.environ, **mock.environment},
        check=False,
        capture_output=True,
        text=True,
    )


def requested(mock: MockServer) -> Counter[str]:
    """Count the purchases that were asked for, by number."""
    return Counter(dict(exchange.form or [])["PhoneNumber"] for exchange in mock.journal)


def test_a_second_run_skips_what_the_first_one_bought(mock: MockServer, tmp_path: Path) -> None:
    numbers = [f"+1555123{i:04}" for i in range(7)]
    first = run(mock, tmp_path, [*numbers[:4], numbers[0]])
    assert (first.returncode, first.stdout) == (0, "4 of 4 numbers are bought.\n"), first.stderr
    second = run(mock, tmp_path, numbers)
    assert second.stdout == "7 of 7 numbers are bought.\n"
    assert requested(mock) == dict.fromkeys(numbers, 1)


@pytest.mark.parametrize("charges", [1, 4, 9])
def test_a_run_after_a_kill_buys_the_rest_and_nothing_twice(
    mock: MockServer, tmp_path: Path, charges: int
) -> None:
    numbers = [f"+1555123{i:04}" for i in range(16)]
    mock.inject(delay_seconds=0.1, times=len(numbers))
    with subprocess.Popen(
        command(tmp_path, numbers), env={**os.environ, **mock.environment}
    ) as process:
        while mock.charges() < charges:
            assert process.poll() is None
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    killed_at = requested(mock)
    assert 0 < len(killed_at) < len(numbers)
    mock.inject(delay_seconds=0.001)  # One fault at least stands before the rest.
    second = run(mock, tmp_path, numbers)
    asked = requested(mock)
    assert max(asked.values()) == 1
    unclear = [line[:12] for line in second.stdout.splitlines() if "bought or not?" in line]
    assert second.returncode == (1 if unclear else 0), second.stderr
    assert len(unclear) <= 4
    bought = {number["phone_number"] for number in mock.phone_numbers()}
    assert bought | set(unclear) == set(numbers)


def test_a_lost_reply_is_reported_in_every_run_and_not_repeated(
    mock: MockServer, tmp_path: Path
) -> None:
    mock.inject(drop=True)
    for _ in range(2):
        result = run(mock, tmp_path, ["+15551230001"])
        assert result.returncode == 1
        assert result.stdout.startswith("+15551230001: bought or not? Look in your Space")
    assert requested(mock) == {"+15551230001": 1}


def test_what_was_refused_is_tried_again_by_the_next_run(mock: MockServer, tmp_path: Path) -> None:
    mock.inject(code=21601)
    assert "+15551230001: refused" in run(mock, tmp_path, ["+15551230001"]).stdout
    assert run(mock, tmp_path, ["+15551230001"]).stdout == "1 of 1 numbers are bought.\n"


def test_an_empty_account_stops_the_run_before_more_is_asked(
    mock: MockServer, tmp_path: Path
) -> None:
    mock.inject(code=30002, times=4)
    result = run(mock, tmp_path, [f"+1555123{i:04}" for i in range(20)])
    assert result.returncode == 1
    assert result.stderr.startswith("Stopped: ")
    assert len(mock.journal) <= 8
    mock.reset()


def test_a_line_that_a_kill_cut_off_is_as_if_not_written(mock: MockServer, tmp_path: Path) -> None:
    record = json.dumps({"phone_number": "+15551230001", "outcome": "bought"})
    (tmp_path / "results.jsonl").write_text(f'{record}\n{{"phone_nu', "utf-8")
    numbers = ["+15551230001", "+15551230002"]
    assert run(mock, tmp_path, numbers).stdout == "2 of 2 numbers are bought.\n"
    assert requested(mock) == {"+15551230002": 1}
    lines = (tmp_path / "results.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["outcome"] for line in lines] == ["bought", "intent", "bought"]


def test_two_runs_at_once_do_not_share_a_results_file(mock: MockServer, tmp_path: Path) -> None:
    mock.inject(delay_seconds=60)
    with subprocess.Popen(
        command(tmp_path, ["+15551230001"]), env={**os.environ, **mock.environment}
    ) as first:
        while not mock.journal:
            time.sleep(0.005)
        result = run(mock, tmp_path, ["+15551230001"])
        first.kill()
    assert (result.returncode, "another run is at work on it" in result.stderr) == (1, True)
    assert mock.charges() == 1


def test_a_file_without_the_column_is_refused_before_anything(
    mock: MockServer, tmp_path: Path
) -> None:
    (tmp_path / "numbers.csv").write_text("number\n+15551230001\n", "utf-8")
    arguments = [str(tmp_path / "numbers.csv"), str(tmp_path / "results.jsonl")]
    result = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], check=False, capture_output=True, text=True
    )
    assert (result.returncode, "names no column phone_number" in result.stderr) == (1, True)
    assert not (tmp_path / "results.jsonl").exists()
