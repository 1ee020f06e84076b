"""Measure what a purchase costs, print it and write docs/evidence/benchmarks.md: see `make bench`.

Each ratio is the median of the ratios of many rounds. In a round each client buys a batch, and
every other round goes backwards, so that what slows the machine for a while slows all alike. What
counts is the CPU time of the client's process (`time.process_time`), which other processes disturb
less than the clock on the wall. pyperf and pytest-benchmark do neither: they measure one
thing to the end, then the next, on the wall clock, in one environment.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from statistics import median, quantiles

from processes import HERE, Batch, Process, Worker, python_of
from report import PAGE, Line, Report

Run = tuple[str, int]
"""A client, and how many purchases it makes at a time."""

OURS, OURS_ASYNC, OURS_AIOHTTP = (
    ("signalwire_compat", 1),
    ("signalwire_compat_async", 200),
    ("signalwire_compat_aiohttp", 200),
)
ALONE = ("signalwire_compat_async", 1)
HTTPX, HTTPX_ASYNC = ("httpx_by_hand", 1), ("httpx_by_hand_async", 200)
SDK, TWILIO, TWILIO_ASYNC = ("signalwire_sdk", 1), ("twilio", 1), ("twilio_async", 200)
SYNC_RUNS = [OURS, HTTPX, SDK, TWILIO]
ASYNC_RUNS = [OURS_ASYNC, ALONE, HTTPX_ASYNC, OURS_AIOHTTP, TWILIO_ASYNC]
CHARTED = [
    "signalwire_compat_async",
    "signalwire_compat_aiohttp",
    "httpx_by_hand_async",
    "twilio_async",
    "signalwire_sdk",
]
AT_A_TIME = [1, 10, 50, 100, 200, 400]
RATIOS = [
    ("sync purchase / httpx by hand", OURS, HTTPX, 1.0),
    ("sync purchase / signalwire-sdk 3.0.2", OURS, SDK, 0.65),
    ("sync purchase / twilio 9", OURS, TWILIO, 0.55),
    ("async, 200 at a time / async, 1 at a time", OURS_ASYNC, ALONE, 1.2),
    ("async, 200 at a time / httpx by hand, 200 at a time", OURS_ASYNC, HTTPX_ASYNC, 0.5),
    ("async with aiohttp, 200 at a time / twilio 9 with aiohttp", OURS_AIOHTTP, TWILIO_ASYNC, 1.0),
]
POSTS_A_SECOND = 1380
"""The provider's documented limit."""
IMPORT = "import time; t = time.process_time(); import {}; print(time.process_time() - t)"


def main() -> int:
    """Measure all, and return 0 if every target is met, else 1."""
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure what a purchase costs."
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, no docs")
    quick = parser.parse_args().quick
    report = Report()
    for measure in (ratios, imports, memory, mock):
        for line in measure(quick=quick):
            report.add(line)
    if not quick:
        with Process("plain_server.py") as server:
            write(report, concurrency(f"http://127.0.0.1:{server.read()}"))
    return report.verdict()


def rounds(count: int, tasks: Sequence[Callable[[], float]]) -> list[list[float]]:
    """Do each task once a round, in turning order, and give what each one gave."""
    measured: list[list[float]] = [[] for _ in tasks]
    for number in range(count):
        order = list(enumerate(tasks))
        for index, task in order if number % 2 else order[::-1]:
            measured[index].append(task())
    return measured


def ratio(above: list[float], below: list[float]) -> tuple[float, tuple[float, float]]:
    """Give the median of the ratios round by round, and its quartiles."""
    each = [one / other for one, other in zip(above, below, strict=True)]
    low, middle, high = quantiles(each, n=4)
    return middle, (low, high)


def ratios(*, quick: bool) -> Iterator[Line]:
    """Compare the CPU time of a purchase between clients, sync and then async."""
    with Process("plain_server.py") as server:
        url = f"http://127.0.0.1:{server.read()}"
        for runs, count in ((SYNC_RUNS, 300), (ASYNC_RUNS, 800)):
            taken = dict(zip(runs, compared(url, runs, count, 5 if quick else 15), strict=True))
            for words, above, below, target in RATIOS:
                if above in runs:
                    value, spread = ratio(taken[above], taken[below])
                    each = [median(taken[run]) * 1e6 for run in (above, below)]
                    detail = "{:.0f} / {:.0f} µs".format(*each)
                    yield Line(words, value, spread, target, detail=detail)
        speeds = sorted(1 / seconds for seconds in taken[OURS_AIOHTTP])
    low, middle, high = quantiles(speeds, n=4)
    words = "purchases a second of one core, 200 at a time, with aiohttp"
    yield Line(words, middle, (low, high), POSTS_A_SECOND, at_least=True)


def compared(url: str, runs: list[Run], count: int, times: int) -> list[list[float]]:
    """Give the seconds of CPU of a purchase, a number for each run and round."""
    with ExitStack() as stack:
        tasks = []
        for client, at_a_time in runs:
            worker = stack.enter_context(Worker(client, url))
            worker.buy(max(100, 2 * at_a_time), at_a_time)
            tasks.append(partial(_cpu, worker, count, at_a_time))
        return rounds(times, tasks)


def _cpu(worker: Worker, count: int, at_a_time: int) -> float:
    return worker.buy(count, at_a_time).cpu_per_purchase


def imports(*, quick: bool) -> Iterator[Line]:
    """Compare the CPU time of an import, each in a new process."""

    def seconds(module: str) -> float:
        command = [sys.executable, "-c", IMPORT.format(module)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return float(done.stdout)

    tasks = [partial(seconds, m) for m in ("signalwire_compat", "httpx")]
    ours, httpx = rounds(7 if quick else 25, tasks)
    value, spread = ratio(ours, httpx)
    detail = f"{median(ours) * 1000:.0f} / {median(httpx) * 1000:.0f} ms"
    yield Line("import signalwire_compat / import httpx", value, spread, 1.1, detail=detail)


def memory(*, quick: bool) -> Iterator[Line]:
    """Compare the peak memory of a process that bought much with that of one that bought little."""
    with Process("plain_server.py") as server:
        url = f"http://127.0.0.1:{server.read()}"

        def peak(client: str, count: int) -> float:
            with Worker(client, url) as worker:
                return worker.buy(count, 1).memory

        counts = (1_000 if quick else 10_000, 100)
        for client, words in (("signalwire_compat", "sync"), ("signalwire_compat_async", "async")):
            tasks = [partial(peak, client, count) for count in counts]
            many, few = rounds(2 if quick else 3, tasks)
            value, spread = ratio(many, few)
            detail = f"{median(many) / 1024:.1f} / {median(few) / 1024:.1f} MiB"
            yield Line(
                f"peak memory, {words}: {counts[0]:,} purchases / 100",
                value,
                spread,
                1.05,
                detail=detail,
            )


def mock(*, quick: bool) -> Iterator[Line]:
    """Measure how many purchases a second the mock validates on one core."""
    speeds = []
    with Process("mock_process.py") as server, Worker("signalwire_compat", server.read()) as worker:
        worker.buy(100, 1)
        for _ in range(3 if quick else 7):
            before = float(server.ask(""))
            worker.buy(500, 1)
            speeds.append(500 / (float(server.ask("")) - before))
    low, middle, high = quantiles(speeds, n=4)
    words = "validated purchases a second of one core, by the mock"
    yield Line(words, middle, (low, high), 1000, at_least=True)


def concurrency(url: str) -> dict[str, list[Batch]]:
    """Let each client buy at each concurrency, in turning order, and keep its best batch."""
    found: dict[str, list[Batch]] = {client: [] for client in CHARTED}
    with ExitStack() as stack:
        workers = {client: stack.enter_context(Worker(client, url)) for client in CHARTED}
        for at_a_time in AT_A_TIME:
            for worker in workers.values():
                worker.buy(2 * at_a_time, at_a_time)
            for number in range(3):
                for client in CHARTED if number % 2 else CHARTED[::-1]:
                    batch = workers[client].buy(500 + 2 * at_a_time, at_a_time)
                    done = found[client]
                    if not number:
                        done.append(batch)
                    elif batch.a_second > done[-1].a_second:
                        done[-1] = batch
    return found


def write(report: Report, batches: dict[str, list[Batch]]) -> None:
    """Write docs/evidence/benchmarks.md and its chart."""
    report.write(AT_A_TIME, batches)
    lines = {
        client: {
            "latency": [batch.latency * 1000 for batch in done],
            "throughput": [batch.a_second for batch in done],
        }
        for client, done in batches.items()
    }
    subprocess.run(
        [python_of("chart"), str(HERE / "chart.py"), str(PAGE.with_suffix(".svg"))],
        input=json.dumps({"at_a_time": AT_A_TIME, "clients": lines}),
        text=True,
        check=True,
    )


if __name__ == "__main__":
    sys.exit(main())
