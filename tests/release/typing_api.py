"""Types that callers rely on: checked by `make typecheck`, never run.

An ignore that is not needed is an error, so each one below proves that a mistake is found.
"""

from typing import Literal, assert_type

from signalwire_compat import AsyncRestClient, RestClient, Unset
from signalwire_compat.api.phone_numbers import (
    AsyncListPage,
    GetOptions,
    ListPage,
    PurchaseOptions,
    UpdateOptions,
    purchase,
)
from signalwire_compat.models import (
    AvailablePhoneNumbers,
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


numbers = client.compat.phone_numbers
page = numbers.list(PageSize=20, FriendlyName=None)
assert_type(page.incoming_phone_numbers, list[IncomingPhoneNumber])
assert_type(page.next_page_uri, str | None)
assert_type(page.next_page(), ListPage | None)
assert_type([each.sid for each in page], list[str])
assert_type(numbers.get("PN-1"), IncomingPhoneNumber)
assert_type(numbers.update("PN-1", AccountSid="b", VoiceUrl=None), IncomingPhoneNumber)
assert_type(
    numbers.import_number(number="+1", number_type="longcode", capabilities=["sms"]),
    IncomingPhoneNumber,
)
assert_type(numbers.list_available_countries().countries[0].subresource_uris.toll_free, str)
found = numbers.search_local("US", AreaCode="512", Beta=False).available_phone_numbers
assert_type(found[0].capabilities.sms, bool)
assert_type(found[0].region, str | None)
assert_type(numbers.search_toll_free("US", Contains="800"), AvailablePhoneNumbers)
numbers.delete("PN-1")
assert_type(client.with_account("b"), RestClient)

options: PurchaseOptions = {"FriendlyName": "Main Line", "SmsMethod": "GET", "VoiceUrl": None}
options["SmsUrl"] = "https://example.com/sms"
assert_type(numbers.purchase(PhoneNumber="+15551234567", **options), IncomingPhoneNumber)
changes = UpdateOptions(VoiceUrl="https://example.com/voice")
assert_type(numbers.update("PN-1", **changes), IncomingPhoneNumber)
of_another: GetOptions = {"AccountSid": "b"}
assert_type(numbers.get("PN-1", **of_another), IncomingPhoneNumber)
strings: dict[str, str] = {"AccountSid": "b"}
assert_type(numbers.get("PN-1", **strings), IncomingPhoneNumber)
options["SmsMethod"] = "PUT"  # type: ignore[typeddict-item]  # not an allowed value
options["Smsurl"] = "https://example.com"  # type: ignore[typeddict-unknown-key]  # typo


async def twin() -> None:
    """Check the awaitable client, which has the same types."""
    async with AsyncRestClient() as other:
        walked = await other.compat.phone_numbers.list()
        assert_type(walked, AsyncListPage)
        assert_type(await walked.next_page(), AsyncListPage | None)
        assert_type([each.sid async for each in walked], list[str])
        await other.compat.phone_numbers.purchase(PhoneNumber="+15551234567", **options)
        await other.compat.phone_numbers.delete("PN-1")
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
# A method takes two values, and the type of a dictionary does not say which strings it holds.
client.compat.phone_numbers.purchase(PhoneNumber="+1", **strings)  # type: ignore[arg-type]
client.compat.phone_numbers.get()  # type: ignore[call-arg]  # no SID
client.compat.phone_numbers.purchase(PhoneNumber=None)  # type: ignore[arg-type]  # required
client.compat.phone_numbers.purchase(
    PhoneNumber="+15551234567",
    SmsMethod="PUT",  # type: ignore[arg-type]  # not an allowed value
)
client.compat.phone_numbers.buy()  # type: ignore[attr-defined]  # no such operation
client.compat.numbers  # type: ignore[attr-defined]  # no such tag  # noqa: B018
number.sidd  # type: ignore[attr-defined]  # no such member  # noqa: B018
