"""The command `bulk`: call an operation for many rows, never twice for one."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ._bulk_rows import Search, read_rows, read_words
from ._bulk_run import SIGNALS, Run, each
from ._command_line import make_client
from ._contract import CANDIDATES, CAUTIONS
from ._errors import SignalWireError
from ._operation import Operation, Row
from ._rest_client import AsyncRestClient
from ._results_file import DONE, EXISTING, FAILED, IN_FLIGHT, UNKNOWN, Record, ResultsFile
from ._terminal import STATUSES, Status, Terminated, fail, may_go_on, results_written

_HELP = """\
Call an operation for each row of a CSV file, or for what a search finds. Every row is checked
before the first call. A row is never called twice: what is there already is left alone.
After a failure, run the same command again: it looks up what became of the rows that were in
flight, and continues.

  %(prog)s TAG.OPERATION rows.csv results.jsonl
  %(prog)s TAG.OPERATION --find TAG.SEARCH VALUE NAME=VALUE --count 5 --results results.jsonl
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    finders = "".join(f"  {source} finds rows for {target}\n" for source, target in CANDIDATES)
    parser.description, parser.epilog = _HELP, f"searches:\n{finders}\n{STATUSES}"
    parser.usage = "%(prog)s TAG.OPERATION [ROWS RESULTS] [options]"
    add = parser.add_argument
    words: Any = {"nargs": "+", "action": "extend"}
    number: Any = {"type": _count, "metavar": "N"}
    about = "its name in Python, after client.compat"
    add("operation", metavar="TAG.OPERATION", type=_operation, help=about)
    about = "a CSV file in UTF-8; its first line names arguments of the operation"
    add("rows", metavar="ROWS", type=Path, nargs="?", help=about)
    about = "the file that records what was called; created if missing"
    add("results_file", metavar="RESULTS", type=Path, nargs="?", help=about)
    about = "instead of ROWS: an operation that finds rows, and its arguments"
    add("--find", metavar="WORD", **words, help=about)
    add("--count", **number, help="how many calls must succeed, with --find")
    add("--results", metavar="RESULTS", type=Path, help="the same as RESULTS, with --find")
    about = "arguments of every call"
    add("--set", metavar="NAME=VALUE", default=[], **words, help=about)
    add("--limit", **number, help="stop after N calls, even if some of them failed")
    add("--dry-run", action="store_true", help="check the rows, search, and call nothing else")
    add("--concurrency", **number, default=4, help="how many calls at once (default: 4)")
    settle = (
        "how long the server may work on a call whose client was killed (default: 60). A row that "
        "was in flight, and is not there after this time, is called again"
    )
    add("--settle", type=_seconds, metavar="SECONDS", default=60.0, help=settle)
    parser.set_defaults(run=run)


def _operation(name: str) -> str:
    try:
        return Operation(name).name
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _count(text: str) -> int:
    if not re.fullmatch("0*[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds from 0")
    return float(text)


class _Job(NamedTuple):
    """What the command line asks for, checked."""

    client: AsyncRestClient
    operation: Operation
    rows: list[Row]
    search: Search | None
    account: str


def run(options: argparse.Namespace) -> int:
    """Run the command. Returns its exit status."""
    path = options.results or options.results_file
    names = (options.rows, options.find, options.count)
    has_rows, has_find, has_count = (value is not None for value in names)
    if not path or has_find == has_rows or has_count == has_rows:
        options.error("give ROWS and RESULTS, or --find, --count and --results")
    if options.rows and path.exists() and path.samefile(options.rows):
        options.error(f"{path} can't be both ROWS and RESULTS")
    try:
        job = _read_job(options)
        if not options.dry_run and not _may_go_on(job, options):
            return fail("Nothing was sent.", Status.NOT_DONE)
        head = {"account": job.account, "operation": job.operation.name, "find": options.find}
        is_opened = path.exists() or not options.dry_run
        results = ResultsFile(path, head, job.operation.key, options.rows) if is_opened else None
    except OSError as error:
        return fail(f"{error.filename or path} can't be opened: {error.strerror}.", Status.USAGE)
    except (NotImplementedError, ValueError) as error:
        return fail(str(error), Status.USAGE)
    with results or contextlib.nullcontext():
        if results is None or options.dry_run:
            return _plan(job, results.records if results else {}, options.count)
        return _process(job, results, options)


def _read_job(options: argparse.Namespace) -> _Job:
    client = make_client(AsyncRestClient, options)
    operation = Operation(options.operation, client)
    given = operation.read(read_words(options.set))
    # Without the port: the mock has a new one each time.
    account = f"project {client.account!r} at {urlsplit(client.base_url).hostname}"
    rows = [] if options.find else read_rows(options.rows, operation, given)
    search = Search(client, options.find, operation, given) if options.find else None
    return _Job(client, operation, rows, search, account)


def _may_go_on(job: _Job, options: argparse.Namespace) -> bool:
    number = min(options.count or len(job.rows), options.limit or sys.maxsize)
    calls = f"up to {number} calls" if number > 1 else "1 call"
    question = f"{job.operation.name}, {calls} for {job.account}"
    return may_go_on(question, CAUTIONS.get(job.operation.name), yes=options.yes)


def _plan(job: _Job, records: dict[str, Record], wanted: int | None) -> int:
    """Print what a run would send. Returns the exit status."""
    held = sum(record["outcome"] in (DONE, IN_FLIGHT, UNKNOWN) for record in records.values())
    old, rows, key = _old_rows(job, records), job.rows, job.operation.key

    async def find(search: Search) -> None:
        async with job.client:
            async for row in search.rows():
                if len(rows) + held >= (wanted or 0):
                    break
                if key(row) not in records:
                    rows.append(row)

    try:
        if job.search:
            asyncio.run(find(job.search))
    except (SignalWireError, ValueError) as error:
        return fail(str(error), Status.NOT_DONE)
    kept = dict.fromkeys((DONE, EXISTING), "done") | dict.fromkeys((IN_FLIGHT, UNKNOWN), "look up")
    with results_written("No call was made."):
        for row in old + rows:
            outcome = records.get(key(row), {"outcome": ""})["outcome"]
            print(f"{key(row)}  {kept.get(outcome, 'send'):<7}  {json.dumps(row)}")
        print(f"A dry run of {len(old + rows)} rows: no call was made.")
    return Status.DONE


def _process(job: _Job, results: ResultsFile, options: argparse.Namespace) -> int:
    """Work on all rows. Returns the exit status."""
    records = results.records
    old = _old_rows(job, records)
    total = options.count or len(job.rows) + len(old)
    limits = {"settle": options.settle, "wanted": options.count, "limit": options.limit}
    run = Run(job.client, job.operation.method, results, **limits)
    source = job.search.rows() if job.search else each(job.rows)
    try:
        asyncio.run(run.process(old, source, total, options.concurrency))
    except KeyboardInterrupt as error:
        ended = signal.SIGTERM if isinstance(error, Terminated) else signal.SIGINT
        run.reasons.append(SIGNALS[ended])
    for reason in dict.fromkeys(run.reasons):
        fail(f"Stopped: {reason}", Status.NOT_DONE)
    rows = [record["arguments"] for record in records.values()]
    if not job.search:
        rows = job.rows + [row for row in old if records[results.key(row)]["outcome"] != FAILED]
    with results_written(f"Every call has ended. {results.path} has the outcomes."):
        status = _print_outcomes(rows, results, options.count)
    return next((128 + n for n, reason in SIGNALS.items() if reason in run.reasons), status)


def _old_rows(job: _Job, records: dict[str, Record]) -> list[Row]:
    """Give the rows whose outcome is not known and which are not those of the CSV file."""
    asked = set(map(job.operation.key, job.rows))
    return [
        record["arguments"]
        for key, record in records.items()
        if record["outcome"] in (IN_FLIGHT, UNKNOWN) and key not in asked
    ]


def _print_outcomes(rows: list[Row], results: ResultsFile, wanted: int | None) -> int:
    """Print a line for each row and a sum. Returns the exit status."""
    outcomes: Counter[str] = Counter()
    keys = list(map(results.key, rows))
    width = max(map(len, keys), default=0)
    for key in keys:
        record = results.records.get(key, {"outcome": "not sent"})
        outcomes[record["outcome"]] += 1
        detail = " ".join(str(record.get("error") or record.get("sid") or "").split())
        print(f"{key:<{width}}  {record['outcome']:<9}  {detail}")
    done = outcomes[DONE] + (outcomes[EXISTING] if wanted is None else 0)
    total = len(rows) if wanted is None else wanted
    print(f"{done} of {total} done.")
    if outcomes[IN_FLIGHT] + outcomes[UNKNOWN]:
        print("What is in flight or unknown may be done. Run the command again: it looks it up.")
        return Status.UNKNOWN
    return Status.DONE if done >= total else Status.NOT_DONE
