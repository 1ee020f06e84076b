"""Serves an application on a socket, in a thread."""

import asyncio
import contextlib
import functools
import socket
import ssl
import threading
from collections.abc import Callable
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp, Scope
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from .tls import accept

_CLOSE_SECONDS = 1


class Listening:
    """An application that is served on a socket until `close`. `url` has no path.

    With `tls`, the socket takes TLS, too.
    `app` makes it, and is told whether the address is a loopback address. The HTTP is uvicorn's.
    Its own server takes up to 0.3 s to stop, and leaves connections open.
    """

    def __init__(
        self, app: Callable[[bool], ASGIApp], host: str, port: int, tls: ssl.SSLContext | None
    ) -> None:
        """Listen; requests are answered from now on."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        # Connections inherit it. Without it, every reply to a kept connection waits 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name, port = self._socket.getsockname()[:2]
        address = ip_address(name.partition("%")[0])
        if address.is_unspecified:  # Clients can't connect to it.
            host = "::1" if ":" in host else "127.0.0.1"
        self.url: str = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._config = uvicorn.Config(
            app(address.is_loopback), ws="none", log_config=None, access_log=False
        )
        self._config.load()
        self._state, self._tls = ServerState(), tls
        # The loop that Windows has by default can't wait for a first byte.
        self._loop, self._stop = asyncio.SelectorEventLoop(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="signalwire-mock", daemon=True)
        self._thread.start()

    def drop(self, scope: Scope) -> None:
        """Close the connection that a request came on."""
        for connection in list(self._state.connections):
            if connection.transport.get_extra_info("peername")[:2] == scope["client"]:
                connection.transport.close()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        protocol = functools.partial(H11Protocol, self._config, self._state, {})
        close: Callable[[], object]
        if self._tls:
            close = self._loop.create_task(accept(self._socket, protocol, self._tls)).cancel
        else:
            close = (await self._loop.create_server(protocol, sock=self._socket)).close
        await self._stop.wait()
        await asyncio.sleep(0.01)  # A connection that was just accepted is not in the list yet.
        close()
        for connection in list(self._state.connections):
            connection.shutdown()
        await self._wait_for_answers()
        for connection in list(self._state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        await self._wait_for_answers()

    async def _wait_for_answers(self) -> None:
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=_CLOSE_SECONDS)

    def close(self) -> None:
        """Stop listening, give running answers a second, and drop the connections."""
        with contextlib.suppress(RuntimeError):  # The loop has ended already.
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._socket.close()
