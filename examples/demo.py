"""What `make demo` shows: a purchase on the wire and in Python, and one that is refused."""

from textwrap import indent
from urllib.parse import unquote_plus

import attrs
from signalwire_compat import RestClient, UnprocessableEntityError
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"

with MockServer() as mock, RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
    print(f"A mock of the service listens on {mock.url}: no account, no money.\n")

    print('client.compat.phone_numbers.purchase(PhoneNumber="+15551234567", FriendlyName=...)\n')
    number = client.compat.phone_numbers.purchase(
        PhoneNumber="+15551234567", FriendlyName="Main Line"
    )
    sent = mock.journal[-1]
    print("The request, as the server received it:")
    print(f"  {sent.method} {sent.path}")
    for name, value in sent.headers:
        if name.lower() in ("accept", "authorization", "content-type", "user-agent"):
            print(f"  {name}: {value.split()[0] + ' ...' if 'auth' in name.lower() else value}")
    print(f"\n  {sent.body.decode()}")
    print(f"  that is: {unquote_plus(sent.body.decode())}\n")

    print(f"The result, status {sent.status}, as a typed {type(number).__name__}:")
    members = attrs.asdict(number, recurse=False, filter=lambda _, value: value is not None)
    print(indent("\n".join(f"{name} = {value!r}" for name, value in members.items()), "  "))

    print("\nThe same number again is refused, and nothing more is charged:")
    try:
        client.compat.phone_numbers.purchase(PhoneNumber="+15551234567")
    except UnprocessableEntityError as error:
        print(f"  {type(error).__name__}: {error}")
    print(f"  purchases charged: {mock.charges(PROJECT)}")
