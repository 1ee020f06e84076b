"""The clients, whose operations are `client.compat.<tag>.<operation>(...)`."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, Self, TypeVar

import httpx

from ._call import Call
from ._contract import USER_AGENT
from ._errors import APIConnectionError, InvalidRequestError, SignalWireError
from ._look_up import (
    HowToLookUp,
    Search,
    is_ended_by_caller,
    look_on,
    look_on_async,
    looking,
)
from ._redaction import find_interrupt
from ._reply import Reply
from ._request import Request
from ._settings import (
    DEFAULT_LOOK_UP_TIMEOUT,
    DEFAULT_MAX_REPLY_BYTES,
    DEFAULT_MAX_RETRIES,
    DEFAULT_TIMEOUT,
    Settings,
    check_count,
    check_headers,
    check_timeout,
    hide_project,
    hide_token,
    read_settings,
)
from .api import AsyncCompat, Compat

if TYPE_CHECKING:
    from ._caller_client import AsyncCallerClient, CallerClient
    from ._transport import AsyncConnections, Connections

_USER_AGENT = f"{USER_AGENT} python/{platform.python_version()} httpx/{httpx.__version__}"
P = ParamSpec("P")
T = TypeVar("T")


class _BaseClient:
    _transport: Any

    def __init__(self, settings: Settings, transport: Any) -> None:
        self._settings = settings
        self._transport = transport
        self._owns_transport = True

    @property
    def project(self) -> str:
        """The Project ID."""
        return self._settings.project

    @property
    def account(self) -> str:
        """The account that calls are for: the Project ID, or what `with_account` set."""
        return self._settings.account

    @property
    def base_url(self) -> str:
        """The URL that the path of every operation follows."""
        return self._settings.base_url

    @property
    def timeout(self) -> float | None:
        """Seconds for a whole call, or None."""
        return self._settings.timeout

    @property
    def max_retries(self) -> int:
        """How often a call is sent again."""
        return self._settings.max_retries

    @property
    def look_up_timeout(self) -> float:
        """Seconds for looking after an unknown outcome."""
        return self._settings.look_up_timeout

    @property
    def max_reply_bytes(self) -> int:
        """The size of the largest reply that is accepted."""
        return self._settings.max_reply_bytes

    def __repr__(self) -> str:
        if "_settings" not in vars(self):  # A traceback shows a client whose settings are wrong.
            return f"{type(self).__name__}()"
        return f"{type(self).__name__}(project={self.project!r}, host={self.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client can't be pickled: it holds a token and connections")

    def with_headers(self, headers: dict[str, str]) -> Self:
        """Make a client that sends these headers, too. It shares the connections of this one."""
        return self._with(headers={**self._settings.headers, **check_headers(headers)})

    def with_account(self, account: str) -> Self:
        """Make a client for another account, such as a subproject. It shares the connections."""
        return self._with(account=account)

    def with_timeout(self, timeout: float | None) -> Self:
        """Make a client with another timeout in seconds. It shares the connections of this one."""
        return self._with(timeout=check_timeout(timeout))

    def with_max_retries(self, max_retries: int) -> Self:
        """Make a client with another number of retries. It shares the connections of this one."""
        return self._with(max_retries=check_count("max_retries", max_retries, 0))

    def _with(self, **changes: Any) -> Self:
        client = type(self).__new__(type(self))
        _BaseClient.__init__(client, self._settings._replace(**changes), self._transport)
        client._owns_transport = False
        return client

    def _search(self, call: Call, error: SignalWireError, how: HowToLookUp | None) -> Search | None:
        """Make the search for the outcome of a call, if it is unknown and can be found."""
        seconds = self._settings.look_up_timeout
        if how is None or not error.outcome_unknown or not seconds or is_ended_by_caller(error):
            return None
        call.lose()
        return Search(call.request, how, call.elapsed, seconds)

    def _send(
        self, request: Request, read: Callable[[Reply], T], look_up: HowToLookUp | None = None
    ) -> T:
        raise self._wrong_kind(request)

    async def _asend(
        self, request: Request, read: Callable[[Reply], T], look_up: HowToLookUp | None = None
    ) -> T:
        raise self._wrong_kind(request)

    def _wrong_kind(self, request: Request) -> InvalidRequestError:
        kind = type(self).__name__
        message = f"client can't be {kind}: RestClient is for sync, AsyncRestClient for asyncio."
        return InvalidRequestError(message, **request.context)

    def _prepare(self, call: Call) -> Any:
        """Build the request for the transport. Errors: `InvalidRequestError`."""
        request = call.request
        if self._transport.is_closed:
            raise InvalidRequestError("the client is closed. Make a new one.", **request.context)
        query = f"?{request.query}" if request.query else ""
        url = f"{self.base_url}{request.path}{query}"
        try:
            prepared = self._transport.request(request, url, call.headers(_USER_AGENT))
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"it can't be sent: {error}", **request.context) from error
        if request.authenticate:
            prepared.headers["authorization"] = self._settings.authorization.reveal()
        return prepared


class RestClient(_BaseClient):
    """A client of the SignalWire Compatibility API. Safe to share between threads.

    Args:
        project: Project ID, a UUID. Defaults to $SIGNALWIRE_PROJECT_ID.
        token: API token with the scope Numbers. Defaults to $SIGNALWIRE_API_TOKEN.
        host: Host name of the Space, or a full URL. Defaults to $SIGNALWIRE_SPACE. Host names use
            https, loopback ones http. The path of a URL replaces the documented base path.
        timeout: Seconds for a whole call: connecting, sending, the complete reply, and all retries.
            None waits for ever.
        max_retries: How often a call is sent again that cannot have taken effect: nothing was sent,
            429, and a 503 by which the service declines. 0 turns retries off.
        look_up_timeout: Seconds for looking after an unknown outcome, on top of `timeout`: is
            what was asked for there now? If so, the call returns it, and its `found_by_look_up`
            is True. Looking changes nothing and buys nothing. 0 turns it off.
        max_reply_bytes: A larger reply is an error.
        allow_http: Send the token unencrypted to a host other than this machine.
        headers: Sent with every request.
        http_client: Your own `httpx.Client`, for hooks, client certificates or a transport. You
            close it. Each call opens a connection. Its timeouts are replaced: the remaining
            `timeout` applies to each step.

    Raises:
        InvalidRequestError: A setting is missing or wrong. The error names all of them.
    """

    def __init__(
        self,
        project: str | None = None,
        token: str | None = None,
        host: str | None = None,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_MAX_RETRIES,
        look_up_timeout: float = DEFAULT_LOOK_UP_TIMEOUT,
        max_reply_bytes: int = DEFAULT_MAX_REPLY_BYTES,
        allow_http: bool = False,
        headers: dict[str, str] | None = None,
        http_client: httpx.Client | None = None,
    ) -> None:
        project, token = hide_project(project), hide_token(token)
        settings = read_settings(
            project=project,
            token=token,
            host=host,
            timeout=timeout,
            max_retries=max_retries,
            look_up_timeout=look_up_timeout,
            max_reply_bytes=max_reply_bytes,
            allow_http=allow_http,
            headers=headers,
        )
        super().__init__(settings, _sync_transport(http_client, settings.base_url))

    @property
    def compat(self) -> Compat:
        """The operations, by tag: `client.compat.<tag>.<operation>(...)`."""
        return Compat(self)

    def _send(
        self, request: Request, read: Callable[[Reply], T], look_up: HowToLookUp | None = None
    ) -> T:
        """Send a request, and again if it cannot have taken effect; read the reply.

        If the outcome is unknown, look for it.

        Errors: `APIConnectionError` without a complete reply; `InvalidRequestError` for a request
        that can't be sent, and if the client is closed; those of `read`.
        """
        call = Call(self._settings, request, self._transport)
        try:
            while True:
                outcome = self._attempt(call)
                pause = call.pause_seconds(outcome)
                if pause is None:
                    break
                time.sleep(pause)
                call.next_attempt()
            try:
                return call.result(outcome, read)
            except SignalWireError as error:
                search = self._search(call, error, look_up)
                if search is None:
                    raise
                lost = error
            look_on(self, search)
            found: T = search.conclude(lost)
            return found
        except SignalWireError:
            raise
        except Exception as error:  # A signal handler can raise one between any two steps.
            raise call.broken_off(error) from error
        except BaseException as error:
            call.interrupted(error)
            raise

    def _attempt(self, call: Call) -> Reply | APIConnectionError:
        prepared = self._prepare(call)
        try:
            self._transport.exchange(prepared, call)
            return call.replied()
        except Exception as error:  # A caller's transport or hook may raise anything.
            return call.failed(error)

    def look_up(self, method: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Look once for what became of a call whose outcome is unknown. Nothing is changed.

        `timeout` is the time for all pages of the list.

        `client.look_up(client.compat.<tag>.<operation>, <the arguments of the call>)`

        Args:
            method: The method that was called.
            args: Its positional arguments.
            kwargs: Its keyword arguments; an error has them as `arguments`.

        Returns:
            What the call would have returned; None if a complete answer says that it is not there.
            It may have been there before the call: see when it was created.

        Raises:
            SignalWireError: The answer is missing or incomplete.
            InvalidRequestError: The contract has no way to look for the outcome of this method.
        """
        found: T | None = looking(self, method)(*args, **kwargs)
        return found

    def close(self) -> None:
        """Close the connections. A client made by `with_...` leaves them open."""
        if self._owns_transport:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class AsyncRestClient(_BaseClient):
    """The awaitable twin of `RestClient`. Safe to share between tasks of one event loop.

    Takes the arguments of `RestClient`; `http_client` is an `httpx.AsyncClient`.
    """

    def __init__(
        self,
        project: str | None = None,
        token: str | None = None,
        host: str | None = None,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_MAX_RETRIES,
        look_up_timeout: float = DEFAULT_LOOK_UP_TIMEOUT,
        max_reply_bytes: int = DEFAULT_MAX_REPLY_BYTES,
        allow_http: bool = False,
        headers: dict[str, str] | None = None,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        project, token = hide_project(project), hide_token(token)
        settings = read_settings(
            project=project,
            token=token,
            host=host,
            timeout=timeout,
            max_retries=max_retries,
            look_up_timeout=look_up_timeout,
            max_reply_bytes=max_reply_bytes,
            allow_http=allow_http,
            headers=headers,
        )
        super().__init__(settings, _async_transport(http_client, settings.base_url))

    @property
    def compat(self) -> AsyncCompat:
        """The operations, by tag: `await client.compat.<tag>.<operation>(...)`."""
        return AsyncCompat(self)

    async def _asend(
        self, request: Request, read: Callable[[Reply], T], look_up: HowToLookUp | None = None
    ) -> T:
        """Do what `RestClient._send` does."""
        call = Call(self._settings, request, self._transport)
        try:
            while True:
                outcome = await self._attempt(call)
                pause = call.pause_seconds(outcome)
                if pause is None:
                    break
                import anyio

                await anyio.sleep(pause)
                call.next_attempt()
            try:
                return call.result(outcome, read)
            except SignalWireError as error:
                search = self._search(call, error, look_up)
                if search is None:
                    raise
                lost = error
            await look_on_async(self, search)
            found: T = search.conclude(lost)
            return found
        except SignalWireError:
            raise
        except Exception as error:  # A signal handler can raise one between any two steps.
            raise call.broken_off(error) from error
        except BaseException as error:
            call.interrupted(error)
            raise

    async def _attempt(self, call: Call) -> Reply | APIConnectionError:
        prepared = self._prepare(call)
        try:
            await self._transport.exchange(prepared, call)
            return call.replied()
        except BaseException as error:
            caught = error
        try:
            # What is handled around the call: an interrupt may have ended the loop, which cancels.
            handled = sys.exception()
            if interrupt := find_interrupt(caught, handled):
                raise interrupt from None
            if not isinstance(caught, Exception):
                raise caught
            return call.failed(caught)  # A caller's transport or hook may raise anything.
        finally:
            del caught  # Its traceback holds this frame.

    async def look_up(
        self, method: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T | None:
        """Do what `RestClient.look_up` does."""
        found: T | None = await looking(self, method)(*args, **kwargs)
        return found

    async def aclose(self) -> None:
        """Close the connections. A client made by `with_...` leaves them open."""
        if self._owns_transport:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


# The transports are imported when a client is made: httpcore takes as long to import as httpx.
def _sync_transport(given: httpx.Client | None, base_url: str) -> Connections | CallerClient:
    from ._caller_client import CallerClient
    from ._transport import Connections

    if given is None:
        return _open(Connections, base_url)
    if isinstance(given, httpx.Client):
        return CallerClient(given)
    raise _wrong_type(given, "an httpx.Client")


def _async_transport(
    given: httpx.AsyncClient | None, base_url: str
) -> AsyncConnections | AsyncCallerClient:
    from ._caller_client import AsyncCallerClient
    from ._transport import AsyncConnections

    if given is None:
        return _open(AsyncConnections, base_url)
    if isinstance(given, httpx.AsyncClient):
        return AsyncCallerClient(given)
    raise _wrong_type(given, "an httpx.AsyncClient")


def _wrong_type(given: object, expected: str) -> InvalidRequestError:
    return InvalidRequestError(f"http_client must be {expected}, got {type(given).__name__}.")


def _open(kind: Callable[[str], T], base_url: str) -> T:
    try:
        return kind(base_url)
    except InvalidRequestError:
        raise
    except Exception as error:  # The environment can name a broken proxy or certificate file.
        raise InvalidRequestError(
            f"the proxy or certificate settings of the environment can't be used: {error}"
        ) from error
