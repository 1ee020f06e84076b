"""Clients of the caller's: one of httpx, or a session of aiohttp, with all that is set on it."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, TypeGuard
from weakref import WeakSet

import httpx
from httpcore._utils import is_socket_readable

from .errors import InvalidRequestError, chain
from .network import Deadline
from .transport import Head, Receiver, built_request
from .types import Headers

if TYPE_CHECKING:
    import aiohttp

    from .types import Request

# An httpx client tells in no other way that it sent nothing.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
# What aiohttp raises when it sent nothing; every other error of its may come after sending.
_NOT_CONNECTED = {"ClientConnectorError", "ConnectionTimeoutError", "InvalidURL"}
# As much as h11 takes in the lines of a head.
_LONGEST_LINE = 65_536
_EARLY = "the server closed or answered before the request was sent"


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


class Given:
    """An `httpx.Client` of the caller's. Each of its steps may take what is left of the time."""

    library = f"httpx/{httpx.__version__}"

    def __init__(self, client: httpx.Client) -> None:
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

    def exchange(self, request: httpx.Request, receiver: Receiver) -> None:
        """Send a request, and hand over its reply. Errors: whatever a transport or hook raises."""
        receiver.deadline.sent = True
        begun = _Begun()
        request.extensions["trace"] = begun.note
        try:
            response = self._client.send(request, auth=None, follow_redirects=False, stream=True)
            try:
                if not _take(response, receiver):
                    for part in response.iter_raw():
                        if receiver.is_full(part):
                            break
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


class AsyncGiven:
    """An `httpx.AsyncClient` of the caller's; what is left of the time bounds all of its steps."""

    library = Given.library

    def __init__(self, client: httpx.AsyncClient) -> None:
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
                async for part in response.aiter_raw():
                    if receiver.is_full(part):
                        break
        finally:
            await response.aclose()

    async def aclose(self) -> None:
        """Do nothing: it is the caller's to close."""


class AiohttpGiven:
    """An `aiohttp.ClientSession` of the caller's: asyncio alone, at less than half the cost."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        """Use it as it is, and leave it open."""
        import aiohttp

        if not (3, 12) <= tuple(map(int, aiohttp.__version__.split(".")[:2])) < (4, 0):
            raise InvalidRequestError(
                f"aiohttp 3.12 or later, below 4, is needed, and this is {aiohttp.__version__}."
            )
        self._session = session
        self._used: WeakSet[Any] = WeakSet()
        self._proven = False
        self._errors = aiohttp.ClientError
        self.library = f"aiohttp/{aiohttp.__version__}"

    @property
    def is_closed(self) -> bool:
        """Whether the caller has closed it."""
        return self._session.closed

    def request(
        self, request: Request, url: str, headers: dict[str, str], deadline: Deadline
    ) -> tuple[str, Any, dict[str, str], bytes | None]:
        """Give method, URL, headers and body. Errors: `ValueError`."""
        content = request.content
        if request.files:
            encoded = built_request(request, url, headers, deadline)
            content, headers = encoded.read(), dict(encoded.headers)
        body = content.encode() if isinstance(content, str) else content
        return request.method, _aiohttp_url(url), headers, body

    async def exchange(
        self, request: tuple[str, Any, dict[str, str], bytes | None], receiver: Receiver
    ) -> None:
        """Send a request, and hand over its reply. Errors: those of httpx; `TimeoutError`."""
        method, url, headers, body = request
        answered = False
        while True:
            try:
                response = await self._session.request(
                    method,
                    url,
                    headers=headers,
                    data=_guarded(body, receiver, self._used),
                    allow_redirects=False,
                    auto_decompress=False,
                    raise_for_status=False,
                    max_line_size=_LONGEST_LINE,
                    max_field_size=_LONGEST_LINE,
                    timeout=_timeout(round(receiver.deadline.left() + 0.005, 2)),
                )
                try:
                    if not receiver.deadline.sent and self._proven:
                        if answered:
                            raise ConnectionResetError(_EARLY)
                        answered = True
                        raise _StaleError
                    self._proven = receiver.deadline.sent
                    receiver.deadline.sent = True
                    receiver.head = Head(response.status, Headers(response.raw_headers))
                    content = response.content
                    while not content.at_eof():
                        if receiver.is_full(await content.readany()):
                            break
                finally:
                    # Kept for the next call only if the reply was read to its end.
                    if receiver.head is None:
                        response.close()
                    response.release()
                return
            except (self._errors, OSError, _StaleError) as error:
                failure = _of_httpx(error)
                if isinstance(failure, httpx.ReadError | httpx.RemoteProtocolError):
                    # Until a request was seen to be sent, it is not known that this can be seen.
                    receiver.deadline.sent |= not self._proven
            if failure is not None:
                raise failure

    async def aclose(self) -> None:
        """Do nothing: it is the caller's to close."""


def is_session(given: object) -> TypeGuard[aiohttp.ClientSession]:
    """Whether it is a session of aiohttp; who has one has imported aiohttp."""
    loaded = sys.modules.get("aiohttp")
    return loaded is not None and isinstance(given, loaded.ClientSession)


class _StaleError(Exception):
    """An idle connection was closed, or more came on it, which would be taken for the reply."""


@functools.cache
def _payload() -> Any:
    import aiohttp

    class Guarded(aiohttp.BytesPayload):
        """A body that says when it is sent, and is not sent where something came before it."""

        receiver: Receiver
        used: WeakSet[Any]

        async def write_with_length(self, writer: Any, content_length: int | None) -> None:
            _refuse_stale(writer.protocol, self.used)
            self.receiver.deadline.sent = True
            await super().write_with_length(writer, content_length)

    return Guarded


def _refuse_stale(connection: Any, used: WeakSet[Any]) -> None:
    """Refuse a connection that was closed or answered, also if the loop has not read that yet.

    Errors: `_StaleError`, or `ConnectionResetError` where another one would be no better.
    """
    over = connection.should_close or not connection.is_connected()
    if connection not in used:
        used.add(connection)
        if over:
            raise ConnectionResetError(_EARLY)
        return  # What the socket holds may be the tickets of TLS.
    socket = None if over else connection.transport.get_extra_info("socket")
    if over or (socket is not None and is_socket_readable(socket)):
        raise _StaleError


def _guarded(content: bytes | None, receiver: Receiver, used: WeakSet[Any]) -> Any:
    if not content:
        # Nothing tells when a head alone is sent.
        receiver.deadline.sent = True
        return None
    payload = _payload()(content)
    payload.receiver = receiver
    payload.used = used
    return payload


@functools.lru_cache(maxsize=256)
def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    import aiohttp

    # Above the threshold aiohttp would wait until the next whole second.
    return aiohttp.ClientTimeout(total=seconds, ceil_threshold=seconds + 1)


@functools.lru_cache(maxsize=256)
def _aiohttp_url(url: str) -> Any:
    from yarl import URL

    return URL(url, encoded=True)


def _of_httpx(error: Exception) -> Exception | None:
    """Give the error of httpx for one of aiohttp, whose own can hold the request; None if stale."""
    import aiohttp

    if any(isinstance(cause, _StaleError) for cause in chain(error)):
        return None
    if isinstance(error, aiohttp.ClientConnectorError):
        failure: Exception = httpx.ConnectError(str(error))
        failure.__cause__ = error.os_error
        return failure
    if isinstance(error, TimeoutError):
        return TimeoutError(str(error) or "the time of the call is over")
    if isinstance(error, aiohttp.ClientHttpProxyError):  # To open a tunnel is not to send.
        return httpx.ProxyError(f"{error.status} {error.message}")
    if isinstance(error, aiohttp.ClientResponseError):
        return httpx.RemoteProtocolError(error.message)
    return httpx.ReadError(f"{type(error).__name__}: {error}")


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


def _may_be_sent(error: Exception) -> bool:
    """Whether httpx-aiohttp names a lost reply a connect time-out, as it does."""
    causes = [cause for cause in chain(error) if type(cause).__module__.startswith("aiohttp")]
    return any(
        not _NOT_CONNECTED & {kind.__name__ for kind in type(cause).__mro__} for cause in causes
    )
