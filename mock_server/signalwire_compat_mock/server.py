"""The mock on a real socket, and its journal."""

import asyncio
import base64
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from .engine import Answer, Engine
from .handlers import ReservedNumber, State, reserved_numbers
from .loading import load_contract
from .wire import MAX_BODY_BYTES, Incoming, read_incoming

DEFAULT_TOKEN = "PTmock-token-of-no-account"  # noqa: S105  # opens nothing but a mock

_CLOSE_SECONDS = 1
_HUNG_UP = "is not whole: the connection was closed, or its chunks are broken"


@dataclass(frozen=True)
class Exchange:
    """A request and its answer.

    Shape: `path` and `query` as on the wire, percent-encoded; `headers` as received, names in
    lower case, credentials included; `body` up to 1 MiB. `form` holds decoded pairs and `json` a
    decoded value if the body is one of these, else None. `refusal` says why it was refused.
    """

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]] = field(repr=False)
    body: bytes
    form: list[tuple[str, str]] | None
    json: Any
    operation_id: str | None
    status: int
    reply_body: bytes
    refusal: str | None


class MockServer:
    """A server that answers as openapi.yaml says and remembers purchases and requests.

    A context manager; `start` and `close` do without `with`. It takes `token` as the password of
    every project. `port` 0 is any free one. A `forgetful` one forgets accounts and numbers after
    each answer, so that no valid request is refused for what came before it. Safe to use from
    several threads.
    Errors: `SpecError` for a spec that can't be served; `OSError` from `start` if the port is
    taken or the host is none of this machine.
    """

    def __init__(
        self,
        spec: Path | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str = DEFAULT_TOKEN,
        forgetful: bool = False,
    ) -> None:
        """Compile the spec, by default the openapi.yaml of this package or checkout."""
        if not token:
            raise ValueError("token is empty: the mock needs one to compare with")
        self.token = token
        self._address = (host, port)
        self._state = State()
        self._engine = Engine(load_contract(spec), token, self._state)
        self._forgetful = forgetful
        self._change: Callable[[Answer], Answer] | None = None
        self._lock = threading.Lock()
        self._journal: list[Exchange] = []
        self._running: _Running | None = None

    @property
    def url(self) -> str:
        """The address without a path, such as "http://127.0.0.1:8000"."""
        if self._running is None:
            raise RuntimeError("the mock is not running: call start() or use `with`")
        return self._running.url

    @property
    def journal(self) -> list[Exchange]:
        """Every request since the start, oldest first. It stands here before its reply is sent."""
        with self._lock:
            return list(self._journal)

    def charges(self, account_sid: str) -> int:
        """Count the purchases that an account was charged for."""
        return self._state.charges(account_sid)

    def phone_numbers(self, account_sid: str) -> list[dict[str, Any]]:
        """Return an account's numbers as the API returned them, in order of purchase."""
        return self._state.phone_numbers(account_sid)

    def reserved_numbers(self) -> list[ReservedNumber]:
        """List the numbers whose purchase is always refused, and with what."""
        return reserved_numbers(self._engine.contract)

    @contextmanager
    def answering(self, change: Callable[[Answer], Answer]) -> Iterator[None]:
        """Send what `change` makes of each answer while the block lasts; the journal shows that.

        Requests are checked, and purchases made, as ever. What is sent is not checked against the
        spec: that is how a test gets a reply that the spec does not allow.
        """
        before, self._change = self._change, change
        try:
            yield
        finally:
            self._change = before

    def reset(self) -> None:
        """Forget accounts, numbers, charges and the journal."""
        self._state.reset()
        self._clear_journal()

    def start(self) -> "MockServer":
        """Listen, and return as soon as requests are answered."""
        if self._running is None:
            self._running = _Running(self._app(), *self._address)
        return self

    def close(self) -> None:
        """Stop listening and drop the connections; what was remembered stays."""
        running, self._running = self._running, None
        if running is not None:
            running.close()

    def __enter__(self) -> "MockServer":
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def _app(self) -> Starlette:
        app = Starlette(
            routes=[
                Route("/journal", self._read_journal, methods=["GET"]),
                Route("/journal", self._delete_journal, methods=["DELETE"]),
                Route("/reset", self._reset, methods=["POST"]),
            ]
        )
        app.router.redirect_slashes = False
        app.router.default = self._serve
        return app

    async def _read_journal(self, _: Request) -> Response:
        return JSONResponse([_as_json(exchange) for exchange in self.journal])

    async def _delete_journal(self, _: Request) -> Response:
        self._clear_journal()
        return Response(status_code=204)

    async def _reset(self, _: Request) -> Response:
        self.reset()
        return Response(status_code=204)

    def _clear_journal(self) -> None:
        with self._lock:
            self._journal.clear()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        incoming = await _receive(Request(scope, receive))
        answer = self._engine.answer(incoming)
        if self._forgetful:
            self._state.reset()
        if self._change is not None:
            answer = self._change(answer)
        with self._lock:
            self._journal.append(_exchange(incoming, answer))
        if incoming.unreadable != _HUNG_UP:
            await Response(answer.body, answer.status, answer.headers)(scope, receive, send)


class _Server(uvicorn.Server):
    """Uvicorn that says when it listens, and leaves no connection behind."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await super().shutdown(sockets)
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


class _Running:
    """A socket that listens, and the thread that serves it."""

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        # Connections inherit it. Without it, every reply to a kept connection waits 40 ms.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        shown = f"[{host}]" if ":" in host else host
        self.url = f"http://{shown}:{self._socket.getsockname()[1]}"
        self._server = _Server(
            uvicorn.Config(
                app,
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=_CLOSE_SECONDS,
            )
        )
        self._thread = threading.Thread(target=self._run, name="signalwire-mock", daemon=True)
        self._thread.start()
        self._server.ready.wait()
        if not self._server.started:
            raise RuntimeError("the mock did not start: its log says why")

    def _run(self) -> None:
        try:
            self._server.run([self._socket])
        finally:
            self._server.ready.set()
            self._socket.close()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()


async def _receive(request: Request) -> Incoming:
    """Read a request to its end, so that its sender can read the answer, and keep up to 1 MiB."""
    body, size, problem = bytearray(), 0, None
    try:
        async for chunk in request.stream():
            size += len(chunk)
            body += chunk[: MAX_BODY_BYTES - len(body)]
    except ClientDisconnect:
        problem = _HUNG_UP
    if size > MAX_BODY_BYTES:
        problem = f"is larger than {MAX_BODY_BYTES} bytes"
    raw = request.scope
    return read_incoming(
        method=request.method,
        path=raw["raw_path"].decode("latin-1"),
        query=raw["query_string"].decode("latin-1"),
        headers=[
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in raw["headers"]
        ],
        body=bytes(body),
        problem=problem,
    )


def _exchange(incoming: Incoming, answer: Answer) -> Exchange:
    return Exchange(
        method=incoming.method,
        path=incoming.path,
        query=incoming.query,
        headers=list(incoming.headers),
        body=incoming.body,
        form=incoming.form,
        json=incoming.json,
        operation_id=answer.operation_id,
        status=answer.status,
        reply_body=answer.body,
        refusal=answer.refusal,
    )


def _as_json(exchange: Exchange) -> dict[str, Any]:
    """Turn an exchange into JSON values: bytes as text, and no password."""
    view = asdict(exchange)
    for name in ("body", "reply_body"):
        view[name] = view[name].decode(errors="backslashreplace")
    view["headers"] = [
        (name, _without_password(value) if name == "authorization" else value)
        for name, value in exchange.headers
    ]
    return view


def _without_password(value: str) -> str:
    scheme, _, encoded = value.partition(" ")
    try:
        user, colon, _ = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        colon = ""
    return f"{scheme} {user}:[redacted]" if colon and scheme.lower() == "basic" else "[redacted]"
