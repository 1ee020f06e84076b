"""One client for many threads and tasks, and for cancelled ones: nothing mixed, no leak."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random

import httpx
import pytest
from signalwire_compat import AsyncRestClient, RestClient, SignalWireError
from signalwire_compat.models import IncomingPhoneNumber

from tests.client.conftest import buy, buy_async
from tests.transport.fault_server import FaultServer, Peer, Script
from tests.transport.faults.callers import PROJECT, TOKEN
from tests.transport.faults.certificates import trusted_by_environment
from tests.transport.faults.losses import Result, bought_or_unknown, losses
from tests.transport.faults.rows import FAULTS
from tests.transport.faults.scripts import (
    BUY,
    HEALTHY,
    HEALTHY_TLS,
    KEEP,
    READ,
    RECEIPT,
    SEE,
    STALL,
    failure,
    send,
    up_to,
)

THREADS, TASKS = 200, 1000
LAST = "+13105550100"
# A busy machine is slow with a thousand waiting.
PATIENT = 300.0
# Scripts of replies that come at once, whoever gets them and however long they would wait.
SCRIPTS = [
    script
    for fault in FAULTS
    if fault.quick and fault.requests == 1 and fault.name != "limited-for-longer-than-there-is"
    for script in fault.scripts
]


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.play(HEALTHY)
        yield running


def numbers(count: int) -> list[str]:
    return [f"+1310{index:07}" for index in range(count)]


def buy_in_threads(server: FaultServer) -> dict[str, Result]:
    wanted = numbers(2 * THREADS)
    client = RestClient(PROJECT, TOKEN, server.host, timeout=PATIENT, look_up_timeout=0)

    def buy_one(number: str) -> Result:
        try:
            return buy(client, PhoneNumber=number)
        except SignalWireError as error:
            return error

    with client, ThreadPoolExecutor(THREADS) as pool:
        return dict(zip(wanted, pool.map(buy_one, wanted), strict=True))


def buy_in_tasks(server: FaultServer) -> dict[str, Result]:
    wanted = numbers(TASKS)

    async def buy_one(client: AsyncRestClient, number: str) -> Result:
        try:
            return await buy_async(client, PhoneNumber=number)
        except SignalWireError as error:
            return error

    async def buy_all() -> list[Result]:
        async with AsyncRestClient(
            PROJECT, TOKEN, server.host, timeout=PATIENT, look_up_timeout=0
        ) as client:
            return await asyncio.gather(*(buy_one(client, number) for number in wanted))

    return dict(zip(wanted, asyncio.run(buy_all()), strict=True))


WAYS = pytest.mark.parametrize("buy_many", [buy_in_threads, buy_in_tasks])


@WAYS
def test_everybody_who_shares_a_client_gets_their_own_number(
    server: FaultServer, buy_many: Callable[[FaultServer], dict[str, Result]]
) -> None:
    results = buy_many(server)
    assert [str(result) for result in results.values() if isinstance(result, Exception)] == []
    assert losses(server, results) == []
    assert server.purchases == len(results)
    assert server.wait_for(lambda: server.open_connections == 0)


@WAYS
def test_faults_of_one_caller_are_not_those_of_another(
    server: FaultServer, buy_many: Callable[[FaultServer], dict[str, Result]]
) -> None:
    scripts: list[Script] = Random(1).choices(SCRIPTS, k=TASKS)
    server.play(*scripts, HEALTHY)
    results = buy_many(server)
    assert losses(server, results) == []
    assert 0 < server.purchases <= bought_or_unknown(results)
    assert server.wait_for(lambda: server.open_connections == 0)


LOOPS = f"""
import asyncio, sys, signalwire_compat
client = signalwire_compat.AsyncRestClient({PROJECT!r}, {TOKEN!r}, sys.argv[1])
async def buy(*numbers):
    calls = (client.compat.phone_numbers.purchase(PhoneNumber=number) for number in numbers)
    found = await asyncio.gather(*calls)
    assert [number.phone_number for number in found] == list(numbers)
async def leave():
    asyncio.ensure_future(buy("+15550009000"))
    await asyncio.sleep(0.1)
for loop in range(3):
    asyncio.run(buy(*(f"+1555000{{loop}}00{{n}}" for n in range(5))))
if sys.argv[2] == "closed":
    asyncio.run(client.aclose())
if sys.argv[2] == "in use":
    asyncio.run(leave())
"""


@pytest.mark.parametrize("end", ["open", "closed", "in use"])
@pytest.mark.parametrize("script", [HEALTHY, HEALTHY_TLS], ids=["http", "https"])
def test_event_loops_one_after_the_other_leave_no_warning(
    server: FaultServer, script: Script, end: str
) -> None:
    scheme = "https" if script is HEALTHY_TLS else "http"
    server.play(*[script] * 15, (*script[:-2], STALL))
    program = [sys.executable, "-W", "error", "-c", LOOPS, f"{scheme}://{server.host}", end]
    with trusted_by_environment():
        done = subprocess.run(program, capture_output=True, text=True)
    lines = done.stderr.splitlines()
    assert [line for line in lines if not line.endswith("it may have taken effect")] == []
    assert done.returncode == 0
    assert server.wait_for(lambda: server.open_connections == 0)


STAGES: dict[str, Script] = {
    "connecting": (Peer.wait_for_bytes, STALL),
    "sending": (SEE, STALL),
    "waiting for the reply": (*BUY, STALL),
    "in the body": (*BUY, send(up_to(RECEIPT, '"beta"')), STALL),
    "between two attempts": (READ, send(failure(429, None, "Retry-After: 20")), KEEP),
}


async def by_cancel(call: Awaitable[object]) -> None:
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_timeout(call: Awaitable[object]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await call


async def by_wait_for(call: Awaitable[object]) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(call, 0.2)


@pytest.mark.parametrize("end", [by_cancel, by_timeout, by_wait_for])
@pytest.mark.parametrize("stage", STAGES)
def test_a_cancelled_call_leaves_the_client_usable(
    server: FaultServer, stage: str, end: Callable[[Awaitable[object]], Awaitable[None]]
) -> None:
    tls = stage == "connecting"
    most_open = 100 if stage == "between two attempts" else 0

    async def check() -> IncomingPhoneNumber:
        with trusted_by_environment() if tls else contextlib.nullcontext():
            host = f"https://{server.host}" if tls else server.host
            client = AsyncRestClient(PROJECT, TOKEN, host)
        async with client:
            server.play(STAGES[stage])
            # More at once than the connections of a client.
            calls = (end(buy_async(client, PhoneNumber=number)) for number in numbers(110))
            await asyncio.gather(*calls)
            assert await asyncio.to_thread(
                server.wait_for, lambda: server.open_connections <= most_open
            )
            server.play(HEALTHY_TLS if tls else HEALTHY)
            return await buy_async(client, PhoneNumber=LAST)

    assert asyncio.run(check()).phone_number == LAST
    assert server.executed[LAST] == max(server.executed.values()) == 1
    assert server.wait_for(lambda: server.open_connections == 0)


@pytest.mark.parametrize("stage", ["sending", "waiting for the reply", "in the body"])
def test_a_cancelled_call_gives_the_connection_of_a_given_client_back(
    server: FaultServer, stage: str
) -> None:
    async def check() -> IncomingPhoneNumber:
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(limits=limits, trust_env=False) as given:
            client = AsyncRestClient(PROJECT, TOKEN, server.host, http_client=given)
            server.play(STAGES[stage])
            for number in numbers(3):
                await by_cancel(buy_async(client, PhoneNumber=number))
            server.play(HEALTHY)
            return await buy_async(client, PhoneNumber=LAST)

    assert asyncio.run(check()).phone_number == LAST
    assert server.wait_for(lambda: server.open_connections == 0)


def test_calls_that_are_cancelled_at_any_moment_leave_the_client_usable(
    server: FaultServer,
) -> None:
    async def buy_or_be_cancelled(client: AsyncRestClient, number: str) -> object:
        task = asyncio.ensure_future(buy_async(client, PhoneNumber=number))
        await asyncio.sleep(Random(number).uniform(0, 0.1))
        task.cancel()
        return (await asyncio.gather(task, return_exceptions=True))[0]

    async def check() -> None:
        async with AsyncRestClient(PROJECT, TOKEN, server.host) as client:
            wanted = numbers(300)
            found = await asyncio.gather(*(buy_or_be_cancelled(client, n) for n in wanted))
            for number, result in zip(wanted, found, strict=True):
                if isinstance(result, IncomingPhoneNumber):
                    assert (result.phone_number, server.executed[number]) == (number, 1)
                else:
                    assert isinstance(result, asyncio.CancelledError)
            assert (await buy_async(client, PhoneNumber=LAST)).phone_number == LAST

    asyncio.run(check())
    assert max(server.executed.values()) == 1
    assert server.wait_for(lambda: server.open_connections == 0)
