"""A server as plain as one can be: reads requests, and answers each with the same number."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import yaml

CONTRACT = Path(__file__).resolve().parent.parent / "openapi.yaml"


def reply() -> bytes:
    """Make the answer: the example of a purchased number from the contract."""
    document = yaml.safe_load(CONTRACT.read_text("utf-8"))
    operation = document["paths"]["/Accounts/{AccountSid}/IncomingPhoneNumbers"]["post"]
    content = operation["responses"]["201"]["content"]["application/json"]
    body = json.dumps(content["examples"]["purchased"]["value"]).encode()
    head = f"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        while True:
            head, end, rest = self._received.partition(b"\r\n\r\n")
            if not end:
                return
            length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            if len(rest) < length:
                return
            self._received = rest[length:]
            self._transport.write(self._answer)


async def serve() -> None:
    """Serve on a free loopback port, which is printed, until standard input ends."""
    loop = asyncio.get_running_loop()
    answer = reply()
    server = await loop.create_server(lambda: _Connection(answer), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(serve())
