"""One client for many threads and tasks, and for cancelled ones: nothing mixed, no leak."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import httpx
import pytest
from signalwire_compat import AsyncRestClient, RestClient, SignalWireError
from signalwire_compat.models import IncomingPhoneNumber

from tests.transport.fault_server import FaultServer, Peer, Script
from tests.transport.faults.accounts import Result, bought_or_unknown, losses
from tests.transport.faults.certificates import trusted_by_environment
from tests.transport.faults.rows import FAULTS
from tests.transport.faults.run import PROJECT, TOKEN
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


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Keep everything of httpx that holds connections, as it is built."""
    kept: list[object] = []
    for kind in (httpx.Client, httpx.AsyncClient, httpx.HTTPTransport, httpx.AsyncHTTPTransport):
        monkeypatch.setattr(kind, "__init__", _noting(kind.__init__, kept))
    return kept


def _noting(original: Callable[..., None], kept: list[object]) -> Callable[..., None]:
    def init(self: object, *args: Any, **options: Any) -> None:
        kept.append(self)
        original(self, *args, **options)

    return init


def numbers(count: int) -> list[str]:
    return [f"+1310{index:07}" for index in range(count)]


def buy_in_threads(server: FaultServer) -> dict[str, Result]:
    client = RestClient(PROJECT, TOKEN, server.host, timeout=PATIENT)
    with client, ThreadPoolExecutor(THREADS) as pool:

        def buy(number: str) -> Result:
            try:
                return client.compat.phone_numbers.purchase(PhoneNumber=number)
            except SignalWireError as error:
                return error

        wanted = numbers(2 * THREADS)
        results = dict(zip(wanted, pool.map(buy, wanted), strict=True))
    assert server.wait_for(lambda: server.open_connections == 0)
    return results


def buy_in_tasks(server: FaultServer) -> dict[str, Result]:
    async def buy_all() -> dict[str, Result]:
        async with AsyncRestClient(PROJECT, TOKEN, server.host, timeout=PATIENT) as client:

            async def buy(number: str) -> Result:
                try:
                    return await client.compat.phone_numbers.purchase(PhoneNumber=number)
                except SignalWireError as error:
                    return error

            wanted = numbers(TASKS)
            found = await asyncio.gather(*(buy(number) for number in wanted))
            return dict(zip(wanted, found, strict=True))

    results = asyncio.run(buy_all())
    assert server.wait_for(lambda: server.open_connections == 0)
    return results


@pytest.mark.parametrize("buy", [buy_in_threads, buy_in_tasks])
def test_everybody_who_shares_a_client_gets_their_own_number(
    server: FaultServer, built: list[object], buy: Callable[[FaultServer], dict[str, Result]]
) -> None:
    results = buy(server)
    failures = [str(result) for result in results.values() if isinstance(result, Exception)]
    assert failures == []
    assert losses(server, results) == []
    assert server.purchases == len(results)
    assert len(built) == 1


FORK = f"""
import os, sys, signalwire_compat
client = signalwire_compat.RestClient({PROJECT!r}, {TOKEN!r}, sys.argv[1])
def buy(number):
    client.compat.phone_numbers.purchase(PhoneNumber=f"+1555000000{{number}}")
buy(1)
if os.fork():
    os.wait()
    buy(2)
else:
    buy(3)
    buy(4)
    os._exit(0)
"""


def test_a_process_that_forked_leaves_the_connections_to_its_parent(server: FaultServer) -> None:
    subprocess.run([sys.executable, "-c", FORK, server.host], check=True)
    assert (server.connections, server.purchases) == (2, 4)


@pytest.mark.parametrize("buy", [buy_in_threads, buy_in_tasks])
def test_faults_of_one_caller_are_not_those_of_another(
    server: FaultServer, buy: Callable[[FaultServer], dict[str, Result]]
) -> None:
    scripts: list[Script] = Random(1).choices(SCRIPTS, k=TASKS)
    server.play(*scripts, HEALTHY)
    results = buy(server)
    assert losses(server, results) == []
    assert 0 < server.purchases <= bought_or_unknown(results)


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


def client_for(server: FaultServer, *, tls: bool, own: httpx.AsyncClient | None) -> AsyncRestClient:
    if not tls:
        return AsyncRestClient(PROJECT, TOKEN, server.host, http_client=own)
    with trusted_by_environment():
        return AsyncRestClient(PROJECT, TOKEN, f"https://{server.host}")


@pytest.mark.parametrize("end", [by_cancel, by_timeout, by_wait_for])
@pytest.mark.parametrize("stage", STAGES)
def test_a_cancelled_call_leaves_the_client_usable(
    server: FaultServer, stage: str, end: Callable[[Awaitable[object]], Awaitable[None]]
) -> None:
    tls = stage == "connecting"

    async def check() -> IncomingPhoneNumber:
        async with client_for(server, tls=tls, own=None) as client:
            buy = client.compat.phone_numbers.purchase
            server.play(STAGES[stage])
            # More at once than the connections that httpx allows a client.
            await asyncio.gather(*(end(buy(PhoneNumber=number)) for number in numbers(110)))
            still_open = await asyncio.to_thread(
                server.wait_for, lambda: server.open_connections <= 100 * (stage.startswith("be"))
            )
            assert still_open
            server.play(HEALTHY_TLS if tls else HEALTHY)
            return await buy(PhoneNumber="+13105550100")

    assert asyncio.run(check()).phone_number == "+13105550100"
    assert server.executed["+13105550100"] == 1
    assert max(server.executed.values()) == 1
    assert server.wait_for(lambda: server.open_connections == 0)


@pytest.mark.parametrize("stage", [name for name in STAGES if name != "connecting"])
def test_a_cancelled_call_gives_the_connection_of_a_given_client_back(
    server: FaultServer, stage: str
) -> None:
    async def check() -> IncomingPhoneNumber:
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(limits=limits, trust_env=False) as own:
            buy = client_for(server, tls=False, own=own).compat.phone_numbers.purchase
            server.play(STAGES[stage])
            for number in numbers(3):
                await by_cancel(buy(PhoneNumber=number))
            server.play(HEALTHY)
            return await buy(PhoneNumber="+13105550100")

    assert asyncio.run(check()).phone_number == "+13105550100"
    assert server.wait_for(lambda: server.open_connections == 0)


def test_calls_that_are_cancelled_at_any_moment_leave_the_client_usable(
    server: FaultServer,
) -> None:
    async def buy_or_be_cancelled(buy: Callable[..., Awaitable[Any]], number: str) -> object:
        task = asyncio.ensure_future(buy(PhoneNumber=number))
        await asyncio.sleep(Random(number).uniform(0, 0.1))
        task.cancel()
        return (await asyncio.gather(task, return_exceptions=True))[0]

    async def check() -> None:
        async with AsyncRestClient(PROJECT, TOKEN, server.host) as client:
            buy = client.compat.phone_numbers.purchase
            wanted = numbers(300)
            found = await asyncio.gather(*(buy_or_be_cancelled(buy, n) for n in wanted))
            for number, result in zip(wanted, found, strict=True):
                if isinstance(result, IncomingPhoneNumber):
                    assert (result.phone_number, server.executed[number]) == (number, 1)
                else:
                    assert isinstance(result, asyncio.CancelledError)
            assert (await buy(PhoneNumber="+13105550100")).phone_number == "+13105550100"

    asyncio.run(check())
    assert max(server.executed.values()) == 1
    assert server.wait_for(lambda: server.open_connections == 0)
