"""The results file: what it holds, whose it is, and what happens if somebody damages it."""

import json
import os
import resource
from pathlib import Path

import pytest
from signalwire_compat_mock import MockServer
from signalwire_compat_mock.engine import Answer

from tests.bulk.conftest import ACCOUNT, PURCHASE, Bulk, record, records
from tests.conftest import PROJECT

ONE, TWO, NEW = "+15551230001", "+15551230002", "+15551239999"
MANY = [f"+1555123{i:04}" for i in range(16)]
IN_USE = "is in use by another run. Wait until it ends.\n"


def test_a_row_is_written_before_it_is_sent_and_with_its_outcome_after(bulk: Bulk) -> None:
    written: list[str] = []

    def look(answer: Answer) -> Answer:
        if answer.operation_id == "purchase":
            written.extend(entry["outcome"] for entry in records(bulk.results))
        return answer

    with bulk.mock.answering(look):
        bulk.run(ONE)
    assert written == ["in flight"]
    head = json.loads(bulk.results.read_text("utf-8").partition("\n")[0])
    assert head == {"account": ACCOUNT, "operation": PURCHASE, "find": None}
    _, last = records(bulk.results)
    (number,) = bulk.mock.phone_numbers()
    assert last.pop("at")[:2] == "20"
    assert last == {"outcome": "done", "arguments": {"PhoneNumber": ONE}, "sid": number["sid"]}


@pytest.mark.parametrize(
    "content",
    [
        b"only line",
        b"PhoneNumber\n+15551230001",
        b'{"at": "2026-01-31T12:00:00+00:00", "outcome": "failed", "arguments": {}}\n',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"\n",
    ],
    ids=lambda content: repr(content[:60]),
)
def test_a_file_that_holds_no_results_is_left_as_it_was(bulk: Bulk, content: bytes) -> None:
    bulk.results.write_bytes(content)
    assert bulk.run(ONE) == (2, "", f"{bulk.results} is not a results file. Name another one.\n")
    assert bulk.results.read_bytes() == content
    assert not bulk.mock.journal


def test_the_results_of_one_job_are_not_taken_for_those_of_another(bulk: Bulk) -> None:
    assert bulk.run(ONE).status == 0
    before = bulk.results.read_bytes()
    project = "0d5e2e5c-3f0e-4a6e-9c53-4b6cf6f3a111"
    url = bulk.mock.url.replace("127.0.0.1", "localhost")
    for setting, other in (
        ({"SIGNALWIRE_PROJECT_ID": project}, f"project '{project}' at 127.0.0.1"),
        ({"SIGNALWIRE_SPACE": url}, f"project '{PROJECT}' at localhost"),
    ):
        said = f"belongs to account {ACCOUNT}, not to {other}. Name another file.\n"
        assert bulk.run(ONE, settings=setting) == (2, "", f"{bulk.results} {said}")
    found = bulk.find(1)
    assert f"{bulk.results} belongs to find None, not to ['phone_numbers.search" in found.err
    assert bulk.results.read_bytes() == before


def test_a_mock_at_another_port_goes_on_with_the_results(bulk: Bulk) -> None:
    with MockServer() as first:
        assert bulk.run(ONE, settings=first.environment).status == 0
        assert bulk.run(ONE).outcomes == {ONE: "done"}
    assert not bulk.mock.journal


def test_results_never_go_to_what_is_not_a_file(bulk: Bulk) -> None:
    bulk.results.symlink_to("/dev/full")
    assert bulk.run(ONE) == (2, "", f"{bulk.results} is not a regular file. Name another one.\n")
    assert not bulk.mock.journal


def test_a_last_line_without_its_end_counts_like_any_other(bulk: Bulk) -> None:
    bulk.write_results(record(ONE, "done"))
    for _ in range(2):
        assert bulk.run(ONE, TWO).outcomes == {ONE: "done", TWO: "done"}
    assert bulk.purchases() == {TWO: 1}
    assert [entry["outcome"] for entry in records(bulk.results)] == ["done", "in flight", "done"]


@pytest.mark.parametrize(
    "line",
    [
        '{"at": "2026-01-31", "outcome": "Done", "arguments": {"PhoneNumber": "+15551230001"}}',
        '{"at": "2026-01-31", "outcome": ["done"], "arguments": {"PhoneNumber": "+15551230001"}}',
        '{"at": "soon", "outcome": "done", "arguments": {"PhoneNumber": "+15551230001"}}',
        '{"at": "2026-01-31", "outcome": "done", "arguments": {"PhoneNumber": 15551230001}}',
        '{"at": "2026-01-31", "outcome": "done", "arguments": {}}',
        '{"at": "2026-01-31", "outcome": "done"}',
        "[]",
    ],
)
def test_a_line_that_is_not_a_record_stops_the_run_by_its_number(bulk: Bulk, line: str) -> None:
    bulk.write_results(record(TWO, "done"), "", line, "")
    before = bulk.results.read_bytes()
    ended = bulk.run(ONE)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"{bulk.results}: line 4 is not a record of this command. Correct")
    assert bulk.results.read_bytes() == before
    assert not bulk.mock.journal


def test_an_emptied_results_file_buys_nothing_again(bulk: Bulk) -> None:
    bulk.run(*MANY[:4])
    os.truncate(bulk.results, 0)
    ended = bulk.run(*MANY[:5])
    assert ended.outcomes == {**dict.fromkeys(MANY[:4], "existing"), MANY[4]: "done"}
    assert (ended.status, ended.summary) == (0, "5 of 5 done.")
    bulk.results.unlink()
    Path(f"{bulk.results}.lock").unlink()
    assert bulk.run().outcomes == dict.fromkeys(MANY[:5], "existing")
    assert bulk.purchases() == dict.fromkeys(MANY[:5], 1)


def test_a_run_that_ended_does_not_shorten_the_wait_after_a_cut(bulk: Bulk) -> None:
    bulk.run(TWO)
    os.truncate(bulk.results, 0)
    for _ in range(2):
        with bulk.start(ONE) as process:
            assert process.stderr
            assert process.stderr.readline().startswith(f"{ONE}: waiting ")
            process.kill()
    assert bulk.purchases() == {TWO: 1}


@pytest.mark.parametrize("is_long", [False, True])
def test_what_was_cut_off_is_waited_for_whatever_is_left(bulk: Bulk, is_long: bool) -> None:
    if is_long:
        bulk.run(*MANY, results=bulk.folder / "another.jsonl")
    bulk.run(ONE, TWO)
    os.truncate(bulk.results, 0)
    if is_long:
        bulk.run(*MANY)  # Makes the file longer than it was.
    else:
        bulk.write_results(record(NEW, "in flight"))  # Nothing says that it was sent again.
    with bulk.start(NEW) as process:
        assert process.stderr
        assert process.stderr.readline().startswith(f"{NEW}: waiting ")
        process.kill()
    assert NEW not in bulk.purchases()


def test_a_results_file_that_is_cut_anywhere_buys_nothing_again(bulk: Bulk) -> None:
    bulk.run(ONE, TWO)
    whole = bulk.results.read_bytes()
    head = whole.index(b"\n")
    for keep in range(len(whole) - 1, head - 1, -7):
        bulk.results.write_bytes(whole[:keep])
        assert set(bulk.run().outcomes.values()) <= {"done", "existing"}
    assert bulk.purchases() == {ONE: 1, TWO: 1}


@pytest.mark.parametrize("kept", [0.0, 0.5, 1.0])
def test_a_search_whose_results_were_cut_is_refused_in_every_run(bulk: Bulk, kept: float) -> None:
    assert bulk.find(3).status == 0
    whole = bulk.results.read_bytes()
    bulk.results.write_bytes(whole[: int(kept * (len(whole) - 1))])
    for _ in range(2):
        ended = bulk.find(3)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith(f"{bulk.results} is shorter than the last run left it, and ma")
    assert bulk.mock.charges() == 3
    bulk.results.write_bytes(whole)
    assert bulk.find(4).summary == "4 of 4 done."
    assert bulk.mock.charges() == 4


def test_two_runs_at_once_share_neither_results_nor_input(bulk: Bulk) -> None:
    bulk.mock.inject(delay_seconds=60, operation="purchase")
    with bulk.start(ONE) as process:
        bulk.wait_for_purchase(process)
        link = bulk.folder / "link.jsonl"
        link.hardlink_to(bulk.results)
        assert bulk.run(results=link) == (2, "", f"{link} {IN_USE}")
        other = bulk.folder / "other.jsonl"
        assert bulk.run(results=other) == (2, "", f"{bulk.numbers} {IN_USE}")
        bulk.results.unlink()  # As an editor does it.
        assert bulk.run() == (2, "", f"{bulk.results} {IN_USE}")
        process.kill()
    assert bulk.mock.charges() == 1


@pytest.mark.parametrize(("limit", "bought"), [(5, 0), (100, 0), (210, 1)])
def test_a_full_disk_ends_the_run_with_what_could_not_be_written(
    bulk: Bulk, limit: int, bought: int
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
    assert (ended.status, bulk.mock.charges()) == (3 if bought else 1, bought)
    said = f"Stopped: {bulk.results} can't be written: File too large. Not written: {{"
    assert ended.err.startswith(said)
    lost = json.loads(ended.err.partition("Not written: ")[2])
    assert lost["arguments"] == {"PhoneNumber": ONE}
    assert lost.get("sid") == (bulk.mock.phone_numbers()[0]["sid"] if bought else None)
    assert ended.outcomes == {ONE: "in flight" if bought else "not sent"}
    assert bulk.run(ONE).outcomes == {ONE: "done"}
    assert bulk.purchases() == {ONE: 1}


def test_a_results_file_that_an_editor_replaced_ends_the_run_and_loses_no_purchase(
    bulk: Bulk,
) -> None:
    edited = bulk.results.with_name("edited")

    def edit(answer: Answer) -> Answer:
        # As `sed -i` does it, whose copy lacks what was written meanwhile.
        if answer.operation_id == "purchase" and not bulk.purchases():
            edited.write_text("\n".join(bulk.results.read_text("utf-8").splitlines()[:-1]), "utf-8")
            edited.replace(bulk.results)
        return answer

    with bulk.mock.answering(edit):
        ended = bulk.run(*MANY)
    # 3 if the editor lost the record of a row whose call was under way.
    assert (ended.status in (1, 3), "was changed during the run" in ended.err) == (True, True)
    assert 1 <= bulk.mock.charges() <= 4
    ended = bulk.run(*MANY)
    assert (ended.status, ended.summary) == (0, "16 of 16 done.")
    assert bulk.purchases() == dict.fromkeys(MANY, 1)
