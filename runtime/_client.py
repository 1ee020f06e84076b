"""The clients: settings and credentials, and the operations by tag."""

from __future__ import annotations

import platform
import time
from base64 import b64encode
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, Self, TypeVar

import httpx

from ._call import Call
from ._contract import USER_AGENT
from ._errors import APIConnectionError, InvalidRequestError
from ._given import AsyncGiven, Given
from ._redaction import Secret
from ._reply import Reply
from ._request import Request
from ._settings import (
    Problems,
    base_url_of,
    extra_headers,
    hidden,
    project_id,
    secret_variants,
    setting,
    timeout_seconds,
    whole_number,
)
from ._transport import AsyncTransport, Transport
from .api import AsyncCompat, Compat

if TYPE_CHECKING:
    import aiohttp

    from ._session import AiohttpGiven

DEFAULT_TIMEOUT = 30.0
DEFAULT_MAX_RETRIES = 2
DEFAULT_MAX_REPLY_BYTES = 10_000_000
_USER_AGENT = f"{USER_AGENT} python/{platform.python_version()}"
_T = TypeVar("_T")


class BaseClient:
    """What both clients share: settings, and what is sent."""

    project: str = ""
    base_url: str = ""
    timeout: float | None
    max_retries: int
    max_reply_bytes: int
    _transport: Any
    _user_agent: str

    def __init__(
        self,
        project: str | None,
        token: str | None,
        host: str | None,
        timeout: float | None,
        max_retries: int,
        max_reply_bytes: int,
        allow_http: bool,
        headers: dict[str, str] | None,
    ) -> None:
        problems = Problems()
        with problems:
            self.project = project_id(project)
        with problems:
            secret = Secret(setting("token", token))
        with problems:
            self.base_url = base_url_of(setting("host", host), allow_http=allow_http)
        with problems:
            self.timeout = timeout_seconds(timeout)
        with problems:
            self.max_retries = whole_number("max_retries", max_retries, 0)
        with problems:
            self.max_reply_bytes = whole_number("max_reply_bytes", max_reply_bytes, 1)
        with problems:
            self._headers = extra_headers(headers or {})
        if problems:
            raise InvalidRequestError(" ".join(problems), problems=list(problems))
        pair = Secret(b64encode(f"{self.project}:{secret}".encode()).decode())
        self._authorization = Secret(f"Basic {pair}")
        self._secrets = secret_variants(pair, secret)
        self._owned = True

    def __repr__(self) -> str:
        return f"{type(self).__name__}(project={self.project!r}, host={self.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a client can't be pickled: it holds a token and connections. Make another."
        )

    def with_headers(self, headers: dict[str, str]) -> Self:
        """Give a client that sends these headers as well. It shares the connections of this one."""
        return self._borrowed(_headers={**self._headers, **extra_headers(headers)})

    def with_timeout(self, timeout: float | None) -> Self:
        """Give a client with another time-out in seconds. It shares the connections of this one."""
        return self._borrowed(timeout=timeout_seconds(timeout))

    def with_max_retries(self, max_retries: int) -> Self:
        """Give a client with another number of retries. It shares the connections of this one."""
        return self._borrowed(max_retries=whole_number("max_retries", max_retries, 0))

    def send(self, request: Request) -> Any:
        """Refuse what an operation without `await` was given: a client that has to be awaited."""
        raise self._mistaken(request)

    async def asend(self, request: Request) -> Any:
        """Refuse what an awaitable operation was given: a client that would send, then fail."""
        raise self._mistaken(request)

    def _mistaken(self, request: Request) -> InvalidRequestError:
        kind = type(self).__name__
        message = f"client can't be {kind}: RestClient is for sync, AsyncRestClient for asyncio."
        return InvalidRequestError(message, **request.told)

    def _borrowed(self, **changes: Any) -> Self:
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__, _owned=False, **changes)
        return other

    def _prepared(self, call: Call) -> Any:
        request = call.request
        headers = {
            "accept": request.accept,
            "user-agent": self._user_agent,
            "accept-encoding": "identity",
        }
        headers.update(self._headers)
        headers.update(request.headers)
        if request.content_type:
            headers["content-type"] = request.content_type
        if request.authenticate:
            headers["authorization"] = self._authorization
        query = f"?{request.query}" if request.query else ""
        try:
            url = f"{self.base_url}{request.path}{query}"
            return self._transport.request(request, url, headers, call.deadline)
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"it can't be sent: {error}", **call.request.told) from error


class RestClient(BaseClient):
    """A client of the SignalWire Compatibility API. Safe to share between threads.

    Args:
        project: Project ID, a UUID. Left out: `SIGNALWIRE_PROJECT_ID`.
        token: API token with the scope Numbers. Left out: `SIGNALWIRE_API_TOKEN`.
        host: Host name of the Space, or a full URL. Left out: `SIGNALWIRE_SPACE`. A host name is
            spoken to over https, a loopback one over http; a URL with a path replaces the
            documented base path.
        timeout: Seconds for a whole call: connecting, sending, the last byte of the reply, and all
            retries. None waits for ever.
        max_retries: How often a call is sent again that can't have been carried out: no connection,
            429, and 503 with `Retry-After`. 0 turns it off.
        max_reply_bytes: A longer reply is an error.
        allow_http: Let the token go unencrypted to a host that is not this machine.
        headers: Sent with every request.
        http_client: An `httpx.Client` of your own, for proxies, certificates or hooks. It stays
            yours to close. Its own time-outs are replaced; each of its steps may take what is left
            of `timeout`.

    Raises:
        InvalidRequestError: Settings are missing or can't be used; names all of them, and why.
    """

    _transport: Transport | Given

    def __init__(
        self,
        project: str | None = None,
        token: str | None = None,
        host: str | None = None,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_MAX_RETRIES,
        max_reply_bytes: int = DEFAULT_MAX_REPLY_BYTES,
        allow_http: bool = False,
        headers: dict[str, str] | None = None,
        http_client: httpx.Client | None = None,
    ) -> None:
        token = hidden(token)
        super().__init__(
            project, token, host, timeout, max_retries, max_reply_bytes, allow_http, headers
        )
        self._transport = _transport(http_client, self.base_url)
        self._user_agent = f"{_USER_AGENT} {self._transport.library}"

    @property
    def compat(self) -> Compat:
        """The operations, by tag: `client.compat.<tag>.<operation>(...)`."""
        return Compat(self)

    def send(self, request: Request) -> Reply:
        """Send a request, and again where nothing can have come of it.

        Errors: `APIConnectionError` when no whole reply comes; `InvalidRequestError` for what no
        URL can hold, and when the client is closed.
        """
        call = Call(self, request)
        while True:
            outcome = self._attempt(call)
            pause = call.pause(outcome)
            if pause is None:
                if isinstance(outcome, Reply):
                    return outcome
                raise outcome
            time.sleep(pause)
            call.next_attempt()

    def _attempt(self, call: Call) -> Reply | APIConnectionError:
        if self._transport.is_closed:
            raise InvalidRequestError("the client is closed. Make a new one.", **call.request.told)
        prepared = self._prepared(call)
        try:
            self._transport.exchange(prepared, call)
        except Exception as error:  # A transport or hook of the caller's may raise anything.
            return call.failed(error)
        except BaseException as error:
            call.interrupted(error)
            raise
        return call.replied()

    def close(self) -> None:
        """Close the connections. A client made by `with_...` leaves them to the original."""
        if self._owned:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class AsyncRestClient(BaseClient):
    """The awaitable twin of `RestClient`. Safe to share between tasks of one event loop.

    Takes the arguments of `RestClient`; `http_client` is an `httpx.AsyncClient`, or an
    `aiohttp.ClientSession`, over which a call costs less than half.
    """

    _transport: AsyncTransport | AsyncGiven | AiohttpGiven

    def __init__(
        self,
        project: str | None = None,
        token: str | None = None,
        host: str | None = None,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_MAX_RETRIES,
        max_reply_bytes: int = DEFAULT_MAX_REPLY_BYTES,
        allow_http: bool = False,
        headers: dict[str, str] | None = None,
        http_client: httpx.AsyncClient | aiohttp.ClientSession | None = None,
    ) -> None:
        token = hidden(token)
        super().__init__(
            project, token, host, timeout, max_retries, max_reply_bytes, allow_http, headers
        )
        self._transport = _async_transport(http_client, self.base_url)
        self._user_agent = f"{_USER_AGENT} {self._transport.library}"

    @property
    def compat(self) -> AsyncCompat:
        """The operations, by tag: `await client.compat.<tag>.<operation>(...)`."""
        return AsyncCompat(self)

    async def asend(self, request: Request) -> Reply:
        """Send a request, and again where nothing can have come of it.

        Errors: `APIConnectionError` when no whole reply comes; `InvalidRequestError` for what no
        URL can hold, and when the client is closed.
        """
        call = Call(self, request)
        while True:
            outcome = await self._attempt(call)
            pause = call.pause(outcome)
            if pause is None:
                if isinstance(outcome, Reply):
                    return outcome
                raise outcome
            import anyio

            await anyio.sleep(pause)
            call.next_attempt()

    async def _attempt(self, call: Call) -> Reply | APIConnectionError:
        if self._transport.is_closed:
            raise InvalidRequestError("the client is closed. Make a new one.", **call.request.told)
        prepared = self._prepared(call)
        try:
            await self._transport.exchange(prepared, call)
        except Exception as error:  # A transport or hook of the caller's may raise anything.
            return call.failed(error)
        except BaseException as error:
            call.interrupted(error)
            raise
        return call.replied()

    async def aclose(self) -> None:
        """Close the connections. A client made by `with_...` leaves them to the original."""
        if self._owned:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


def _transport(given: httpx.Client | None, base_url: str) -> Transport | Given:
    if given is None:
        return _opened(Transport, base_url)
    if isinstance(given, httpx.Client):
        return Given(given)
    raise _wrong_kind(given, "an httpx.Client")


def _async_transport(
    given: httpx.AsyncClient | aiohttp.ClientSession | None, base_url: str
) -> AsyncTransport | AsyncGiven | AiohttpGiven:
    from ._session import AiohttpGiven, is_session

    if given is None:
        return _opened(AsyncTransport, base_url)
    if isinstance(given, httpx.AsyncClient):
        return AsyncGiven(given)
    if is_session(given):
        return AiohttpGiven(given)
    raise _wrong_kind(given, "an httpx.AsyncClient or an aiohttp.ClientSession")


def _wrong_kind(given: object, expected: str) -> InvalidRequestError:
    return InvalidRequestError(f"http_client must be {expected}, got {type(given).__name__}.")


def _opened(kind: Callable[[str], _T], base_url: str) -> _T:
    try:
        return kind(base_url)
    except Exception as error:  # The environment can name a broken proxy or certificate file.
        raise InvalidRequestError(
            f"the proxy or certificate settings of the environment can't be used: {error}"
        ) from error
