"""Every failure is one typed exception that says what is known."""

import asyncio
import copy
import json
import pickle
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import signalwire_compat
from conftest import PROJECT, Answering
from signalwire_compat import (
    APIConnectionError,
    APIResponseError,
    APIStatusError,
    APITimeoutError,
    AsyncRestClient,
    AuthenticationError,
    BadRequestError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RestClient,
    ServerError,
    SignalWireError,
    UnprocessableEntityError,
)
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

BODY = {"code": 21401, "message": "no such number", "more_info": "https://x.example", "status": 1}


def failure(client: RestClient, number: str = "+15551234567", **settings: Any) -> SignalWireError:
    with pytest.raises(SignalWireError) as caught:
        client.compat.phone_numbers.purchase(PhoneNumber=number, **settings)
    return caught.value


@pytest.mark.parametrize(
    ("number", "kind", "status", "code"),
    [
        ("+15550010000", BadRequestError, 400, 10000),
        ("+15550020003", AuthenticationError, 401, 20003),
        ("+15550021401", UnprocessableEntityError, 422, 21401),
    ],
)
def test_a_documented_refusal_is_a_typed_exception(
    client: RestClient, number: str, kind: type[APIStatusError], status: int, code: int
) -> None:
    error = failure(client, number)
    assert type(error) is kind
    assert isinstance(error, APIStatusError)
    assert (error.status, error.code) == (status, code)
    assert error.message
    assert error.more_info
    assert error.more_info.startswith("https://")
    for part in ("phone_numbers.purchase", str(status), str(code), error.message):
        assert part in str(error)


def test_wrong_credentials_raise_and_never_show_the_token(mock: MockServer) -> None:
    with RestClient(PROJECT, "hunter2-secret", mock.url) as client:
        error = failure(client)
    assert isinstance(error, AuthenticationError)
    assert (error.status, error.code) == (401, 20003)
    for text in (str(error), repr(error), repr(vars(error))):
        assert "hunter2-secret" not in text


def test_the_async_client_raises_the_same_exceptions(async_client: AsyncRestClient) -> None:
    async def refused() -> None:
        async with async_client as client:
            await client.compat.phone_numbers.purchase(PhoneNumber="+15550021401")

    with pytest.raises(UnprocessableEntityError) as caught:
        asyncio.run(refused())
    assert caught.value.code == 21401


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (422, UnprocessableEntityError),
        (429, RateLimitError),
        (500, ServerError),
        (503, ServerError),
        (520, ServerError),
        (302, APIStatusError),
        (418, APIStatusError),
        (499, APIStatusError),
    ],
)
def test_every_status_has_one_class(
    answering: Answering, status: int, kind: type[APIStatusError]
) -> None:
    error = failure(answering(status, BODY, {"X-Request-Id": "r1"}))
    assert type(error) is kind
    assert isinstance(error, APIStatusError)
    assert (error.status, error.code, error.message) == (status, 21401, "no such number")
    assert error.more_info == "https://x.example"
    assert json.loads(error.content) == BODY
    assert error.headers["x-request-id"] == "r1"
    assert error.outcome_unknown is (status >= 500)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"\xff\xfe",
        b"[]",
        b'"text"',
        b"null",
        b"[" * 100_000,
        b'{"code": true, "message": {"a": 1}, "more_info": 7}',
    ],
)
def test_an_error_with_any_body_keeps_its_status(answering: Answering, body: bytes) -> None:
    error = failure(answering(401, body))
    assert type(error) is AuthenticationError
    assert (error.status, error.code, error.message, error.more_info) == (401, None, None, None)
    assert error.content == body


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"[]", b"null", b'{"sid": 1}', b'{"sid":', b"\xff", b"[" * 100_000],
)
def test_a_broken_success_is_an_error_that_keeps_the_body(
    answering: Answering, body: bytes
) -> None:
    error = failure(answering(201, body))
    assert type(error) is APIResponseError
    assert (error.status, error.content) == (201, body)
    assert error.outcome_unknown
    assert "may have taken effect" in str(error)


def test_a_success_without_its_sid_names_the_member(
    answering: Answering, page_reply: dict[str, Any]
) -> None:
    del page_reply["sid"]
    error = failure(answering(201, page_reply))
    assert type(error) is APIResponseError
    assert "'sid'" in str(error)


def test_a_redirect_is_an_error_and_is_not_followed(answering: Answering) -> None:
    error = failure(answering(307, b"", {"Location": "http://localhost/elsewhere"}))
    assert isinstance(error, APIStatusError)
    assert error.status == 307


def test_a_refused_connection_says_that_nothing_was_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with RestClient(PROJECT, "token", f"127.0.0.1:{port}") as client:
        error = failure(client)
    assert type(error) is APIConnectionError
    assert not error.outcome_unknown
    assert "Nothing was sent" in str(error)
    assert error.__cause__ is not None


@pytest.fixture
def silent_server() -> Iterator[str]:
    """Accept connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_a_silent_server_ends_in_a_timeout_that_names_its_setting(silent_server: str) -> None:
    with RestClient(PROJECT, "token", silent_server, timeout=0.05) as client:
        error = failure(client)
    assert type(error) is APITimeoutError
    assert error.outcome_unknown
    assert "timeout=0.05" in str(error)
    assert "may have taken effect" in str(error)


def test_whatever_a_transport_raises_becomes_an_exception_of_ours() -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise RuntimeError("Event loop is closed")

    with httpx.Client(transport=httpx.MockTransport(fail)) as http_client:
        error = failure(RestClient(PROJECT, "token", "localhost", http_client=http_client))
    assert type(error) is APIConnectionError
    assert error.outcome_unknown
    assert isinstance(error.__cause__, RuntimeError)


def test_a_connection_closed_after_sending_leaves_the_outcome_unknown() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def read_and_close() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)

        thread = threading.Thread(target=read_and_close)
        thread.start()
        with RestClient(PROJECT, "token", f"127.0.0.1:{server.getsockname()[1]}") as client:
            error = failure(client)
        thread.join()
    assert type(error) is APIConnectionError
    assert error.outcome_unknown


def test_exceptions_survive_pickling_and_copying(answering: Answering) -> None:
    refused = failure(answering(422, BODY))
    broken = failure(answering(201, b""))
    for error in (refused, broken, InvalidRequestError("no"), _lost()):
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  # our own
            assert type(twin) is type(error)
            assert (str(twin), vars(twin)) == (str(error), vars(error))


def _lost() -> APITimeoutError:
    return APITimeoutError("no reply", operation="phone_numbers.purchase", outcome_unknown=True)


def test_every_exception_is_exported_at_the_root() -> None:
    family = {SignalWireError}
    while (wider := family | {sub for kind in family for sub in kind.__subclasses__()}) != family:
        family = wider
    assert {kind.__name__ for kind in family} <= set(signalwire_compat.__all__)
    assert issubclass(InvalidRequestError, ValueError)
    assert issubclass(APITimeoutError, APIConnectionError)


def test_a_token_with_any_character_is_sent_whole(mock: MockServer) -> None:
    with RestClient(PROJECT, f"{DEFAULT_TOKEN}:ü", mock.url) as client:
        assert failure(client).status == 401  # type: ignore[attr-defined]  # an APIStatusError
