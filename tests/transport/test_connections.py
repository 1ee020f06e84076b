"""The connections that a client keeps: how many, for how long, and who waits for one."""

import asyncio
import gc
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import aiohttp
import httpx
import pytest
from signalwire_compat import APITimeoutError, AsyncRestClient, RestClient
from signalwire_compat import _transport as transport
from signalwire_compat._network import Network
from signalwire_compat._transport import MOST_CONNECTIONS

from tests.transport.fault_server import FaultServer, Peer
from tests.transport.faults.certificates import trusted_by_environment
from tests.transport.faults.run import PROJECT, TOKEN
from tests.transport.faults.scripts import (
    BUY,
    HEALTHY,
    HEALTHY_TLS,
    KEEP,
    RECEIPT,
    STALL,
    send,
    tls,
)

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

    client = RestClient(PROJECT, TOKEN, server.host, timeout=4, max_retries=0)
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
        async with AsyncRestClient(PROJECT, TOKEN, server.host, timeout=4, max_retries=0) as client:
            return await buy_all(client, server, patient, late)

    return asyncio.run(buy())


def buy_over_aiohttp(server: FaultServer, *, patient: int, late: int = 0) -> list[Any]:
    async def buy() -> list[Any]:
        async with aiohttp.ClientSession() as session:
            settings: Any = {"timeout": 4, "max_retries": 0, "http_client": session}
            client = AsyncRestClient(PROJECT, TOKEN, server.host, **settings)
            return await buy_all(client, server, patient, late)

    return asyncio.run(buy())


@pytest.mark.parametrize("buy", [buy_in_threads, buy_in_tasks, buy_over_aiohttp])
def test_no_more_connections_are_opened_than_are_allowed(server: FaultServer, buy: Any) -> None:
    # Nobody is answered before as many are in use as there can be.
    server.play((*BUY, lambda _: wait_until_all_are_used(server), send(RECEIPT), KEEP))
    assert buy(server, patient=MOST_CONNECTIONS + 20) == numbers(MOST_CONNECTIONS + 20)
    assert server.connections == MOST_CONNECTIONS
    assert server.purchases == MOST_CONNECTIONS + 20


@pytest.mark.parametrize(
    "buy",
    [
        buy_in_threads,
        *(pytest.param(buy, marks=pytest.mark.slow) for buy in (buy_in_tasks, buy_over_aiohttp)),
    ],
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
    with RestClient(PROJECT, TOKEN, server.host) as client:
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
    with RestClient(PROJECT, TOKEN, server.host, max_retries=0) as client:
        buy_twice_at_once(server, client, Peer.close)
        assert server.wait_for(lambda: server.goodbyes == 2)
        server.play(HEALTHY)
        client.compat.phone_numbers.purchase(PhoneNumber=numbers(3)[2])
    assert (server.connections, server.purchases) == (3, 3)


def test_a_client_that_is_closed_during_a_call_closes_that_connection_afterwards(
    server: FaultServer,
) -> None:
    server.play(SLOW)
    client = RestClient(PROJECT, TOKEN, server.host)
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

    with RestClient(PROJECT, TOKEN, server.host) as client:
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

    def buy_in_two_loops() -> None:
        assert [asyncio.run(buy(number)) for number in numbers(2)] == numbers(2)
        asyncio.run(client.aclose())
        gc.collect()

    client = AsyncRestClient(PROJECT, TOKEN, server.host)
    # The first loop ends with a connection open, of which asyncio complains.
    with pytest.warns(ResourceWarning, match="unclosed"):
        buy_in_two_loops()
    assert server.connections == 2
    assert server.wait_for(lambda: server.open_connections == 0)


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
        async with AsyncRestClient(PROJECT, TOKEN, f"https://{server.host}") as client:
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


def test_no_thread_of_a_process_that_forked_uses_a_connection_of_its_parent(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one thread finds out, another one must not take what it is about to leave."""
    entered, go_on = threading.Event(), threading.Event()

    def wait_and_make() -> deque[Any]:
        entered.set()
        go_on.wait(10)
        return deque()

    def buy(number: str) -> str:
        return client.compat.phone_numbers.purchase(PhoneNumber=number).phone_number

    with RestClient(PROJECT, TOKEN, server.host) as client, ThreadPoolExecutor(2) as pool:
        buy(numbers(1)[0])
        kept: Any = client._transport
        (inherited,) = kept._idle
        monkeypatch.setattr(os, "getpid", lambda: -1)
        monkeypatch.setattr(transport, "deque", wait_and_make)
        first = pool.submit(buy, numbers(2)[1])
        assert entered.wait(10)
        entered.clear()
        second = pool.submit(buy, numbers(3)[2])
        wait([second], 0.1)
        go_on.set()
        assert [first.result(), second.result()] == numbers(3)[1:]
        assert inherited.info().endswith("Request Count: 1")
        inherited.close()


def test_every_address_of_a_name_is_tried_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[tuple[str, int]] = []

    class Unreachable:
        def connect_tcp(self, host: str, port: int, *_: object) -> None:
            tried.append((host, port))
            raise OSError(host)

    found = [(0, 0, 0, "", (address, 443)) for address in ("192.0.2.1", "192.0.2.2")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(OSError, match=r"192\.0\.2\.2"):
        Network(Unreachable()).connect_tcp("acme.example.com", 443, 5.0)
    assert tried == [("192.0.2.1", 443), ("192.0.2.2", 443)]


class SilentProxy:
    """A connection as httpcore makes one over SOCKS: what it asks of the proxy has no time-out."""

    def __init__(self, network: Any, server: FaultServer) -> None:
        self.network, self.port = network, server.port

    def handle_request(self, request: Any) -> None:
        deadline = request.extensions["timeout"]["connect"]
        stream = self.network.connect_tcp("127.0.0.1", self.port, deadline)
        stream.write(b"\5\1\0")
        stream.read(2)

    async def handle_async_request(self, request: Any) -> None:
        deadline = request.extensions["timeout"]["connect"]
        stream = await self.network.connect_tcp("127.0.0.1", self.port, deadline)
        await stream.write(b"\5\1\0")
        await stream.read(2)

    def is_idle(self) -> bool:
        return False

    def close(self) -> None:
        """Close nothing, as httpcore does: it has forgotten the stream."""

    async def aclose(self) -> None:
        """Close nothing either."""


@pytest.mark.parametrize("kind", [RestClient, AsyncRestClient])
def test_a_proxy_that_is_silent_takes_no_more_than_the_time_of_the_call(
    server: FaultServer, kind: Any
) -> None:
    server.play((STALL,))
    client = kind(PROJECT, TOKEN, server.host, timeout=0.3)
    network = client._transport._open.__self__._network_backend
    client._transport._open = lambda _: SilentProxy(network, server)

    async def buy() -> None:
        await client.compat.phone_numbers.purchase(PhoneNumber=numbers(1)[0])

    async def attempt() -> bool:
        with pytest.raises(APITimeoutError) as caught:
            await buy()
        await asyncio.to_thread(server.wait_for, lambda: server.open_connections == 0)
        return caught.value.outcome_unknown

    assert not asyncio.run(attempt())
    assert (server.connections, server.open_connections) == (1, 0)


@pytest.mark.parametrize("script", [HEALTHY, HEALTHY_TLS], ids=["http", "https"])
@pytest.mark.parametrize("kind", [httpx.Client, httpx.AsyncClient])
def test_a_reply_behind_a_reply_is_nobodys_on_a_given_client_either(
    server: FaultServer, kind: Any, script: Any
) -> None:
    """Both are in the same segment, so that httpx has taken the second one from the socket."""
    scheme, secured = ("https", (tls(),)) if script is HEALTHY_TLS else ("http", ())
    twice = (*secured, *BUY, lambda peer: peer.send(RECEIPT(peer) * 2), KEEP)
    server.play(twice, script)
    settings: Any = (PROJECT, TOKEN, f"{scheme}://{server.host}")

    def buy() -> list[str]:
        with httpx.Client() as own:
            purchase = RestClient(*settings, http_client=own).compat.phone_numbers.purchase
            return [purchase(PhoneNumber=number).phone_number for number in numbers(2)]

    async def abuy() -> list[str]:
        async with httpx.AsyncClient() as own:
            purchase = AsyncRestClient(*settings, http_client=own).compat.phone_numbers.purchase
            return [(await purchase(PhoneNumber=number)).phone_number for number in numbers(2)]

    with trusted_by_environment():
        assert (buy() if kind is httpx.Client else asyncio.run(abuy())) == numbers(2)
    assert server.connections == 2
