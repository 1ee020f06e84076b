"""Buy a hundred numbers at once over a session of aiohttp; needs the extra of that name."""

import asyncio
import sys

import aiohttp
from signalwire_compat import AsyncRestClient, SignalWireError


async def main() -> None:
    """Buy with the settings of the environment, as in buy.py, and say what came of each."""
    async with aiohttp.ClientSession() as session:
        client = AsyncRestClient(http_client=session)
        wanted = [f"+1555124{index:04}" for index in range(100)]
        purchases = [client.compat.phone_numbers.purchase(PhoneNumber=number) for number in wanted]
        for number in await asyncio.gather(*purchases, return_exceptions=True):
            if isinstance(number, BaseException):
                print(number)
            else:
                print(number.phone_number, number.sid)


try:
    asyncio.run(main())
except SignalWireError as error:
    sys.exit(str(error))
