"""Sends requests over connections of our own: clients of httpx above our network."""

from __future__ import annotations

import contextlib
import functools
import os
import queue
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import httpcore
import httpx
from anyio.lowlevel import current_token

from ._errors import InvalidRequestError
from ._network import AsyncNetwork, Network
from ._settings import is_loopback

if TYPE_CHECKING:
    from ._call import Call
    from ._request import Request

# As many as httpx allows a client, and as long as it keeps one that is idle, in seconds.
_MOST_CONNECTIONS = 100
_KEEP_IDLE = 5.0
SEND_OPTIONS: Any = {"auth": None, "follow_redirects": False, "stream": True}
# The same few paths are called again and again, and to read a URL takes long.
_url = functools.lru_cache(maxsize=256)(httpx.URL)


class _Slot(NamedTuple):
    """A client of httpx with one connection, and the network below it."""

    client: Any
    network: Any

    def is_stale(self) -> bool:
        return bool(time.monotonic() - self.network.idle_since > _KEEP_IDLE)


class _BaseConnections:
    """Up to a hundred clients of httpx with one connection each; the last used one is next.

    A single client with a hundred connections would look at all of them for each call.
    """

    is_own = True

    def __init__(self, base_url: str) -> None:
        """Read the proxies and certificates of the environment; connect to nothing yet."""
        self.is_closed = False
        self._proxy = _proxy_for(base_url)
        self.proxy_url = str(self._proxy.url) if self._proxy else None
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if base_url.startswith("https:"):
            self._tls = _trusting_context()
        self._open()

    def request(self, request: Request, url: str, headers: dict[str, str]) -> httpx.Request:
        """Build a request. Errors: `ValueError` for what no URL can hold."""
        return build_request(httpx.Request, request, url, headers)

    def _open(self) -> _Slot:
        raise NotImplementedError

    def _pool(self, pools: tuple[Any, Any, Any], network: Any) -> Any:
        """Make a pool of one connection, as `httpx.HTTPTransport` does, above our network."""
        direct, over_http, over_socks = pools
        options = {
            "ssl_context": self._tls,
            "max_connections": 1,
            "keepalive_expiry": _KEEP_IDLE,
            "network_backend": network,
        }
        proxy = self._proxy
        if proxy is None:
            return direct(**options)
        options |= {"proxy_url": _core_url(proxy.url), "proxy_auth": proxy.raw_auth}
        if proxy.url.scheme == "https":
            options["proxy_ssl_context"] = _trusting_context()
        return (over_http if proxy.url.scheme.startswith("http") else over_socks)(**options)


class Connections(_BaseConnections):
    """The connections of a `RestClient` that was given no client. Threads can share them."""

    def __init__(self, base_url: str) -> None:
        """Read the proxies and certificates of the environment; connect to nothing yet."""
        super().__init__(base_url)
        self._begin()
        if self._proxy is not None and self._proxy.url.scheme == "https":
            raise ValueError(
                "over an https:// proxy the sync client can't keep its timeout: name the proxy "
                "with http://, use AsyncRestClient, or pass http_client="
            )

    def _begin(self) -> None:
        self._idle: deque[_Slot] = deque()
        self._permits = _permits()
        self._process = os.getpid()  # Last: another thread takes it that all is there.

    def _leave_to_parent(self) -> None:
        """Close this process's copies of connections whose replies go to the parent."""
        inherited = self._idle
        self._begin()
        for slot in inherited:
            slot.network.close()

    def exchange(self, request: httpx.Request, call: Call) -> None:
        """Send a request and give its reply to the call. Errors: those of httpx, `TimeoutError`."""
        if self._process != os.getpid():
            self._leave_to_parent()
        try:
            self._exchange(request, call, self._idle, self._permits)
        except Exception:
            raise
        except BaseException:
            self._permits = _permits()  # The interrupt may have come just before one was put back.
            raise

    def _exchange(
        self, request: httpx.Request, call: Call, idle: deque[_Slot], permits: Any
    ) -> None:
        try:
            permits.get(timeout=call.left())
        except queue.Empty:
            message = f"all {_MOST_CONNECTIONS} connections are in use"
            raise httpx.PoolTimeout(message) from None
        slot = None
        try:
            try:
                if idle[0].is_stale():
                    idle.popleft().network.close()
                slot = idle.pop()
            except IndexError:  # There was none, or another thread was faster.
                slot = self._open()
            call.witness = slot.network.begin(call)
            response = slot.client.send(request, **SEND_OPTIONS)
            if not call.begin_reply(response):
                for part in response.iter_raw():
                    if call.feed(part):
                        break
            response.close()
            slot.network.idle_since = time.monotonic()
            idle.append(slot)
            if self.is_closed:
                self.close()
        except BaseException:
            # httpcore is not asked: an interrupt may have left one of its locks taken.
            if slot is not None:
                slot.network.close()
            raise
        finally:
            permits.put(None)

    def _open(self) -> _Slot:
        network = Network()
        transport = httpx.HTTPTransport(verify=self._tls)
        pools = (httpcore.ConnectionPool, httpcore.HTTPProxy, httpcore.SOCKSProxy)
        _replace_pool(transport, self._pool(pools, network))
        return _Slot(
            httpx.Client(transport=transport, **_client_settings(network.replied)), network
        )

    def close(self) -> None:
        """Close every connection; one that is in use is closed when its call is over."""
        self.is_closed = True
        with contextlib.suppress(IndexError):
            while True:
                self._idle.pop().network.close()


class AsyncConnections(_BaseConnections):
    """The connections of an `AsyncRestClient` that was given no client, in one event loop."""

    _loop: Any = None

    async def exchange(self, request: httpx.Request, call: Call) -> None:
        """Send a request and give its reply to the call. Errors: those of httpx, `TimeoutError`."""
        await self._enter_loop()
        idle = self._idle
        with anyio.fail_after(call.left()):
            async with self._permits:
                slot = None
                try:
                    if idle and idle[0].is_stale():
                        await idle.popleft().network.aclose()
                    slot = idle.pop() if idle else self._open()
                    call.witness = slot.network.begin(call)
                    response = await slot.client.send(request, **SEND_OPTIONS)
                    if not call.begin_reply(response):
                        async for part in response.aiter_raw():
                            if call.feed(part):
                                break
                    await response.aclose()
                    slot.network.idle_since = time.monotonic()
                    idle.append(slot)
                    if self.is_closed:
                        await self.aclose()
                except BaseException:
                    if slot is not None:
                        await slot.network.aclose()
                    raise

    async def _enter_loop(self) -> None:
        """Leave the connections of another event loop: a reply on them would wake nobody here."""
        loop = current_token(), os.getpid()  # After a fork, the connections are the parent's.
        if loop != self._loop:
            self._idle: deque[_Slot] = deque()
            self._permits = anyio.Semaphore(_MOST_CONNECTIONS, fast_acquire=True)
            self._until_end = _close_at_end_of_loop(self._idle)
            await anext(self._until_end)
            self._loop = loop  # Last: an interrupt may come before.

    def _open(self) -> _Slot:
        network = AsyncNetwork()
        transport = httpx.AsyncHTTPTransport(verify=self._tls)
        pools = (httpcore.AsyncConnectionPool, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy)
        _replace_pool(transport, self._pool(pools, network))
        return _Slot(
            httpx.AsyncClient(transport=transport, **_client_settings(network.areplied)), network
        )

    async def aclose(self) -> None:
        """Close every connection; one that is in use is closed when its call is over."""
        self.is_closed = True
        try:
            await self._enter_loop()
        except RuntimeError:
            return  # No event loop runs: the last one closed what was idle when it ended.
        while self._idle:
            await self._idle.pop().network.aclose()


async def _close_at_end_of_loop(idle: deque[_Slot]) -> AsyncIterator[None]:
    """Close what is idle when an event loop ends: it finishes its async generators first."""
    try:
        yield
    finally:
        while idle:
            await idle.pop().network.aclose()


def _permits() -> queue.SimpleQueue[None]:
    # Unlike a semaphore, it takes no lock that an interrupt could leave taken.
    permits: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(_MOST_CONNECTIONS):
        permits.put(None)
    return permits


class _NoCookies(CookieJar):
    """Keeps nothing of what a server sets."""

    def extract_cookies(self, response: Any, request: Any) -> None:
        """Do nothing."""


def _client_settings(hook: Callable[[httpx.Response], Any]) -> dict[str, Any]:
    """Give the settings of a client that adds nothing to a request and keeps no cookie."""
    return {"trust_env": False, "cookies": _NoCookies(), "event_hooks": {"response": [hook]}}


def _replace_pool(transport: Any, pool: Any) -> None:
    """Put our network below a transport of httpx, which takes none."""
    if not hasattr(transport, "_pool"):
        raise InvalidRequestError(
            f"httpx {httpx.__version__} is not supported, since its HTTPTransport has no _pool: "
            "install an older one, or pass http_client=."
        )
    transport._pool = pool


def build_request(
    build: Callable[..., httpx.Request], request: Request, url: str, headers: dict[str, str]
) -> httpx.Request:
    """Build a request of httpx. Errors: `ValueError` for what no URL can hold."""
    try:
        return build(
            request.method,
            _url(url),
            headers=headers,
            content=request.content,
            files=request.files,
        )
    except httpx.InvalidURL as error:
        raise ValueError(str(error)) from error


def _trusting_context() -> ssl.SSLContext:
    """Trust whom httpx trusts. Errors: `ValueError` that names a missing file and its variable."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        path = os.environ.get(variable)
        if path and not Path(path).exists():
            raise ValueError(f"{variable} names {path}, which does not exist")
    return httpx.create_ssl_context()


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(
        scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
    )


def _proxy_for(base_url: str) -> httpx.Proxy | None:
    """Give the proxy that the environment names for a host that is not this machine."""
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    if is_loopback(parts.hostname or "") or proxy_bypass(f"{parts.hostname}:{port}"):
        return None
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy:
        return None
    return httpx.Proxy(proxy if "://" in proxy else f"http://{proxy}")
