"""The mock server: serves the contract on a socket, and keeps numbers, journal and faults."""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from h11 import LocalProtocolError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from . import control, explorer
from .engine import Answer, Engine
from .faults import Fault
from .handlers import example_record
from .journal import MOST_BYTES, MOST_ENTRIES, Exchange, Journal
from .loading import load_contract
from .parsing import HUNG_UP, read_request
from .refused_numbers import ReservedNumber, reserved_numbers
from .server_thread import Listening
from .state import State
from .tls import tls_context
from .web_origins import Gate, check_origins

DEFAULT_PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"
"""A Project ID for tests; the mock accepts any."""

DEFAULT_TOKEN = "PTmock-token-of-no-account"  # noqa: S105  # opens nothing but a mock
"""The API token that a mock accepts by default."""

_TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")
"""Where clients look for the authorities to trust: OpenSSL and httpx, requests, Node.js."""


class MockServer:
    """A server that answers as openapi.yaml says, and keeps purchases and requests.

    Use it in a `with` block, or call `start` and `close`. `token` is the password of every project,
    and every bearer token and API key of other documents. `port` 0 takes any free port. A
    `forgetful` server forgets accounts and numbers after each reply, so that no earlier request
    affects a later one; its only number has the SID and the account of the examples in the
    document. With `allow_import`, numbers of other providers can be imported. Web pages of
    `allow_origins`, such as "http://localhost:3000", may use the API; "*" stands for all. The
    journal forgets its oldest entries when it has more than `journal_entries`, or more than
    `journal_bytes` of requests and replies. With `tls` the port takes TLS, too; the certificate of
    its authority is written to that file (needs trustme). Safe to use from several threads.

    Errors: `ValueError` for an empty token or what is not an origin, `SpecError` for a document
    that can't be served, `ImportError` without trustme, `OSError` if the certificate can't be
    written; `OSError` from `start` if the address is not free or not of this machine.
    """

    def __init__(
        self,
        spec: Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str = DEFAULT_TOKEN,
        forgetful: bool = False,
        allow_import: bool = False,
        allow_origins: Collection[str] = (),
        journal_entries: int = MOST_ENTRIES,
        journal_bytes: int = MOST_BYTES,
        tls: Path | None = None,
    ) -> None:
        """Compile the document, by default the openapi.yaml of this package or checkout."""
        if not token:
            raise ValueError("token is empty: the mock needs one")
        if min(journal_entries, journal_bytes) < 0:
            raise ValueError("journal_entries and journal_bytes can't be less than 0")
        self.token: str = token
        """The password of every project."""
        self._address = (host, port)
        self._origins = check_origins(allow_origins)
        self._state = State(allow_import=allow_import)
        self._engine = Engine(load_contract(spec), token, self._state)
        self._forgetful = forgetful
        self._example = example_record(self._engine.contract) if forgetful else None
        self._change: Callable[[Answer], Answer] | None = None
        self._lock = threading.Lock()
        self._faults: deque[Fault] = deque()
        keys = self._engine.contract.api_keys
        self._journal = Journal(journal_entries, journal_bytes, keys)
        self._running: Listening | None = None
        self._certificate = tls.absolute() if tls else None
        self._tls = tls_context(self._certificate, host) if self._certificate else None
        self._forget()

    @property
    def url(self) -> str:
        """The address without a path, such as "http://127.0.0.1:8000"."""
        if self._running is None:
            raise RuntimeError("the mock is not running: call start() or use `with`")
        return self._running.url

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that make a client talk to this mock.

        With TLS, SIGNALWIRE_SPACE is a host and a port, as official SDKs want it.
        """
        return {
            "SIGNALWIRE_PROJECT_ID": DEFAULT_PROJECT,
            "SIGNALWIRE_API_TOKEN": self.token,
            **dict.fromkeys(_TRUST if self._certificate else (), str(self._certificate)),
            "SIGNALWIRE_SPACE": self.url.removeprefix("http://" if self._certificate else ""),
        }

    @property
    def journal(self) -> list[Exchange]:
        """The requests since the start, oldest first; without the oldest, if there are too many.

        A request is added before its reply is sent.
        """
        return self._journal.view()[2]

    def charges(self, account_sid: str = DEFAULT_PROJECT) -> int:
        """Count the purchases that an account was charged for."""
        return self._state.charges(account_sid)

    def phone_numbers(self, account_sid: str | None = DEFAULT_PROJECT) -> list[dict[str, Any]]:
        """Return an account's numbers as the API returned them, in order of purchase.

        None stands for all accounts.
        """
        return self._state.phone_numbers(account_sid)

    def reserved_numbers(self, operation: str = "purchase") -> list[ReservedNumber]:
        """List the numbers that an operation always refuses, and with what.

        They work in the path and the body: as `PhoneNumber`, as `number`, in place of a SID or of
        a country. `list` and `list_available_countries` have no place for one.
        Errors: `KeyError` for an operation that the contract does not have.
        """
        contract = self._engine.contract
        return reserved_numbers(contract, contract.operations[operation])

    @property
    def sample_operations(self) -> list[str]:
        """The operations that answer samples from the contract, and keep nothing.

        There are none in the contract of this package.
        """
        return self._engine.sample_operations

    @property
    def allow_import(self) -> bool:
        """Whether numbers of other providers can be imported. A test may set it."""
        return self._state.allow_import

    @allow_import.setter
    def allow_import(self, value: bool) -> None:
        self._state.allow_import = value

    @contextmanager
    def answering(self, change: Callable[[Answer], Answer]) -> Iterator[None]:
        """Send what `change` makes of each answer while the block lasts.

        Requests are carried out as usual. The changed answer may break the contract.
        """
        before, self._change = self._change, change
        try:
            yield
        finally:
            self._change = before

    def inject(
        self,
        *,
        code: int | None = None,
        status: int | None = None,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        delay_seconds: float = 0,
        drop: bool = False,
        carried_out: bool | None = None,
        operation: str | None = None,
        times: int = 1,
    ) -> None:
        """Let a fault happen to the next request, or to the next `times` requests.

        With `operation`, such as "delete", only requests of that operation count.

        `code` refuses it with a published error code and its status. `status`, `body` and `headers`
        replace those of the reply. `delay_seconds` delays the reply, `drop` closes the connection
        instead. With `code` or `status` the request is not carried out; otherwise it is, so a
        number is bought although the reply is late, lost or broken. `carried_out` overrides this.
        Faults happen in the order of the calls. A `body` is sent as it is: give a reply to a
        purchase the number that is bought, or the client raises `APIResponseError`.

        Errors: `FaultError`, a `ValueError`, for a fault that makes no sense.
        """
        fault = Fault(code, status, body, headers, delay_seconds, drop, carried_out, operation)
        fault.check(self._engine.contract, times)
        with self._lock:
            self._faults.extend([fault] * times)

    @property
    def pending_faults(self) -> list[Fault]:
        """The faults that have not happened yet, the next one first."""
        with self._lock:
            return list(self._faults)

    def advance(self, *, days: float = 0, seconds: float = 0) -> None:
        """Move the mock's clock ahead: dates in replies, and when a number can be released.

        Errors: `ValueError` if it is not ahead, or more than 100 years.
        """
        steps = {"days": days, "seconds": seconds}
        for name, step in steps.items():
            if isinstance(step, bool) or not isinstance(step, int | float):
                raise ValueError(f"{name} is not a number")
        try:
            self._state.advance(timedelta(**steps))
        except OverflowError:
            raise ValueError("the clock can't go there: use 0 to 36500 days in all") from None

    def reset(self) -> None:
        """Forget accounts, numbers, charges, faults that have not happened, and the journal.

        The clock goes back to the present time.
        """
        self._forget()
        with self._lock:
            self._faults.clear()
        self._journal.clear()

    def _forget(self) -> None:
        self._state.reset()
        if example := self._example:  # Its SID names something.
            self._state.add(example["account_sid"], example["phone_number"], example)

    def start(self) -> "MockServer":
        """Listen, and return as soon as requests are answered."""
        if self._running is None:
            self._running = Listening(self._app, *self._address, self._tls)
        return self

    def close(self) -> None:
        """Stop listening and drop the connections; numbers and journal stay."""
        running, self._running = self._running, None
        if running is not None:
            running.close()

    def __enter__(self) -> "MockServer":
        """Start."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def _app(self, is_loopback: bool) -> Gate:
        shown = self.token if self.token == DEFAULT_TOKEN else None
        pages = explorer.routes(self._engine.contract, DEFAULT_PROJECT, shown)
        own = Starlette(routes=[*control.routes(self, self._journal), *pages])
        own.router.redirect_slashes = False
        host = self._address[0]
        return Gate(own, self._serve, host, self._origins, is_loopback=is_loopback)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.url.path == "/" and explorer.wants_page(request):
            await RedirectResponse("/docs")(scope, receive, send)
            return
        incoming = await read_request(request)
        operation = self._engine.operation(incoming)
        operation_id = operation.id if operation else None
        fault = self._next_fault(operation_id)
        answer = Answer(200, b"", {"content-type": "application/json"}, operation_id)
        carried_out = False
        if fault.has_effect:
            answer = self._engine.answer(incoming)
            carried_out = answer.refusal is None
        if fault.code is not None:
            answer = self._engine.refuse(operation, fault.code)
        answer = fault.apply(answer)
        if self._forgetful:
            self._forget()
        answer = self._change(answer) if self._change else answer
        self._journal.add(incoming, answer, str(fault) or None, carried_out=carried_out)
        if fault.delay_seconds:
            await _wait(receive, fault.delay_seconds)
        if fault.drop:
            await self._drop(scope, receive)
        elif incoming.unreadable != HUNG_UP:
            try:
                date = format_datetime(self._state.now(), usegmt=True)
                headers = {"date": date, **answer.headers}
                await Response(answer.body, answer.status, headers)(scope, receive, send)
            except LocalProtocolError:
                # A fault can break HTTP itself, for example by a wrong Content-Length.
                await self._drop(scope, receive)

    def _next_fault(self, operation_id: str | None) -> Fault:
        with self._lock:
            for fault in self._faults:
                if fault.operation in (None, operation_id):
                    self._faults.remove(fault)
                    return fault
        return Fault()

    async def _drop(self, scope: Scope, receive: Receive) -> None:
        if self._running is not None:
            self._running.drop(scope)
        await receive()


async def _wait(receive: Receive, seconds: float) -> None:
    """Wait, but no longer than the client does."""
    hung_up = asyncio.ensure_future(receive())
    await asyncio.wait([hung_up], timeout=seconds)
    hung_up.cancel()
