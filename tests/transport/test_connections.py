"""The connections that a client keeps: how many, for how long, and who waits for one."""

import asyncio
import gc
import subprocess
import sys
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from signalwire_compat import APIResponseError, APITimeoutError, AsyncRestClient, RestClient

from tests.transport.fault_server import FaultServer, Peer
from tests.transport.faults.callers import CALLERS, PROJECT, TOKEN
from tests.transport.faults.certificates import trusted_by_environment
from tests.transport.faults.scripts import (
    BUY,
    HEALTHY,
    HEALTHY_TLS,
    KEEP,
    RECEIPT,
    STALL,
    http,
    purchased,
    send,
    tls,
)
from tests.transport.faults.table import Kind

MOST_CONNECTIONS = 100  # As httpx allows a client.
SLOW = (*BUY, lambda peer: peer.pause(0.2), send(RECEIPT), KEEP)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.play(HEALTHY)
        yield running


def numbers(count: int) -> list[str]:
    return [f"+1310{index:07}" for index in range(count)]


def wait_until_all_are_used(server: FaultServer) -> None:
    assert server.wait_for(lambda: server.purchases >= MOST_CONNECTIONS, 10)


def buy_in_threads(server: FaultServer, *, patient: int, late: int = 0) -> list[Any]:
    def attempt(number: str) -> Any:
        caller = client
        if number not in numbers(patient):
            wait_until_all_are_used(server)
            caller = client.with_timeout(0.2)
        try:
            return caller.compat.phone_numbers.purchase(PhoneNumber=number).phone_number
        except APITimeoutError as error:
            return error

    client = RestClient(PROJECT, TOKEN, server.host, timeout=4, max_retries=0, look_up_timeout=0)
    with client, ThreadPoolExecutor(patient + late) as pool:
        return list(pool.map(attempt, numbers(patient + late)))


async def buy_all(
    client: AsyncRestClient, server: FaultServer, patient: int, late: int
) -> list[Any]:
    async def attempt(number: str) -> Any:
        caller = client
        if number not in numbers(patient):
            await asyncio.to_thread(wait_until_all_are_used, server)
            caller = client.with_timeout(0.2)
        try:
            return (await caller.compat.phone_numbers.purchase(PhoneNumber=number)).phone_number
        except APITimeoutError as error:
            return error

    return await asyncio.gather(*(attempt(number) for number in numbers(patient + late)))


def buy_in_tasks(server: FaultServer, *, patient: int, late: int = 0) -> list[Any]:
    async def buy() -> list[Any]:
        async with AsyncRestClient(
            PROJECT, TOKEN, server.host, timeout=4, max_retries=0, look_up_timeout=0
        ) as client:
            return await buy_all(client, server, patient, late)

    return asyncio.run(buy())


@pytest.mark.parametrize("buy", [buy_in_threads, buy_in_tasks])
def test_no_more_connections_are_opened_than_are_allowed(server: FaultServer, buy: Any) -> None:
    # Nobody is answered before as many are in use as there can be.
    server.play((*BUY, lambda _: wait_until_all_are_used(server), send(RECEIPT), KEEP))
    assert buy(server, patient=MOST_CONNECTIONS + 20) == numbers(MOST_CONNECTIONS + 20)
    assert server.connections == MOST_CONNECTIONS
    assert server.purchases == MOST_CONNECTIONS + 20


@pytest.mark.parametrize(
    "buy", [buy_in_threads, pytest.param(buy_in_tasks, marks=pytest.mark.slow)]
)
def test_who_waits_for_a_connection_in_vain_has_bought_nothing(
    server: FaultServer, buy: Any
) -> None:
    server.play((*BUY, STALL))
    results = buy(server, patient=MOST_CONNECTIONS, late=5)
    assert all(isinstance(result, APITimeoutError) for result in results)
    assert [result.outcome_unknown for result in results] == [True] * MOST_CONNECTIONS + [False] * 5
    assert server.purchases == MOST_CONNECTIONS


def test_calls_one_after_the_other_share_a_connection(server: FaultServer) -> None:
    with RestClient(PROJECT, TOKEN, server.host, look_up_timeout=0) as client:
        for number in numbers(5):
            client.compat.phone_numbers.purchase(PhoneNumber=number)
    assert server.connections == 1


def buy_twice_at_once(server: FaultServer, client: RestClient, *last: Any) -> None:
    """Leave two idle connections."""

    def wait_for_both(_: Peer) -> None:
        server.wait_for(lambda: server.purchases >= 2, 10)

    server.play((*BUY, wait_for_both, send(RECEIPT), *last))
    with ThreadPoolExecutor(2) as pool:
        purchase = client.compat.phone_numbers.purchase
        list(pool.map(lambda number: purchase(PhoneNumber=number), numbers(2)))
    assert server.connections == 2


def test_connections_that_were_closed_while_idle_are_replaced(server: FaultServer) -> None:
    with RestClient(PROJECT, TOKEN, server.host, max_retries=0, look_up_timeout=0) as client:
        buy_twice_at_once(server, client, Peer.close)
        assert server.wait_for(lambda: server.goodbyes == 2)
        server.play(HEALTHY)
        client.compat.phone_numbers.purchase(PhoneNumber=numbers(3)[2])
    assert (server.connections, server.purchases) == (3, 3)


def test_a_client_that_is_closed_during_a_call_closes_that_connection_afterwards(
    server: FaultServer,
) -> None:
    server.play(SLOW)
    client = RestClient(PROJECT, TOKEN, server.host, look_up_timeout=0)
    found: list[str] = []

    def buy() -> None:
        found.append(client.compat.phone_numbers.purchase(PhoneNumber=numbers(1)[0]).phone_number)

    thread = threading.Thread(target=buy)
    thread.start()
    assert server.wait_for(lambda: server.purchases == 1)
    client.close()
    thread.join()
    assert found == numbers(1)
    assert server.wait_for(lambda: server.open_connections == 0)


def test_an_idle_connection_is_closed_by_a_later_call_once_it_has_expired(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic

    def buy_after(seconds: int) -> None:
        monkeypatch.setattr(time, "monotonic", lambda: now() + seconds)
        client.compat.phone_numbers.purchase(PhoneNumber=numbers(9)[seconds])
        monkeypatch.setattr(time, "monotonic", now)

    with RestClient(PROJECT, TOKEN, server.host, look_up_timeout=0) as client:
        buy_twice_at_once(server, client, KEEP)
        # The one that is used after three seconds lives on; the other one had five.
        buy_after(3)
        assert server.open_connections == 2
        buy_after(6)
        assert server.wait_for(lambda: server.open_connections == 1)
    assert server.connections == 2


def test_a_client_in_a_second_event_loop_opens_connections_of_its_own(server: FaultServer) -> None:
    """On those of the first loop a purchase would be sent, and its reply wake nobody."""

    async def buy(number: str) -> str:
        return (await client.compat.phone_numbers.purchase(PhoneNumber=number)).phone_number

    client = AsyncRestClient(PROJECT, TOKEN, server.host, look_up_timeout=0)
    with warnings.catch_warnings(record=True) as complaints:
        warnings.simplefilter("always")
        assert [asyncio.run(buy(number)) for number in numbers(2)] == numbers(2)
        # Each loop closes what it leaves, although nobody has closed the client yet.
        assert server.wait_for(lambda: server.open_connections == 0)
        asyncio.run(client.aclose())
        gc.collect()
    assert server.connections == 2
    assert complaints == []


def test_a_client_can_be_closed_when_its_event_loop_is_gone(server: FaultServer) -> None:
    """The garbage collector closes coroutines that an interrupt left behind, and their clients."""
    used, unused = (
        AsyncRestClient(PROJECT, TOKEN, server.host, look_up_timeout=0) for _ in range(2)
    )
    asyncio.run(used.compat.phone_numbers.purchase(PhoneNumber=numbers(1)[0]))
    for client in (used, unused):
        with pytest.raises(StopIteration):
            client.aclose().send(None)


def test_a_second_reply_that_tls_has_taken_from_the_socket_is_nobodys(server: FaultServer) -> None:
    """Both are there when the loop reads next, and TLS gives one of them at a time."""
    blocked, sent = threading.Event(), threading.Event()

    def answer_twice(peer: Peer) -> None:
        blocked.wait(10)
        for _ in range(2):
            peer.send(RECEIPT(peer))
        sent.set()

    server.play((tls(), *BUY, answer_twice, KEEP), HEALTHY_TLS)

    async def buy() -> list[str]:
        async with AsyncRestClient(
            PROJECT, TOKEN, f"https://{server.host}", look_up_timeout=0
        ) as client:
            purchase = client.compat.phone_numbers.purchase
            first = asyncio.ensure_future(purchase(PhoneNumber=numbers(2)[0]))
            await asyncio.to_thread(server.wait_for, lambda: server.purchases == 1)
            blocked.set()
            assert sent.wait(10)  # This blocks the loop, so that it reads nothing before.
            found = [await first, await purchase(PhoneNumber=numbers(2)[1])]
            return [number.phone_number for number in found]

    with trusted_by_environment():
        assert asyncio.run(buy()) == numbers(2)
    assert server.connections == 2


FORKS = Path(__file__).with_name("forking_program.py")


@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_process_that_forked_uses_no_connection_of_its_parent(
    server: FaultServer, scheme: str, kind: str
) -> None:
    """Replies would go to the wrong process. Each child has threads that buy at the same time."""
    seen: dict[Peer, list[str]] = defaultdict(list)
    secured = (tls(),) if scheme == "https" else ()
    note = lambda peer: seen[peer].append(peer.number)  # noqa: E731  # a step of a script
    server.play((*secured, *BUY, note, send(RECEIPT), KEEP))
    command = [sys.executable, str(FORKS), PROJECT, TOKEN, f"{scheme}://{server.host}", kind]
    with trusted_by_environment():
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    of_parent = [numbers for numbers in seen.values() if any("+1311" in n for n in numbers)]
    assert of_parent == [["+13110000000", "+13110000001"]]
    assert len(seen) > 1
    assert set(server.executed.values()) == {1}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_connection_that_brought_the_reply_of_another_call_is_closed(
    server: FaultServer, kind: Kind
) -> None:
    of_another = http(201, purchased(phone_number=numbers(1)[0]))
    server.play(HEALTHY, (*BUY, send(of_another), KEEP), HEALTHY)
    caller = CALLERS[kind](server.host)
    caller.purchase(numbers(2)[0])
    with pytest.raises(APIResponseError) as caught:
        caller.purchase(numbers(2)[1])
    assert caught.value.outcome_unknown
    assert all(number in str(caught.value) for number in numbers(2))
    assert server.connections == 1
    caller.purchase(numbers(3)[2])
    assert server.connections == 2
    assert server.wait_for(lambda: server.open_connections == 1)
    caller.close()
