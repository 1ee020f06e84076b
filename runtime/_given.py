"""A client of httpx, given by the caller, with all that is set on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import httpx

from ._network import Deadline, is_readable
from ._redaction import error_chain
from ._transport import Head, Receiver, built_request, parser_of

if TYPE_CHECKING:
    from ._request import Request

# An httpx client tells in no other way that it sent nothing.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
# What aiohttp raises when it sent nothing; every other error of its may come after sending.
_NOT_CONNECTED = {"ClientConnectorError", "ConnectionTimeoutError", "InvalidURL"}


class _Begun:
    """Whether httpcore began to send, which no error that is raised later takes back."""

    sent = False

    def note(self, event: str, info: dict[str, Any]) -> None:
        """Take the name of a step, as httpcore gives it. Asking for a tunnel is not sending."""
        method = getattr(info.get("request"), "method", b"")
        if event.endswith("send_request_headers.started") and method != b"CONNECT":
            self.sent = True

    async def anote(self, event: str, info: dict[str, Any]) -> None:
        """Take it where the client is an async one."""
        self.note(event, info)


_Client = TypeVar("_Client", bound=httpx.Client | httpx.AsyncClient)


class _BaseGiven(Generic[_Client]):
    library = f"httpx/{httpx.__version__}"

    def __init__(self, client: _Client) -> None:
        """Use it as it is, and leave it open."""
        self._client = client

    @property
    def is_closed(self) -> bool:
        """Whether the caller has closed it."""
        return self._client.is_closed

    def request(
        self, request: Request, url: str, headers: dict[str, str], deadline: Deadline
    ) -> httpx.Request:
        """Build a request with what is set on the client. Errors: `ValueError`."""
        return built_request(request, url, headers, deadline, self._client.build_request)


class Given(_BaseGiven[httpx.Client]):
    """An `httpx.Client` of the caller's. Each of its steps may take what is left of the time."""

    def exchange(self, request: httpx.Request, receiver: Receiver) -> None:
        """Send a request, and hand over its reply. Errors: whatever a transport or hook raises."""
        receiver.deadline.sent = True
        begun = _Begun()
        request.extensions["trace"] = begun.note
        try:
            response = self._client.send(request, auth=None, follow_redirects=False, stream=True)
            try:
                if not _take(response, receiver):
                    stream: Any = response.stream  # Unlike `iter_raw`, it is not closed at its end.
                    for part in stream:
                        if receiver.feed(part):
                            break
                    if _has_more(response):
                        response.extensions["network_stream"].close()
            finally:
                response.close()
        except httpx.HTTPStatusError as error:  # From a hook.
            if not _is_of(request, error):
                raise
            _take(error.response, receiver)
        except Exception as error:
            known = begun.sent or receiver.head is not None
            receiver.deadline.sent = known or not _is_unsent(request, error)
            raise

    def close(self) -> None:
        """Do nothing: it is the caller's to close."""


class AsyncGiven(_BaseGiven[httpx.AsyncClient]):
    """An `httpx.AsyncClient` of the caller's; what is left of the time bounds all of its steps."""

    async def exchange(self, request: httpx.Request, receiver: Receiver) -> None:
        """Send a request, and hand over its reply. Errors: whatever a transport or hook raises."""
        import anyio

        receiver.deadline.sent = True
        begun = _Begun()
        request.extensions["trace"] = begun.anote
        try:
            with anyio.fail_after(receiver.deadline.left()):
                await self._exchange(request, receiver)
        except httpx.HTTPStatusError as error:  # From a hook.
            if not _is_of(request, error):
                raise
            _take(error.response, receiver)
        except Exception as error:
            known = begun.sent or receiver.head is not None
            receiver.deadline.sent = known or not _is_unsent(request, error)
            if not receiver.deadline.sent and _may_be_sent(error):
                receiver.deadline.sent = True
                raise httpx.ReadError(str(error)) from error
            raise

    async def _exchange(self, request: httpx.Request, receiver: Receiver) -> None:
        response = await self._client.send(request, auth=None, follow_redirects=False, stream=True)
        try:
            if not _take(response, receiver):
                stream: Any = response.stream
                async for part in stream:
                    if receiver.feed(part):
                        break
                if _has_more(response):
                    await response.extensions["network_stream"].aclose()
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Do nothing: it is the caller's to close."""


def _is_of(request: httpx.Request, error: httpx.HTTPError) -> bool:
    # A hook of the caller's may fail with another request than this one.
    try:
        return error.request is request
    except RuntimeError:
        return False


def _is_unsent(request: httpx.Request, error: Exception) -> bool:
    return isinstance(error, _NOT_SENT) and _is_of(request, error)


def _take(response: httpx.Response, receiver: Receiver) -> bool:
    """Hand over a head; whether the body is there as well, since a hook has read it."""
    receiver.head = Head(response.status_code, response.headers)
    try:
        receiver.decoded = response.content
    except httpx.ResponseNotRead:
        return response.is_stream_consumed
    return True


def _has_more(response: httpx.Response) -> bool:
    """Whether more came behind a reply, which httpx would take for the reply to the next call."""
    parser = parser_of(response.stream)
    if parser is None or "network_stream" not in response.extensions:
        return False
    return bool(parser.trailing_data[0]) or is_readable(response.extensions["network_stream"])


def _may_be_sent(error: Exception) -> bool:
    """Whether httpx-aiohttp names a lost reply a connect time-out, as it does."""
    causes = [cause for cause in error_chain(error) if type(cause).__module__.startswith("aiohttp")]
    return any(
        not _NOT_CONNECTED & {kind.__name__ for kind in type(cause).__mro__} for cause in causes
    )
