"""Lets tasks and threads share two clients while a server fails at random: `make soak`.

Arguments: seconds, 60 unless given, and the seed. It prints what was bought and what the clients
left behind. The exit status is 1 if a purchase was lost, doubled or swapped, or if memory or
descriptors grew.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import logging
import multiprocessing
import random
import sys
import time
import tracemalloc
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from signalwire_compat import AsyncRestClient, RestClient, SignalWireError
from signalwire_compat.models import IncomingPhoneNumber

from tests.transport.fault_server import FaultServer, Peer
from tests.transport.faults.callers import PROJECT, TOKEN
from tests.transport.faults.rows import FAULTS
from tests.transport.faults.scripts import HEALTHY

TASKS, THREADS = 50, 8
# In seconds. Some faults last until it is over.
TIMEOUT = 2.0
# What some five thousand calls may leave behind. How many connections are idle at a rest is chance,
# and each holds its last reply.
MOST_BYTES = 2_000_000
RETURNED, UNKNOWN, NOTHING = 1, 2, 3


class Load(NamedTuple):
    """What the clients hold while no call runs."""

    bytes: int
    descriptors: int


class Soak:
    """Two clients, and what became of each purchase.

    Shape: `outcomes[i]` is that of the i-th number. `swapped` are numbers that were returned for
    another one.
    """

    def __init__(self, host: str) -> None:
        self.client = RestClient(PROJECT, TOKEN, host, timeout=TIMEOUT, look_up_timeout=0)
        self.async_client = AsyncRestClient(
            PROJECT, TOKEN, host, timeout=TIMEOUT, look_up_timeout=0
        )
        # Made in advance: what grows here must not look like a leak.
        self.outcomes = bytearray(1_000_000)
        self.swapped: list[str | None] = []
        self.started = itertools.count()  # It gives no number to two threads.

    async def play(self, seconds: float) -> list[Load]:
        """Buy for some seconds, with a rest after each third.

        Shape: the load before, at each of the three rests, and after closing.
        """
        loads = [measure()]
        loop = asyncio.get_running_loop()
        with self.client, ThreadPoolExecutor(THREADS) as pool:
            async with self.async_client:
                for _ in range(3):
                    end = time.monotonic() + seconds / 3
                    tasks = [self._buy_in_task(end) for _ in range(TASKS)]
                    threads = [loop.run_in_executor(pool, self._buy, end) for _ in range(THREADS)]
                    await asyncio.gather(*tasks, *threads)
                    loads.append(measure())
        return [*loads, measure()]

    def _buy(self, end: float) -> None:
        while time.monotonic() < end:
            index = next(self.started)
            result: IncomingPhoneNumber | SignalWireError
            try:
                result = self.client.compat.phone_numbers.purchase(PhoneNumber=number(index))
            except SignalWireError as error:
                result = error
            self._note(index, result)

    async def _buy_in_task(self, end: float) -> None:
        while time.monotonic() < end:
            index = next(self.started)
            purchase = self.async_client.compat.phone_numbers.purchase(PhoneNumber=number(index))
            result: IncomingPhoneNumber | SignalWireError
            try:
                result = await purchase
            except SignalWireError as error:
                result = error
            self._note(index, result)

    def _note(self, index: int, result: IncomingPhoneNumber | SignalWireError) -> None:
        if isinstance(result, SignalWireError):
            self.outcomes[index] = UNKNOWN if result.outcome_unknown else NOTHING
            return
        self.outcomes[index] = RETURNED
        if result.phone_number != number(index):
            self.swapped.append(result.phone_number)


def number(index: int) -> str:
    return f"+1310{index:07}"


def measure() -> Load:
    gc.collect()
    return Load(tracemalloc.get_traced_memory()[0], len(list(Path("/dev/fd").iterdir())))


def serve(pipe: Connection, seed: int) -> None:
    """Play faults at random, in a process of its own; say at the end what was executed."""
    chance = random.Random(seed)
    scripts = [script for fault in FAULTS if fault.quick for script in fault.scripts]

    def play_any(peer: Peer) -> None:
        peer.server.heads.clear()
        for step in chance.choice((chance.choice(scripts), HEALTHY)):
            step(peer)

    with FaultServer() as server, FaultServer() as elsewhere:
        server.elsewhere = elsewhere
        elsewhere.play(HEALTHY)
        server.play((play_any,))
        pipe.send(server.host)
        pipe.recv()
        server.wait_for(lambda: not server.open_connections, 10)
        pipe.send((server.executed, server.open_connections + elsewhere.connections))


def problems(soak: Soak, executed: Counter[str], loads: list[Load], left_open: int) -> list[str]:
    """Say what went wrong."""
    found = [f"{name} was returned for another number" for name in soak.swapped]
    for index in range(next(soak.started)):
        outcome = soak.outcomes[index]
        times = executed[number(index)]
        if times > 1:
            found.append(f"{number(index)} was executed {times} times")
        if (outcome == RETURNED and not times) or (outcome in (0, NOTHING) and times):
            found.append(f"{number(index)} was executed {times} times, and its outcome {outcome}")
    returned, unknown = soak.outcomes.count(RETURNED), soak.outcomes.count(UNKNOWN)
    if not returned <= executed.total() <= returned + unknown:
        found.append("more or less was executed than returned or unknown")
    before, first, _, last, closed = loads
    if last.bytes - first.bytes > MOST_BYTES:
        found.append(f"{last.bytes - first.bytes} bytes more are in use than after a third")
    if last.descriptors - before.descriptors > TASKS + THREADS:
        found.append("more descriptors are open than there are callers")
    if closed.descriptors > before.descriptors:
        found.append(
            f"{closed.descriptors - before.descriptors} descriptors are open after closing"
        )
    if left_open:
        found.append(f"{left_open} connections are open after closing, or went elsewhere")
    return found


def main(seconds: float, seed: int) -> int:
    """Run the soak and print its figures."""
    logging.getLogger("signalwire_compat").setLevel(logging.CRITICAL)
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there, seed))
    server.start()
    soak = Soak(here.recv())
    tracemalloc.start()
    loads = asyncio.run(soak.play(seconds))
    here.send("stop")
    executed, left_open = here.recv()
    server.join()
    names = {RETURNED: "returned", UNKNOWN: "unknown", NOTHING: "not bought"}
    counts = ", ".join(f"{soak.outcomes.count(outcome)} {name}" for outcome, name in names.items())
    print(f"{seconds:g} s, seed {seed}: {counts}")
    print(f"executed {executed.total()}, twice {sum(times > 1 for times in executed.values())}")
    moments = ("before", "after a third", "after two thirds", "at the end", "after closing")
    for load, moment in zip(loads, moments, strict=True):
        print(f"{moment}: {load.bytes / 1e6:.2f} MB, {load.descriptors} descriptors")
    found = problems(soak, executed, loads, left_open)
    for problem in found[:20]:
        print(problem)
    return 1 if found else 0


if __name__ == "__main__":
    given = dict(enumerate(sys.argv))
    sys.exit(main(float(given.get(1, 60)), int(given.get(2, random.randrange(10**6)))))
