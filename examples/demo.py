"""What `make demo` shows: a purchase on the wire and in Python, and one that is refused."""

from urllib.parse import unquote_plus

import attrs
from signalwire_compat import RestClient, UnprocessableEntityError
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"

with MockServer() as mock, RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
    print(f"A mock of the service listens on {mock.url}: no account, no money.\n")
    purchase = client.compat.phone_numbers.purchase

    print('client.compat.phone_numbers.purchase(PhoneNumber="+15551234567", FriendlyName=...)\n')
    number = purchase(PhoneNumber="+15551234567", FriendlyName="Main Line")
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
        purchase(PhoneNumber="+15551234567")
    except UnprocessableEntityError as error:
        print(f"  {type(error).__name__}: {error}")
    print(f"  purchases charged: {mock.charges(PROJECT)}")
