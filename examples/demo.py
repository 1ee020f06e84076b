"""What `make demo` shows: find, buy, list and release a number, on the wire and in Python."""

from urllib.parse import unquote_plus

import attrs
from signalwire_compat import RestClient, UnprocessableEntityError
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"

with MockServer() as mock, RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
    print(f"A mock of the service listens on {mock.url}: no account, no money.\n")
    numbers = client.compat.phone_numbers

    print('client.compat.phone_numbers.search_local("US", AreaCode="512")\n')
    found = numbers.search_local("US", AreaCode="512").available_phone_numbers
    for available in found[:3]:
        print(f"  {available.phone_number} in {available.rate_center}, {available.region}")

    print("\nclient.compat.phone_numbers.purchase(PhoneNumber=..., FriendlyName=...)\n")
    number = numbers.purchase(PhoneNumber=found[0].phone_number, FriendlyName="Main Line")
    sent = mock.journal[-1]
    print(f"The request, as the server received it:\n  {sent.method} {sent.path}")
    for name, value in sent.headers:
        if name.lower() == "authorization":
            print(f"  {name}: {value.split()[0]} ...")
        elif name.lower() in ("accept", "content-type", "user-agent"):
            print(f"  {name}: {value}")
    body = sent.body.decode()
    print(f"\n  {body}\n  decoded: {unquote_plus(body)}\n")

    print(f"The result, status {sent.status}, as a typed {type(number).__name__}:")
    for name, value in attrs.asdict(number, recurse=False).items():
        if value is not None:
            print(f"  {name} = {value!r}")

    print("\nThe same number again is refused, and nothing more is charged:")
    try:
        numbers.purchase(PhoneNumber=number.phone_number)
    except UnprocessableEntityError as error:
        print(f"  {type(error).__name__}: {error}")
    print(f"  purchases charged: {mock.charges(PROJECT)}")

    print("\nAn update gives the number another name, and the account lists it:")
    numbers.update(number.sid, FriendlyName="Support")
    for mine in numbers.list():
        print(f"  {mine.phone_number} {mine.friendly_name!r}")

    print("\nA release is refused within 14 days of the purchase. The mock's clock can be moved:")
    try:
        numbers.delete(number.sid)
    except UnprocessableEntityError as error:
        print(f"  code {error.code}: {error.message}")
    mock.advance(days=14)
    numbers.delete(number.sid)
    print(f"  numbers left: {len(numbers.list().incoming_phone_numbers)}")
