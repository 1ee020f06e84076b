"""Sends requests over a client of the caller's, with all that is set on it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import httpx
from anyio.lowlevel import current_token

from ._errors import InvalidRequestError
from ._transport import SEND_OPTIONS, build_request

if TYPE_CHECKING:
    from ._call import Call
    from ._request import Request


class _KeptConnectionError(Exception):
    """The request would go over a connection that was used before: httpcore closes it now."""


class _Trace:
    """What httpcore tells of a request that goes over a client of the caller's.

    Attributes:
        connecting: Whether httpcore opened a connection. False if the transport is another one.
        sent: Whether httpcore began to write the request.
    """

    def __init__(self, request: httpx.Request) -> None:
        self._request = request
        self.connecting = self.sent = False
        self._failure: Any = None

    def note(self, event: str, info: dict[str, Any]) -> None:
        """Take the name of a step. To ask a proxy for a tunnel is not to send the request."""
        if event.endswith(".connect_tcp.started"):
            self.connecting = True
        elif event.endswith(".send_request_headers.started"):
            if info["request"].method == b"CONNECT":
                return
            if event.startswith("http11.") and not self.connecting:
                raise _KeptConnectionError
            self.sent = True
        elif event.endswith(".failed"):
            self._failure = info["exception"]

    async def anote(self, event: str, info: dict[str, Any]) -> None:
        """Do what `note` does, for an async client."""
        self.note(event, info)

    def proves_unsent(self, error: Exception) -> bool:
        """Whether this error is that of httpcore, which began to write nothing."""
        # What the library for SOCKS raises comes through httpcore and httpx as it is.
        known = self._failure is not None and self._failure in (error, error.__cause__)
        return known and self.connecting and not self.sent

    def is_about(self, error: Exception) -> bool:
        """Whether the error is one of this request, not of one that a hook made."""
        try:
            return isinstance(error, httpx.RequestError) and error.request is self._request
        except RuntimeError:  # httpx has not set it, since no transport raised the error.
            return False

    def distrust(self) -> None:
        """Do nothing: the connection was for one call."""


_Client = TypeVar("_Client", bound=httpx.Client | httpx.AsyncClient)


class _BaseCallerClient(Generic[_Client]):
    """A client of the caller's with all that is set on it. It is left open.

    Each call has a connection of its own: of one that was used before it can't be known whether
    something came behind its last reply, or whether another process uses it, too.
    """

    is_own = False
    proxy_url = None

    def __init__(self, client: _Client) -> None:
        """Use it as it is."""
        self._client = client
        self._process = os.getpid()
        self._loop: Any = None

    @property
    def is_closed(self) -> bool:
        """Whether the caller has closed it."""
        return self._client.is_closed

    def request(self, request: Request, url: str, headers: dict[str, str]) -> httpx.Request:
        """Build a request with what is set on the client. Errors: `ValueError`.

        A client of another process or event loop is refused: its replies would go there.
        """
        if self._process != os.getpid():
            raise InvalidRequestError(
                "http_client was passed before this process forked: make a client in each process."
            )
        headers["connection"] = "close"
        return build_request(self._client.build_request, request, url, headers)


class CallerClient(_BaseCallerClient[httpx.Client]):
    """An `httpx.Client` of the caller's. Each of its steps may take what is left of the time."""

    def exchange(self, request: httpx.Request, call: Call) -> None:
        """Send a request and give its reply to the call. Errors: whatever a transport raises."""
        call.witness = trace = _Trace(request)
        request.extensions |= {"trace": trace.note, "timeout": _steps(call.left())}
        try:
            response = self._client.send(request, **SEND_OPTIONS)
            try:
                if not call.begin_reply(response):
                    for part in response.iter_raw():
                        if call.feed(part):
                            break
            finally:
                response.close()
        except _KeptConnectionError:
            self.exchange(request, call)
        except httpx.HTTPStatusError as error:
            if not _is_of(request, error):
                raise
            call.begin_reply(error.response)

    def close(self) -> None:
        """Do nothing: it is the caller's to close."""


class AsyncCallerClient(_BaseCallerClient[httpx.AsyncClient]):
    """An `httpx.AsyncClient` of the caller's; what is left of the time bounds all of its steps."""

    def request(self, request: Request, url: str, headers: dict[str, str]) -> httpx.Request:
        """Build a request with what is set on the client. Errors: `ValueError`."""
        loop = current_token()
        self._loop = self._loop or loop
        if loop != self._loop:
            raise InvalidRequestError(
                "http_client was used in another event loop: make a client in each event loop."
            )
        return super().request(request, url, headers)

    async def exchange(self, request: httpx.Request, call: Call) -> None:
        """Send a request and give its reply to the call. Errors: whatever a transport raises."""
        call.witness = trace = _Trace(request)
        request.extensions |= {"trace": trace.anote, "timeout": _steps(call.left())}
        # The timeouts of httpx come first: they tell whether something was sent.
        try:
            with anyio.fail_after(call.left() + 0.2):
                response = await self._client.send(request, **SEND_OPTIONS)
                try:
                    if not call.begin_reply(response):
                        async for part in response.aiter_raw():
                            if call.feed(part):
                                break
                finally:
                    await response.aclose()
        except _KeptConnectionError:
            await self.exchange(request, call)
        except httpx.HTTPStatusError as error:
            if not _is_of(request, error):
                raise
            call.begin_reply(error.response)

    async def aclose(self) -> None:
        """Do nothing: it is the caller's to close."""


def _steps(seconds: float) -> dict[str, float]:
    return dict.fromkeys(("connect", "read", "write", "pool"), seconds)


def _is_of(request: httpx.Request, error: httpx.HTTPStatusError) -> bool:
    # A hook of the caller's may fail with another request than this one.
    return error.request is request
