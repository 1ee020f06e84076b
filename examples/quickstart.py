"""Buy a number from the mock server: no account, no money."""

from signalwire_compat import RestClient
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

with MockServer() as mock:
    client = RestClient(
        project="b3877c40-da60-4998-90ad-b792e98472ac",
        token=DEFAULT_TOKEN,
        host=mock.url,
    )
    number = client.compat.phone_numbers.purchase(
        PhoneNumber="+15551234567", FriendlyName="Main Line"
    )
    print(number.sid, number.phone_number, number.capabilities.sms)
