"""The network below the connections, kept to one total time for all steps of a call."""

from __future__ import annotations

import ipaddress
import queue
import socket
import ssl
import threading
import time
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

# The longest wait that every platform bears; stands for no limit.
FOREVER = 4_000_000.0
_PIECE = 16_384


class Deadline(float):
    """The time-out of one attempt, given to each of its steps, which then asks what is left.

    Shape: as a number, the seconds that were left when it was made. `sent` says whether a byte of
    the request may have left this machine, `opened` is what was connected meanwhile.
    """

    at: float
    sent: bool
    opened: Any

    def __new__(cls, at: float) -> Deadline:
        """Make the time-out that ends at a moment of the monotonic clock."""
        self = super().__new__(cls, min(max(at - time.monotonic(), 0.001), FOREVER))
        self.at = at
        self.sent = False
        self.opened = None
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


def _extra_info(stream: Any, info: str) -> Any:
    return is_readable(stream) if info == "is_readable" else stream.get_extra_info(info)


def is_readable(stream: Any) -> bool:
    """Whether anything came on a stream of httpcore, be it that TLS has taken it already."""
    if stream.get_extra_info("is_readable"):
        return True
    tls = stream.get_extra_info("ssl_object")
    # Only one apart from its socket takes more from it than it has given.
    if not isinstance(tls, ssl.SSLObject):
        return False
    try:
        tls.read(1)
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return True


class _Stream:
    def __init__(self, stream: Any, opening: float | None) -> None:
        self._stream = stream
        self._opening = opening  # A SOCKS proxy is asked without a time-out.
        if isinstance(opening, Deadline):
            opening.opened = self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        received: bytes = self._stream.read(max_bytes, timeout=_left(timeout or self._opening))
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for piece in _pieces(buffer, timeout):
            self._stream.write(piece, timeout=_left(timeout or self._opening))

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _Stream:
        started = self._stream.start_tls(ssl_context, server_hostname, _left(timeout))
        return _Stream(started, timeout)

    def get_extra_info(self, info: str) -> Any:
        return _extra_info(self._stream, info)

    def close(self) -> None:
        self._stream.close()


class _AsyncStream:
    def __init__(self, stream: Any, opening: float | None) -> None:
        self._stream = stream
        self._opening = opening
        if isinstance(opening, Deadline):
            opening.opened = self

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = _left(timeout or self._opening)
        received: bytes = await self._stream.read(max_bytes, timeout=left)
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for piece in _pieces(buffer, timeout):
            await self._stream.write(piece, timeout=_left(timeout or self._opening))

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> _AsyncStream:
        started = await self._stream.start_tls(ssl_context, server_hostname, _left(timeout))
        return _AsyncStream(started, timeout)

    def get_extra_info(self, info: str) -> Any:
        return _extra_info(self._stream, info)

    async def aclose(self) -> None:
        await self._stream.aclose()


class Network:
    """What connections are opened with; looking up a name is within the time as well."""

    def __init__(self, network: Any) -> None:
        """Connect as a network of httpcore does."""
        self._network = network

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> _Stream:
        """Try the addresses of a host in turn, each with its share of the time."""
        addresses = _addresses(host, port, timeout)
        while True:
            address = addresses.pop(0)
            left = _left(timeout)
            share = left if left is None else left / (len(addresses) + 1)
            try:
                stream = self._network.connect_tcp(address, port, share, **options)
                return _Stream(stream, timeout)
            except Exception:
                if not addresses:
                    raise


class AsyncNetwork:
    """The same for an event loop."""

    def __init__(self, network: Any) -> None:
        """Connect as a network of httpcore does."""
        self._network = network

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, **options: Any
    ) -> _AsyncStream:
        """Connect; the network itself tries the addresses, and looks them up within the time."""
        stream = await self._network.connect_tcp(host, port, _left(timeout), **options)
        return _AsyncStream(stream, timeout)


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


def proxy_for(base_url: str) -> str | None:
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
