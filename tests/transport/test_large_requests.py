"""A request that is still being written when the server answers, resets, or stops reading."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport
from signalwire_compat import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncRestClient,
    RestClient,
    SignalWireError,
)

from tests.transport.fault_server import FaultServer, Peer
from tests.transport.faults.callers import PROJECT, TOKEN, collect_quietly
from tests.transport.faults.scripts import CLOSE, HEALTHY, RESET, SEE, failure, pause, send

NUMBERS = ["+13155550100", "+13155550101"]
# More than the system takes at once.
LARGE = {"X-Large": "x" * 12_000_000}


def over_httpx(server: FaultServer, **settings: Any) -> list[Any]:
    with httpx.Client() as given:
        return buy_both(
            RestClient(PROJECT, TOKEN, server.url, http_client=given, **settings, look_up_timeout=0)
        )


def over_own_connections(server: FaultServer, **settings: Any) -> list[Any]:
    with RestClient(PROJECT, TOKEN, server.url, **settings, look_up_timeout=0) as client:
        return buy_both(client)


def over_own_async_connections(server: FaultServer, **settings: Any) -> list[Any]:
    return asyncio.run(abuy_both(server, None, **settings))


def over_async_httpx(server: FaultServer, **settings: Any) -> list[Any]:
    return asyncio.run(abuy_both(server, httpx.AsyncClient(), **settings))


def over_aiohttp(server: FaultServer, **settings: Any) -> list[Any]:
    given = httpx.AsyncClient(transport=AiohttpTransport())
    try:
        return asyncio.run(abuy_both(server, given, **settings))
    finally:
        collect_quietly()


def buy_both(client: RestClient) -> list[Any]:
    """Buy a number with a large request, and another one."""
    found: list[Any] = []
    for caller, number in zip((client.with_headers(LARGE), client), NUMBERS, strict=True):
        try:
            found.append(caller.compat.phone_numbers.purchase(PhoneNumber=number).phone_number)
        except SignalWireError as error:
            found.append(error)
    return found


async def abuy_both(
    server: FaultServer, given: httpx.AsyncClient | None, **settings: Any
) -> list[Any]:
    found: list[Any] = []
    client = AsyncRestClient(
        PROJECT, TOKEN, server.url, http_client=given, **settings, look_up_timeout=0
    )
    for caller, number in zip((client.with_headers(LARGE), client), NUMBERS, strict=True):
        try:
            bought = await caller.compat.phone_numbers.purchase(PhoneNumber=number)
            found.append(bought.phone_number)
        except SignalWireError as error:
            found.append(error)
    await client.aclose()
    if given:
        await given.aclose()
    return found


Buy = Callable[..., list[Any]]
OWN = (over_own_connections, over_own_async_connections)
ALL = pytest.mark.parametrize("buy", [*OWN, over_httpx, over_async_httpx, over_aiohttp])


@ALL
def test_a_reset_while_the_request_is_written_leaves_the_outcome_unknown(buy: Buy) -> None:
    with FaultServer() as server:
        server.play((SEE, pause(0.05), RESET), HEALTHY)
        error, after = buy(server)
        assert isinstance(error, APIConnectionError)
        assert error.outcome_unknown
        assert after == NUMBERS[1]
        assert (server.requests, server.purchases) == (2, 1)


@ALL
def test_a_refusal_while_the_request_is_written_is_not_sent_again(buy: Buy) -> None:
    """Over connections of our own it is also told; others may have missed it."""
    with FaultServer() as server:
        server.play((SEE, send(failure(413, None, "Connection: close")), CLOSE), HEALTHY)
        error, after = buy(server)
        if buy in OWN or isinstance(error, APIStatusError):
            assert isinstance(error, APIStatusError)
            assert (error.status, error.outcome_unknown) == (413, False)
        assert isinstance(error, SignalWireError)
        assert after == NUMBERS[1]
        assert (server.requests, server.purchases) == (2, 1)


def read_slowly(peer: Peer) -> None:
    """Read a few bytes at a time for seconds, so that the client can always write a few more."""
    for _ in range(2000):
        peer.connection.recv(2000)
        peer.pause(0.01)


@pytest.mark.parametrize("buy", OWN)
def test_a_server_that_reads_slowly_takes_no_more_than_the_time_of_the_call(buy: Buy) -> None:
    with FaultServer() as server:
        server.play((SEE, read_slowly), HEALTHY)
        error, after = buy(server, timeout=2)
        assert isinstance(error, APITimeoutError)
        assert error.outcome_unknown
        assert after == NUMBERS[1]
        assert (server.requests, server.purchases) == (2, 1)
