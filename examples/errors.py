"""See a refused purchase as a typed exception. The mock server refuses this number on purpose."""

from signalwire_compat import RestClient, SignalWireError, UnprocessableEntityError
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

with MockServer() as mock:
    client = RestClient("b3877c40-da60-4998-90ad-b792e98472ac", DEFAULT_TOKEN, mock.url)
    try:
        client.compat.phone_numbers.purchase(PhoneNumber="+15550021401")
    except UnprocessableEntityError as error:
        print(error.status, error.code, error.message)
    except SignalWireError as error:
        print(f"something else went wrong: {error}")
