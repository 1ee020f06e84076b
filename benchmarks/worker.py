"""Buy, list or search numbers with one client and report what that took: worker.py CLIENT URL.

For each line `COUNT AT_A_TIME CALL` of standard input it makes that many calls, and prints a line
of JSON: CPU time of a call, calls a second by the wall clock, median latency, and peak memory of
the process so far in kilobytes. A call is a purchase, a search or a list; async clients only buy.
It runs in the environment of its client, and imports nothing else.
"""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from statistics import median
from typing import Any

PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"
TOKEN = "PT0123456789abcdef0123456789abcdef0123456789abcdef"
PATH = f"/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers"
SEARCH = PATH.replace("Incoming", "Available") + "/US/Local"
Call = Callable[[str], Any]


def form(number: str) -> Any:
    """Return the arguments of a purchase under the names of the contract."""
    return {"PhoneNumber": number, "FriendlyName": "Main Line"}


def connect(client: str, url: str) -> dict[str, Call]:
    """Return the calls of a sync client. Each reads something of all numbers of the reply."""
    if client == "httpx_by_hand":
        import httpx

        by_hand = httpx.Client(auth=(PROJECT, TOKEN))

        def get(path: str, name: str, member: str, **query: Any) -> Any:
            page = by_hand.get(url + path, params=query).json()
            return [number[member] for number in page[name]]

        return {
            "purchase": lambda number: by_hand.post(url + PATH, data=form(number)).json()["sid"],
            "search": lambda _: get(
                SEARCH, "available_phone_numbers", "phone_number", AreaCode="512"
            ),
            "list": lambda _: get(PATH, "incoming_phone_numbers", "sid", PageSize=50),
        }
    if client == "twilio":
        from twilio.rest import Client

        twilio = Client(PROJECT, TOKEN)
        twilio.api.base_url = url
        mine, local = twilio.incoming_phone_numbers, twilio.available_phone_numbers("US").local
        return {
            "purchase": lambda n: mine.create(phone_number=n, friendly_name="Main Line").sid,
            "search": lambda _: [found.phone_number for found in local.list(area_code="512")],
            "list": lambda _: [number.sid for number in mine.page(page_size=50)],
        }
    if client == "signalwire_sdk":
        from signalwire.rest import RestClient as OfficialClient

        official = OfficialClient(project=PROJECT, token=TOKEN, host="localhost")
        official._http._base_url = url  # Nothing public accepts a URL without https.
        purchase = official.compat.phone_numbers.purchase
        return {"purchase": lambda number: purchase(**form(number))["sid"]}
    from signalwire_compat import RestClient

    ours = RestClient(PROJECT, TOKEN, url).compat.phone_numbers
    return {
        "purchase": lambda number: ours.purchase(**form(number)).sid,
        "search": lambda _: [
            found.phone_number
            for found in ours.search_local("US", AreaCode="512").available_phone_numbers
        ],
        "list": lambda _: [n.sid for n in ours.list(PageSize=50).incoming_phone_numbers],
    }


async def connect_async(client: str, url: str) -> Call:
    """Return the awaitable call of an async client that buys one number."""
    if client == "httpx_by_hand_async":
        import httpx

        # With the default timeout of five seconds some calls would fail at 400 at a time.
        by_hand = httpx.AsyncClient(auth=(PROJECT, TOKEN), timeout=60)

        async def buy(number: str) -> Any:
            return (await by_hand.post(url + PATH, data=form(number))).json()["sid"]

        return buy
    if client == "twilio_async":
        from twilio.http.async_http_client import AsyncTwilioHttpClient
        from twilio.rest import Client

        twilio = Client(PROJECT, TOKEN, http_client=AsyncTwilioHttpClient())
        twilio.api.base_url = url
        create = twilio.incoming_phone_numbers.create_async
        return lambda number: create(phone_number=number, friendly_name="Main Line")
    from signalwire_compat import AsyncRestClient

    ours = AsyncRestClient(PROJECT, TOKEN, url)
    return lambda number: ours.compat.phone_numbers.purchase(**form(number))


def call_in_threads(call: Call, numbers: list[str], at_a_time: int) -> list[float]:
    """Call in `at_a_time` threads; one at a time needs none. Returns the latencies."""

    def timed(number: str) -> float:
        began = time.perf_counter()
        call(number)
        return time.perf_counter() - began

    if at_a_time == 1:
        return [timed(number) for number in numbers]
    with ThreadPoolExecutor(at_a_time) as pool:
        return list(pool.map(timed, numbers))


async def buy_in_tasks(buy: Call, numbers: list[str], at_a_time: int) -> list[float]:
    """Buy in `at_a_time` tasks. Returns the latencies."""
    latencies = []

    async def work() -> None:
        while numbers:
            began = time.perf_counter()
            await buy(numbers.pop())
            latencies.append(time.perf_counter() - began)

    await asyncio.gather(*(work() for _ in range(at_a_time)))
    return latencies


def main(client: str, url: str) -> None:
    """Do what standard input asks for."""
    unused = count(15_550_100_000)
    is_async = client.endswith("_async")
    with asyncio.Runner() as runner:
        # Some clients complain at the end that they were not closed.
        runner.get_loop().set_exception_handler(lambda *_: None)
        buy = runner.run(connect_async(client, url)) if is_async else None
        calls = {} if is_async else connect(client, url)
        for line in sys.stdin:
            *counts, what = line.split()
            how_many, at_a_time = map(int, counts)
            numbers = [f"+{next(unused)}" for _ in range(how_many)]
            cpu, began = time.process_time(), time.perf_counter()
            if buy:
                latencies = runner.run(buy_in_tasks(buy, numbers, at_a_time))
            else:
                latencies = call_in_threads(calls[what], numbers, at_a_time)
            batch = {
                "cpu_seconds": (time.process_time() - cpu) / how_many,
                "per_second": how_many / (time.perf_counter() - began),
                "latency_seconds": median(latencies),
                "peak_memory_kb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            }
            print(json.dumps(batch), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
