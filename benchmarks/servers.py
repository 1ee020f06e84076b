"""Serve what the clients buy from: servers.py plain, or servers.py mock.

Prints its URL, then its CPU time so far in seconds for each line of standard input.
"""

import asyncio
import json
import sys
import threading
import time
from pathlib import Path

import yaml
from signalwire_compat_mock import MockServer
from worker import TOKEN

ROOT = Path(__file__).resolve().parent.parent


class PlainConnection(asyncio.Protocol):
    """Answer each request with the same reply, with as little work as possible."""

    reply: bytes
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
        if end and len(body) >= int(length):
            self._received = b""
            self._transport.write(self.reply)


def plain_server() -> str:
    """Serve the contract's example of a purchased number in a thread. Returns the URL."""
    document = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    operation = document["paths"]["/Accounts/{AccountSid}/IncomingPhoneNumbers"]["post"]
    content = operation["responses"]["201"]["content"]["application/json"]
    body = json.dumps(content["examples"]["purchased"]["value"])
    head = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    PlainConnection.reply = f"{head}\r\n\r\n{body}".encode()
    loop = asyncio.new_event_loop()
    serving = loop.create_server(PlainConnection, "127.0.0.1", 0, backlog=1024)
    server = loop.run_until_complete(serving)
    threading.Thread(target=loop.run_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


if __name__ == "__main__":
    mock = MockServer(token=TOKEN)
    print(plain_server() if sys.argv[1] == "plain" else mock.start().url, flush=True)
    for _ in sys.stdin:
        print(time.process_time(), flush=True)
    mock.close()
