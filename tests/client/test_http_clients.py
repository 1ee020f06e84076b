"""A client of httpx that the caller gives, and the transports and hooks that it brings."""

import asyncio
import contextlib
import subprocess
import sys
from typing import Any

import httpx
import pytest
from signalwire_compat import (
    APIConnectionError,
    APITimeoutError,
    AsyncRestClient,
    InvalidRequestError,
    RestClient,
    UnprocessableEntityError,
)
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.client.conftest import NUMBER, Answer, Service, buy, buy_async, failure
from tests.conftest import PROJECT
from tests.transport.fault_server import FaultServer
from tests.transport.faults.scripts import BUY, RECEIPT, drip


def test_a_given_http_client_is_used_and_left_open(mock: MockServer) -> None:
    with httpx.Client(headers={"X-Mine": "yes"}, auth=("other", "user")) as given:
        with RestClient(PROJECT, DEFAULT_TOKEN, mock.url, http_client=given) as client:
            buy(client)
        assert not given.is_closed
    assert dict(mock.journal[-1].headers)["x-mine"] == "yes"
    assert mock.journal[-1].status == 201


FORK = f"""
import os, sys, httpx, signalwire_compat
client = signalwire_compat.RestClient(
    {PROJECT!r}, {DEFAULT_TOKEN!r}, sys.argv[1], http_client=httpx.Client()
)
buy = client.compat.phone_numbers.purchase
if sys.argv[2] == "used":
    buy(PhoneNumber="+15550000001")
if not os.fork():
    try:
        buy(PhoneNumber="+15550000002")
    except signalwire_compat.InvalidRequestError as error:
        os._exit("forked: make a client in each process." not in str(error))
    os._exit(2)
assert os.wait()[1] == 0
buy(PhoneNumber="+15550000003")
"""


@pytest.mark.parametrize("before", ["used", "unused"])
def test_a_given_client_is_refused_in_a_forked_process_before_sending(
    mock: MockServer, before: str
) -> None:
    subprocess.run([sys.executable, "-c", FORK, mock.url, before], check=True)
    numbers = [dict(exchange.form or ())["PhoneNumber"] for exchange in mock.journal]
    assert numbers == ["+15550000001"] * (before == "used") + ["+15550000003"]


def test_a_given_async_client_is_refused_in_another_event_loop_before_sending(
    mock: MockServer,
) -> None:
    client = AsyncRestClient(PROJECT, DEFAULT_TOKEN, mock.url, http_client=httpx.AsyncClient())
    with asyncio.Runner() as first:
        assert first.run(buy_async(client)).phone_number == NUMBER
        with pytest.raises(InvalidRequestError, match="make a client in each event loop") as caught:
            asyncio.run(buy_async(client, PhoneNumber="+15550002"))
        assert not caught.value.outcome_unknown
        assert first.run(buy_async(client, PhoneNumber="+15550003")).phone_number == "+15550003"
    assert len(mock.journal) == 2


@pytest.mark.parametrize(
    ("kind", "given"),
    [(RestClient, httpx.AsyncClient), (AsyncRestClient, httpx.Client), (RestClient, object)],
)
def test_an_http_client_of_the_wrong_kind_is_refused(kind: Any, given: Any) -> None:
    with pytest.raises(InvalidRequestError, match=f"got {given.__name__}"):
        kind(PROJECT, "token", "localhost", http_client=given())


def test_the_timeout_of_a_call_replaces_those_of_httpx(mock: MockServer) -> None:
    seen: list[Any] = []
    hooks = {"request": [lambda request: seen.append(request.extensions["timeout"])]}
    with httpx.Client(event_hooks=hooks) as given:
        client = RestClient(PROJECT, DEFAULT_TOKEN, mock.url, timeout=7, http_client=given)
        buy(client)
        buy(client.with_timeout(3), PhoneNumber="+15550002")
    for timeouts, seconds in zip(seen, (7, 3), strict=True):
        assert set(timeouts) == {"connect", "read", "write", "pool"}
        assert all(seconds - 1 < left <= seconds for left in timeouts.values())


def test_the_timeout_of_a_call_ends_a_dripping_reply_of_a_given_async_client() -> None:
    async def attempt(host: str) -> None:
        async with httpx.AsyncClient(timeout=60) as given:
            client = AsyncRestClient(
                PROJECT, "token", host, timeout=0.3, http_client=given, look_up_timeout=0
            )
            await buy_async(client)

    with FaultServer() as server:
        server.play((*BUY, drip(RECEIPT)))
        with pytest.raises(APITimeoutError, match=r"within timeout=0\.3 seconds") as caught:
            asyncio.run(attempt(server.host))
    assert caught.value.outcome_unknown


@pytest.mark.parametrize(
    "answer", [httpx.ConnectError("refused"), httpx.PoolTimeout("full"), httpx.Response(429)]
)
def test_a_hook_whose_own_request_fails_does_not_buy_again(
    waits: list[float], answer: Answer
) -> None:
    metrics, service = Service(answer), Service(httpx.Response(200, json={}))

    def report(_: httpx.Response) -> None:
        metrics.http_client.post("http://localhost/metrics").raise_for_status()

    service.http_client.event_hooks = {"response": [report]}
    error = failure(service.client())
    assert type(error) in (APIConnectionError, APITimeoutError)
    assert error.outcome_unknown
    assert (len(service.requests), waits) == (1, [])


@pytest.mark.parametrize("is_async", [False, True])
def test_a_transport_that_fails_after_sending_does_not_buy_again(
    mock: MockServer, waits: list[float], is_async: bool
) -> None:
    class Reporting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            super().handle_request(request).close()
            raise httpx.ConnectError("the metrics are not reached")

    class AsyncReporting(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await (await super().handle_async_request(request)).aclose()
            raise httpx.ConnectError("the metrics are not reached")

    async def buy_async_once() -> None:
        async with httpx.AsyncClient(transport=AsyncReporting()) as given:
            await buy_async(
                AsyncRestClient(
                    PROJECT, DEFAULT_TOKEN, mock.url, http_client=given, look_up_timeout=0
                )
            )

    def buy_once() -> None:
        with httpx.Client(transport=Reporting()) as given:
            buy(RestClient(PROJECT, DEFAULT_TOKEN, mock.url, http_client=given, look_up_timeout=0))

    with pytest.raises(APIConnectionError) as caught:
        asyncio.run(buy_async_once()) if is_async else buy_once()
    assert caught.value.outcome_unknown
    assert (len(mock.journal), waits) == (1, [])


@pytest.mark.parametrize(
    "last", [httpx.ReadError("lost"), httpx.ReadTimeout("late"), RuntimeError("lost"), OSError(5)]
)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_transport_that_fails_over_after_a_refused_connection_does_not_buy_again(
    waits: list[float], last: Exception, is_async: bool
) -> None:
    """That httpcore failed to connect says nothing about what the transport did then."""
    elsewhere = Service(last)

    class Failover(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            with contextlib.suppress(httpx.ConnectError):
                return super().handle_request(request)
            return elsewhere.transport.handle_request(request)

    class AsyncFailover(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            with contextlib.suppress(httpx.ConnectError):
                return await super().handle_async_request(request)
            return await elsewhere.transport.handle_async_request(request)

    async def buy_async_once(host: str) -> None:
        async with httpx.AsyncClient(transport=AsyncFailover()) as given:
            await buy_async(
                AsyncRestClient(PROJECT, "token", host, http_client=given, look_up_timeout=0)
            )

    def buy_once(host: str) -> None:
        with httpx.Client(transport=Failover()) as given:
            buy(RestClient(PROJECT, "token", host, http_client=given, look_up_timeout=0))

    with FaultServer(listening=False) as dead, pytest.raises(APIConnectionError) as caught:
        asyncio.run(buy_async_once(dead.host)) if is_async else buy_once(dead.host)
    assert caught.value.outcome_unknown
    assert (len(elsewhere.requests), waits) == (1, [])


def test_any_exception_of_a_transport_becomes_a_connection_error() -> None:
    error = failure(Service(RuntimeError("Event loop is closed")).client())
    assert type(error) is APIConnectionError
    assert error.outcome_unknown
    assert isinstance(error.__cause__, RuntimeError)


def test_a_hook_that_raises_for_a_status_ends_in_the_error_of_that_status() -> None:
    def raise_for_status(response: httpx.Response) -> None:
        response.read()
        response.raise_for_status()

    service = Service(httpx.Response(422, json={"code": 21401, "message": "no such number"}))
    service.http_client.event_hooks = {"response": [raise_for_status]}
    error = failure(service.client())
    assert type(error) is UnprocessableEntityError
    assert (error.code, error.message) == (21401, "no such number")
