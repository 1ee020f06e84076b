"""The command `bulk`: call an operation for many rows, never twice for one."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ._bulk_rows import Search, read_rows, read_words
from ._bulk_run import INTERRUPTED, Run, each
from ._contract import CANDIDATES, CAUTIONS
from ._errors import SignalWireError
from ._operation import Operation, Row
from ._rest_client import AsyncRestClient
from ._results_file import DONE, EXISTING, IN_FLIGHT, UNKNOWN, Record, ResultsFile
from ._settings import SHOWN
from ._terminal import STATUSES, Status, fail, may_go_on, results_written

_HELP = """\
Call an operation for each row of a CSV file, whose columns are argument names, or for what
another operation finds. Never calls it twice for one row: what exists already is left alone.
Killed or interrupted, it can be run again with the same results file: it looks up what became of
the rows that were in flight, and goes on. Every row is checked before the first call.

  signalwire-compat bulk TAG.OPERATION rows.csv results.jsonl
  signalwire-compat bulk TAG.OPERATION --count 5 --results results.jsonl \\
      --find TAG.SEARCH VALUE NAME=VALUE
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command takes."""
    finders = "".join(f"  {source} finds rows for {target}\n" for source, target in CANDIDATES)
    parser.description, parser.epilog = _HELP, f"{finders}\n{STATUSES}"
    add = parser.add_argument
    add("operation", help="its name in Python after client.compat, as TAG.OPERATION")
    add("rows", type=Path, nargs="?", help="a CSV file in UTF-8")
    add("results_file", metavar="results", type=Path, nargs="?", help="created if necessary")
    add("--results", type=Path, help="the results file, with --find")
    add(
        "--find",
        nargs="+",
        action="extend",
        metavar="ARG",
        help="an operation that finds rows, and its arguments",
    )
    add("--count", type=_count, help="how many calls are to succeed, with --find")
    add(
        "--set",
        nargs="+",
        action="extend",
        metavar="NAME=VALUE",
        default=[],
        help="arguments of every call",
    )
    add("--limit", type=_count, help="stop after so many calls, whatever came of them")
    add("--dry-run", action="store_true", help="check the rows, search, and call nothing else")
    add("--concurrency", type=_count, default=4, help="calls at once (%(default)s)")
    settle = (
        "for how many seconds a call may be under way after its client died (%(default)s): a "
        "row that was in flight, and is not there, is sent again only after them"
    )
    add("--settle", type=_seconds, metavar="SECONDS", default=60.0, help=settle)
    parser.set_defaults(run=run, error=parser.error)


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
    if not path or (options.find is None) == (options.rows is None):
        options.error("give a CSV file and a results file, or --find, --count and --results")
    if (options.find is None) != (options.count is None):
        options.error("--find and --count belong together")
    try:
        job = _read_job(options)
        if not options.dry_run and not _may_go_on(job, options):
            return fail("Nothing was sent.", Status.NOT_DONE)
        head = {"account": job.account, "operation": job.operation.name, "find": options.find}
        is_opened = path.exists() or not options.dry_run
        results = ResultsFile(path, head, job.operation.key, options.rows) if is_opened else None
    except (NotImplementedError, OSError, ValueError) as error:
        return fail(str(error), Status.USAGE)
    with results or contextlib.nullcontext():
        if results is None or options.dry_run:
            return _plan(job, results.records if results else {}, options.count)
        return _process(job, results, options)


def _read_job(options: argparse.Namespace) -> _Job:
    client = AsyncRestClient(**{name: getattr(options, name) for name in SHOWN})
    operation = Operation(options.operation, client)
    given = operation.read(read_words(options.set))
    # Without the port: the mock has a new one each time.
    account = f"project {client.account!r} at {urlsplit(client.base_url).hostname}"
    rows = [] if options.find else read_rows(options.rows, operation, given)
    search = Search(client, options.find, operation, given) if options.find else None
    return _Job(client, operation, rows, search, account)


def _may_go_on(job: _Job, options: argparse.Namespace) -> bool:
    number = min(options.count or len(job.rows), options.limit or sys.maxsize)
    question = f"{job.operation.name}, up to {number} calls for {job.account}"
    return may_go_on(question, CAUTIONS.get(job.operation.name), yes=options.yes)


def _plan(job: _Job, records: dict[str, Record], wanted: int | None) -> int:
    """Print what a run would send. Returns the exit status."""
    held = sum(record["outcome"] in (DONE, IN_FLIGHT, UNKNOWN) for record in records.values())
    rows, key = job.rows, job.operation.key

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
    with results_written():
        for row in rows:
            outcome = records.get(key(row), {"outcome": ""})["outcome"]
            print(f"{key(row)}  {kept.get(outcome, 'send'):<7}  {json.dumps(row)}")
        print(f"A dry run of {len(rows)} rows: no call was made.")
    return Status.DONE


def _process(job: _Job, results: ResultsFile, options: argparse.Namespace) -> int:
    """Work on all rows. Returns the exit status."""
    total = options.count or len(job.rows)
    limits = {"settle": options.settle, "wanted": options.count, "limit": options.limit}
    run = Run(job.client, job.operation.method, results, **limits)
    source = job.search.rows() if job.search else each(job.rows)
    try:
        asyncio.run(run.process(source, total, options.concurrency))
    except KeyboardInterrupt:
        run.reasons.append(INTERRUPTED)
    for reason in dict.fromkeys(run.reasons):
        fail(f"Stopped: {reason}", Status.NOT_DONE)
    found = [record["arguments"] for record in results.records.values()]
    with results_written():
        status = _print_outcomes(found if job.search else job.rows, results, options.count)
    return Status.INTERRUPTED if INTERRUPTED in run.reasons else status


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
