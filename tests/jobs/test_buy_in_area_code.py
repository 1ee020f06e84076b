"""Buy the first number of an area code, and send its calls and messages to a server of ours."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from signalwire_compat import AsyncRestClient, RestClient, UnprocessableEntityError
from signalwire_compat.api.phone_numbers import UpdateOptions
from signalwire_compat.models import AvailablePhoneNumber, IncomingPhoneNumber
from signalwire_compat_mock import MockServer

WEBHOOKS: UpdateOptions = {
    "VoiceUrl": "https://example.com/voice",
    "SmsUrl": "https://example.com/sms",
}
BUYERS = 20


def buy_in_area_code(client: RestClient, area_code: str) -> IncomingPhoneNumber:
    """Buy the first number that is found, and set its webhooks."""
    numbers = client.compat.phone_numbers
    found = numbers.search_local("US", AreaCode=area_code)
    bought = buy_first(client, found.available_phone_numbers)
    return numbers.update(bought.sid, **WEBHOOKS)


def buy_first(client: RestClient, offers: Iterable[AvailablePhoneNumber]) -> IncomingPhoneNumber:
    """Buy the first number that nobody else has bought in the meantime."""
    for offer in offers:
        try:
            return client.compat.phone_numbers.purchase(PhoneNumber=offer.phone_number)
        except UnprocessableEntityError as error:
            if error.category != "input":  # The next number would be refused, too.
                raise
    raise LookupError("no number is for sale")


async def buy_in_area_code_async(client: AsyncRestClient, area_code: str) -> IncomingPhoneNumber:
    """Do the same without blocking."""
    numbers = client.compat.phone_numbers
    found = await numbers.search_local("US", AreaCode=area_code)
    for offer in found.available_phone_numbers:
        try:
            bought = await numbers.purchase(PhoneNumber=offer.phone_number)
        except UnprocessableEntityError as error:
            if error.category != "input":
                raise
        else:
            return await numbers.update(bought.sid, **WEBHOOKS)
    raise LookupError("no number is for sale")


def check(bought: list[IncomingPhoneNumber], mock: MockServer) -> None:
    """Check that each buyer has a number of its own with its webhooks, and paid for one."""
    assert mock.charges() == len(bought) == len({number.phone_number for number in bought})
    owned = {record["sid"]: record for record in mock.phone_numbers()}
    for number in bought:
        assert number.to_dict() == owned[number.sid]
        assert number.phone_number.startswith("+1512")
        assert (number.voice_url, number.sms_url) == tuple(WEBHOOKS.values())


def test_the_first_number_of_an_area_code_is_bought_with_its_webhooks(
    client: RestClient, mock: MockServer
) -> None:
    bought = buy_in_area_code(client, "512")
    assert bought.phone_number == "+15125550100"
    check([bought], mock)
    calls = [exchange.operation_id for exchange in mock.journal]
    assert calls == ["search_local", "purchase", "update"]


def test_the_next_number_is_bought_if_one_was_sold_after_the_search(
    client: RestClient, mock: MockServer
) -> None:
    numbers = client.compat.phone_numbers
    found = numbers.search_local("US", AreaCode="512").available_phone_numbers
    for offer in found[:2]:
        numbers.purchase(PhoneNumber=offer.phone_number)
    assert buy_first(client, found).phone_number == found[2].phone_number
    assert mock.charges() == 3


def test_threads_that_find_the_same_numbers_each_buy_another_one(
    client: RestClient, mock: MockServer
) -> None:
    with ThreadPoolExecutor(BUYERS) as pool:
        bought = list(pool.map(lambda _: buy_in_area_code(client, "512"), range(BUYERS)))
    check(bought, mock)


def test_tasks_that_find_the_same_numbers_each_buy_another_one(
    async_client: AsyncRestClient, mock: MockServer
) -> None:
    async def main() -> list[IncomingPhoneNumber]:
        async with async_client:
            buyers = (buy_in_area_code_async(async_client, "512") for _ in range(BUYERS))
            return await asyncio.gather(*buyers)

    check(asyncio.run(main()), mock)


def test_a_balance_that_is_too_low_ends_the_job_at_the_first_number(
    client: RestClient, mock: MockServer
) -> None:
    mock.inject(code=30002, operation="purchase")
    with pytest.raises(UnprocessableEntityError, match="The balance is too low"):
        buy_in_area_code(client, "512")
    assert [exchange.operation_id for exchange in mock.journal] == ["search_local", "purchase"]


def test_an_area_code_without_numbers_ends_the_job_without_a_purchase(
    client: RestClient, mock: MockServer
) -> None:
    with pytest.raises(LookupError, match="no number is for sale"):
        buy_in_area_code(client, "999")
    assert [exchange.operation_id for exchange in mock.journal] == ["search_local"]
