"""Connections to one server, kept for the next call: those of httpcore, as httpx sets them up."""

from __future__ import annotations

import functools
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import anyio
import httpcore
import httpx
from anyio.lowlevel import current_token

from ._network import AsyncNetwork, Deadline, Network, proxy_for
from ._reply import Headers

if TYPE_CHECKING:
    from ._request import Request

# As many as httpx allows a client; who waits for one waits within the time of the call.
MOST_CONNECTIONS = 100
# How what holds a connection calls it, in httpcore and in the streams of httpx.
_INNER = ("_connection", "_stream", "_httpcore_stream")
_BUSY = f"all {MOST_CONNECTIONS} connections are in use"


class Head(NamedTuple):
    """The beginning of a reply: its status, and its headers by names in any case."""

    status_code: int
    headers: Mapping[str, str]


class Receiver(Protocol):
    """What waits for a reply: it is given the head, and then the body, part by part.

    Shape: `decoded` is a whole body without compression, from who has it already.
    """

    deadline: Deadline
    head: Head | None
    decoded: bytes | None

    def feed(self, part: bytes) -> bool:
        """Take a part of the body. True once no more is wanted."""
        ...


class Transport:
    """The connections of a client that was given none. Safe to share between threads.

    httpx finds one of its connections by looking at all, for each call. All of these lead to one
    server, so that any idle one will do: the one that was used last, which is the least likely to
    have been closed by the server.
    """

    library = f"httpx/{httpx.__version__}"

    def __init__(self, base_url: str) -> None:
        """Open nothing yet; the proxies and certificates are those of the environment."""
        opened = httpx.HTTPTransport(
            verify=base_url.startswith("https:"), proxy=proxy_for(base_url)
        )
        pool: Any = opened._pool
        pool._network_backend = Network(pool._network_backend)
        self._open = pool.create_connection
        self._origin = _target(httpx.URL(base_url)).origin
        self.is_closed = False
        self._forked = threading.Lock()
        self._begin()

    def _begin(self) -> None:
        self._idle: deque[Any] = deque()
        self._slots = threading.Semaphore(MOST_CONNECTIONS)
        self._process = os.getpid()  # Last: another thread takes it that all is there.

    def request(
        self, request: Request, url: str, headers: dict[str, str], deadline: Deadline
    ) -> httpx.Request:
        """Build a request. Errors: `ValueError` for what no URL can hold."""
        return built_request(request, url, headers, deadline)

    def exchange(self, request: httpx.Request, receiver: Receiver) -> None:
        """Send a request, and hand over its reply. Errors: those of httpx; `TimeoutError`."""
        if self._process != os.getpid():  # On the connections of the parent come its replies.
            with self._forked:
                if self._process != os.getpid():
                    self._begin()
        idle, slots = self._idle, self._slots
        if not slots.acquire(timeout=receiver.deadline.left()):
            raise httpx.PoolTimeout(_BUSY)
        try:
            connection = self._take(idle)
            try:
                response = connection.handle_request(_raw(request))
                receiver.head = Head(response.status, Headers(response.headers))
                for part in response.stream:
                    if receiver.feed(part):
                        break
                response.close()
            except Exception as error:
                if (known := _as_httpx(error)) is not None:
                    raise known from error
                raise
            finally:
                self._give_back(connection, idle, receiver.deadline)
        finally:
            slots.release()

    def _take(self, idle: deque[Any]) -> Any:
        if idle:
            _close_oldest(idle)
        while idle:
            try:
                connection = idle.pop()
            except IndexError:  # Another thread was faster.
                break
            if not connection.has_expired():
                return connection
            connection.close()
        return self._open(self._origin)

    def _give_back(self, connection: Any, idle: deque[Any], deadline: Deadline) -> None:
        opened, deadline.opened = deadline.opened, None
        if not _is_clean(connection) or idle is not self._idle:
            connection.close()
            if opened is not None:  # httpcore forgets it when a proxy or TLS failed.
                opened.close()
            return
        idle.append(connection)
        if self.is_closed:
            self.close()

    def close(self) -> None:
        """Close every connection; one that is in use is closed when its call is over."""
        self.is_closed = True
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:
                return


class AsyncTransport:
    """The connections of an async client that was given none; see `Transport`."""

    library = Transport.library

    def __init__(self, base_url: str) -> None:
        """Open nothing yet; the proxies and certificates are those of the environment."""
        opened = httpx.AsyncHTTPTransport(
            verify=base_url.startswith("https:"), proxy=proxy_for(base_url)
        )
        pool: Any = opened._pool
        pool._network_backend = AsyncNetwork(pool._network_backend)
        self._open = pool.create_connection
        self._origin = _target(httpx.URL(base_url)).origin
        self._loop: Any = None
        self._idle: deque[Any] = deque()
        self._slots: Any = None
        self.is_closed = False

    def _enter_loop(self) -> None:
        """Leave the connections of another event loop: a reply on them would wake nobody here."""
        loop = current_token()
        if loop != self._loop:
            self._loop, self._idle = loop, deque()
            self._slots = anyio.Semaphore(MOST_CONNECTIONS)

    def request(
        self, request: Request, url: str, headers: dict[str, str], deadline: Deadline
    ) -> httpx.Request:
        """Build a request. Errors: `ValueError` for what no URL can hold."""
        return built_request(request, url, headers, deadline)

    async def exchange(self, request: httpx.Request, receiver: Receiver) -> None:
        """Send a request, and hand over its reply. Errors: those of httpx; `TimeoutError`."""
        self._enter_loop()
        idle, slots = self._idle, self._slots
        await _acquire(slots, receiver.deadline)
        try:
            connection = await self._take(idle)
            try:
                response = await connection.handle_async_request(_raw(request))
                receiver.head = Head(response.status, Headers(response.headers))
                async with aclosing(aiter(response.stream)) as parts:
                    async for part in parts:
                        if receiver.feed(part):
                            break
                await response.aclose()
            except Exception as error:
                if (known := _as_httpx(error)) is not None:
                    raise known from error
                raise
            finally:
                await self._give_back(connection, idle, receiver.deadline)
        finally:
            slots.release()

    async def _take(self, idle: deque[Any]) -> Any:
        if idle and idle[0].has_expired():
            await _close(idle.popleft())
        while idle:
            connection = idle.pop()
            if not connection.has_expired():
                return connection
            await _close(connection)
        return self._open(self._origin)

    async def _give_back(self, connection: Any, idle: deque[Any], deadline: Deadline) -> None:
        opened, deadline.opened = deadline.opened, None
        if _is_clean(connection) and not self.is_closed and idle is self._idle:
            idle.append(connection)
        else:
            await _close(connection, opened)

    async def aclose(self) -> None:
        """Close every connection; one that is in use is closed when its call is over."""
        self.is_closed = True
        self._enter_loop()
        while self._idle:
            await _close(self._idle.pop())


# The same few paths are called again and again, and to read a URL takes long.
_url = functools.lru_cache(maxsize=256)(httpx.URL)


def built_request(
    request: Request,
    url: str,
    headers: dict[str, str],
    deadline: Deadline,
    build: Callable[..., httpx.Request] = httpx.Request,
) -> httpx.Request:
    """Build a request of httpx, each of whose steps asks the deadline what is left.

    Errors: `ValueError` for what no URL can hold.
    """
    try:
        return build(
            request.method,
            _url(url),
            headers=headers,
            content=request.content,
            files=request.files,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), deadline)},
        )
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error


def _close_oldest(idle: deque[Any]) -> None:
    try:
        oldest = idle.popleft()
    except IndexError:  # Another thread was faster.
        return
    if oldest.has_expired():
        oldest.close()
    else:
        idle.appendleft(oldest)


async def _acquire(slots: Any, deadline: Deadline) -> None:
    try:
        slots.acquire_nowait()
    except anyio.WouldBlock:
        try:
            with anyio.fail_after(deadline.left()):
                await slots.acquire()
        except TimeoutError:
            raise httpx.PoolTimeout(_BUSY) from None


async def _close(connection: Any, opened: Any = None) -> None:
    """Close a connection, also when the call was cancelled: nobody else would."""
    with anyio.CancelScope(shield=True):
        await connection.aclose()
        if opened is not None:
            await opened.aclose()


def _is_clean(connection: Any) -> bool:
    """Whether nothing but its reply came: what follows would be taken for the next reply."""
    parser = parser_of(connection)
    return parser is not None and connection.is_idle() and not parser.trailing_data[0]


def parser_of(inner: Any) -> Any:
    """Find the parser of a connection, or of a stream of httpx that leads to one; None if none."""
    while inner is not None and not hasattr(inner, "_h11_state"):
        names = (name for name in _INNER if hasattr(inner, name))
        inner = next((getattr(inner, name) for name in names), None)
    return getattr(inner, "_h11_state", None)


def _target(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _raw(request: httpx.Request) -> httpcore.Request:
    return httpcore.Request(
        request.method,
        _target(request.url),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def _as_httpx(error: Exception) -> Exception | None:
    """Give the error that httpx has for one of httpcore: theirs have the same names."""
    if not type(error).__module__.startswith("httpcore"):
        return None
    kind = getattr(httpx, type(error).__name__, httpx.TransportError)
    return kind(str(error)) if issubclass(kind, Exception) else None
