"""Serve what the clients buy from: servers.py plain, servers.py late SECONDS, or servers.py mock.

Prints its URL, then its CPU time so far in seconds for each line of standard input.
"""

import asyncio
import json
import re
import sys
import threading
import time
from pathlib import Path
from typing import Any

import yaml
from signalwire_compat_mock import MockServer
from worker import TOKEN

ROOT = Path(__file__).resolve().parent.parent
# Of the number, in a form or in JSON.
DIGITS = re.compile(rb"PhoneNumber[^0-9]+(?:2B)?(\d{11})")


class PlainConnection(asyncio.Protocol):
    """Answer a purchase with its number, a list and a search with 50, with little work."""

    purchased: tuple[bytes, bytes]
    listed: bytes
    found: bytes
    late = 0.0
    _received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer the request once it is complete; no client sends another one before that."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if end and len(body) >= int(length or 0):
            self._received = b""
            if head.startswith(b"GET"):
                reply = self.found if b"/AvailablePhoneNumbers" in head else self.listed
            else:
                number = DIGITS.search(body)
                assert number
                reply = number[1].join(self.purchased)
            if self.late:
                asyncio.get_running_loop().call_later(self.late, self._transport.write, reply)
            else:
                self._transport.write(reply)


def reply(status: str, body: Any) -> bytes:
    """Write a reply as it is sent."""
    content = json.dumps(body)
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}"
    return f"{head}\r\n\r\n{content}".encode()


def plain_server() -> str:
    """Serve the contract's examples in a thread. Returns the URL."""
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    operation = document["paths"]["/Accounts/{AccountSid}/IncomingPhoneNumbers"]["post"]
    content = operation["responses"]["201"]["content"]["application/json"]
    example = content["examples"]["purchased"]["value"] | {"phone_number": "+15550100000"}
    before, _, after = reply("201 Created", example).partition(b"15550100000")
    PlainConnection.purchased = before, after
    schemas = document["components"]["schemas"]
    page, found = (
        schemas[n]["examples"][0] for n in ("IncomingPhoneNumberPage", "AvailablePhoneNumbers")
    )
    page["incoming_phone_numbers"] = [example] * 50
    found["available_phone_numbers"] = found["available_phone_numbers"][:1] * 50
    PlainConnection.listed, PlainConnection.found = reply("200 OK", page), reply("200 OK", found)
    loop = asyncio.new_event_loop()
    serving = loop.create_server(PlainConnection, "127.0.0.1", 0, backlog=1024)
    server = loop.run_until_complete(serving)
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


if __name__ == "__main__":
    mock = MockServer(token=TOKEN)
    PlainConnection.late = float(sys.argv[2]) if sys.argv[1] == "late" else 0.0
    print(mock.start().url if sys.argv[1] == "mock" else plain_server(), flush=True)
    for _ in sys.stdin:
        print(time.process_time(), flush=True)
    mock.close()
