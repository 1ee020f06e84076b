"""Buy three numbers at once with the awaitable client."""

import asyncio

from signalwire_compat import AsyncRestClient


async def main() -> None:
    """Buy with the settings of the environment, as in buy.py."""
    async with AsyncRestClient() as client:
        purchases = [
            client.compat.phone_numbers.purchase(PhoneNumber=number)
            for number in ("+15551230001", "+15551230002", "+15551230003")
        ]
        for number in await asyncio.gather(*purchases):
            print(number.phone_number, number.sid)


asyncio.run(main())
