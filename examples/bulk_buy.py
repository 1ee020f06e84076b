"""Buy the numbers of a CSV file, a few at a time, and never one of them twice.

    signalwire-compat-mock -- python examples/bulk_buy.py examples/numbers.csv results.jsonl

Before a purchase is sent its intent is on the disk, after it the outcome. A second run with the
same results file skips what is bought and tries again what was refused. Where an outcome is
missing, since the first run was killed or a reply was lost, the number may be bought: it is
reported and left alone.
"""

import argparse
import asyncio
import csv
import fcntl
import json
import os
import re
import sys
import threading
from pathlib import Path
from typing import Any

from rich.progress import Progress
from signalwire_compat import AsyncRestClient, SignalWireError

STOP_AT = ("credentials", "funds")  # Every further purchase would be refused as well.


class Results:
    """The results file: one JSON object a line, on the disk before `write` returns."""

    def __init__(self, path: Path) -> None:
        """Open it for this process alone. Errors: `BlockingIOError` if another one has it."""
        self._lock = threading.Lock()
        self._file = path.open("a+b")
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder = os.open(path.parent, os.O_RDONLY)
        os.fsync(folder)  # The name of a new file has to last, too.
        os.close(folder)
        self._file.seek(0)
        text = self._file.read()
        # A line that a kill cut off was not there yet when anything was sent or answered.
        self._file.truncate(text.rfind(b"\n") + 1)
        self.outcomes: dict[str, str] = {}
        for line in text[: text.rfind(b"\n") + 1].splitlines():
            record = json.loads(line)
            self.outcomes[record["phone_number"]] = record["outcome"]

    def write(self, phone_number: str, outcome: str, **details: Any) -> None:
        """Add a record: outcome is "intent", "bought", "refused" or "unknown"."""
        record = {"phone_number": phone_number, "outcome": outcome, **details}
        with self._lock:
            self._file.write(json.dumps(record).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
            self.outcomes[phone_number] = outcome


def numbers_of(path: Path) -> list[str]:
    """Read the column phone_number, each number once."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if "phone_number" not in (rows.fieldnames or ()):
            raise ValueError(f"{path}: its first line names no column phone_number")
        return list(dict.fromkeys(row["phone_number"].strip() for row in rows))


async def buy(client: AsyncRestClient, results: Results, phone_number: str) -> str | None:
    """Buy one number. Returns why there is no point in going on, if there is none."""
    await asyncio.to_thread(results.write, phone_number, "intent")
    try:
        bought = await client.compat.phone_numbers.purchase(PhoneNumber=phone_number)
    except SignalWireError as error:
        outcome = "unknown" if error.outcome_unknown else "refused"
        details = {"error": str(error), "sid": error.sid}
        await asyncio.to_thread(lambda: results.write(phone_number, outcome, **details))
        return str(error) if error.category in STOP_AT else None
    await asyncio.to_thread(lambda: results.write(phone_number, "bought", sid=bought.sid))
    return None


async def buy_all(numbers: list[str], results: Results, concurrency: int) -> str | None:
    """Buy what is left of the numbers, at most `concurrency` at once."""
    left = iter([n for n in numbers if results.outcomes.get(n) in (None, "refused")])
    stopped: list[str] = []
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Buying", total=len(numbers))
        progress.advance(task, sum(n in results.outcomes for n in numbers))

        async def work(client: AsyncRestClient) -> None:
            for phone_number in left:
                if reason := await buy(client, results, phone_number):
                    stopped.append(reason)
                if stopped:
                    return
                progress.advance(task)

        async with AsyncRestClient() as client, asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work(client))
    return stopped[0] if stopped else None


def main() -> int:
    """Run the command: 0 if every number is bought, else 1 and what is left."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("numbers", type=Path, help="a CSV file with a column phone_number")
    parser.add_argument("results", type=Path, help="what was bought; made if it is not there")
    parser.add_argument(
        "--concurrency", type=int, default=4, help="purchases at once (%(default)s)"
    )
    options = parser.parse_args()
    try:
        numbers = numbers_of(options.numbers)
        results = Results(options.results)
    except BlockingIOError:
        return _fail(f"{options.results}: another run is at work on it. Let it end first.")
    except (OSError, ValueError) as error:
        return _fail(str(error))
    stopped = asyncio.run(buy_all(numbers, results, max(1, options.concurrency)))
    outcomes = {number: results.outcomes.get(number, "not tried") for number in numbers}
    for number, outcome in outcomes.items():
        if outcome in ("intent", "unknown"):
            print(f"{number}: bought or not? Look in your Space; it is not tried again.")
        elif outcome == "refused":
            print(f"{number}: refused; {options.results} says why.")
    print(f"{sum(o == 'bought' for o in outcomes.values())} of {len(numbers)} numbers are bought.")
    if stopped:
        return _fail(f"Stopped: {stopped}")
    return 0 if set(outcomes.values()) <= {"bought"} else 1


def _fail(message: str) -> int:
    print(re.sub(r"\s+", " ", message), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
