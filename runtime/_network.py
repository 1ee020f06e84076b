"""The network below httpcore: it keeps the deadline of a call and knows what was written."""

from __future__ import annotations

import functools
import re
import ssl
from typing import TYPE_CHECKING, Any, Self

import anyio
import httpcore
import httpx

from ._host_addresses import async_race, look_up, race

if TYPE_CHECKING:
    from ._call import Call

# Behind a longer reply, more can lie unseen in a buffer of anyio, which takes 64 KB at a time.
_LONGEST_KEPT_REPLY = 32_768
_PIECE = 16_384
_LENGTHS = re.compile(rb"\r\n(content-length|transfer-encoding):[ \t]*([^\r\n]*)")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})(?:;[^\r\n]*)?\r\n")


class _BaseNetwork:
    """What one connection, and the call that has it, did on the network.

    Attributes:
        connecting: Whether this attempt opened a connection.
        sent: Whether this attempt may have written a byte of the request.
        idle_since: When the last call ended, on the monotonic clock.
        stream: The connection. It is kept here first, so that an interrupt can close it.
    """

    connecting = sent = False
    idle_since = 0.0
    _received = b""
    _call: Call
    stream: Any = None

    def begin(self, call: Call) -> Self:
        """Start an attempt of a call: its deadline holds for every step."""
        self._call = call
        self.connecting = self.sent = False
        return self

    def replied(self, response: httpx.Response) -> None:
        """Give the head of a reply to the call before httpx reads its `Location`, and may fail."""
        self._call.begin_reply(response)

    async def areplied(self, response: httpx.Response) -> None:
        """Do what `replied` does, for an async client."""
        self.replied(response)

    def proves_unsent(self, _: Exception) -> bool:
        """Whether this attempt certainly wrote nothing of the request."""
        return self.connecting and not self.sent

    def is_about(self, _: Exception) -> bool:
        """Say yes: these connections have no hooks of the caller's."""
        return True

    def distrust(self) -> None:
        """Make httpcore close the connection before the next call."""
        self._received = b""

    def note_written(self, data: bytes) -> None:
        """Take what is written. What asks a proxy for a tunnel tells the server nothing."""
        if data and not data.startswith((b"CONNECT ", b"\x01", b"\x05")):
            if not self.sent:
                self._received = b""
            self.sent = True

    def note_received(self, data: bytes) -> bytes:
        """Take what was read, and hand it on."""
        if len(self._received) <= _LONGEST_KEPT_REPLY:
            self._received += data
        return data

    def is_readable(self, stream: Any) -> bool:
        """Whether an idle connection must not be used again; httpcore asks for this name."""
        return not _is_one_reply(self._received) or _has_unread(stream)


class Network(_BaseNetwork, httpcore.NetworkBackend):
    """Opens the one connection of a sync pool."""

    def __init__(self) -> None:
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers."""
        self.connecting = True
        addresses = look_up(host, port).result(self.left())
        connect = functools.partial(self._connect, port)
        if len(addresses) == 1:
            self.stream = connect(addresses[0])
        else:
            self.stream = race(connect, addresses, self.left)
        return self.watched()

    def left(self) -> float:
        """Seconds left. Errors: `TimeoutError` when there are none."""
        return self._call.left()

    def watched(self) -> httpcore.NetworkStream:
        """Watch the stream from here on."""
        self.stream = watched = _Stream(self.stream, self)
        return watched

    def _connect(self, port: int, address: str) -> httpcore.NetworkStream:
        return self._backend.connect_tcp(address, port, self.left())

    def close(self) -> None:
        """Close the connection, whatever state httpcore is in."""
        if self.stream is not None:
            self.stream.close()


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, network: Network) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._network.note_received(self._stream.read(max_bytes, self._network.left()))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            left = self._network.left()
            self._network.note_written(piece)
            self._stream.write(piece, left)

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._network.left()
        self._network.stream = self._stream.start_tls(ssl_context, server_hostname, left)
        return self._network.watched()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._network.is_readable(self._stream)
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


class AsyncNetwork(_BaseNetwork, httpcore.AsyncNetworkBackend):
    """Opens the one connection of an async pool. The caller keeps the deadline."""

    def __init__(self) -> None:
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of a host that answers."""
        self.connecting = True
        found = look_up(host, port)
        while not found.done():
            await anyio.sleep(0.002)
        connect = functools.partial(self._backend.connect_tcp, port=port)
        addresses = found.result()
        if len(addresses) == 1:
            self.stream = await connect(addresses[0])
        else:
            self.stream = await async_race(connect, addresses)
        return self.watched()

    def watched(self) -> httpcore.AsyncNetworkStream:
        """Watch the stream from here on."""
        self.stream = watched = _AsyncStream(self.stream, self)
        return watched

    async def aclose(self) -> None:
        """Close the connection, also when the call was cancelled."""
        if self.stream is not None:
            with anyio.CancelScope(shield=True):
                await self.stream.aclose()


class _AsyncStream(httpcore.AsyncNetworkStream):
    def __init__(self, stream: httpcore.AsyncNetworkStream, network: AsyncNetwork) -> None:
        self._stream = stream
        self._network = network

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._network.note_received(await self._stream.read(max_bytes))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._network.note_written(buffer)
        await self._stream.write(buffer)

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self._network.stream = await self._stream.start_tls(ssl_context, server_hostname)
        return self._network.watched()

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":
            return self._network.is_readable(self._stream)
        return self._stream.get_extra_info(info)

    async def aclose(self) -> None:
        await self._stream.aclose()


def _has_unread(stream: Any) -> bool:
    """Whether anything came on an idle connection: on the socket, or in the buffer of TLS."""
    if stream.get_extra_info("is_readable"):
        return True
    tls = stream.get_extra_info("ssl_object")
    if not isinstance(
        tls, ssl.SSLObject
    ):  # One with a socket of its own takes no more than it gives.
        return False
    try:
        tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return True


def _is_one_reply(received: bytes) -> bool:
    """Whether these bytes are exactly one reply. False where that can't be known."""
    head, end, body = received.partition(b"\r\n\r\n")
    status = head[9:12]
    if not end or len(received) > _LONGEST_KEPT_REPLY or b"\n" in head.replace(b"\r\n", b""):
        return False
    if status.startswith(b"1"):
        return _is_one_reply(body)
    if status in (b"204", b"304"):
        return not body
    lengths = _LENGTHS.findall(head.lower())
    if len(lengths) != 1:
        return False
    name, value = lengths[0]
    if name == b"content-length":
        return bool(value.strip() == b"%d" % len(body))
    return bool(value.strip() == b"chunked") and _is_one_chunked_body(body)


def _is_one_chunked_body(body: bytes) -> bool:
    position = 0
    while chunk := _CHUNK_SIZE.match(body, position):
        size = int(chunk[1], 16)
        position = chunk.end() + size + 2
        if body[position - 2 : position] != b"\r\n":
            return False
        if not size:
            return position == len(body)
    return False
