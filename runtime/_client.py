"""What both clients do, but for their constructors, which depend on the contract."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TypeVar

import httpx

from ._call import Call
from ._contract import USER, USER_AGENT
from ._credentials import attach
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
from ._settings import Settings, check_count, check_headers, check_timeout

if TYPE_CHECKING:
    from ._caller_client import AsyncCallerClient, CallerClient
    from ._transport import AsyncConnections, Connections

_USER_AGENT = f"{USER_AGENT} python/{platform.python_version()} httpx/{httpx.__version__}"
P = ParamSpec("P")
T = TypeVar("T")
# Not Self: jedi would take the class in which a method is written, which has no operations.
Client = TypeVar("Client", bound="BaseClient")


class BaseClient:
    """The settings of a client, copies of it with others, and what its calls need."""

    _transport: Any

    _user = USER

    # Without a docstring: an editor would show it instead of that of the class.
    def __init__(self, settings: Settings, transport: Any) -> None:
        self._settings = settings
        self._transport = transport
        self._owns_transport = True

    @property
    def account(self) -> str:
        """The account that calls are for: the user name, or what `with_account` set."""
        return self._settings.account

    @property
    def base_url(self) -> str:
        """The URL that the path of an operation follows, unless it has a server of its own."""
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
        user = f"{self._user}={self._settings.credentials.user!r}, " if self._user else ""
        return f"{type(self).__name__}({user}host={self.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client can't be pickled: it holds a token and connections")

    def with_headers(self: Client, headers: dict[str, str]) -> Client:
        """Make a client that sends these headers, too. It shares the connections of this one."""
        return self._with(headers={**self._settings.headers, **check_headers(headers)})

    def with_account(self: Client, account: str) -> Client:
        """Make a client for another account, such as a subproject. It shares the connections."""
        return self._with(account=account)

    def with_timeout(self: Client, timeout: float | None) -> Client:
        """Make a client with another timeout in seconds. It shares the connections of this one."""
        return self._with(timeout=check_timeout(timeout))

    def with_max_retries(self: Client, max_retries: int) -> Client:
        """Make a client with another number of retries. It shares the connections of this one."""
        return self._with(max_retries=check_count("max_retries", max_retries, 0))

    def _with(self: Client, **changes: Any) -> Client:
        client = type(self).__new__(type(self))
        BaseClient.__init__(client, self._settings._replace(**changes), self._transport)
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
        base_url = self._settings.url_of(request.server)
        if base_url.startswith("http:") and self.base_url.startswith("https:"):
            problem = f"{base_url} is not encrypted. Pass host= to send it elsewhere."
            raise InvalidRequestError(problem, **request.context)
        url = f"{base_url}{request.path}{query}"
        try:
            prepared = self._transport.request(request, url, call.headers(_USER_AGENT))
        except (TypeError, ValueError) as error:
            raise InvalidRequestError(f"it can't be sent: {error}", **request.context) from error
        attach(prepared, request, self._settings.credentials)
        return prepared


class SyncClient(BaseClient):
    """A client that blocks. Threads can share it."""

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

    def __enter__(self: Client) -> Client:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


class AsyncClient(BaseClient):
    """A client that is awaited. Tasks of one event loop can share it."""

    async def _asend(
        self, request: Request, read: Callable[[Reply], T], look_up: HowToLookUp | None = None
    ) -> T:
        """Do what `SyncClient._send` does."""
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
        """Do what `SyncClient.look_up` does."""
        found: T | None = await looking(self, method)(*args, **kwargs)
        return found

    async def aclose(self) -> None:
        """Close the connections. A client made by `with_...` leaves them open."""
        if self._owns_transport:
            await self._transport.aclose()

    async def __aenter__(self: Client) -> Client:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()


# The transports are imported when a client is made: httpcore takes as long to import as httpx.
def sync_transport(given: httpx.Client | None, base_url: str) -> Connections | CallerClient:
    from ._caller_client import CallerClient
    from ._transport import Connections

    if given is None:
        return _open(Connections, base_url)
    if isinstance(given, httpx.Client):
        return CallerClient(given)
    raise _wrong_type(given, "an httpx.Client")


def async_transport(
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
