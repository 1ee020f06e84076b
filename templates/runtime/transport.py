"""Connections that keep to one total time: httpx, whose time-outs each count for one step alone."""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import socket
import threading
import time
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

# The longest wait that every platform bears; stands for no limit.
FOREVER = 4_000_000.0
_PIECE = 16_384


class Deadline(float):
    """The time-out of one attempt, given to each of its steps, which then asks what is left.

    Shape: as a number, the seconds that were left when it was made. `sent` says whether a byte of
    the request may have left this machine.
    """

    at: float
    sent: bool

    def __new__(cls, at: float) -> Deadline:
        """Make the time-out that ends at a moment of the monotonic clock."""
        self = super().__new__(cls, min(max(at - time.monotonic(), 0.001), FOREVER))
        self.at = at
        self.sent = False
        return self

    def left(self) -> float:
        """Seconds left now. Errors: `TimeoutError` when there are none."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time of the call is over")
        return min(left, FOREVER)


def _left(timeout: float | None) -> float | None:
    return timeout.left() if isinstance(timeout, Deadline) else timeout


def _pieces(buffer: bytes, timeout: float | None) -> list[bytes]:
    # What asks a proxy for a tunnel tells the server nothing; its body is empty.
    if isinstance(timeout, Deadline) and buffer and not buffer.startswith(b"CONNECT "):
        timeout.sent = True
    return [buffer[start : start + _PIECE] for start in range(0, len(buffer), _PIECE)]


def _has_residue(parser: Any) -> bool:
    """Whether more came than the reply: what follows it would be taken for the next reply."""
    return parser is None or bool(parser.trailing_data[0])


def _watch(response: httpx.Response) -> None:
    """Let a connection know its parser of HTTP; a connection without one is not used again."""
    stream = response.extensions.get("network_stream")
    if isinstance(stream, _Stream | _AsyncStream):
        raw: Any = response.stream
        for name in ("_httpcore_stream", "_stream", "_connection", "_h11_state"):
            raw = getattr(raw, name, None)
        stream.parser = raw


class _Stream:
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.parser: Any = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        received: bytes = self._stream.read(max_bytes, timeout=_left(timeout))
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for piece in _pieces(buffer, timeout):
            self._stream.write(piece, timeout=_left(timeout))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        # The pool asks this of an idle connection, to know whether it can be used again.
        if info == "is_readable" and _has_residue(self.parser):
            return True
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


class _AsyncStream:
    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.parser: Any = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        received: bytes = await self._stream.read(max_bytes, timeout=_left(timeout))
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for piece in _pieces(buffer, timeout):
            await self._stream.write(piece, timeout=_left(timeout))

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _AsyncStream:
        try:
            started = await self._stream.start_tls(ssl_context, server_hostname, _left(timeout))
        except BaseException:
            # httpcore leaves the connection open when the handshake is cancelled.
            import anyio

            with anyio.CancelScope(shield=True):
                await self._stream.aclose()
            raise
        return _AsyncStream(started)

    def get_extra_info(self, info: str) -> Any:
        # The pool asks this of an idle connection, to know whether it can be used again.
        if info == "is_readable" and _has_residue(self.parser):
            return True
        return self._stream.get_extra_info(info)

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Network:
    """What a pool of httpx connects with; looking up a name is within the time as well."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> _Stream:
        addresses = _addresses(host, port, timeout)
        while True:
            address = addresses.pop(0)
            left = _left(timeout)
            share = left if left is None else left / (len(addresses) + 1)
            try:
                return _Stream(self._network.connect_tcp(address, port, share, **options))
            except Exception:
                if not addresses:
                    raise


class _AsyncNetwork:
    def __init__(self, network: Any) -> None:
        self._network = network

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> _AsyncStream:
        stream = await self._network.connect_tcp(host, port, _left(timeout), **options)
        return _AsyncStream(stream)


def _addresses(host: str, port: int, timeout: float | None) -> list[str]:
    """Look a name up in a thread, since the system's own call knows no time-out."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return [host]
    answers: queue.SimpleQueue[list[str] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([str(address[0]) for *_, address in found])
        except (OSError, UnicodeError) as error:
            answers.put(error if isinstance(error, OSError) else OSError(str(error)))

    threading.Thread(target=look_up, daemon=True, name=f"look up {host}").start()
    try:
        answer = answers.get(timeout=_left(timeout))
    except queue.Empty:
        raise TimeoutError(f"the name {host} was not found in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


class Transport(httpx.HTTPTransport):
    """The connections of a client that was given none."""

    def __init__(self, base_url: str) -> None:
        """Open nothing yet; the proxies and certificates are those of the environment."""
        super().__init__(verify=base_url.startswith("https:"), proxy=_proxy(base_url))
        network = self._pool._network_backend
        self._pool._network_backend = _Network(network)  # type: ignore[assignment]
        self.is_closed = False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its connection is used again only if nothing follows the reply."""
        response = super().handle_request(request)
        _watch(response)
        return response

    def close(self) -> None:
        """Close every connection."""
        self.is_closed = True
        super().close()


class AsyncTransport(httpx.AsyncHTTPTransport):
    """The connections of an async client that was given none."""

    def __init__(self, base_url: str) -> None:
        """Open nothing yet; the proxies and certificates are those of the environment."""
        super().__init__(verify=base_url.startswith("https:"), proxy=_proxy(base_url))
        network = self._pool._network_backend
        self._pool._network_backend = _AsyncNetwork(network)  # type: ignore[assignment]
        self.is_closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its connection is used again only if nothing follows the reply."""
        try:
            response = await super().handle_async_request(request)
        except BaseException as error:
            if isinstance(error, httpx.PoolTimeout) or not isinstance(error, Exception):
                await self._sweep()
            raise
        _watch(response)
        return response

    async def _sweep(self) -> None:
        """Close what a cancelled call was given and never used: httpcore would keep it for ever."""
        import anyio

        pool: Any = self._pool
        with anyio.CancelScope(shield=True), contextlib.suppress(AttributeError, ValueError):
            used = {waiting.connection for waiting in pool._requests}
            for connection in pool.connections:
                if connection not in used and not connection.is_idle():
                    pool._connections.remove(connection)
                    await connection.aclose()
            await pool._close_connections(pool._assign_requests_to_connections())

    async def aclose(self) -> None:
        """Close every connection."""
        self.is_closed = True
        await super().aclose()


def _proxy(base_url: str) -> str | None:
    """Give the proxy that the environment names for a host that is not this machine."""
    parts = urlsplit(base_url)
    name = parts.hostname or ""
    if is_loopback(name) or proxy_bypass(name):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def is_loopback(name: str) -> bool:
    """Whether a host is this machine, whatever network it is on."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
