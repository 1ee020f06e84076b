"""A call from its first attempt to its last: what is repeated, when, and what nobody may see."""

import asyncio
import copy
import email.utils
import html
import json
import logging
import pickle
import socket
import socketserver
import threading
import time
import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from signalwire_compat import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AsyncRestClient,
    InvalidRequestError,
    RateLimitError,
    RestClient,
    ServerError,
    SignalWireError,
)
from signalwire_compat._reply import Reply
from signalwire_compat._request import Request
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT

NUMBER = "+15551234567"
TOKEN = "PT-hunter2-very-secret-token"
Answer = httpx.Response | Exception


class Service:
    """A transport that gives one answer after the other, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.http_client = httpx.Client(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(self, **settings: Any) -> RestClient:
        return RestClient(PROJECT, TOKEN, "localhost", http_client=self.http_client, **settings)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let no call sleep, and collect how long each would have."""
    seconds: list[float] = []
    monkeypatch.setattr(time, "sleep", seconds.append)
    return seconds


def request(method: str = "POST") -> Request:
    return Request(operation="tests.call", method=method, route="/x", path="/x")


def result(service: Service, method: str = "POST", **settings: Any) -> Reply | SignalWireError:
    try:
        return service.client(**settings)._send(request(method))
    except SignalWireError as error:
        return error
    finally:
        service.http_client.close()


OK = httpx.Response(200, json={})
NOT_SENT = (
    httpx.ConnectError("refused"),
    httpx.ConnectTimeout("slow"),
    httpx.PoolTimeout("full"),
)
LOST = (
    httpx.ReadError("reset"),
    httpx.ReadTimeout("slow"),
    httpx.WriteError("reset"),
    httpx.RemoteProtocolError("no HTTP"),
)


@pytest.mark.parametrize("method", ["POST", "PATCH", "GET", "PUT", "DELETE"])
@pytest.mark.parametrize("error", NOT_SENT)
def test_what_did_not_reach_the_server_is_sent_again(
    waits: list[float], error: Exception, method: str
) -> None:
    service = Service(error, error, OK)
    reply = result(service, method)
    assert isinstance(reply, Reply)
    assert (len(service.requests), len(waits)) == (3, 2)
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1


@pytest.mark.parametrize("error", LOST)
def test_what_may_have_been_carried_out_is_repeated_only_if_that_changes_nothing(
    waits: list[float], error: Exception
) -> None:
    for method, attempts in (("POST", 1), ("PATCH", 1), ("GET", 3), ("PUT", 3), ("DELETE", 3)):
        service = Service(error)
        lost = result(service, method)
        assert isinstance(lost, APIConnectionError)
        assert isinstance(lost, APITimeoutError) is isinstance(error, httpx.TimeoutException)
        assert lost.outcome_unknown is (method != "GET")
        assert lost.__cause__ is error
        assert len(service.requests) == attempts


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_failed_server_is_asked_again_only_if_that_changes_nothing(
    waits: list[float], status: int
) -> None:
    for method, attempts in (("POST", 1), ("GET", 3), ("PUT", 3), ("DELETE", 3)):
        service = Service(httpx.Response(status))
        reply = result(service, method)
        assert isinstance(reply, Reply)
        assert reply.status_code == status
        assert len(service.requests) == attempts


@pytest.mark.parametrize(
    "answer", [httpx.ConnectError("refused"), httpx.PoolTimeout("full"), httpx.Response(429)]
)
def test_a_hook_that_fails_with_a_request_of_its_own_does_not_buy_again(
    waits: list[float], answer: Answer
) -> None:
    elsewhere, service = Service(answer), Service(OK)

    def report(_: httpx.Response) -> None:
        elsewhere.http_client.post("http://localhost/metrics").raise_for_status()

    service.http_client.event_hooks = {"response": [report]}
    error = result(service)
    elsewhere.http_client.close()
    assert type(error) in (APIConnectionError, APITimeoutError)
    assert error.outcome_unknown
    assert (len(service.requests), waits) == (1, [])


def test_what_one_attempt_may_have_done_no_later_one_takes_back(waits: list[float]) -> None:
    for later in (httpx.ConnectError("refused"), httpx.Response(429), httpx.Response(404)):
        outcome = result(Service(httpx.ReadError("reset"), later), "PUT")
        assert outcome.outcome_unknown
        outcome = result(Service(httpx.Response(500), later), "PUT")
        assert outcome.outcome_unknown


@pytest.mark.parametrize("status", [301, 400, 401, 404, 409, 422, 499, 501, 520])
def test_a_refusal_is_final(waits: list[float], status: int) -> None:
    for method in ("POST", "GET"):
        service = Service(httpx.Response(status, headers={"Retry-After": "0"}))
        result(service, method)
        assert len(service.requests) == 1


def test_what_the_server_declined_is_sent_again(waits: list[float]) -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    for answer, wait in (
        (httpx.Response(429), None),
        (httpx.Response(429, headers={"Retry-After": "soon"}), None),
        (httpx.Response(429, headers={"Retry-After": "7"}), 7),
        (httpx.Response(503, headers={"Retry-After": "0.5"}), 0.5),
        (httpx.Response(503, headers={"Retry-After": date}), 29),
        (httpx.Response(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), 0),
    ):
        waits.clear()
        service = Service(answer, OK)
        reply = result(service, timeout=60)
        assert isinstance(reply, Reply)
        assert reply.status_code == 200
        assert len(service.requests) == 2
        assert waits[0] == pytest.approx(wait, abs=1.1) if wait is not None else waits[0] <= 0.5


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone can't be changed")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_a_date_without_a_zone_is_in_utc_wherever_the_client_is(
    waits: list[float], monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    date = time.asctime(time.gmtime(time.time() + 30))
    with monkeypatch.context() as here:
        here.setenv("TZ", zone)
        time.tzset()
        result(Service(httpx.Response(429, headers={"Retry-After": date}), OK), timeout=60)
    time.tzset()
    assert waits == [pytest.approx(29, abs=1.1)]


@pytest.mark.parametrize("seconds", ["61", "31", "999999999", "9" * 400, "1e9", "-1", "nan", ""])
def test_a_wait_that_is_too_long_or_no_wait_ends_the_call_at_once(
    waits: list[float], seconds: str
) -> None:
    service = Service(httpx.Response(503, headers={"Retry-After": seconds}))
    reply = result(service, timeout=30)
    assert isinstance(reply, Reply)
    assert (len(service.requests), waits) == (1, [])


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_the_number_of_retries_is_a_setting(waits: list[float], retries: int) -> None:
    for client in (
        (service := Service(httpx.Response(429))).client(max_retries=retries),
        service.client().with_max_retries(retries),
    ):
        service.requests.clear()
        with pytest.raises(RateLimitError) as caught:
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        assert len(service.requests) == retries + 1
        assert not caught.value.outcome_unknown
    assert all(0.25 * 2**n <= wait <= 8 for n, wait in enumerate(waits[:retries]))
    service.http_client.close()


def test_retries_and_their_waits_are_within_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    service = Service(httpx.Response(429))
    reply = result(service, timeout=0.6, max_retries=50)
    assert isinstance(reply, Reply)
    assert 2 <= len(service.requests) <= 3
    assert time.monotonic() - began < 0.6


@pytest.mark.parametrize("value", [-1, 1.5, True, "2", None])
def test_a_setting_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequestError, match="max_retries must be a whole number from 0"):
        RestClient(PROJECT, TOKEN, "localhost", max_retries=value)
    with pytest.raises(InvalidRequestError, match="max_reply_bytes must be a whole number from 1"):
        RestClient(PROJECT, TOKEN, "localhost", max_reply_bytes=value)


@pytest.fixture
def silent() -> Iterator[str]:
    """Answer with one byte every 50 ms, for ever."""
    stop = threading.Event()

    def drip(connection: Any) -> None:
        with connection:
            reply = b"HTTP/1.1 201 Created\r\nContent-Length: 100000\r\n\r\n" + b" " * 10_000
            for byte in reply:
                try:
                    connection.sendall(bytes([byte]))
                except OSError:
                    return
                if stop.wait(0.05):
                    return

    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                threading.Thread(target=drip, args=(connection,)).start()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        stop.set()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("timeout", [0.3, 0.3 + 2.9])
def test_the_timeout_is_that_of_the_whole_call(silent: str, timeout: float) -> None:
    with RestClient(PROJECT, TOKEN, silent, timeout=timeout) as client:
        began = time.monotonic()
        with pytest.raises(APITimeoutError, match=rf"timeout={timeout} seconds") as caught:
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        assert timeout - 0.1 < time.monotonic() - began < timeout + 2
        assert caught.value.outcome_unknown
        assert caught.value.status == (None if timeout < 1 else 201)


def test_a_given_async_client_keeps_to_the_time_too(silent: str) -> None:
    async def late() -> None:
        async with httpx.AsyncClient(timeout=60) as given:
            client = AsyncRestClient(PROJECT, TOKEN, silent, timeout=0.3, http_client=given)
            with pytest.raises(APITimeoutError) as caught:
                await client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            assert caught.value.outcome_unknown

    began = time.monotonic()
    asyncio.run(late())
    assert time.monotonic() - began < 2.3


def test_a_cancelled_call_leaves_word_and_a_usable_client(
    mock: MockServer, caplog: pytest.LogCaptureFixture
) -> None:
    mock.inject(delay_seconds=60, times=2)

    async def cancelled(client: AsyncRestClient) -> None:
        before = len(mock.journal)
        call = asyncio.ensure_future(client.compat.phone_numbers.purchase(PhoneNumber=NUMBER))
        while len(mock.journal) == before:
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        transport: Any = client._transport
        assert list(transport._idle) == []

    async def both() -> None:
        async with AsyncRestClient(PROJECT, TOKEN, mock.url) as client:
            await cancelled(client)
            await cancelled(client)

    asyncio.run(both())
    assert [record.getMessage() for record in caplog.records if record.levelno > 20] == [
        "phone_numbers.purchase was cancelled after it was sent: it may have taken effect"
    ] * 2


def test_an_interrupted_call_leaves_word(caplog: pytest.LogCaptureFixture) -> None:
    def interrupt(_: httpx.Request) -> httpx.Response:
        raise KeyboardInterrupt

    with httpx.Client(transport=httpx.MockTransport(interrupt)) as given:
        client = RestClient(PROJECT, TOKEN, "localhost", http_client=given)
        with pytest.raises(KeyboardInterrupt):
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert "cancelled after it was sent" in caplog.text


def test_the_async_client_repeats_as_its_twin_does() -> None:
    attempts: list[int] = []

    def answer(_: httpx.Request) -> httpx.Response:
        attempts.append(1)
        return httpx.Response(429, headers={"Retry-After": "0.01"})

    async def declined() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as given:
            client = AsyncRestClient(PROJECT, TOKEN, "localhost", http_client=given)
            with pytest.raises(RateLimitError):
                await client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)

    asyncio.run(declined())
    assert len(attempts) == 3


def test_the_log_tells_of_each_attempt_and_of_no_person(
    waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "signalwire_compat")
    refused = httpx.Response(422, headers={"X-Request-Id": "r-1"})
    service = Service(httpx.ConnectError("no"), httpx.Response(429), refused)
    with pytest.raises(APIStatusError):
        service.client().compat.phone_numbers.purchase(PhoneNumber=NUMBER, FriendlyName="Ann")
    service.http_client.close()
    lines = [r.getMessage() for r in caplog.records if r.name == "signalwire_compat"]
    expected = [
        "POST /Accounts/{AccountSid}/IncomingPhoneNumbers: ConnectError in ",
        "POST /Accounts/{AccountSid}/IncomingPhoneNumbers: 429 in ",
        "POST /Accounts/{AccountSid}/IncomingPhoneNumbers: 422 in ",
    ]
    for number, (line, start) in enumerate(zip(lines, expected, strict=True)):
        assert line.startswith(start)
        assert f", retry {number}, request id " in line
    assert lines[2].endswith("request id r-1")
    for private in (NUMBER, NUMBER[1:], PROJECT, "Ann", TOKEN):
        assert private not in "".join(lines)


def echo(request: httpx.Request) -> httpx.Response:
    """Repeat the credentials wherever a reply can."""
    sent = request.headers["authorization"]
    text = f"{sent} {TOKEN}"
    return httpx.Response(
        422, headers={"X-Echo": text, "X-Request-Id": text}, json={"message": text, "code": text}
    )


def fail(request: httpx.Request) -> httpx.Response:
    held = dict(request.headers)
    raise httpx.ReadError(f"broke at {held['authorization']} {TOKEN}")


@pytest.mark.parametrize("answer", [echo, fail])
def test_no_exception_shows_the_credentials(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with httpx.Client(transport=httpx.MockTransport(answer)) as given:
        client = RestClient(PROJECT, TOKEN, "localhost", http_client=given, max_retries=1)
        with pytest.raises(SignalWireError) as caught:
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    error = caught.value
    error.__cause__ = None  # An error of the caller's own transport says what it says.
    assert_hidden(client, error, caplog)


def assert_hidden(client: Any, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    encoded = client._settings.authorization.removeprefix("Basic ")
    frames = traceback.TracebackException.from_exception(error, capture_locals=True)
    # The frames of this file hold the token by intention.
    own = [str(f.locals) for f in frames.stack if f.filename != __file__]
    held = [
        f"{f.locals}"
        for chained in (frames.__cause__, frames.__context__)
        if chained
        for f in chained.stack
    ]
    shown = {
        "str": str(error),
        "repr": repr(error),
        "vars": repr(vars(error)),
        "pickle": repr(pickle.dumps(error)),
        "client": repr(client) + repr(vars(client)),
        "frames": "".join(own + held),
        "log": caplog.text,
    }
    for place, text in shown.items():
        for secret in (TOKEN, encoded):
            assert secret not in text, place


ODD_TOKEN = 'PT-"very"/secret?>>~+<é>'


@pytest.mark.parametrize(
    "write",
    [
        json.dumps,
        lambda text: json.dumps(text).replace("/", r"\/"),
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: quote(text, safe=""),
        html.escape,
        lambda text: b64encode(text.encode()).decode(),
        lambda text: b64encode(f"{PROJECT}:{text}".encode()).decode(),
        lambda text: b64encode(f"{PROJECT}:{text}".encode()).decode().replace("/", r"\/"),
        lambda text: quote(b64encode(f"{PROJECT}:{text}".encode()), safe=""),
    ],
)
@pytest.mark.parametrize("status", [201, 401])
def test_no_exception_shows_the_token_as_a_server_may_write_it(
    write: Callable[[str], str], status: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    said = write(ODD_TOKEN).strip('"')
    encoded = b64encode(f"{PROJECT}:{ODD_TOKEN}".encode()).decode()
    shown = {ODD_TOKEN, said, said.replace(r"\/", "/"), encoded}
    reply = httpx.Response(status, headers={"x-id": quote(said)}, text=f'{{"message": "{said}"}}')
    service = Service(reply)
    client = RestClient(PROJECT, ODD_TOKEN, "localhost", http_client=service.http_client)
    with service.http_client, pytest.raises(SignalWireError) as caught:
        client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    error = caught.value
    text = f"{error} {error!r} {vars(error)} {error.content!r} {error.body} {caplog.text}"
    for secret in shown:
        assert secret not in text
        assert repr(secret.encode())[2:-1] not in text


def test_no_log_line_shows_a_token_that_came_back_as_the_id_of_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    service = Service(httpx.Response(422, headers={"X-Request-Id": TOKEN}))
    assert result(service).headers["x-request-id"]
    assert "request id [secret]" in caplog.text
    assert TOKEN not in caplog.text


def test_no_traceback_of_a_call_cancelled_at_any_step_shows_the_credentials(silent: str) -> None:
    async def cancelled(steps: int) -> str:
        async with AsyncRestClient(PROJECT, TOKEN, silent) as client:
            call = asyncio.create_task(client.compat.phone_numbers.purchase(PhoneNumber=NUMBER))
            for _ in range(steps):
                await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await call
        summary = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        return str([frame.locals for frame in summary.stack if frame.filename != __file__])

    encoded = b64encode(f"{PROJECT}:{TOKEN}".encode()).decode()
    for steps in range(1, 30):
        held = asyncio.run(cancelled(steps))
        assert TOKEN not in held
        assert encoded not in held


@pytest.mark.parametrize("kind", [RestClient, AsyncRestClient])
@pytest.mark.parametrize("token", [TOKEN.encode(), [TOKEN]])
def test_no_traceback_of_a_token_of_another_type_shows_it(kind: Any, token: Any) -> None:
    name = type(token).__name__
    with pytest.raises(InvalidRequestError, match=f"token must be text, got {name}") as caught:
        kind(PROJECT, token, "localhost")
    frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    held = [str(f.locals) for f in frames.stack if f.filename != __file__]
    assert held
    assert TOKEN not in "".join(held)


@pytest.mark.parametrize("host", ["127.0.0.1:9", "localhost:9"])
def test_no_traceback_of_a_lost_connection_shows_the_credentials(
    host: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with RestClient(PROJECT, TOKEN, host, max_retries=0) as client:
        with pytest.raises(APIConnectionError) as caught:
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        assert_hidden(client, caught.value, caplog)


def test_no_traceback_of_a_dripping_reply_shows_the_credentials(
    silent: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with RestClient(PROJECT, TOKEN, silent, timeout=0.2) as client:
        with pytest.raises(APITimeoutError) as caught:
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        assert_hidden(client, caught.value, caplog)

    async def late() -> None:
        async with AsyncRestClient(PROJECT, TOKEN, silent, timeout=0.2) as twin:
            with pytest.raises(APITimeoutError) as caught:
                await twin.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            assert_hidden(twin, caught.value, caplog)

    asyncio.run(late())


@pytest.mark.parametrize("settings", [{"host": "a b"}, {"timeout": 0}, {"headers": {"x": "\n"}}])
@pytest.mark.parametrize("kind", [RestClient, AsyncRestClient])
def test_no_traceback_of_a_refused_setting_shows_the_token(
    kind: Any, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALWIRE_API_TOKEN", TOKEN)
    for arguments in ({"token": TOKEN}, {}):
        with pytest.raises(InvalidRequestError) as caught:
            kind(**{"project": PROJECT, "host": "localhost", **arguments, **settings})
        frames = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        held = [str(f.locals) for f in frames.stack if f.filename != __file__]
        assert held
        assert TOKEN not in "".join(held)


@pytest.mark.parametrize("kind", [RestClient, AsyncRestClient])
def test_a_client_can_not_be_pickled_or_copied_with_its_token(kind: Any) -> None:
    client = kind(PROJECT, TOKEN, "localhost")
    for act in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="holds a token"):
            act(client)


@pytest.mark.parametrize("host", ["http://acme.signalwire.com", "http://10.0.0.1:8000"])
def test_plain_http_to_another_machine_needs_a_word(host: str) -> None:
    with pytest.raises(InvalidRequestError, match="allow_http=True permits it"):
        RestClient(PROJECT, TOKEN, host)
    with RestClient(PROJECT, TOKEN, host, allow_http=True) as client:
        assert client.base_url.startswith(host)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used_for_another_machine(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "127.0.0.1:9")
    with RestClient(PROJECT, TOKEN, "acme.signalwire.com", max_retries=0) as client:
        with pytest.raises(APIConnectionError, match="Connection refused") as caught:
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        assert not caught.value.outcome_unknown
        assert caught.value.operation == "phone_numbers.purchase"
        assert caught.value.arguments == {"AccountSid": PROJECT, "PhoneNumber": NUMBER}
    monkeypatch.setenv("NO_PROXY", "acme.signalwire.com")
    with RestClient(PROJECT, TOKEN, "acme.signalwire.com") as client:
        transport: Any = client._transport
        assert "Proxy" not in type(transport._open.__self__).__name__


def test_a_proxy_that_opens_no_tunnel_has_bought_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    class Refusing(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append(self.request.recv(65536))
            self.request.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as proxy:
        threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.server_address[1]}")
        with (
            RestClient(PROJECT, TOKEN, "acme.signalwire.com", max_retries=1) as client,
            pytest.raises(APIConnectionError) as caught,
        ):
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        proxy.shutdown()
    assert "no connection to" in str(caught.value)
    assert not caught.value.outcome_unknown
    assert [request.split()[0] for request in asked] == [b"CONNECT"] * 2


def test_a_server_error_is_not_repeated_by_a_purchase(mock: MockServer) -> None:
    service = Service(httpx.Response(500))
    with pytest.raises(ServerError) as caught:
        service.client().compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    service.http_client.close()
    assert caught.value.outcome_unknown
    assert len(service.requests) == 1


def test_a_cookie_of_the_server_is_not_sent_back(mock: MockServer) -> None:
    heads: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                for _ in range(2):
                    heads.append(b"")
                    while b"PhoneNumber=" not in heads[-1]:
                        heads[-1] += connection.recv(65536)
                    connection.sendall(
                        b"HTTP/1.1 422 No\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
                    )

        thread = threading.Thread(target=serve)
        thread.start()
        with RestClient(PROJECT, TOKEN, f"127.0.0.1:{server.getsockname()[1]}") as client:
            for _ in range(2):
                with pytest.raises(APIStatusError):
                    client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        thread.join()
    assert len(heads) == 2
    assert b"cookie" not in b"".join(heads).lower()


def test_a_client_keeps_its_connection_and_closes_it(mock: MockServer) -> None:
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
        for index in range(3):
            client.compat.phone_numbers.purchase(PhoneNumber=f"+1555000{index}")
        transport: Any = client._transport
        assert len(transport._idle) == 1
    assert list(transport._idle) == []


@pytest.mark.parametrize("is_async", [False, True])
def test_a_transport_that_fails_after_sending_does_not_buy_again(
    mock: MockServer, waits: list[float], is_async: bool
) -> None:
    def fail() -> None:
        raise httpx.ConnectError("the metrics are not reached")

    class Reporting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            super().handle_request(request).close()
            fail()
            raise AssertionError

    class AsyncReporting(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await (await super().handle_async_request(request)).aclose()
            fail()
            raise AssertionError

    async def buy_async() -> None:
        async with httpx.AsyncClient(transport=AsyncReporting()) as given:
            client = AsyncRestClient(PROJECT, DEFAULT_TOKEN, mock.url, http_client=given)
            await client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)

    def buy() -> None:
        with httpx.Client(transport=Reporting()) as given:
            client = RestClient(PROJECT, DEFAULT_TOKEN, mock.url, http_client=given)
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)

    with pytest.raises(APIConnectionError) as caught:
        asyncio.run(buy_async()) if is_async else buy()
    assert caught.value.outcome_unknown
    assert (len(mock.journal), waits) == (1, [])


@pytest.mark.parametrize("kind", [RestClient, AsyncRestClient])
def test_a_token_in_the_place_of_the_project_is_not_shown(kind: Any) -> None:
    client = kind(TOKEN, PROJECT, "localhost")

    async def outcome() -> None:
        result = client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        await result if kind is AsyncRestClient else result

    told = r"AccountSid must be a UUID, got \[project=, or SIGNALWIRE_PROJECT_ID\]$"
    with pytest.raises(InvalidRequestError, match=told) as caught:
        asyncio.run(outcome())
    summary = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    held = [str(f.locals) for f in summary.stack if f.filename != __file__]
    for text in (str(caught.value), repr(caught.value), repr(vars(caught.value)), str(held)):
        assert TOKEN not in text
    assert TOKEN not in repr(client)
