"""Buy the numbers of a CSV file, a few at a time, and never one of them twice.

    signalwire-compat-mock -- python examples/bulk_buy.py examples/numbers.csv results.jsonl

It needs rich beside the client, and Linux or macOS. Before a purchase is sent its intent is on the
disk, after it the outcome. A second run with the same results file skips what is bought and tries
again what was refused. Where an outcome is missing, since the first run was killed or a reply was
lost, the number may be bought: it is reported and left alone. Look in your Space, then add the
outcome to the results file, a line by hand. What is "refused" is tried again:

    {"phone_number": "+15551230001", "outcome": "bought", "sid": "..."}
    {"phone_number": "+15551230001", "outcome": "refused"}

The results are of one account. For another one, or after a trial with the mock, name another file.
"""

import argparse
import asyncio
import csv
import fcntl
import json
import os
import re
import signal
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.progress import Progress
from signalwire_compat import AsyncRestClient, SignalWireError

STOP_AT = ("credentials", "funds")  # Every further purchase would be refused as well.
INTERRUPTED = "Ctrl-C"
OUTCOMES = ("intent", "bought", "refused", "unknown")


class Results:
    """The results file: its account, then one JSON object a line. It is added to, and never cut."""

    def __init__(self, path: Path, account: str) -> None:
        """Read it, or make it if it is not there.

        Errors: `ValueError` for any other file, `BlockingIOError` if another run has it.
        """
        self._path = path.resolve()
        self._seen = self._state()
        self.outcomes = read(path, account) if path.exists() else {}
        # Held until the process ends. An editor puts another file in the place of the results.
        lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not path.exists() or not path.stat().st_size:
            self._add({"account": account})
            self._seen = self._state()
            folder = os.open(self._path.parent, os.O_RDONLY)
            os.fsync(folder)  # The name of a new file has to last, too.
            os.close(folder)

    def write(self, phone_number: str, outcome: str, **details: Any) -> None:
        """Add a record: it is on the disk when this returns, in milliseconds.

        Errors: `OSError`. No intent is written once somebody else has changed the file.
        """
        record = {"phone_number": phone_number, "outcome": outcome, **details}
        changed = self._state() != self._seen
        if not changed or outcome != "intent":
            try:
                self._add(record)
            except OSError as error:
                raise OSError(f"{error}. Not written: {json.dumps(record)}") from error
            self.outcomes[phone_number] = outcome
        if changed:
            raise OSError(f"{self._path} was changed during the run. Run it again.")
        self._seen = self._state()

    def _add(self, record: dict[str, Any]) -> None:
        # Opened each time, so that an outcome goes where the next run looks for it.
        with self._path.open("a+b") as file:
            file.seek(max(0, file.tell() - 1))
            if file.read() not in (b"", b"\n"):
                file.write(b"\n")  # An editor left it out, or a full disk cut the line off.
            file.write(json.dumps(record).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _state(self) -> tuple[int, ...] | None:
        stat = self._path.stat() if self._path.exists() else None
        return stat and (stat.st_dev, stat.st_ino, stat.st_size)


def account_of(client: AsyncRestClient) -> str:
    """Say whose numbers the client buys."""
    # Without the port, since the mock takes another one each time.
    return f"project {client.project!r} at {urlsplit(client.base_url).hostname}"


def read(path: Path, account: str) -> dict[str, str]:
    """Read a results file: the last outcome of each number. Errors: `ValueError` with the line."""
    if not path.is_file():
        raise ValueError(f"{path} is no regular file. Name another one.")
    try:
        head, *lines = path.read_text("utf-8-sig").split("\n")
        found = json.loads(head)["account"] if head or lines else account
    except (LookupError, RecursionError, TypeError, ValueError):
        raise ValueError(f"{path} is no results file. Name another one.") from None
    if found != account:
        raise ValueError(f"{path} is of {found}, not of {account}. Name another file.")
    outcomes = {}
    for number, line in enumerate(lines, 2):
        match record_of(line):
            case {"phone_number": str(phone_number), "outcome": outcome} if outcome in OUTCOMES:
                outcomes[phone_number] = outcome
            case _ if line.strip():
                raise ValueError(
                    f"{path}: line {number} has not both a phone_number and an outcome, which is "
                    f"{', '.join(OUTCOMES)}. Mend it; if it is cut off, look in your Space for a "
                    "number that no other line names, then delete it."
                )
    return outcomes


def record_of(line: str) -> object:
    """Decode a line; None if it is no JSON."""
    try:
        return json.loads(line)
    except (RecursionError, ValueError):
        # What is cut off after its number could have said anything.
        cut = re.match(r'\{"phone_number": "([^"]+)".*(?<!\})$', line)
        return {"phone_number": cut[1], "outcome": "unknown"} if cut else None


def numbers_of(path: Path) -> list[str]:
    """Read the column phone_number, each number once. Errors: `ValueError` with the line."""
    numbers = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if "phone_number" not in (rows.fieldnames or ()):
                raise ValueError(f"{path}: its first line names no column phone_number")
            for row in rows:
                numbers[(row["phone_number"] or "").strip()] = rows.line_num
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no CSV file in UTF-8 ({error}). Save it as one.") from None
    if "" in numbers:
        raise ValueError(f"{path}: line {numbers['']} has no phone_number")
    return list(numbers)


async def buy(client: AsyncRestClient, results: Results, phone_number: str) -> str | None:
    """Buy one number. Returns why there is no point in going on, if there is none."""
    results.write(phone_number, "intent")
    try:
        bought = await client.compat.phone_numbers.purchase(PhoneNumber=phone_number)
    except SignalWireError as error:
        outcome = "unknown" if error.outcome_unknown else "refused"
        results.write(phone_number, outcome, error=str(error), sid=error.sid)
        return str(error) if error.category in STOP_AT else None
    results.write(phone_number, "bought", sid=bought.sid)
    return None


async def buy_all(
    client: AsyncRestClient, numbers: list[str], results: Results, concurrency: int
) -> list[str]:
    """Buy what is left of the numbers, at most `concurrency` at once. Returns why it stopped."""
    left = [number for number in numbers if results.outcomes.get(number) in (None, "refused")]
    queue = iter(left)
    stopped: list[str] = []

    def interrupt() -> None:
        stopped.append(INTERRUPTED)
        loop.remove_signal_handler(signal.SIGINT)
        print("Waiting for what was sent. Ctrl-C again leaves at once.", file=sys.stderr)

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, interrupt)
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Buying", total=len(left))

        async def work() -> None:
            while not stopped and (phone_number := next(queue, None)):
                try:
                    reason = await buy(client, results, phone_number)
                except OSError as error:
                    reason = str(error)
                if reason:
                    stopped.append(reason)
                progress.advance(task)

        async with client, asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
    return stopped


def main() -> int:
    """Run the command: 0 if every number is bought, else 1 and what is left, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("numbers", type=Path, help="a CSV file with a column phone_number")
    parser.add_argument("results", type=Path, help="what was bought; made if it is not there")
    parser.add_argument("--concurrency", type=int, default=4, help="purchases at once (4)")
    options = parser.parse_args()
    try:
        numbers = numbers_of(options.numbers)
        client = AsyncRestClient()
        results = Results(options.results, account_of(client))
    except BlockingIOError:
        return _fail(f"{options.results}: another run is at work on it. Let it end first.")
    except (OSError, ValueError) as error:
        return _fail(str(error))
    try:
        stopped = asyncio.run(buy_all(client, numbers, results, max(1, options.concurrency)))
    except KeyboardInterrupt:
        stopped = [INTERRUPTED]
    outcomes = {number: results.outcomes.get(number, "not tried") for number in numbers}
    for number, outcome in outcomes.items():
        if outcome in ("intent", "unknown"):
            print(f"{number}: bought or not? Look in your Space; it is not tried again.")
        elif outcome == "refused":
            print(f"{number}: refused; {options.results} says why.")
    print(f"{sum(o == 'bought' for o in outcomes.values())} of {len(numbers)} numbers are bought.")
    for reason in dict.fromkeys(stopped):
        _fail(f"Stopped: {reason}")
    if INTERRUPTED in stopped:
        return 130
    return 0 if set(outcomes.values()) <= {"bought"} else 1


def _fail(message: str) -> int:
    print(re.sub(r"\s+", " ", message), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
