"""A program that buys, forks, buys in several threads of each child, and buys again.

Arguments: project, token, host, and `sync` or `async`. The status is not 0 if a reply was that of
another purchase, or none came.
"""

import asyncio
import os
import sys
import threading

from signalwire_compat import AsyncRestClient, RestClient

CHILDREN, THREADS = 3, 4


def buy(number: str) -> None:
    """Buy a number, and be answered with that one."""
    bought = client.compat.phone_numbers.purchase(PhoneNumber=number)
    assert bought.phone_number == number


async def buy_one_after_the_other(*numbers: str) -> None:
    """Buy numbers with the async client."""
    for number in numbers:
        bought = await async_client.compat.phone_numbers.purchase(PhoneNumber=number)
        assert bought.phone_number == number


def buy_in_a_child(child: int) -> None:
    """Buy in all threads at once, and end with status 0 if that went well."""
    numbers = [f"+1312{child:03}{thread:04}" for thread in range(THREADS)]
    bought: list[str] = []
    barrier = threading.Barrier(THREADS)

    def buy_with_the_others(number: str) -> None:
        barrier.wait()
        buy(number)
        bought.append(number)

    if kind == "async":
        asyncio.run(buy_one_after_the_other(*numbers))
        os._exit(0)
    threads = [threading.Thread(target=buy_with_the_others, args=(n,)) for n in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(sorted(bought) != numbers)


project, token, host, kind = sys.argv[1:]
client = RestClient(project, token, host, timeout=10)
async_client = AsyncRestClient(project, token, host, timeout=10)
with asyncio.Runner() as loop:
    for purchase in range(2):
        number = f"+1311000000{purchase}"
        if kind == "async":
            loop.run(buy_one_after_the_other(number))
        else:
            buy(number)
        for child in range(0 if purchase else CHILDREN):
            process = os.fork()
            if not process:
                sys.setswitchinterval(1e-6)  # One thread interrupts another one often.
                buy_in_a_child(child)
            assert os.waitpid(process, 0)[1] == 0
