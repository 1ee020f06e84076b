"""A session of aiohttp, given by the caller, with all that is set on it."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, TypeGuard
from weakref import WeakSet

import httpx
from httpcore._utils import is_socket_readable

from ._errors import InvalidRequestError
from ._network import Deadline
from ._redaction import error_chain
from ._reply import Headers
from ._transport import Head, Receiver, built_request

if TYPE_CHECKING:
    import aiohttp

    from ._request import Request

# As much as h11 takes in the lines of a head.
_LONGEST_LINE = 65_536
_EARLY = "the server closed or answered before the request was sent"


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
                        if receiver.feed(await content.readany()):
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

    if any(isinstance(cause, _StaleError) for cause in error_chain(error)):
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
