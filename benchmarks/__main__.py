"""Measure what a call costs, print it and write docs/evidence/benchmarks.md: see `make bench`.

Each ratio is the median of the ratios of many rounds. In a round every client buys a batch, and
every other round goes backwards, so that a slow moment of the machine slows all of them. CPU time
counts, which other processes disturb less than wall-clock time. pyperf and pytest-benchmark measure
one thing after the other, by the wall clock, in one environment.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median
from typing import NamedTuple, TypeVar

from processes import Process, Worker
from report import Line, write_page


class Run(NamedTuple):
    """A client of worker.py, how many calls it makes at a time, and which."""

    client: str
    at_a_time: int = 1
    call: str = "purchase"


OURS, HTTPX = Run("signalwire_compat"), Run("httpx_by_hand")
SDK, TWILIO = Run("signalwire_sdk"), Run("twilio")
OURS_ASYNC, HTTPX_ASYNC = Run("signalwire_compat_async", 200), Run("httpx_by_hand_async", 200)

# What is compared, both sides, and the highest ratio that is good enough.
SYNC = [
    ("sync purchase / httpx by hand", OURS, HTTPX, 1.0),
    ("sync purchase / signalwire-sdk 3.0.2", OURS, SDK, 0.65),
    ("sync purchase / twilio 9", OURS, TWILIO, 0.6),
]
ASYNC = [
    ("async, 200 at a time / async, 1 at a time", OURS_ASYNC, Run(OURS_ASYNC.client), 1.2),
    ("async, 200 at a time / httpx by hand, 200 at a time", OURS_ASYNC, HTTPX_ASYNC, 0.4),
]
READS = [
    (f"{what} / {name}", Run(OURS.client, 1, call), Run(other.client, 1, call), None)
    for call, what in (("search", "sync search of 50"), ("list", "sync list, a page of 50"))
    for name, other in (("httpx by hand", HTTPX), ("twilio 9", TWILIO))
]
IMPORTS = ["import signalwire_compat", "from signalwire_compat import RestClient"]
CONCURRENT = [OURS_ASYNC.client, HTTPX_ASYNC.client, "twilio_async", SDK.client]
AT_A_TIME = [1, 10, 50, 100, 200, 400]
POSTS_PER_SECOND = 1380  # The provider's documented limit.
LATE, LATE_COUNT, LATE_AT_A_TIME = 0.3, 1_000, 100  # As late as the service answers, in seconds.
T = TypeVar("T")


def main() -> int:
    """Measure everything. --quick does fewer rounds and leaves the page as it is."""
    quick = "--quick" in sys.argv[1:]
    lines = []
    with Process("servers.py", "plain") as server:
        url = server.read_line()
        for measured in (
            calls(url, rounds=5 if quick else 15),
            late_replies(rounds=2 if quick else 5),
            imports(rounds=7 if quick else 25),
            memory(url, rounds=2 if quick else 3, count=1_000 if quick else 10_000),
            mock(rounds=3 if quick else 7),
        ):
            for line in measured:
                what, *cells = line.cells
                print(f"{what:58}", *(cell.strip("*") for cell in cells), sep="  ", flush=True)
                lines.append(line)
        if not quick:
            write_page(lines, list(concurrency(url)))
    missed = [line.what for line in lines if line.is_missed]
    print(f"Missed: {'; '.join(missed)}" if missed else "All targets are met.")
    return 1 if missed else 0


def in_rounds(count: int, tasks: Sequence[Callable[[], T]]) -> list[list[T]]:
    """Do each task once a round, in alternating order. Returns the results of each task."""
    results: list[list[T]] = [[] for _ in tasks]
    for number in range(count):
        order = list(zip(tasks, results, strict=True))
        for task, its_results in order if number % 2 else order[::-1]:
            its_results.append(task())
    return results


def ratio(what: str, target: float | None, unit: str, *sides: list[float]) -> Line:
    """Compare two things round by round; `unit` is the one to show their medians in."""
    scale, digits = {"s": (1, 2), "µs": (1e6, 0), "ms": (1e3, 0), "MiB": (1 / 1024, 1)}[unit]
    both = " / ".join(f"{median(side) * scale:.{digits}f}" for side in sides)
    samples = [one / other for one, other in zip(*sides, strict=True)]
    return Line(what, samples, target, f"{both} {unit}")


def calls(url: str, rounds: int) -> Iterator[Line]:
    """Compare the CPU time of a call between clients, sync and then async."""

    def cpu_seconds(worker: Worker, count: int, run: Run) -> float:
        return worker.make(count, run.at_a_time, run.call)["cpu_seconds"]

    for rows, count in ((SYNC, 300), (READS, 60), (ASYNC, 800)):
        runs = list(dict.fromkeys(run for _, above, below, _ in rows for run in (above, below)))
        with ExitStack() as stack:
            tasks = []
            for run in runs:
                worker = stack.enter_context(Worker(run.client, url))
                worker.make(max(100, 2 * run.at_a_time), run.at_a_time, run.call)
                tasks.append(partial(cpu_seconds, worker, count, run))
            taken = dict(zip(runs, in_rounds(rounds, tasks), strict=True))
        for what, above, below, target in rows:
            yield ratio(what, target, "µs", taken[above], taken[below])
    speeds = [1 / seconds for seconds in taken[OURS_ASYNC]]
    what = "purchases a second of one core, async, 200 at a time"
    yield Line(what, speeds, POSTS_PER_SECOND, at_least=True)


def late_replies(rounds: int) -> Iterator[Line]:
    """Buy from a server that answers as late as the service, and compare with no client at all."""
    with Process("servers.py", "late", str(LATE)) as server, ExitStack() as stack:
        url, workers = server.read_line(), []
        for client in (OURS_ASYNC.client, HTTPX_ASYNC.client):
            workers.append(stack.enter_context(Worker(client, url)))
        tasks = [partial(worker.make, LATE_COUNT, LATE_AT_A_TIME) for worker in workers]
        ours, by_hand = in_rounds(rounds, tasks)
    what = "async, 100 at a time, replies after 300 ms"
    seconds = [LATE_COUNT / batch["per_second"] for batch in ours]
    ideal = [LATE_COUNT / LATE_AT_A_TIME * LATE] * rounds
    yield ratio(f"{what}: wall time / waiting alone", 1.2, "s", seconds, ideal)
    cpu = [[batch["cpu_seconds"] for batch in batches] for batches in (ours, by_hand)]
    yield ratio(f"{what} / httpx by hand", 1.0, "µs", *cpu)


def imports(rounds: int) -> Iterator[Line]:
    """Compare the CPU time of imports, each in a new process."""

    def seconds(statement: str) -> float:
        code = f"import time; t = time.process_time(); {statement}; print(time.process_time() - t)"
        return float(subprocess.check_output([sys.executable, "-c", code]))

    tasks = [partial(seconds, statement) for statement in (*IMPORTS, "import httpx")]
    *ours, httpx = in_rounds(rounds, tasks)
    for statement, taken in zip(IMPORTS, ours, strict=True):
        yield ratio(f"{statement} / import httpx", 1.1, "ms", taken, httpx)


def memory(url: str, rounds: int, count: int) -> Iterator[Line]:
    """Compare the peak memory of a process after many purchases with that after a hundred."""

    def peak(client: str, count: int) -> float:
        with Worker(client, url) as worker:
            return worker.make(count, 1)["peak_memory_kb"]

    for client, name in ((OURS.client, "sync"), (OURS_ASYNC.client, "async")):
        many, few = in_rounds(rounds, [partial(peak, client, n) for n in (count, 100)])
        yield ratio(f"peak memory, {name}: {count:,} purchases / 100", 1.05, "MiB", many, few)


def mock(rounds: int) -> Iterator[Line]:
    """Measure how many purchases a second the mock validates on one core."""
    speeds = []
    with Process("servers.py", "mock") as server, Worker(OURS.client, server.read_line()) as worker:
        worker.make(100, 1)
        for _ in range(rounds):
            before = float(server.ask())
            worker.make(500, 1)
            speeds.append(500 / (float(server.ask()) - before))
    yield Line("validated purchases a second of one core, by the mock", speeds, None, at_least=True)


def concurrency(url: str) -> Iterator[list[str]]:
    """Let each client buy at each concurrency. Yields a table of each one's best batches."""
    yield ["Client", *map(str, AT_A_TIME)]
    for client in CONCURRENT:
        cells = []
        with Worker(client, url) as worker:
            for at_a_time in AT_A_TIME:
                batches = [worker.make(500 + 2 * at_a_time, at_a_time) for _ in range(4)]
                best = max(batches, key=lambda batch: batch["per_second"])
                latency = best["latency_seconds"] * 1000
                cells.append(f"{latency:.1f} ms, {best['per_second']:,.0f}/s")
        yield [client, *cells]


if __name__ == "__main__":
    sys.exit(main())
