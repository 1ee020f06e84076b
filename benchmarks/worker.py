"""One client in a process of its own: buys as many numbers as it is told, and says what that took.

Usage: worker.py CLIENT URL, then a line `COUNT CONCURRENCY` on standard input for each batch. The
answer to each is a line of JSON: seconds of CPU and of wall-clock time, the latencies in seconds,
and the peak memory of the process in kilobytes. Runs in the environment of the client alone.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"
TOKEN = "PT0123456789abcdef0123456789abcdef0123456789abcdef"
BASE = "/api/laml/2010-04-01"
FRIENDLY_NAME = "Main Line"
_NUMBERS = count(15_550_100_000)
Buy = Callable[[str], Any]


def signalwire_compat(url: str) -> Buy:
    """Give the purchase of the generated client."""
    from signalwire_compat import RestClient

    client = RestClient(PROJECT, TOKEN, url)

    def buy(number: str) -> Any:
        purchase = client.compat.phone_numbers.purchase
        return purchase(PhoneNumber=number, FriendlyName=FRIENDLY_NAME).sid

    return buy


def httpx_by_hand(url: str) -> Buy:
    """Give a purchase as one writes it with httpx."""
    import httpx

    client = httpx.Client(auth=(PROJECT, TOKEN))
    target = f"{url}{BASE}/Accounts/{PROJECT}/IncomingPhoneNumbers"

    def buy(number: str) -> Any:
        form = {"PhoneNumber": number, "FriendlyName": FRIENDLY_NAME}
        return client.post(target, data=form).json()["sid"]

    return buy


def signalwire_sdk(url: str) -> Buy:
    """Give the purchase of the official SDK; it speaks https alone unless it is told this way."""
    from signalwire.rest import RestClient

    client = RestClient(project=PROJECT, token=TOKEN, host="localhost")
    client._http._base_url = url
    return lambda number: client.compat.phone_numbers.purchase(
        PhoneNumber=number, FriendlyName=FRIENDLY_NAME
    )["sid"]


def twilio(url: str) -> Buy:
    """Give the purchase of twilio."""
    from twilio.rest import Client

    client = Client(PROJECT, TOKEN)
    client.api.base_url = url
    return lambda number: (
        client.incoming_phone_numbers.create(phone_number=number, friendly_name=FRIENDLY_NAME).sid
    )


async def signalwire_compat_async(url: str) -> Buy:
    """Give the purchase of the generated client, awaitable."""
    from signalwire_compat import AsyncRestClient

    client = AsyncRestClient(PROJECT, TOKEN, url)
    return lambda number: client.compat.phone_numbers.purchase(
        PhoneNumber=number, FriendlyName=FRIENDLY_NAME
    )


async def signalwire_compat_aiohttp(url: str) -> Buy:
    """Give the purchase of the generated client over aiohttp, awaitable."""
    import aiohttp
    from signalwire_compat import AsyncRestClient

    client = AsyncRestClient(PROJECT, TOKEN, url, http_client=aiohttp.ClientSession())
    return lambda number: client.compat.phone_numbers.purchase(
        PhoneNumber=number, FriendlyName=FRIENDLY_NAME
    )


async def httpx_by_hand_async(url: str) -> Buy:
    """Give a purchase as one writes it with httpx, awaitable."""
    import httpx

    # Patient, since with the usual five seconds some calls would fail at 400 at a time.
    client = httpx.AsyncClient(auth=(PROJECT, TOKEN), timeout=60)
    target = f"{url}{BASE}/Accounts/{PROJECT}/IncomingPhoneNumbers"

    async def buy(number: str) -> Any:
        form = {"PhoneNumber": number, "FriendlyName": FRIENDLY_NAME}
        return (await client.post(target, data=form)).json()["sid"]

    return buy


async def twilio_async(url: str) -> Buy:
    """Give the purchase of twilio, awaitable, over aiohttp."""
    from twilio.http.async_http_client import AsyncTwilioHttpClient
    from twilio.rest import Client

    client = Client(PROJECT, TOKEN, http_client=AsyncTwilioHttpClient())
    client.api.base_url = url
    return lambda number: client.incoming_phone_numbers.create_async(
        phone_number=number, friendly_name=FRIENDLY_NAME
    )


CLIENTS = {
    made.__name__: made for made in (signalwire_compat, httpx_by_hand, signalwire_sdk, twilio)
}
ASYNC_CLIENTS: dict[str, Callable[[str], Coroutine[Any, Any, Buy]]] = {
    made.__name__: made
    for made in (
        signalwire_compat_async,
        signalwire_compat_aiohttp,
        httpx_by_hand_async,
        twilio_async,
    )
}


def batches() -> Iterator[tuple[list[str], int]]:
    """Give the numbers to buy and how many at a time, for each line of standard input."""
    for line in sys.stdin:
        how_many, at_a_time = map(int, line.split())
        yield [f"+{next(_NUMBERS)}" for _ in range(how_many)], at_a_time


def told(cpu: float, began: float, latencies: list[float]) -> None:
    """Print what a batch took."""
    taken = {
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - began,
        "latencies": latencies,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
    }
    print(json.dumps(taken), flush=True)


def buy_in_threads(buy: Buy) -> None:
    """Buy in as many threads as are asked for; one at a time needs none."""

    def timed(number: str) -> float:
        began = time.perf_counter()
        buy(number)
        return time.perf_counter() - began

    for numbers, at_a_time in batches():
        cpu, began = time.process_time(), time.perf_counter()
        if at_a_time == 1:
            latencies = [timed(number) for number in numbers]
        else:
            with ThreadPoolExecutor(at_a_time) as pool:
                latencies = list(pool.map(timed, numbers))
        told(cpu, began, latencies)


async def buy_in_tasks(made: Awaitable[Buy]) -> None:
    """Buy in as many tasks as are asked for."""
    buy = await made
    # Clients end with the process, and some complain of not having been closed.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)

    async def task(numbers: list[str], latencies: list[float]) -> None:
        while numbers:
            began = time.perf_counter()
            await buy(numbers.pop())
            latencies.append(time.perf_counter() - began)

    for numbers, at_a_time in batches():
        cpu, began = time.process_time(), time.perf_counter()
        latencies: list[float] = []
        await asyncio.gather(*(task(numbers, latencies) for _ in range(at_a_time)))
        told(cpu, began, latencies)


if __name__ == "__main__":
    client, url = sys.argv[1:]
    if client in CLIENTS:
        buy_in_threads(CLIENTS[client](url))
    else:
        asyncio.run(buy_in_tasks(ASYNC_CLIENTS[client](url)))
