"""Connections of a caller's client: which are used again, and who waits for one."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport
from signalwire_compat import APITimeoutError, AsyncRestClient, RestClient

from tests.transport.fault_server import FaultServer
from tests.transport.faults.callers import PROJECT, TOKEN
from tests.transport.faults.certificates import trusted_by_environment
from tests.transport.faults.scripts import (
    BUY,
    HEALTHY,
    HEALTHY_TLS,
    KEEP,
    RECEIPT,
    STALL,
    tls,
)


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        running.play(HEALTHY)
        yield running


def numbers(count: int) -> list[str]:
    return [f"+1310{index:07}" for index in range(count)]


@pytest.mark.parametrize("kind", [httpx.Client, httpx.AsyncClient])
def test_a_purchase_goes_over_no_connection_that_the_caller_used_before(
    server: FaultServer, kind: Any
) -> None:
    """Bytes behind the reply to the caller's own request would be taken for the reply to it."""
    server.play((*BUY, lambda peer: peer.send(RECEIPT(peer) * 2), KEEP), HEALTHY)
    first = f"{server.url}/of-the-caller"

    def buy() -> str:
        with httpx.Client() as own:
            own.post(first, data={"PhoneNumber": "+13105550199"})
            client = RestClient(PROJECT, TOKEN, server.url, http_client=own, look_up_timeout=0)
            return client.compat.phone_numbers.purchase(PhoneNumber=numbers(1)[0]).phone_number

    async def abuy() -> str:
        async with httpx.AsyncClient() as own:
            await own.post(first, data={"PhoneNumber": "+13105550199"})
            client = AsyncRestClient(PROJECT, TOKEN, server.url, http_client=own, look_up_timeout=0)
            purchase = client.compat.phone_numbers.purchase
            return (await purchase(PhoneNumber=numbers(1)[0])).phone_number

    assert (buy() if kind is httpx.Client else asyncio.run(abuy())) == numbers(1)[0]
    assert (server.connections, server.executed[numbers(1)[0]]) == (2, 1)


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


LIMITS = httpx.Limits(max_connections=1)


@pytest.mark.parametrize(
    "transport", [None, AiohttpTransport(limits=LIMITS)], ids=["httpx", "httpx-aiohttp"]
)
def test_who_waits_for_a_connection_of_an_async_caller_in_vain_has_bought_nothing(
    server: FaultServer, transport: Any
) -> None:
    server.play((*BUY, STALL))

    async def buy() -> list[Any]:
        async with httpx.AsyncClient(limits=LIMITS, transport=transport) as own:
            client = AsyncRestClient(
                PROJECT, TOKEN, server.host, http_client=own, max_retries=0, look_up_timeout=0
            )
            purchase = client.with_timeout(3).compat.phone_numbers.purchase
            first = asyncio.ensure_future(purchase(PhoneNumber=numbers(2)[0]))
            await asyncio.to_thread(server.wait_for, lambda: server.purchases == 1)
            late = client.with_timeout(0.3).compat.phone_numbers.purchase
            second = asyncio.ensure_future(late(PhoneNumber=numbers(2)[1]))
            return [*await asyncio.gather(first, second, return_exceptions=True)]

    assert [result.outcome_unknown for result in asyncio.run(buy())] == [True, False]
    assert server.purchases == 1


def test_who_waits_for_a_connection_of_a_caller_in_vain_has_bought_nothing(
    server: FaultServer,
) -> None:
    server.play((*BUY, STALL))
    with httpx.Client(limits=LIMITS) as own, ThreadPoolExecutor(1) as pool:
        client = RestClient(
            PROJECT, TOKEN, server.host, http_client=own, max_retries=0, look_up_timeout=0
        )
        purchase = client.with_timeout(3).compat.phone_numbers.purchase
        first = pool.submit(purchase, PhoneNumber=numbers(2)[0])
        assert server.wait_for(lambda: server.purchases == 1)
        with pytest.raises(APITimeoutError) as second:
            client.with_timeout(0.3).compat.phone_numbers.purchase(PhoneNumber=numbers(2)[1])
        assert not second.value.outcome_unknown
        unanswered = first.exception()
        assert isinstance(unanswered, APITimeoutError)
        assert unanswered.outcome_unknown
    assert server.purchases == 1
