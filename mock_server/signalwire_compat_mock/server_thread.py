"""Serves an application on a socket, in a thread."""

import asyncio
import contextlib
import socket
import threading
from ipaddress import ip_address

import uvicorn
from starlette.types import ASGIApp, Scope

_CLOSE_SECONDS = 1


class _Server(uvicorn.Server):
    """Uvicorn that reports when it listens, stops at once, and leaves no connection open."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stop = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()

    async def main_loop(self) -> None:
        # Upstream polls ten times a second; it also updates the header Date here.
        tick = 0
        while not await self.on_tick(tick):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self.stop.wait()
            tick += 10

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Upstream waits at least 0.2 s, in every test. A connection that was just accepted is not
        # in the list yet.
        await asyncio.sleep(0.01)
        for server in self.servers:
            server.close()
        for opened in sockets or []:
            opened.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._wait_for_answers()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)
        await self._wait_for_answers()

    async def _wait_for_answers(self) -> None:
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_CLOSE_SECONDS)


class Listening:
    """An application that is served on a socket until `close`. `url` has no path."""

    def __init__(self, app: ASGIApp, host: str, port: int) -> None:
        """Listen, and return as soon as requests are answered."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        # Connections inherit it. Without it, every reply to a kept connection waits 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address, port = self._socket.getsockname()[:2]
        if ip_address(address.partition("%")[0]).is_unspecified:  # Clients can't connect to it.
            host = "::1" if ":" in host else "127.0.0.1"
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._server = _Server(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
            )
        )
        self._thread = threading.Thread(target=self._run, name="signalwire-mock", daemon=True)
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            raise RuntimeError("the mock did not start: its log says why")

    def drop(self, scope: Scope) -> None:
        """Close the connection that a request came on."""
        for connection in list(self._server.server_state.connections):
            if connection.transport.get_extra_info("peername") == scope["client"]:
                connection.transport.close()

    def _run(self) -> None:
        try:
            self._server.run([self._socket])
        finally:
            self._server.ready.set()
            self._socket.close()

    def close(self) -> None:
        """Stop listening, give running answers a second, and drop the connections."""
        self._server.should_exit = True
        loop = self._server.loop
        with contextlib.suppress(RuntimeError):  # The loop has ended already.
            if loop is not None:
                loop.call_soon_threadsafe(self._server.stop.set)
        self._thread.join()
