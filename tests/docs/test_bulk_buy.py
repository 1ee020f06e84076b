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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import bulk_buy
import pytest
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from tests.conftest import PROJECT, ROOT
from tests.docs.conftest import Ended, Execute

SCRIPT = ROOT / "examples" / "bulk_buy.py"
ACCOUNT = f"project '{PROJECT}' at 127.0.0.1"
ONE, TWO = "+15551230001", "+15551230002"
MANY = [f"+1555123{i:04}" for i in range(16)]


@dataclass
class BulkBuy:
    """The example with its files, and a mock to buy from."""

    numbers: Path
    results: Path
    mock: MockServer
    execute: Execute
    process: "subprocess.Popen[str]" = field(init=False)

    def run(self, *numbers: str, **settings: str) -> Ended:
        """Run it in this process. Without `numbers` their file stays as it is."""
        if numbers:
            self.numbers.write_text("\n".join(["phone_number", *numbers]), "utf-8")
        environment = {**self.mock.environment, **settings}
        arguments = str(self.numbers), str(self.results)
        return self.execute(SCRIPT.read_text("utf-8"), *arguments, environment=environment)

    def start(self, *numbers: str) -> "subprocess.Popen[str]":
        """Run it in a process that a test can kill."""
        self.numbers.write_text("\n".join(["phone_number", *numbers]), "utf-8")
        return subprocess.Popen(
            [sys.executable, "-W", "error", SCRIPT, self.numbers, self.results],
            env={**os.environ, **self.mock.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_request(self, process: "subprocess.Popen[str]") -> None:
        while not self.mock.journal:
            assert process.poll() is None
            time.sleep(0.005)

    @contextmanager
    def at_charge(self, number: int, signal: signal.Signals) -> Iterator[None]:
        """Send the process a signal before it gets the reply to its purchase of that number."""

        def change(answer: Answer) -> Answer:
            if self.mock.charges() == number:
                self.process.send_signal(signal)
            return answer

        with self.mock.answering(change):
            yield

    def write_results(self, *lines: str) -> None:
        self.results.write_text("\n".join([json.dumps({"account": ACCOUNT}), *lines]), "utf-8")

    def requested(self) -> Counter[str]:
        """Count the purchases that were sent to the end, by number."""
        forms = (dict(exchange.form) for exchange in self.mock.journal if exchange.form)
        return Counter(form["PhoneNumber"] for form in forms)


@pytest.fixture
def bulk(tmp_path: Path, mock: MockServer, execute: Execute) -> BulkBuy:
    return BulkBuy(tmp_path / "numbers.csv", tmp_path / "results.jsonl", mock, execute)


def record(number: str, outcome: str) -> str:
    return json.dumps({"phone_number": number, "outcome": outcome})


def unclear(out: str) -> list[str]:
    return re.findall(r"^(\S+): may have been bought\. Check your Space", out, re.MULTILINE)


def test_a_second_run_skips_what_the_first_one_bought(bulk: BulkBuy) -> None:
    assert bulk.run(*MANY[:4], MANY[0]) == (0, "4 of 4 numbers are bought.\n", "")
    assert bulk.run(*MANY[:7]) == (0, "7 of 7 numbers are bought.\n", "")
    assert bulk.requested() == dict.fromkeys(MANY[:7], 1)


@pytest.mark.parametrize("charges", [1, 4, 9])
def test_a_run_after_a_kill_buys_the_rest_and_nothing_twice(bulk: BulkBuy, charges: int) -> None:
    with bulk.at_charge(charges, signal.SIGKILL), bulk.start(*MANY) as bulk.process:
        bulk.process.communicate()
    assert bulk.process.returncode == -signal.SIGKILL
    assert charges <= bulk.mock.charges() < len(MANY)
    second = bulk.run(*MANY)
    assert max(bulk.requested().values()) == 1
    assert second.status == (1 if unclear(second.out) else 0), second.err
    assert len(unclear(second.out)) <= 4
    bought = {number["phone_number"] for number in bulk.mock.phone_numbers()}
    assert bought | set(unclear(second.out)) == set(MANY)


def test_a_lost_reply_is_reported_in_every_run_and_not_repeated(bulk: BulkBuy) -> None:
    bulk.mock.inject(drop=True)
    for _ in range(2):
        ended = bulk.run(ONE)
        assert (ended.status, unclear(ended.out)) == (1, [ONE])
    assert bulk.requested() == {ONE: 1}


def test_what_was_refused_is_tried_again_by_the_next_run(bulk: BulkBuy) -> None:
    bulk.mock.inject(code=21601)
    assert f"{ONE}: refused" in bulk.run(ONE).out
    assert bulk.run(ONE).out == "1 of 1 numbers are bought.\n"


def test_an_empty_account_stops_the_run_before_more_is_asked(bulk: BulkBuy) -> None:
    bulk.mock.inject(code=30002, times=4)
    ended = bulk.run(*MANY)
    assert (ended.status, ended.err[:9]) == (1, "Stopped: ")
    assert len(bulk.mock.journal) <= 8


@pytest.mark.parametrize(
    "content",
    [
        b"only line",
        b"phone_number\n+15551230001",
        b'{"phone_number": "+15551230001", "outcome": "refused"}\n',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
    ids=lambda content: repr(content[:60]),
)
def test_a_file_that_holds_no_results_is_left_as_it_was(bulk: BulkBuy, content: bytes) -> None:
    bulk.results.write_bytes(content)
    assert bulk.run(ONE) == (1, "", f"{bulk.results} is not a results file. Name another one.\n")
    assert bulk.results.read_bytes() == content
    assert not bulk.mock.journal


def test_the_results_of_one_account_are_not_taken_for_those_of_another(bulk: BulkBuy) -> None:
    assert bulk.run(ONE).status == 0
    before = bulk.results.read_bytes()
    project = "0d5e2e5c-3f0e-4a6e-9c53-4b6cf6f3a111"
    url = bulk.mock.url.replace("127.0.0.1", "localhost")
    for setting, other in (
        ({"SIGNALWIRE_PROJECT_ID": project}, f"project '{project}' at 127.0.0.1"),
        ({"SIGNALWIRE_SPACE": url}, f"project '{PROJECT}' at localhost"),
    ):
        said = f"{bulk.results} belongs to {ACCOUNT}, not to {other}. Name another file.\n"
        assert bulk.run(ONE, **setting) == (1, "", said)
    assert bulk.results.read_bytes() == before


def test_a_mock_at_another_port_goes_on_with_the_results(bulk: BulkBuy) -> None:
    with MockServer() as first:
        assert bulk.run(ONE, **first.environment).status == 0
        assert bulk.run(ONE).out == "1 of 1 numbers are bought.\n"
    assert not bulk.mock.journal


def test_a_missing_setting_is_said_and_leaves_nothing_behind(bulk: BulkBuy) -> None:
    ended = bulk.run(ONE, SIGNALWIRE_API_TOKEN="")
    assert (ended.status, ended.err[:18]) == (1, "token is missing: ")
    assert [file.name for file in bulk.results.parent.iterdir()] == ["numbers.csv"]


def test_results_never_go_to_what_is_not_a_file(bulk: BulkBuy) -> None:
    bulk.results.symlink_to("/dev/full")
    assert bulk.run(ONE) == (1, "", f"{bulk.results} is not a regular file. Name another one.\n")
    assert not bulk.mock.journal


def test_a_last_line_without_its_end_counts_like_any_other(bulk: BulkBuy) -> None:
    bulk.write_results(record(ONE, "bought"))
    for _ in range(2):
        assert bulk.run(ONE, TWO).out == "2 of 2 numbers are bought.\n"
    assert bulk.requested() == {TWO: 1}
    records = [json.loads(line) for line in bulk.results.read_text("utf-8").splitlines()[1:]]
    assert [entry["outcome"] for entry in records] == ["bought", "intent", "bought"]


def test_a_line_that_is_cut_off_after_its_number_is_of_unknown_outcome(bulk: BulkBuy) -> None:
    bulk.write_results(record(ONE, "intent")[:-3])
    for _ in range(2):
        ended = bulk.run(ONE, TWO)
        assert unclear(ended.out) == [ONE]
        assert ended.out.endswith("1 of 2 numbers are bought.\n")
    assert bulk.requested() == {TWO: 1}


def test_no_cut_of_a_line_makes_a_number_look_untried(bulk: BulkBuy) -> None:
    line = record(ONE, "intent")
    readable = line.index(', "outcome')
    for length in range(1, len(line)):
        bulk.write_results(line[:length])
        if length < readable:
            with pytest.raises(ValueError, match="line 2 needs a phone_number and an outcome"):
                bulk_buy.read_outcomes(bulk.results, ACCOUNT)
        else:
            assert bulk_buy.read_outcomes(bulk.results, ACCOUNT) == {ONE: "unknown"}


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
def test_a_line_that_is_not_a_record_stops_the_run_by_its_number(bulk: BulkBuy, line: str) -> None:
    bulk.write_results(record(TWO, "bought"), "", line, "")
    before = bulk.results.read_bytes()
    ended = bulk.run(ONE)
    assert ended.status == 1
    assert ended.err.startswith(f"{bulk.results}: line 4 needs a phone_number and an outcome, one")
    assert bulk.results.read_bytes() == before
    assert not bulk.mock.journal


def test_an_outcome_added_by_hand_settles_what_is_unknown(bulk: BulkBuy) -> None:
    with MockServer(forgetful=True) as bulk.mock:
        bulk.mock.inject(drop=True, times=2)
        assert unclear(bulk.run(ONE, TWO).out) == [ONE, TWO]
        # The lines that the example shows: one with the SID, one to have the number tried again.
        bought, refused = re.findall(r"^    (\{.*\})$", str(bulk_buy.__doc__), re.MULTILINE)
        with bulk.results.open("a", encoding="utf-8") as file:
            file.write(f"{bought}\n{refused.replace(ONE, TWO)}")
        assert bulk.run(ONE, TWO).out == "2 of 2 numbers are bought.\n"
        assert bulk.requested() == {ONE: 1, TWO: 2}


def test_two_runs_at_once_do_not_share_a_results_file(bulk: BulkBuy) -> None:
    bulk.mock.inject(delay_seconds=60)
    with bulk.start(ONE) as process:
        bulk.wait_for_request(process)
        said = f"{bulk.results} is in use by another run. Wait until it ends.\n"
        assert bulk.run(ONE) == (1, "", said)
        bulk.results.unlink()  # As an editor does it.
        assert bulk.run(ONE) == (1, "", said)
        process.kill()
    assert bulk.mock.charges() == 1


@pytest.mark.parametrize(("limit", "asked"), [(5, 0), (45, 0), (95, 1)])
def test_a_full_disk_ends_the_run_with_what_could_not_be_written(
    bulk: BulkBuy, limit: int, asked: int
) -> None:
    bulk.run(TWO)  # Imports everything: the limit would cut compiled files off.
    bulk.mock.reset()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = bulk.results.stat().st_size + limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        ended = bulk.run(ONE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (ended.status, len(bulk.mock.journal)) == (1, asked)
    assert ended.err.startswith("Stopped: [Errno 27] File too large. Not written: {")
    lost = json.loads(ended.err.partition("Not written: ")[2])
    assert lost["phone_number"] == ONE
    assert lost.get("sid") == (bulk.mock.phone_numbers()[0]["sid"] if asked else None)
    assert unclear(ended.out) == [ONE] * asked
    bulk.run(ONE)
    assert len(bulk.mock.journal) == asked


def test_an_interrupted_run_waits_for_its_outcomes_and_sums_them_up(bulk: BulkBuy) -> None:
    with bulk.at_charge(4, signal.SIGINT), bulk.start(*MANY) as bulk.process:
        out, err = bulk.process.communicate()
    assert bulk.process.returncode == 130
    assert err.splitlines() == [
        "Waiting for open purchases. Press Ctrl-C again to quit at once.",
        "Stopped: Ctrl-C",
    ]
    assert out == f"{len(bulk.mock.phone_numbers())} of 16 numbers are bought.\n"
    assert 4 <= len(bulk.mock.phone_numbers()) == len(bulk.mock.journal) < 16


def test_a_second_interrupt_waits_for_nothing_and_says_what_is_unknown(bulk: BulkBuy) -> None:
    bulk.mock.inject(delay_seconds=60)
    with bulk.start(ONE) as process:
        bulk.wait_for_request(process)
        process.send_signal(signal.SIGINT)
        assert process.stderr
        assert "Press Ctrl-C again" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, unclear(out)) == (130, [ONE])
    assert out.endswith("0 of 1 numbers are bought.\n")
    interrupted, stopped = err.splitlines()
    assert "was interrupted after it was sent: it may have taken effect" in interrupted
    assert stopped == "Stopped: Ctrl-C"


def test_a_results_file_that_an_editor_replaced_ends_the_run_and_loses_no_purchase(
    bulk: BulkBuy,
) -> None:
    edited = bulk.results.with_name("edited")

    def edit(answer: Answer) -> Answer:
        # As `sed -i` does it, whose copy lacks what was written meanwhile.
        if len(bulk.mock.journal) == 0:
            edited.write_text("\n".join(bulk.results.read_text("utf-8").splitlines()[:-1]), "utf-8")
            edited.replace(bulk.results)
        return answer

    with bulk.mock.answering(edit):
        ended = bulk.run(*MANY)
    assert (ended.status, "was changed during the run" in ended.err) == (1, True)
    assert 1 <= len(bulk.mock.journal) <= 4
    assert bulk.run(*MANY).out == "16 of 16 numbers are bought.\n"
    assert bulk.requested() == dict.fromkeys(MANY, 1)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"number\n+15551230001\n", ": the first line needs a column phone_number"),
        (b"", ": the first line needs a column phone_number"),
        (b"note,phone_number\na,+15551230001\nb\n", ": line 3 has no phone_number"),
        (b"phone_number,note\n  ,a\n+15551230001,b\n", ": line 2 has no phone_number"),
        ("phone_number\n+15551230001\n".encode("utf-16"), " is not a CSV file in UTF-8: "),
        ("phone_number\nZürich\n".encode("latin-1"), " is not a CSV file in UTF-8: "),
        (b"phone_number\n" + b"1" * 200_000, " is not a CSV file in UTF-8: field larger than"),
    ],
)
def test_a_list_that_can_not_be_read_is_refused_by_its_line_before_anything(
    bulk: BulkBuy, content: bytes, problem: str
) -> None:
    bulk.numbers.write_bytes(content)
    ended = bulk.run()
    assert ended.status == 1
    assert ended.err.startswith(f"{bulk.numbers}{problem}")
    assert list(bulk.results.parent.iterdir()) == [bulk.numbers]
