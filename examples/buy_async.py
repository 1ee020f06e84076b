"""Buy three numbers at once with the awaitable client."""

import asyncio
import sys

from signalwire_compat import AsyncRestClient, SignalWireError


async def main() -> None:
    """Buy with the settings of the environment, as in buy.py, and say what came of each."""
    async with AsyncRestClient() as client:
        purchases = [
            client.compat.phone_numbers.purchase(PhoneNumber=number)
            for number in ("+15551230001", "+15551230002", "+15551230003")
        ]
        for number in await asyncio.gather(*purchases, return_exceptions=True):
            if isinstance(number, BaseException):
                print(number)
            else:
                print(number.phone_number, number.sid)


try:
    asyncio.run(main())
except SignalWireError as error:
    sys.exit(str(error))
