"""However a run ends, the next one goes on from there and buys nothing twice."""

import json
import os
import pty
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from tests.bulk.conftest import ACCOUNT, COMMAND, PURCHASE, Bulk, finding, record
from tests.conftest import answered_on_a_terminal, run

ONE, TWO, NEVER = "+15551230001", "+15551230002", "+15550021401"
MANY = [f"+1555123{i:04}" for i in range(16)]
FOUND = [f"+1512555{i:04}" for i in range(100, 110)]


def test_a_second_run_skips_what_the_first_one_bought(bulk: Bulk) -> None:
    ended = bulk.run(*MANY[:4], MANY[0])
    assert (ended.status, ended.summary, ended.err) == (0, "4 of 4 done.", "")
    assert bulk.run(*MANY[:7]).summary == "7 of 7 done."
    assert bulk.purchases() == dict.fromkeys(MANY[:7], 1)


def test_a_refused_row_in_the_middle_is_reported_and_stops_nothing(bulk: Bulk) -> None:
    ended = bulk.run(ONE, NEVER, TWO)
    assert (ended.status, ended.summary) == (1, "2 of 3 done.")
    assert ended.outcomes == {ONE: "done", NEVER: "failed", TWO: "done"}
    (line,) = (line for line in ended.out.splitlines() if line.startswith(NEVER))
    assert "status 422, code 21401: The number to purchase is not a valid phone number" in line


def test_what_was_refused_is_tried_again_by_the_next_run(bulk: Bulk) -> None:
    bulk.mock.inject(code=21601, operation="purchase")
    assert bulk.run(ONE).outcomes == {ONE: "failed"}
    assert bulk.run(ONE).outcomes == {ONE: "done"}


def test_an_empty_account_stops_the_run_before_more_is_asked(bulk: Bulk) -> None:
    bulk.mock.inject(code=30002, times=4, operation="purchase")
    ended = bulk.run(*MANY)
    assert (ended.status, ended.err[:9]) == (1, "Stopped: ")
    assert sum(bulk.purchases().values()) <= 8
    assert "not sent" in ended.outcomes.values()


def test_a_wrong_token_stops_the_run_before_more_is_asked(bulk: Bulk) -> None:
    ended = bulk.run(*MANY, settings={"SIGNALWIRE_API_TOKEN": "PTanother-token-of-no-account"})
    assert (ended.status, ended.err[:9], ended.summary) == (1, "Stopped: ", "0 of 16 done.")
    assert len(bulk.mock.journal) <= 8


def test_a_number_that_the_account_owns_is_not_bought_again(bulk: Bulk) -> None:
    bulk.run(ONE)
    ended = bulk.run(results=bulk.folder / "another.jsonl")
    assert (ended.status, ended.outcomes) == (0, {ONE: "existing"})
    assert bulk.purchases() == {ONE: 1}


def test_nothing_is_bought_while_nothing_can_be_looked_up(bulk: Bulk) -> None:
    bulk.mock.inject(status=500, operation="list", times=6)
    ended = bulk.run(ONE, TWO)
    assert ended.outcomes == {ONE: "failed", TWO: "failed"}
    assert not bulk.purchases()


@pytest.mark.parametrize("charges", [1, 4, 9])
def test_a_run_after_a_kill_buys_the_rest_and_nothing_twice(bulk: Bulk, charges: int) -> None:
    with bulk.at_charge(charges, signal.SIGKILL), bulk.start(*MANY) as bulk.process:
        bulk.process.communicate()
    assert bulk.process.returncode == -signal.SIGKILL
    assert charges <= bulk.mock.charges() < len(MANY)
    second = bulk.run(*MANY)
    assert (second.status, second.summary) == (0, "16 of 16 done.")
    assert second.outcomes == dict.fromkeys(MANY, "done")
    assert bulk.purchases() == dict.fromkeys(MANY, 1)


def test_a_lost_reply_is_found_by_looking_in_the_same_run(bulk: Bulk) -> None:
    bulk.mock.inject(drop=True, operation="purchase")
    assert bulk.run(ONE).outcomes == {ONE: "done"}
    assert bulk.purchases() == {ONE: 1}


def test_an_unknown_outcome_is_not_sent_again_before_it_was_looked_up(bulk: Bulk) -> None:
    now = datetime.now(UTC).isoformat()
    bulk.write_results(record(ONE, "unknown", now), record(TWO, "in flight", now))
    bulk.mock.inject(status=404, operation="list", times=2)
    ended = bulk.run(ONE, TWO)
    assert (ended.status, ended.outcomes) == (3, {ONE: "unknown", TWO: "unknown"})
    assert ended.summary.endswith("may be done. Run the command again: it looks it up.")
    assert not bulk.purchases()
    assert bulk.run().outcomes == {ONE: "done", TWO: "done"}


class Gate:
    """A server before the mock that holds each purchase back, even if its client dies."""

    def __init__(self, mock: MockServer) -> None:
        gate, self.arrived, self.opened = self, threading.Event(), threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.forward(b"")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                gate.arrived.set()
                gate.opened.wait()
                self.forward(body)

            def forward(self, body: bytes) -> None:
                headers = {name: self.headers[name] for name in ("authorization", "content-type")}
                reply = httpx.request(
                    self.command,
                    f"{mock.url}{self.path}",
                    headers={name: text for name, text in headers.items() if text},
                    content=body,
                )
                self.send_response(reply.status_code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(reply.content)))
                self.end_headers()
                self.wfile.write(reply.content)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                pass  # The client is dead.

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.opened.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def gate(mock: MockServer) -> Iterator[Gate]:
    gate = Gate(mock)
    yield gate
    gate.close()


def test_a_purchase_that_outlives_its_client_is_waited_for(bulk: Bulk, gate: Gate) -> None:
    with bulk.start(ONE, SIGNALWIRE_SPACE=gate.url) as process:
        gate.arrived.wait()
        process.kill()
    looked = threading.Event()

    def open_after_a_look(answer: Answer) -> Answer:
        if answer.operation_id == "list" and not looked.is_set():
            looked.set()
            threading.Timer(0.2, gate.opened.set).start()
        return answer

    with bulk.mock.answering(open_after_a_look):
        ended = bulk.run(settle="2")
    assert ended.outcomes == {ONE: "done"}
    assert ended.err.startswith(f"{ONE}: waiting ")
    assert bulk.purchases() == {ONE: 1}


def test_what_is_not_there_in_time_is_bought_by_the_second_run(bulk: Bulk) -> None:
    now = datetime.now(UTC).isoformat()
    bulk.write_results(record(ONE, "in flight", now), record(TWO, "in flight"))
    ended = bulk.run(ONE, TWO)
    assert ended.outcomes == {ONE: "done", TWO: "done"}
    # The other one is old enough.
    (line,) = ended.err.splitlines()
    assert line.startswith(f"{ONE}: waiting ")


@pytest.mark.parametrize(
    ("sent", "status", "name"), [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "SIGTERM")]
)
def test_an_interrupted_run_waits_for_its_outcomes_and_sums_them_up(
    bulk: Bulk, sent: signal.Signals, status: int, name: str
) -> None:
    with bulk.at_charge(4, sent), bulk.start(*MANY) as bulk.process:
        out, err = bulk.process.communicate()
    assert bulk.process.returncode == status
    assert err.splitlines() == [
        "Waiting for open calls. Press Ctrl-C again to quit at once.",
        f"Stopped: {name}",
    ]
    bought = bulk.mock.charges()
    assert out.endswith(f"\n{bought} of 16 done.\n")
    assert 4 <= bought == sum(bulk.purchases().values()) < 16


@pytest.mark.parametrize(("second", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_interrupt_waits_for_nothing_and_says_what_is_unknown(
    bulk: Bulk, second: signal.Signals, status: int
) -> None:
    bulk.mock.inject(delay_seconds=60, operation="purchase")
    with bulk.start(ONE) as process:
        bulk.wait_for_purchase(process)
        process.send_signal(second)
        assert process.stderr
        assert "Press Ctrl-C again" in process.stderr.readline()
        process.send_signal(second)
        out, err = process.communicate()
    assert (process.returncode, out.splitlines()[:2]) == (
        status,
        [f"{ONE}  in flight  ", "0 of 1 done."],
    )
    interrupted, stopped = err.splitlines()
    assert "was interrupted after it was sent: it may have taken effect" in interrupted
    assert stopped == f"Stopped: {'Ctrl-C' if status == 130 else 'SIGTERM'}"


def test_an_interrupt_ends_the_wait_for_an_old_row(bulk: Bulk) -> None:
    bulk.write_results(record(ONE, "in flight", datetime.now(UTC).isoformat()))
    with bulk.start(ONE) as process:
        assert process.stderr
        assert process.stderr.readline().startswith(f"{ONE}: waiting ")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert (process.returncode, bulk.purchases()) == (130, {})
    assert out.startswith(f"{ONE}  in flight")


def test_a_search_buys_as_many_as_are_wanted_and_no_more(bulk: Bulk) -> None:
    for wanted in (3, 3, 5):
        ended = bulk.find(wanted, "--set", "FriendlyName=Desk")
        assert (ended.status, ended.summary) == (0, f"{wanted} of {wanted} done.")
        assert ended.outcomes == dict.fromkeys(FOUND[:wanted], "done")
    assert {n["friendly_name"] for n in bulk.mock.phone_numbers()} == {"Desk"}
    assert bulk.purchases() == dict.fromkeys(FOUND[:5], 1)


def test_a_candidate_that_was_sold_meanwhile_is_replaced_by_the_next(bulk: Bulk) -> None:
    for _ in range(2):
        bulk.mock.inject(code=10000, operation="purchase")
    ended = bulk.find(3)
    assert (ended.status, ended.summary) == (0, "3 of 3 done.")
    assert sorted(ended.outcomes.values()) == ["done"] * 3 + ["failed"] * 2
    assert bulk.mock.charges() == 3


def test_a_number_that_a_search_gives_twice_is_bought_once(bulk: Bulk) -> None:
    offers = [{"phone_number": number} for number in (FOUND[0], FOUND[0], FOUND[1])]
    bulk.mock.inject(body=json.dumps({"available_phone_numbers": offers}), operation="search_local")
    assert bulk.find(3).outcomes == dict.fromkeys(FOUND[:3], "done")
    assert bulk.purchases() == dict.fromkeys(FOUND[:3], 1)


def test_an_unknown_outcome_counts_until_it_is_looked_up(bulk: Bulk) -> None:
    bulk.write_results(record(FOUND[0], "in flight"), find=finding(bulk.results, 1)[3:6])
    bulk.mock.inject(status=404, operation="list")
    ended = bulk.find(1)
    assert (ended.status, ended.outcomes) == (3, {FOUND[0]: "unknown"})
    assert not bulk.purchases()
    assert bulk.find(1).outcomes == {FOUND[0]: "done"}
    assert bulk.mock.charges() == 1


def test_a_row_in_flight_is_not_sent_again_if_fewer_are_wanted_now(bulk: Bulk) -> None:
    search = finding(bulk.results, 1)[3:6]
    bulk.write_results(record(FOUND[0], "done"), record(FOUND[1], "in flight"), find=search)
    ended = bulk.find(1)
    assert (ended.status, ended.outcomes) == (0, {FOUND[0]: "done", FOUND[1]: "failed"})
    assert not bulk.purchases()


def test_an_interrupt_does_not_give_up_a_row_in_flight_that_is_not_needed_now(bulk: Bulk) -> None:
    search, now = finding(bulk.results, 1)[3:6], datetime.now(UTC).isoformat()
    bulk.write_results(
        record(FOUND[0], "in flight", now), record(FOUND[1], "in flight", now), find=search
    )
    with bulk.start(find=1) as process:
        assert process.stderr
        for _ in range(2):
            assert "waiting " in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == 130
    assert [line.split()[1:] for line in out.splitlines()[:2]] == [["in", "flight"]] * 2


def test_a_search_ends_when_nothing_more_is_for_sale(bulk: Bulk) -> None:
    ended = bulk.find(91)
    assert (ended.status, ended.summary) == (1, "90 of 91 done.")
    assert ended.err == "Stopped: nothing more was found.\n"
    assert set(bulk.purchases().values()) == {1}


def test_a_search_whose_candidates_all_fail_stops_soon(bulk: Bulk) -> None:
    bulk.mock.inject(code=21402, operation="purchase", times=50)
    ended = bulk.find(20)
    assert (ended.status, ended.summary) == (1, "0 of 20 done.")
    assert ended.err.startswith("Stopped: 10 rows in a row failed, the last one: phone_numbers.pur")
    assert 10 <= sum(bulk.purchases().values()) <= 13


def test_a_wrong_argument_of_every_call_stops_a_search_before_it_buys(bulk: Bulk) -> None:
    ended = bulk.find(2, "--set", "VoiceMethod=PUT")
    assert (ended.status, ended.err) == (
        1,
        'Stopped: VoiceMethod must be "GET" or "POST", got "PUT"\n',
    )
    assert not bulk.purchases()


def test_a_row_in_flight_that_left_the_csv_file_is_looked_up_and_not_sent(bulk: Bulk) -> None:
    bulk.run(ONE, results=bulk.folder / "another.jsonl")
    bulk.write_results(record(ONE, "in flight"), record(MANY[8], "unknown"))
    ended = bulk.run(TWO)
    assert (ended.status, ended.outcomes) == (0, {TWO: "done", ONE: "done"})
    assert bulk.purchases() == {ONE: 1, TWO: 1}
    bulk.write_results(record(MANY[8], "in flight"))
    bulk.mock.inject(status=404, operation="list")
    ended = bulk.run("")
    assert (ended.status, ended.outcomes) == (3, {MANY[8]: "unknown"})


def test_a_limit_ends_the_run_and_the_next_one_goes_on(bulk: Bulk) -> None:
    bulk.write(*MANY[:3], NEVER, *MANY[3:5])
    command = ("bulk", PURCHASE, str(bulk.numbers), str(bulk.results), "--limit", "3")
    first = bulk.call(*command, "--concurrency", "1")
    said = "Stopped: as many calls were made as --limit allows.\n"
    assert (first.status, first.summary, first.err) == (1, "3 of 6 done.", said)
    # A call that is refused counts as well.
    assert bulk.call(*command).summary == "5 of 6 done."
    assert bulk.purchases() == dict.fromkeys([*MANY[:5], NEVER], 1)
    found = bulk.folder / "found.jsonl"
    assert bulk.call(*finding(found, 5), "--limit", "2").summary == "2 of 5 done."


def test_a_dry_run_names_the_rows_that_a_run_looks_up_first(bulk: Bulk) -> None:
    bulk.write(TWO)
    bulk.write_results(record(ONE, "in flight"))
    ended = bulk.call("bulk", PURCHASE, str(bulk.numbers), str(bulk.results), "--dry-run")
    assert [line.split("  ")[:2] for line in ended.out.splitlines()[:-1]] == [
        [ONE, "look up"],
        [TWO, "send"],
    ]
    bulk.write_results(record(FOUND[4], "unknown"), find=finding(bulk.results, 2)[3:6])
    ended = bulk.call(*finding(bulk.results, 2), "--dry-run")
    assert [line.split("  ")[:2] for line in ended.out.splitlines()[:-1]] == [
        [FOUND[4], "look up"],
        [FOUND[0], "send"],
    ]


def test_a_dry_run_says_what_a_run_would_send_and_sends_nothing(bulk: Bulk) -> None:
    bulk.run(ONE)
    before = bulk.results.read_bytes()
    bulk.numbers.write_text(f"PhoneNumber,SmsUrl\n{ONE},\n{TWO},https://a.test/s\n", "utf-8")
    command = ("bulk", PURCHASE, str(bulk.numbers), str(bulk.results), "--dry-run")
    ended = bulk.call(*command, settings={"SIGNALWIRE_SPACE": "127.0.0.1:9"})
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f'{ONE}  done     {{"PhoneNumber": "{ONE}"}}',
        f'{TWO}  send     {{"PhoneNumber": "{TWO}", "SmsUrl": "https://a.test/s"}}',
        "A dry run of 2 rows: no call was made.",
    ]
    assert bulk.results.read_bytes() == before
    bulk.write("555")
    assert bulk.call(*command).status == 2
    found = bulk.folder / "found.jsonl"
    assert bulk.call(*finding(found, 2), "--dry-run").outcomes == dict.fromkeys(FOUND[:2], "send")
    assert not found.exists()
    assert bulk.mock.charges() == 1


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1)])
def test_a_run_that_costs_money_is_asked_for(bulk: Bulk, answer: str, status: int) -> None:
    bulk.write(ONE, TWO)
    command = (COMMAND, "bulk", PURCHASE, bulk.numbers, bulk.results)
    ended = answered_on_a_terminal(answer, *command, environment=bulk.mock.environment)
    assert ended.stderr.startswith(
        f"{PURCHASE}, up to 2 calls for {ACCOUNT}\nA purchase costs money"
    )
    assert (ended.returncode, bulk.mock.charges()) == (status, 2 - 2 * status)


def test_a_run_without_an_answer_needs_yes(bulk: Bulk) -> None:
    bulk.write(ONE)
    files = (str(bulk.numbers), str(bulk.results))
    done = run(COMMAND, "bulk", PURCHASE, *files, cwd=bulk.folder, **bulk.mock.environment)
    assert (done.returncode, done.stderr.count("add --yes")) == (2, 1)
    assert not bulk.mock.journal


def test_a_run_needs_nothing_that_windows_lacks(bulk: Bulk, gate: Gate) -> None:
    script = Path(__file__).with_name("windows_command.py")
    with bulk.start(ONE, command=script, SIGNALWIRE_SPACE=gate.url) as first:
        while not gate.arrived.wait(0.05):
            assert first.poll() is None
        with bulk.start(ONE, command=script) as second:
            assert "is in use by another run" in second.communicate()[1]
        first.send_signal(signal.SIGINT)
        assert first.stderr
        assert first.stderr.readline().startswith("Waiting for open calls.")
        gate.opened.set()
        out, _ = first.communicate()
    assert (second.returncode, first.returncode) == (2, 130)
    assert out.endswith("1 of 1 done.\n")
    assert bulk.purchases() == {ONE: 1}


def test_progress_is_shown_on_a_terminal(bulk: Bulk) -> None:
    main, terminal = pty.openpty()
    with bulk.start(ONE, TWO, stderr=terminal) as process:
        process.communicate()
    os.close(terminal)
    shown = os.read(main, 10_000).decode()
    os.close(main)
    assert f"\r[{'#' * 30}] 2 of 2 \r\n" in shown
