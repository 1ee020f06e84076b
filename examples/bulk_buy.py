"""Buy the numbers of a CSV file, a few at a time, and never one of them twice.

    signalwire-compat-mock -- python examples/bulk_buy.py examples/numbers.csv results.jsonl

Needs rich, and Linux or macOS. Each intent is on the disk before its purchase is sent, each outcome
after it. A second run with the same results file skips what was bought and retries what was
refused. If an outcome is missing, because a run was killed or a reply was lost, the number may have
been bought: it is reported and not retried. Check your Space, then record the outcome by adding a
line to the results file; what is "refused" is retried:

    {"phone_number": "+15551230001", "outcome": "bought", "sid": "..."}
    {"phone_number": "+15551230001", "outcome": "refused"}

A results file belongs to one account. Use another file for another account, or after a trial with
the mock.
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

STOP_AT = ("credentials", "funds")  # Every further purchase would be refused too.
INTERRUPTED = "Ctrl-C"
OUTCOMES = ("intent", "bought", "refused", "unknown")


class Results:
    """The results file: a line with its account, then one JSON object a line. It only grows."""

    def __init__(self, path: Path, account: str) -> None:
        """Read or create the file, and lock it. Errors: `ValueError`, `BlockingIOError`."""
        self._path = path.resolve()
        self._seen = self._fingerprint()
        self.outcomes = read_outcomes(path, account)
        # The lock is a file of its own, since an editor may replace the results.
        self._lock = os.open(f"{self._path}.lock", os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not self._path.stat().st_size:
            self._append({"account": account})
            self._seen = self._fingerprint()
            folder = os.open(self._path.parent, os.O_RDONLY)
            os.fsync(folder)  # Keeps the name of the new file.
            os.close(folder)

    def close(self) -> None:
        """Let another run use the file."""
        os.close(self._lock)

    def write(self, phone_number: str, outcome: str, **details: Any) -> None:
        """Add a record and wait until it is on the disk: milliseconds. Errors: `OSError`.

        No intent is written once somebody else has changed the file.
        """
        record = {"phone_number": phone_number, "outcome": outcome, **details}
        changed = self._fingerprint() != self._seen
        if not changed or outcome != "intent":
            try:
                self._append(record)
            except OSError as error:
                raise OSError(f"{error}. Not written: {json.dumps(record)}") from error
            self.outcomes[phone_number] = outcome
        if changed:
            raise OSError(f"{self._path} was changed during the run. Run it again.")
        self._seen = self._fingerprint()

    def _append(self, record: dict[str, Any]) -> None:
        # Opened each time, so that the record goes where the next run reads it.
        with self._path.open("a+b") as file:
            file.seek(max(0, file.tell() - 1))
            if file.read() not in (b"", b"\n"):
                file.write(b"\n")  # Missing after an edit, or after a full disk.
            file.write(json.dumps(record).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _fingerprint(self) -> tuple[int, ...]:
        self._path.touch()
        stat = self._path.stat()
        return stat.st_dev, stat.st_ino, stat.st_size


def read_outcomes(path: Path, account: str) -> dict[str, str]:
    """Return the last outcome of each number. Errors: `ValueError` that names the line."""
    if not path.is_file():
        raise ValueError(f"{path} is not a regular file. Name another one.")
    try:
        head, *lines = path.read_text("utf-8-sig").split("\n")
        found = json.loads(head)["account"] if head or lines else account
    except (LookupError, RecursionError, TypeError, ValueError):
        raise ValueError(f"{path} is not a results file. Name another one.") from None
    if found != account:
        raise ValueError(f"{path} belongs to {found}, not to {account}. Name another file.")
    outcomes = {}
    for number, line in enumerate(lines, 2):
        # A line that is cut off after its number could have held any outcome.
        cut = re.match(r'\{"phone_number": "([^"]+)".*(?<!\})$', line)
        try:
            record = json.loads(line)
        except (RecursionError, ValueError):
            record = {"phone_number": cut[1], "outcome": "unknown"} if cut else None
        match record:
            case {"phone_number": str(phone_number), "outcome": outcome} if outcome in OUTCOMES:
                outcomes[phone_number] = outcome
            case _ if line.strip():
                raise ValueError(
                    f"{path}: line {number} needs a phone_number and an outcome, one of "
                    f"{', '.join(OUTCOMES)}. Fix it; if it is cut off, check your Space for a "
                    "number that no other line names, then delete it."
                )
    return outcomes


def read_numbers(path: Path) -> list[str]:
    """Return the column phone_number without repeats. Errors: `ValueError` that names the line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            if "phone_number" not in (rows.fieldnames or ()):
                raise ValueError(f"{path}: the first line needs a column phone_number")
            lines = {(row["phone_number"] or "").strip(): rows.line_num for row in rows}
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is not a CSV file in UTF-8: {error}") from None
    if "" in lines:
        raise ValueError(f"{path}: line {lines['']} has no phone_number")
    return list(lines)


async def buy(client: AsyncRestClient, results: Results, phone_number: str) -> str | None:
    """Buy one number. Returns a reason to stop, if there is one."""
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
    """Buy what is left, at most `concurrency` numbers at once. Returns the reasons to stop."""
    left = [number for number in numbers if results.outcomes.get(number) in (None, "refused")]
    queue = iter(left)
    reasons: list[str] = []
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        reasons.append(INTERRUPTED)
        loop.remove_signal_handler(signal.SIGINT)
        print("Waiting for open purchases. Press Ctrl-C again to quit at once.", file=sys.stderr)

    async def work() -> None:
        while not reasons and (phone_number := next(queue, None)):
            try:
                reason = await buy(client, results, phone_number)
            except OSError as error:
                reason = str(error)
            if reason:
                reasons.append(reason)
            progress.advance(task)

    loop.add_signal_handler(signal.SIGINT, interrupt)
    with Progress(disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Buying", total=len(left))
        async with client, asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
    return reasons


def main() -> int:
    """Run the command. Returns 0 if every number is bought, 130 after Ctrl-C, else 1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("numbers", type=Path, help="a CSV file with a column phone_number")
    parser.add_argument("results", type=Path, help="what was bought; created if necessary")
    parser.add_argument("--concurrency", type=int, default=4, help="purchases at once (4)")
    options = parser.parse_args()
    try:
        numbers = read_numbers(options.numbers)
        client = AsyncRestClient()
        # Without the port: the mock has a new one each time.
        account = f"project {client.project!r} at {urlsplit(client.base_url).hostname}"
        results = Results(options.results, account)
    except BlockingIOError:
        return _fail(f"{options.results} is in use by another run. Wait until it ends.")
    except (OSError, ValueError) as error:
        return _fail(str(error))
    try:
        reasons = asyncio.run(buy_all(client, numbers, results, max(1, options.concurrency)))
    except KeyboardInterrupt:
        reasons = [INTERRUPTED]
    results.close()
    outcomes = {number: results.outcomes.get(number) for number in numbers}
    for number, outcome in outcomes.items():
        if outcome in ("intent", "unknown"):
            print(f"{number}: may have been bought. Check your Space; it is not retried.")
        elif outcome == "refused":
            print(f"{number}: refused. The reason is in {options.results}.")
    bought = sum(outcome == "bought" for outcome in outcomes.values())
    print(f"{bought} of {len(numbers)} numbers are bought.")
    for reason in dict.fromkeys(reasons):
        _fail(f"Stopped: {reason}")
    return 130 if INTERRUPTED in reasons else int(bought < len(numbers))


def _fail(message: str) -> int:
    print(re.sub(r"\s+", " ", message), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
