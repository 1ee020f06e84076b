"""Buy a number from the mock server, and see a purchase that is refused: no account, no money."""

from signalwire_compat import RestClient, SignalWireError
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"

with MockServer() as mock, RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
    numbers = client.compat.phone_numbers
    found = numbers.search_local("US", AreaCode="512").available_phone_numbers
    for phone_number in (found[0].phone_number, "+15550004001"):
        try:
            number = numbers.purchase(PhoneNumber=phone_number)
            print("bought", number.sid, number.phone_number, number.capabilities.sms)
        except SignalWireError as error:
            if error.outcome_unknown:
                print("It may have been bought: check your account before you retry.")
            print(error.status, error.code, error.category, error)
