"""Types that callers rely on: checked by `make typecheck`, never run.

An ignore that is not needed is an error, so each one below proves that a mistake is found.
"""

from typing import Literal, assert_type

from signalwire_compat import AsyncRestClient, RestClient, Unset
from signalwire_compat.api.phone_numbers import purchase
from signalwire_compat.models import (
    Capabilities,
    Error,
    HttpMethod,
    IncomingPhoneNumber,
    PurchaseRequest,
)
from signalwire_compat.types import Response

client = RestClient(
    project="your-project-id", token="your-api-token", host="your-space.signalwire.com"
)
number = client.compat.phone_numbers.purchase(
    PhoneNumber="+15551234567", FriendlyName="Main Line", SmsMethod="GET", VoiceReceiveMode="fax"
)
assert_type(number, IncomingPhoneNumber)
assert_type(number.sid, str)
assert_type(number.sms_url, str | None)
assert_type(number.beta, bool)
assert_type(number.capabilities, Capabilities)
assert_type(number.capabilities.sms, bool)
assert_type(number.verification_status, str | Unset)
assert_type(number.voice_caller_id_lookup, bool | None)

body = PurchaseRequest(phone_number="+15551234567")
assert_type(body.sms_method, HttpMethod | Unset)
assert_type(body.sms_method, Literal["GET", "POST"] | Unset)
assert_type(purchase.sync("sid", client=client, body=body), IncomingPhoneNumber)
assert_type(
    purchase.sync_detailed("sid", client=client, body=body), Response[IncomingPhoneNumber | Error]
)
assert_type(client.with_timeout(5).with_headers({}), RestClient)


async def twin() -> None:
    """Check the awaitable client, which has the same types."""
    async with AsyncRestClient() as other:
        bought = await other.compat.phone_numbers.purchase(PhoneNumber="+15551234567")
        assert_type(bought, IncomingPhoneNumber)
        assert_type(
            await purchase.asyncio_detailed("sid", client=other, body=body),
            Response[IncomingPhoneNumber | Error],
        )
        await other.compat.phone_numbers.purchase()  # type: ignore[call-arg]  # no number
        purchase.sync("sid", client=other, body=body)  # type: ignore[arg-type]  # wrong client


client.compat.phone_numbers.purchase(PhoneNumbr="+15551234567")  # type: ignore[call-arg]  # typo
client.compat.phone_numbers.purchase("+15551234567")  # type: ignore[call-arg]  # no keyword
client.compat.phone_numbers.purchase(
    PhoneNumber="+15551234567",
    SmsMethod="PUT",  # type: ignore[arg-type]  # not an allowed value
)
client.compat.phone_numbers.purchase(
    PhoneNumber="+15551234567",
    FriendlyName=None,  # type: ignore[arg-type]  # left out is not None
)
client.compat.phone_numbers.buy()  # type: ignore[attr-defined]  # no such operation
client.compat.numbers  # type: ignore[attr-defined]  # no such tag  # noqa: B018
number.sidd  # type: ignore[attr-defined]  # no such member  # noqa: B018
