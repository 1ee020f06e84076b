"""Loses replies to purchases at random, and judges what clients make of it: `make looking`.

Arguments: purchases, 10,000 unless given, and the seed. To play a part again, add the first number
and the kind of client. It prints what became of the purchases. The exit status is 1 if one was
lost, doubled, or taken for another one.

Last, a program that buys numbers is killed 200 times. To play that again, the arguments are kills,
seed, 0 and `kills`.
"""

from __future__ import annotations

import asyncio
import logging
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from signalwire_compat import AsyncRestClient, RestClient, SignalWireError
from signalwire_compat.models import IncomingPhoneNumber

from tests.transport.account_server import ANSWERED, AccountServer, Record
from tests.transport.faults.callers import PROJECT, TOKEN
from tests.transport.faults.losses import Result, losses

CALLERS = 40
SETTINGS: dict[str, Any] = {"timeout": 0.5, "look_up_timeout": 2.2}
# The last look comes at most so long before the time is over: a second is kept for it.
LAST_LOOK = timedelta(seconds=SETTINGS["look_up_timeout"] - 1.3)
KINDS = ("sync", "async", "httpx", "httpx async")
PROGRAM = Path(__file__).with_name("looking_program.py")


def numbers(count: int, first: int = 0) -> list[str]:
    return [f"+1310{index:07}" for index in range(first, first + count)]


def buy_all(kind: str, host: str, wanted: Sequence[str]) -> dict[str, Result]:
    """Buy numbers from threads or tasks that share a client; give the outcome of each."""
    if kind.endswith("async"):
        http_client = httpx.AsyncClient() if kind.startswith("httpx") else None
        return asyncio.run(_buy_in_tasks(host, wanted, http_client))
    with httpx.Client() as own:
        given = own if kind == "httpx" else None
        client = RestClient(PROJECT, TOKEN, host, http_client=given, **SETTINGS)

        def buy(number: str) -> Result:
            try:
                return client.compat.phone_numbers.purchase(PhoneNumber=number)
            except Exception as error:  # judged later
                return error

        with client, ThreadPoolExecutor(CALLERS) as pool:
            return dict(zip(wanted, pool.map(buy, wanted), strict=True))


async def _buy_in_tasks(
    host: str, wanted: Sequence[str], http_client: httpx.AsyncClient | None
) -> dict[str, Result]:
    client = AsyncRestClient(PROJECT, TOKEN, host, http_client=http_client, **SETTINGS)
    waiting = iter(wanted)
    results: dict[str, Result] = {}

    async def buy_on() -> None:
        for number in waiting:
            try:
                results[number] = await client.compat.phone_numbers.purchase(PhoneNumber=number)
            except Exception as error:  # judged later
                results[number] = error

    async with client:
        await asyncio.gather(*(buy_on() for _ in range(CALLERS)))
    if http_client:
        await http_client.aclose()
    return results


def problems(server: AccountServer, results: dict[str, Result]) -> list[str]:
    """Say what went wrong."""
    found = losses(server, results)
    for number, result in results.items():
        record = server.records.get(number)
        if record is None:
            if getattr(result, "outcome_unknown", True):
                found.append(f"{number} was never asked for, and ended with {result!r}")
            continue  # No time was left to ask.
        if isinstance(result, IncomingPhoneNumber):
            wrong = _wrong_about_a_return(record, result)
        else:
            wrong = _wrong_about_an_error(record, result)
        found += [f"{number} ({record.purchase}): {problem}" for problem in wrong]
    figures = count(server, results)
    returned, unknown, executed = (figures[n] for n in ("returned", "unknown", "executed"))
    if not returned <= executed <= returned + unknown:
        found.append(f"{returned} were returned, {executed} executed, and {unknown} are unknown")
    if figures["seen too late"] > 3 + len(results) // 50:
        found.append(f"{figures['seen too late']} good answers came too late for the client")
    return found


def _wrong_about_a_return(record: Record, number: IncomingPhoneNumber) -> Iterator[str]:
    if number.sid not in record.executed:
        yield f"{number.sid} was returned, and {record.executed or 'nothing'} executed"
    if not number.found_by_look_up and record.purchase not in ANSWERED:
        yield "its reply was lost, and it is not marked as found"
    if number.found_by_look_up and not record.listed:
        yield "it is marked as found, and no list had it"


def _wrong_about_an_error(record: Record, error: Exception) -> Iterator[str]:
    if not isinstance(error, SignalWireError) or not error.outcome_unknown:
        return
    if not error.looks:
        yield f"the client did not look: {error}"
        return
    results = [look.result for look in error.looks]
    if (absent := results.count("it is not there")) > record.showed_without:
        yield f"{absent} looks saw that it is not there, {record.showed_without} answers said so"
    if record.executed and record.showed and not _ran_out_of_time(error):
        yield f"a complete list had it, and the client saw {results}"
    old = "before this call" in results[-1]
    if old != (old and record.purchase == "had-before"):
        yield f"it was executed by this call: {results[-1]}"
    ends_early = old or "status 403" in results[-1]
    if not ends_early and error.looks[-1].at < record.seen_at + LAST_LOOK:
        yield f"the client stopped looking before the time was over: {results}"


def _ran_out_of_time(error: SignalWireError) -> bool:
    last = error.looks[-1].result
    return "within timeout" in last or "the time for looking was over" in last


def count(server: AccountServer, results: dict[str, Result]) -> Counter[str]:
    """Count what became of purchases, in the words of the output."""
    figures = Counter({"executed": server.purchases})
    for number, result in results.items():
        executed = server.executed[number]
        figures["executed twice"] += executed > 1
        figures["looks"] += len(getattr(result, "looks", ()))
        if isinstance(result, IncomingPhoneNumber):
            figures["returned"] += 1
            figures["of them found by looking"] += result.found_by_look_up
        elif getattr(result, "outcome_unknown", False):
            figures["unknown"] += 1
            figures["of them executed"] += executed
            record = server.records[number]
            figures["seen too late"] += bool(executed and record.showed)
        else:
            figures["not bought"] += 1
    return figures


def play(kind: str, seed: int, wanted: Sequence[str]) -> tuple[Counter[str], list[str]]:
    """Buy numbers with one kind of client; give what became of them and what went wrong."""
    with AccountServer(seed) as server:
        results = buy_all(kind, server.host, wanted)
        assert server.wait_for(lambda: not server.open_connections, 10)
    command = (
        f"python -m tests.transport.looking {len(wanted)} {seed} {int(wanted[0][5:])} '{kind}'"
    )
    found = problems(server, results)
    return count(server, results), [*found, f"Again: {command}"] if found else []


class Killer:
    """Kills a program as a server comes to one of its moments."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._left = 0
        self._program: subprocess.Popen[bytes] | None = None

    def moment(self) -> None:
        """Count a moment down."""
        with self._lock:
            self._left -= 1
            if self._left == 0 and self._program:
                self._program.send_signal(signal.SIGKILL)

    def run(self, *command: str, kills: bool) -> int:
        """Run a program, which may be killed; give its exit status."""
        with self._lock:
            self._left = self._chance.randint(1, 12) if kills else 0
            self._program = subprocess.Popen(command)
        return self._program.wait()


def play_kills(seed: int, kills: int) -> tuple[Counter[str], list[str]]:
    """Let a program buy numbers, kill it so often, and let its successors go on.

    Shape: what became of the numbers, and what went wrong.
    """
    killer, wanted = Killer(seed), numbers(3 * kills)
    with (
        AccountServer(seed, may_be_old=False, latest=0.5) as server,
        TemporaryDirectory() as folder,
    ):
        server.on_moment = killer.moment
        journal = Path(folder) / "journal"
        command = (sys.executable, str(PROGRAM), server.host, str(journal), *wanted)
        lives, status = 0, -signal.SIGKILL
        while status == -signal.SIGKILL:
            lives += 1
            status = killer.run(*command, kills=lives <= kills)
        server.wait_for(lambda: not server.open_connections, 10)
        lines = [line.split() for line in journal.read_text().splitlines()]
    outcomes = {number: [word, *rest] for word, number, *rest in lines}
    found = [f"the program ended with status {status}"] if status else []
    for number in wanted:
        executed = server.records[number].executed if number in server.records else []
        outcome = outcomes.get(number, ["nothing"])
        bought = outcome[0] == "bought"
        if len(executed) > 1:
            found.append(f"{number} was executed {len(executed)} times")
        if (bought and outcome[1] not in executed) or (executed and outcome[0] == "refused"):
            found.append(f"{number} was executed as {executed}, and ended as {outcome}")
        if outcome[0] in ("nothing", "asked"):
            found.append(f"{number} was forgotten")
    words = Counter(outcome[0] for outcome in outcomes.values())
    figures = Counter({"killed": lives - 1, "executed": server.purchases, **words})
    again = f"Again: python -m tests.transport.looking {kills} {seed} 0 kills"
    return figures, [*found, again] if found else []


def main(
    purchases: int = 10_000, seed: int | None = None, first: int = 0, *, kind: str = ""
) -> int:
    """Play everything, or one kind again, and print the figures."""
    logging.getLogger("signalwire_compat").setLevel(logging.CRITICAL)
    seed = random.randrange(10**6) if seed is None else seed
    status = 0
    for part in (kind,) if kind else (*KINDS, "kills"):
        began = time.monotonic()
        if part == "kills":
            figures, found = play_kills(seed, purchases if kind else 200)
        else:
            wanted = numbers(purchases if kind else purchases // len(KINDS), first)
            figures, found = play(part, seed, wanted)
        shown = ", ".join(f"{value} {name}" for name, value in figures.items())
        print(f"{part}, seed {seed}: {shown} ({time.monotonic() - began:.0f} s)")
        for problem in found:
            print(problem)
        status |= bool(found)
    return status


if __name__ == "__main__":
    numeric = [int(argument) for argument in sys.argv[1:4]]
    sys.exit(main(*numeric, kind="".join(sys.argv[4:5])))
