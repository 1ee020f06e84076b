"""The clients that rows are played against, all called the same way."""

from __future__ import annotations

import asyncio
import gc
import time
import warnings
from typing import Any, Protocol

import httpx
from httpx_aiohttp import AiohttpTransport
from signalwire_compat import AsyncRestClient, RestClient
from signalwire_compat.models import IncomingPhoneNumber

from .table import Kind

PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"
# Of no account. No piece of it can be a piece of the address of an object, as tracebacks show them.
TOKEN = "PTx7kq2vmz9wrh4tjy8sgn"

# What the network did to a call shows in its error.
NO_LOOK_UP: dict[str, Any] = {"look_up_timeout": 0}


class Caller(Protocol):
    """Either client, called the same way."""

    def purchase(self, number: str, timeout: float | None = None) -> IncomingPhoneNumber:
        """Buy a number, within another time than that of the client if one is given."""

    def idle(self, seconds: float) -> None:
        """Let time go by."""

    def close(self) -> None:
        """Close the client."""


class SyncCaller:
    """A `RestClient`."""

    http_client: httpx.Client | None = None

    def __init__(self, host: str, **settings: Any) -> None:
        settings = {"http_client": self.http_client, **NO_LOOK_UP, **settings}
        self.client = RestClient(PROJECT, TOKEN, host, **settings)

    def purchase(self, number: str, timeout: float | None = None) -> IncomingPhoneNumber:
        """Buy a number."""
        client = self.client.with_timeout(timeout) if timeout else self.client
        return client.compat.phone_numbers.purchase(PhoneNumber=number)

    def idle(self, seconds: float) -> None:
        """Let time go by."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the client."""
        self.client.close()


class AsyncCaller:
    """An `AsyncRestClient` and the event loop that it lives in."""

    http_client: httpx.AsyncClient | None = None

    def __init__(self, host: str, **settings: Any) -> None:
        self._runner = asyncio.Runner()
        settings = {"http_client": self.http_client, **NO_LOOK_UP, **settings}
        self.client = AsyncRestClient(PROJECT, TOKEN, host, **settings)

    def purchase(self, number: str, timeout: float | None = None) -> IncomingPhoneNumber:
        """Buy a number."""
        client = self.client.with_timeout(timeout) if timeout else self.client
        return self._runner.run(client.compat.phone_numbers.purchase(PhoneNumber=number))

    def idle(self, seconds: float) -> None:
        """Let time go by, and the event loop notice what happens meanwhile."""
        self._runner.run(asyncio.sleep(seconds))

    def close(self) -> None:
        """Close the client and its event loop."""
        self._runner.run(self.client.aclose())
        if self.http_client:
            self._runner.run(self.http_client.aclose())
        self._runner.close()


class HttpxCaller(SyncCaller):
    """A `RestClient` over an `httpx.Client`."""

    def __init__(self, host: str, **settings: Any) -> None:
        self.http_client = httpx.Client()
        super().__init__(host, **settings)

    def close(self) -> None:
        """Close both clients."""
        super().close()
        if self.http_client:
            self.http_client.close()


class AsyncHttpxCaller(AsyncCaller):
    """An `AsyncRestClient` over an `httpx.AsyncClient`."""

    def __init__(self, host: str, **settings: Any) -> None:
        self.http_client = httpx.AsyncClient()
        super().__init__(host, **settings)


class AiohttpCaller(AsyncCaller):
    """An `AsyncRestClient` over an `httpx.AsyncClient` that sends through aiohttp."""

    def __init__(self, host: str, **settings: Any) -> None:
        self.http_client = httpx.AsyncClient(transport=AiohttpTransport())
        super().__init__(host, **settings)


def collect_quietly() -> None:
    """Collect what aiohttp leaves: it waits for the end of TLS, and to write the rest of a request."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


CALLERS: dict[Kind, type[SyncCaller | AsyncCaller]] = {
    "sync": SyncCaller,
    "async": AsyncCaller,
    "httpx": HttpxCaller,
    "httpx async": AsyncHttpxCaller,
    "httpx-aiohttp": AiohttpCaller,
}
