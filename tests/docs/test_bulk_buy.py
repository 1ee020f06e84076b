"""The example that buys many numbers buys none of them twice, however it ends."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import bulk_buy
import pytest
from signalwire_compat_mock import MockServer

from tests.conftest import PROJECT, ROOT

SCRIPT = ROOT / "examples" / "bulk_buy.py"


def command(folder: Path, numbers: Sequence[str]) -> list[str]:
    source = folder / "numbers.csv"
    source.write_text("\n".join(["phone_number", *numbers]), "utf-8")
    return [sys.executable, "-W", "error", str(SCRIPT), str(source), str(folder / "results.jsonl")]


def run(
    mock: MockServer, folder: Path, numbers: Sequence[str], **settings: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(folder, numbers),
        env={**os.environ, **mock.environment, **settings},
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


OTHER = {
    "text without an end of line": b"only line",
    "a list of numbers": b"phone_number\n+15551230001",
    "other JSON": b'{"phone_number": "+15551230001", "outcome": "refused"}\n',
    "no text": b"\xff\xfe\x00",
    "JSON too deep to read": b"[" * 100_000,
}


@pytest.mark.parametrize("content", OTHER.values(), ids=OTHER)
def test_a_file_that_holds_no_results_is_left_as_it_was(
    mock: MockServer, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "results.jsonl").write_bytes(content)
    result = run(mock, tmp_path, ["+15551230001"])
    assert (result.returncode, "is no results file" in result.stderr) == (1, True), result.stderr
    assert (tmp_path / "results.jsonl").read_bytes() == content
    assert not mock.journal


def test_the_results_of_one_account_are_not_taken_for_those_of_another(
    mock: MockServer, tmp_path: Path
) -> None:
    assert run(mock, tmp_path, ["+15551230001"]).returncode == 0
    path = tmp_path / "results.jsonl"
    before = path.read_bytes()
    other = "0d5e2e5c-3f0e-4a6e-9c53-4b6cf6f3a111"
    for name, value, said in (
        ("SIGNALWIRE_PROJECT_ID", other, f"not of project '{other}' at 127.0.0.1. Name another"),
        ("SIGNALWIRE_SPACE", mock.url.replace("127.0.0.1", "localhost"), "at localhost. Name"),
    ):
        result = run(mock, tmp_path, ["+15551230001"], **{name: value})
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith(f"{path} is of {ACCOUNT}, not of ")
        assert said in result.stderr
    assert path.read_bytes() == before


def test_a_mock_at_another_port_goes_on_with_the_results(mock: MockServer, tmp_path: Path) -> None:
    with MockServer() as first:
        assert run(first, tmp_path, ["+15551230001"]).returncode == 0
        assert run(mock, tmp_path, ["+15551230001"]).stdout == "1 of 1 numbers are bought.\n"
    assert not mock.journal


def test_a_missing_setting_is_said_and_leaves_nothing_behind(
    mock: MockServer, tmp_path: Path
) -> None:
    result = run(mock, tmp_path, ["+15551230001"], SIGNALWIRE_API_TOKEN="")
    assert result.returncode == 1
    assert result.stderr.startswith("token is missing: ")
    assert [path.name for path in tmp_path.iterdir()] == ["numbers.csv"]


def test_results_never_go_to_what_is_no_file(mock: MockServer, tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").symlink_to("/dev/full")
    result = run(mock, tmp_path, ["+15551230001"])
    assert (result.returncode, "is no regular file" in result.stderr) == (1, True)
    assert not mock.journal


ACCOUNT = f"project '{PROJECT}' at 127.0.0.1"


def results_file(folder: Path, *lines: str) -> Path:
    path = folder / "results.jsonl"
    path.write_text("\n".join([json.dumps({"account": ACCOUNT}), *lines]), "utf-8")
    return path


def record(number: str, outcome: str) -> str:
    return json.dumps({"phone_number": number, "outcome": outcome})


def test_a_last_line_without_its_end_counts_like_any_other(
    mock: MockServer, tmp_path: Path
) -> None:
    path = results_file(tmp_path, record("+15551230001", "bought"))
    numbers = ["+15551230001", "+15551230002"]
    for _ in range(2):
        assert run(mock, tmp_path, numbers).stdout == "2 of 2 numbers are bought.\n"
    assert requested(mock) == {"+15551230002": 1}
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()[1:]]
    assert [entry["outcome"] for entry in records] == ["bought", "intent", "bought"]


def test_a_line_that_is_cut_off_after_its_number_is_of_unknown_outcome(
    mock: MockServer, tmp_path: Path
) -> None:
    results_file(tmp_path, record("+15551230001", "intent")[:-3])
    for _ in range(2):
        result = run(mock, tmp_path, ["+15551230001", "+15551230002"])
        assert result.stdout.startswith("+15551230001: bought or not?"), result.stderr
        assert result.stdout.endswith("1 of 2 numbers are bought.\n")
    assert requested(mock) == {"+15551230002": 1}


def test_no_cut_of_a_line_makes_a_number_look_untried(tmp_path: Path) -> None:
    line = record("+15551230001", "intent")
    readable = line.index(', "outcome')
    for length in range(1, readable):
        with pytest.raises(ValueError, match="line 2 has not both a phone_number and an outcome"):
            bulk_buy.read(results_file(tmp_path, line[:length]), ACCOUNT)
    for length in range(readable, len(line)):
        path = results_file(tmp_path, line[:length])
        assert bulk_buy.read(path, ACCOUNT) == {"+15551230001": "unknown"}


@pytest.mark.parametrize(
    "line",
    [
        '{"phone_number": "+15551230001", "outcome": "Bought"}',
        '{"phone_number": "+15551230001", "outcome": ["bought"]}',
        '{"phone_number": "+15551230001", "outcome": bought}',
        '{"phone_number": "+15551230001"}',
        '{"phone_number": 15551230001, "outcome": "bought"}',
        "[]",
        "[" * 100_000,
    ],
    ids=lambda text: text[:60],
)
def test_a_line_that_is_no_record_stops_the_run_by_its_number(
    mock: MockServer, tmp_path: Path, line: str
) -> None:
    path = results_file(tmp_path, record("+15551230002", "bought"), "", line, "")
    before = path.read_bytes()
    result = run(mock, tmp_path, ["+15551230001"])
    assert result.returncode == 1
    assert result.stderr.startswith(f"{path}: line 4 has not both a phone_number and an outcome")
    assert path.read_bytes() == before
    assert not mock.journal


def test_an_outcome_added_by_hand_settles_what_is_unknown(tmp_path: Path) -> None:
    numbers = ["+15551230001", "+15551230002"]
    with MockServer(forgetful=True) as mock:
        mock.inject(drop=True, times=2)
        assert run(mock, tmp_path, numbers).stdout.count("bought or not?") == 2
        # The lines that the example shows: one with the SID, one to have the number tried again.
        bought, refused = re.findall(r"^    (\{.*\})$", str(bulk_buy.__doc__), re.MULTILINE)
        with (tmp_path / "results.jsonl").open("a", encoding="utf-8") as file:
            file.write(f"{bought}\n{refused.replace(*numbers)}")
        assert run(mock, tmp_path, numbers).stdout == "2 of 2 numbers are bought.\n"
        assert requested(mock) == {"+15551230001": 1, "+15551230002": 2}


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


@pytest.mark.parametrize(("limit", "asked"), [(5, 0), (45, 0), (95, 1)])
def test_a_full_disk_ends_the_run_with_what_could_not_be_written(
    mock: MockServer, tmp_path: Path, limit: int, asked: int
) -> None:
    path = results_file(tmp_path, "")
    size = path.stat().st_size + limit
    result = subprocess.run(
        command(tmp_path, ["+15551230001"]),
        env={**os.environ, **mock.environment},
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),
    )
    assert (result.returncode, len(mock.journal)) == (1, asked)
    assert result.stderr.startswith("Stopped: [Errno 27] File too large. Not written: {")
    lost = json.loads(result.stderr.partition("Not written: ")[2])
    assert lost["phone_number"] == "+15551230001"
    assert lost.get("sid") == (mock.phone_numbers()[0]["sid"] if asked else None)
    assert ("bought or not?" in result.stdout) == bool(asked)
    run(mock, tmp_path, ["+15551230001"])
    assert len(mock.journal) == asked


def started(mock: MockServer, folder: Path, numbers: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        command(folder, numbers),
        env={**os.environ, **mock.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_an_interrupted_run_waits_for_its_outcomes_and_sums_them_up(
    mock: MockServer, tmp_path: Path
) -> None:
    numbers = [f"+1555123{i:04}" for i in range(16)]
    mock.inject(delay_seconds=0.3, times=len(numbers))
    with started(mock, tmp_path, numbers) as process:
        while len(mock.journal) < 4:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        out, said = process.communicate()
    assert process.returncode == 130
    assert said.splitlines() == [
        "Waiting for what was sent. Ctrl-C again leaves at once.",
        "Stopped: Ctrl-C",
    ]
    assert out == f"{len(mock.phone_numbers())} of 16 numbers are bought.\n"
    assert 4 <= len(mock.phone_numbers()) == len(mock.journal) < 16


def test_a_second_interrupt_waits_for_nothing_and_says_what_is_unknown(
    mock: MockServer, tmp_path: Path
) -> None:
    mock.inject(delay_seconds=60)
    with started(mock, tmp_path, ["+15551230001"]) as process:
        while not mock.journal:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        assert "Ctrl-C again leaves" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, said = process.communicate()
    assert process.returncode == 130
    assert out.startswith("+15551230001: bought or not?")
    assert out.endswith("0 of 1 numbers are bought.\n")
    assert said.splitlines() == [
        "phone_numbers.purchase was cancelled after it was sent: it may have taken effect",
        "Stopped: Ctrl-C",
    ]


def test_a_results_file_that_an_editor_replaced_ends_the_run_and_loses_no_purchase(
    mock: MockServer, tmp_path: Path
) -> None:
    numbers = [f"+1555123{i:04}" for i in range(8)]
    path = tmp_path / "results.jsonl"
    mock.inject(delay_seconds=1, times=4)
    with started(mock, tmp_path, numbers) as first:
        while len(mock.journal) < 4:
            assert first.poll() is None
            time.sleep(0.005)
        # As `sed -i` does it, whose copy lacks what was written meanwhile.
        edited = tmp_path / "edited"
        edited.write_text("\n".join(path.read_text("utf-8").splitlines()[:-1]), "utf-8")
        edited.replace(path)
        with pytest.raises(BlockingIOError):
            bulk_buy.Results(path, ACCOUNT)
        _, said = first.communicate()
    assert (first.returncode, "was changed during the run" in said) == (1, True)
    assert len(mock.journal) == 4
    assert run(mock, tmp_path, numbers).stdout == "8 of 8 numbers are bought.\n"
    assert requested(mock) == dict.fromkeys(numbers, 1)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"number\n+15551230001\n", ": its first line names no column phone_number"),
        (b"", ": its first line names no column phone_number"),
        (b"note,phone_number\na,+15551230001\nb\n", ": line 3 has no phone_number"),
        (b"phone_number,note\n  ,a\n+15551230001,b\n", ": line 2 has no phone_number"),
        ("phone_number\n+15551230001\n".encode("utf-16"), " is no CSV file in UTF-8 ("),
        (
            "phone_number,note\n+15551230001,Zürich\n".encode("latin-1"),
            " is no CSV file in UTF-8 (",
        ),
        (b"phone_number\n" + b"1" * 200_000, " is no CSV file in UTF-8 (field larger than"),
    ],
)
def test_a_list_that_can_not_be_read_is_refused_by_its_line_before_anything(
    mock: MockServer, tmp_path: Path, content: bytes, problem: str
) -> None:
    arguments = command(tmp_path, [])
    source = tmp_path / "numbers.csv"
    source.write_bytes(content)
    result = subprocess.run(
        arguments,
        env={**os.environ, **mock.environment},
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr.startswith(f"{source}{problem}")
    assert list(tmp_path.iterdir()) == [source]
