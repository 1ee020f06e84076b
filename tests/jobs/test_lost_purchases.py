"""Find what became of purchases whose replies were lost, or whose program died."""

import asyncio
import os
import subprocess
import sys
import time

from signalwire_compat import AsyncRestClient, RestClient, SignalWireError
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT

UNKNOWN = "unknown"
NUMBERS = [f"+1512555010{digit}" for digit in range(8)]
BUY = """
from signalwire_compat import RestClient
RestClient().compat.phone_numbers.purchase(PhoneNumber="+15125550100")
"""


def buy(client: RestClient, number: str) -> str:
    """Buy a number; return its SID, or UNKNOWN if it may have been bought."""
    try:
        return client.compat.phone_numbers.purchase(PhoneNumber=number).sid
    except SignalWireError as error:
        if error.outcome_unknown:
            return UNKNOWN
        raise


def settle(client: RestClient, number: str) -> str:
    """Return the SID of a number that may have been bought before; buy it if it was not."""
    bought = client.look_up(client.compat.phone_numbers.purchase, PhoneNumber=number)
    return bought.sid if bought else buy(client, number)


async def settle_async(client: AsyncRestClient, number: str) -> str:
    """Do the same without blocking."""
    purchase = client.compat.phone_numbers.purchase
    bought = await client.look_up(purchase, PhoneNumber=number)
    return bought.sid if bought else (await purchase(PhoneNumber=number)).sid


def sids(mock: MockServer) -> dict[str, str]:
    return {record["phone_number"]: record["sid"] for record in mock.phone_numbers()}


def lose_replies(mock: MockServer) -> None:
    """Lose the replies of the next purchases; every second one is carried out."""
    for place, _ in enumerate(NUMBERS):
        mock.inject(drop=True, operation="purchase", carried_out=place % 2 == 0)


def test_a_purchase_whose_reply_was_lost_returns_what_was_bought(
    client: RestClient, mock: MockServer
) -> None:
    mock.inject(drop=True, operation="purchase")
    bought = client.compat.phone_numbers.purchase(PhoneNumber=NUMBERS[0])
    assert bought.found_by_look_up
    assert sids(mock) == {NUMBERS[0]: bought.sid}
    assert mock.charges() == 1


def test_each_purchase_of_unknown_outcome_is_settled_without_buying_twice(mock: MockServer) -> None:
    lose_replies(mock)
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url, look_up_timeout=0) as client:
        orders = {number: buy(client, number) for number in NUMBERS}
        assert set(orders.values()) == {UNKNOWN}
        assert list(sids(mock)) == NUMBERS[::2]
        orders = {number: settle(client, number) for number in orders}
    assert orders == sids(mock)
    assert mock.charges() == len(NUMBERS)


def test_purchases_of_unknown_outcome_are_settled_by_tasks_as_well(mock: MockServer) -> None:
    lose_replies(mock)
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url, look_up_timeout=0) as client:
        assert {buy(client, number) for number in NUMBERS} == {UNKNOWN}

    async def main() -> list[str]:
        async with AsyncRestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
            return await asyncio.gather(*(settle_async(client, number) for number in NUMBERS))

    assert dict(zip(NUMBERS, asyncio.run(main()), strict=True)) == sids(mock)
    assert mock.charges() == len(NUMBERS)


def test_the_next_run_of_a_killed_program_finds_the_number_that_it_bought(
    client: RestClient, mock: MockServer
) -> None:
    mock.inject(delay_seconds=60, operation="purchase")
    environment = {**os.environ, **mock.environment}
    with subprocess.Popen([sys.executable, "-c", BUY], env=environment) as program:
        while mock.charges() == 0:
            assert program.poll() is None, "the program ended before its purchase"
            time.sleep(0.01)
        program.kill()
    assert settle(client, NUMBERS[0]) == sids(mock)[NUMBERS[0]]
    assert mock.charges() == 1
