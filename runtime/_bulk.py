"""The command `signalwire-compat bulk`: call an operation for many rows, never twice for one."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from ._bulk_rows import Operation, Row, Search, read_rows, read_words
from ._bulk_run import INTERRUPTED, Run, each
from ._client import AsyncRestClient
from ._contract import CANDIDATES
from ._results_file import DONE, EXISTING, IN_FLIGHT, UNKNOWN, ResultsFile

_HELP = """\
Call an operation for each row of a CSV file, whose columns are argument names, or for what
another operation finds. Never calls it twice for one row: what exists already is left alone.
Killed or interrupted, it can be run again with the same results file: it looks up what became of
the rows that were in flight, and goes on.

  signalwire-compat bulk TAG.OPERATION rows.csv results.jsonl
  signalwire-compat bulk TAG.OPERATION --count 5 --results results.jsonl \\
      --find TAG.SEARCH VALUE NAME=VALUE
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="signalwire-compat")
    commands = parser.add_subparsers(required=True, metavar="bulk")
    raw = argparse.RawDescriptionHelpFormatter
    finders = "\n".join(f"  {source} finds rows for {target}" for source, target in CANDIDATES)
    bulk = commands.add_parser("bulk", description=_HELP, epilog=finders, formatter_class=raw)
    add = bulk.add_argument
    add("operation", help="its name in Python after client.compat, as TAG.OPERATION")
    add("rows", type=Path, nargs="?", help="a CSV file in UTF-8")
    add("results_file", metavar="results", type=Path, nargs="?", help="created if necessary")
    add("--results", type=Path, help="the results file, with --find")
    add("--find", nargs="+", metavar="ARG", help="an operation that finds rows, and its arguments")
    add("--count", type=_count, help="how many calls are to succeed, with --find")
    add("--set", nargs="+", metavar="NAME=VALUE", default=[], help="arguments of every call")
    add("--concurrency", type=_count, default=4, help="calls at once (%(default)s)")
    settle = (
        "for how many seconds a call may be under way after its client died (%(default)s): a "
        "row that was in flight, and is not there, is sent again only after them"
    )
    add("--settle", type=_seconds, metavar="SECONDS", default=60.0, help=settle)
    bulk.set_defaults(error=bulk.error)
    return parser


def _count(text: str) -> int:
    if not re.fullmatch("0*[1-9][0-9]{0,8}", text):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds from 0")
    return float(text)


def main() -> int:
    """Run the command. Returns 0 if everything is done, 130 after Ctrl-C, else 1."""
    options = _parser().parse_args()
    path = options.results or options.results_file
    if not path or (options.find is None) == (options.rows is None):
        options.error("give a CSV file and a results file, or --find, --count and --results")
    if (options.find is None) != (options.count is None):
        options.error("--find and --count belong together")
    try:
        return _bulk(options, path)
    except (NotImplementedError, OSError, ValueError) as error:
        return _fail(str(error))


def _bulk(options: argparse.Namespace, path: Path) -> int:
    client = AsyncRestClient()
    operation = Operation(client, options.operation)
    given = operation.read(read_words(options.set))
    # Without the port: the mock has a new one each time.
    account = f"project {client.account!r} at {urlsplit(client.base_url).hostname}"
    job: Row = {"account": account, "operation": operation.name, "find": options.find}
    rows = [] if options.find else read_rows(options.rows, operation, given)
    source = Search(client, options.find, operation, given).rows() if options.find else each(rows)
    with ResultsFile(path, job, operation.key, options.rows) as results:
        run = Run(client, operation.method, results, settle=options.settle, wanted=options.count)
        try:
            asyncio.run(run.process(source, options.count or len(rows), options.concurrency))
        except KeyboardInterrupt:
            run.reasons.append(INTERRUPTED)
    for reason in dict.fromkeys(run.reasons):
        _fail(f"Stopped: {reason}")
    if options.find:
        rows = [record["arguments"] for record in results.records.values()]
    is_done = _print_outcomes(rows, results, options.count)
    return 130 if INTERRUPTED in run.reasons else int(not is_done)


def _print_outcomes(rows: list[Row], results: ResultsFile, wanted: int | None) -> bool:
    """Print a line for each row and a sum. Returns whether everything is done."""
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
    return done >= total


def _fail(message: str) -> int:
    for line in message.splitlines():
        print(" ".join(line.split()), file=sys.stderr)
    return 1
