"""Every failure is one typed exception that says what is known, and what to do."""

import asyncio
import copy
import json
import pickle
import socket
from http import HTTPStatus
from typing import Any

import attrs
import httpx
import pytest
import signalwire_compat
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

from tests.conftest import PROJECT, Answering

NUMBER = "+15551234567"
BODY = {"code": 21401, "message": "no such number", "more_info": "https://x.example", "status": 1}
# Python has another phrase for 422 since 3.13.
PHRASE = HTTPStatus(422).phrase
REFUSED = {307, 308, *range(400, 500)} - {408, 499}


def failure(client: RestClient, number: str = NUMBER, **settings: Any) -> SignalWireError:
    with pytest.raises(SignalWireError) as caught:
        client.compat.phone_numbers.purchase(PhoneNumber=number, **settings)
    return caught.value


@pytest.mark.parametrize("code", [10000, 20010, 20003, 99999])
def test_a_401_hints_at_the_scope_whatever_its_code(answering: Answering, code: int) -> None:
    error = failure(answering(401, {**BODY, "code": code}))
    assert str(error).count("that the token has the scope Numbers") == 1
    assert len(str(error).splitlines()) == 2


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
    assert (error.status, error.code) == (status, code)
    assert not error.outcome_unknown
    assert error.message
    assert error.more_info
    assert error.more_info.startswith("https://")
    assert error.body["code"] == code
    for part in (f"purchase(PhoneNumber='{number}')", str(status), str(code), error.message):
        assert part in str(error)


def test_every_code_of_the_contract_has_a_category_and_advice(
    answering: Answering, contract: dict[str, Any]
) -> None:
    table = contract["components"]["schemas"]["Error"]
    categories = table["x-error-categories"]
    assert set(categories) == {
        *("input", "credentials", "funds", "limit", "throttled", "unavailable", "unknown")
    }
    for code, known in table["x-error-codes"].items():
        error = failure(answering(422, {"code": int(code)}))
        category = categories[known["category"]]
        advice = category.get("by-status", {}).get("422", category["advice"])
        assert (error.code, error.category, error.advice) == (int(code), known["category"], advice)
        assert error.message == known["when"]
        assert str(error).endswith(f"\n{advice}")


@pytest.mark.parametrize(
    ("status", "category"),
    [
        (400, "input"),
        (401, "credentials"),
        (402, "funds"),
        (403, "credentials"),
        (429, "throttled"),
        (418, "unknown"),
        (503, "unavailable"),
        (561, "unavailable"),
    ],
)
def test_a_status_without_a_known_code_has_a_category_too(
    answering: Answering, status: int, category: str
) -> None:
    assert failure(answering(status, b"")).category == category
    assert failure(answering(status, {"code": 99999})).category == category


def test_a_number_that_is_sold_is_answered_with_the_advice_to_choose_another(
    client: RestClient, answering: Answering
) -> None:
    client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    title = {"errors": [{"detail": None, "status": "422", "title": "Taken.", "code": "422"}]}
    for error in (failure(client), failure(answering(422, title))):
        assert "choose another number" in str(error)
        assert error.advice
        assert "choose another number" in error.advice


@pytest.mark.parametrize("body", [b"<h1>Not Found</h1>", {"code": 20404}])
def test_an_address_that_is_not_found_leads_to_host_and_account(
    answering: Answering, body: Any
) -> None:
    assert failure(answering(404, body)).advice == "Check host and AccountSid, then call again."
    assert "scope Numbers" in str(failure(answering(404, {"code": 20003})))


def test_wrong_credentials_name_the_scope_that_may_be_missing(mock: MockServer) -> None:
    with RestClient(PROJECT, "hunter2-secret", mock.url) as client:
        error = failure(client)
    assert type(error) is AuthenticationError
    assert (error.status, error.code, error.category) == (401, 20003, "credentials")
    assert "scope Numbers" in str(error)
    assert "scope Numbers" in str(failure_of_status(401))


def failure_of_status(status: int) -> SignalWireError:
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status))) as given:
        return failure(RestClient(PROJECT, "token", "localhost", max_retries=0, http_client=given))


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
        *((status, ServerError) for status in (500, 502, 503, 504, 520, 561, 599)),
        *((status, APIStatusError) for status in (300, 302, 307, 304, 402, 408, 418, 499, 600)),
    ],
)
def test_every_status_has_one_class(
    answering: Answering, status: int, kind: type[APIStatusError]
) -> None:
    error = failure(answering(status, BODY, {"X-Request-Id": "r1", "X-Two": "b"}))
    assert type(error) is kind
    assert (error.operation, error.status) == ("phone_numbers.purchase", status)
    assert error.arguments == {"AccountSid": PROJECT, "PhoneNumber": NUMBER}
    assert (error.code, error.message) == (21401, "no such number")
    assert error.more_info == "https://x.example"
    assert error.body == json.loads(error.content or b"") == BODY
    assert error.headers["x-two"] == "b"
    assert error.request_id == "r1"
    assert error.outcome_unknown is (status not in REFUSED)
    assert ("may have taken effect" in str(error)) is error.outcome_unknown
    assert len(str(error).splitlines()) == 2


@pytest.mark.parametrize(
    ("retry_after", "unknown"),
    [("5", False), ("Wed, 21 Oct 2015 07:28:00 GMT", False), ("soon", True)],
)
def test_an_unavailable_service_that_says_when_has_declined(
    answering: Answering, retry_after: str, unknown: bool
) -> None:
    error = failure(answering(503, b"", {"Retry-After": retry_after}))
    assert error.outcome_unknown is unknown


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ({"errors": [{"code": "30010", "message": "m", "more_info": "u"}]}, 30010, "m"),
        ({"errors": ["first", "second"]}, None, "first; second"),
        ({"code": "10000", "message": "m", "more_info": "u", "status": 400}, 10000, "m"),
        ({"code": "10000"}, 10000, "An argument is invalid, or a required one is blank."),
        ({"type": "t", "code": "x", "message": "m", "attribute": "To", "url": "u"}, "x", "To: m"),
        ({"errors": [{"detail": None, "status": "422", "title": "t", "code": "422"}]}, 422, "t"),
        ({"errors": [{"detail": "d", "title": "t"}]}, None, "d"),
        ({"error": "e"}, None, "e"),
        (["e"], None, "e"),
        ("e", None, "e"),
        (b"plain\r\ntext\x1b[0m", None, "plain text [0m"),
        (b"<html><title> 502 Bad\nGateway</title><p>x</p></html>", None, "502 Bad Gateway"),
        (b"<p>Blocked by <b>policy</b></p>", None, "Blocked by policy"),
        (b"x" * 50_000, None, "x" * 297 + "..."),
        (b"", None, f"{PHRASE}, and no reason in the reply"),
        (b"\xff\xfe", None, f"{PHRASE}, and no reason in the reply"),
        ([], None, f"{PHRASE}, and no reason in the reply"),
        ({"code": True, "message": {"a": 1}, "more_info": 7}, None, f"{PHRASE}, and no"),
        ({"errors": {}}, None, f"{PHRASE}, and no reason in the reply"),
        ({"errors": [None, 5, []]}, None, f"{PHRASE}, and no reason in the reply"),
        (b"[" * 100_000, None, f"{PHRASE}, and no reason in the reply"),
    ],
)
def test_every_shape_of_an_error_body_gives_a_useful_message(
    answering: Answering, body: Any, code: int | str | None, message: str
) -> None:
    error = failure(answering(422, body))
    assert type(error) is UnprocessableEntityError
    assert error.code == code
    assert (error.message or "").startswith(message)
    assert message[:100] in str(error)
    assert ("(see " in str(error)) is (error.more_info is not None)
    assert len(str(error).splitlines()) == 2
    assert error.content == (body if isinstance(body, bytes) else json.dumps(body).encode())
    assert str(error).isprintable() or "\n" in str(error)


@pytest.mark.parametrize(
    ("body", "sid"),
    [
        (b"", None),
        (b"<html>", None),
        (b"[]", None),
        (b'"text"', None),
        (b"null", None),
        (b'{"friendly_name": "no sid"}', None),
        (b'{"sid": null}', None),
        (b'{"sid": ["a"]}', None),
        (b'{"sid": "PN-1", "beta":', "PN-1"),
        (b"[" * 100_000, None),
        (b'{"a": ' + b"9" * 5_000 + b', "sid": "PN-2"}', "PN-2"),
    ],
)
def test_a_broken_success_is_an_error_that_keeps_the_body(
    answering: Answering, body: bytes, sid: str | None
) -> None:
    error = failure(answering(201, body))
    assert type(error) is APIResponseError
    assert (error.status, error.content, error.sid) == (201, body, sid)
    assert error.arguments["PhoneNumber"] == NUMBER
    assert error.outcome_unknown
    assert "has probably taken effect" in str(error)
    assert (sid or "purchase") in str(error)
    assert len(str(error).splitlines()) == 2


def test_a_reply_that_is_too_large_is_an_error_that_keeps_the_beginning(
    answering: Answering,
) -> None:
    for status, kind in ((201, APIResponseError), (422, UnprocessableEntityError)):
        body = b'{"sid": "PN-1", "x": "' + b"x" * 1000 + b'"}'
        client = answering(status, body, max_reply_bytes=100)
        error = failure(client)
        assert type(error) is kind
        assert len(error.content or b"") == 100
        assert error.sid == "PN-1"
        assert ("it is larger than max_reply_bytes=100" in str(error)) == (status == 201)


def test_a_redirect_is_an_error_that_names_the_setting(answering: Answering) -> None:
    error = failure(answering(308, b"", {"Location": "http://localhost/elsewhere"}))
    assert type(error) is APIStatusError
    assert error.headers["location"] == "http://localhost/elsewhere"
    assert "Redirects are not followed: correct host" in str(error)
    assert not error.outcome_unknown


@pytest.mark.parametrize(
    "header", ["X-Request-ID", "Request-Id", "X-Correlation-Id", "x-amzn-RequestId", "CF-RAY"]
)
def test_the_id_of_a_request_is_found_under_its_usual_names(
    answering: Answering, header: str
) -> None:
    assert failure(answering(500, b"", {header: "abc"})).request_id == "abc"
    assert failure(answering(500, b"", {"X-Other": "abc"})).request_id is None


def test_whatever_a_transport_raises_becomes_an_exception_of_ours() -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise RuntimeError("Event loop is closed")

    with httpx.Client(transport=httpx.MockTransport(fail)) as http_client:
        error = failure(RestClient(PROJECT, "token", "localhost", http_client=http_client))
    assert type(error) is APIConnectionError
    assert error.outcome_unknown
    assert isinstance(error.__cause__, RuntimeError)


def test_a_hook_that_raises_for_a_status_ends_in_the_exception_of_that_status() -> None:
    def raise_for_status(response: httpx.Response) -> None:
        response.read()
        response.raise_for_status()

    transport = httpx.MockTransport(lambda _: httpx.Response(422, json=BODY))
    with httpx.Client(
        transport=transport, event_hooks={"response": [raise_for_status]}
    ) as http_client:
        error = failure(RestClient(PROJECT, "token", "localhost", http_client=http_client))
    assert type(error) is UnprocessableEntityError
    assert (error.code, error.message) == (21401, "no such number")


@attrs.frozen
class SoldOutError(Exception):
    """An exception of a caller whose attributes can't be set."""

    number: str


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"sid": "\xff'])
def test_a_call_while_an_exception_that_can_not_change_is_handled_fails_as_any(
    answering: Answering, body: bytes
) -> None:
    try:
        raise SoldOutError("+15550000001")
    except SoldOutError:
        assert type(failure(answering(201, body))) is APIResponseError
        with RestClient(PROJECT, "token", "127.0.0.1:9", max_retries=0) as client:
            assert type(failure(client)) is APIConnectionError


def test_exceptions_survive_pickling_and_copying(answering: Answering) -> None:
    refused = failure(answering(422, BODY))
    broken = failure(answering(201, b'{"sid": "PN-1"'))
    invalid = failure(answering(201, b""), FriendlyName=None)
    assert type(invalid) is InvalidRequestError
    lost = APITimeoutError("no reply", operation="phone_numbers.purchase", outcome_unknown=True)
    for error in (refused, broken, invalid, lost, InvalidRequestError("no")):
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  # our own
            assert type(twin) is type(error)
            assert (str(twin), vars(twin)) == (str(error), vars(error))
            assert (twin.sid, twin.body, twin.request_id) == (error.sid, error.body, None)


def test_every_exception_is_exported_at_the_root() -> None:
    family = {SignalWireError}
    while (wider := family | {sub for kind in family for sub in kind.__subclasses__()}) != family:
        family = wider
    assert {kind.__name__ for kind in family} <= set(signalwire_compat.__all__)
    assert issubclass(InvalidRequestError, ValueError)
    assert issubclass(APITimeoutError, APIConnectionError)


def test_an_exception_can_be_made_by_hand_for_tests_of_callers() -> None:
    error = RateLimitError("slow down", status=429)
    assert (str(error), error.status, error.outcome_unknown) == ("slow down", 429, False)
    assert (error.operation, error.arguments, error.sid, error.body) == (None, {}, None, None)


def failures(host: str) -> list[SignalWireError]:
    """Let each kind of client fail to buy."""
    twin = AsyncRestClient(PROJECT, "token", host, max_retries=0)
    with pytest.raises(SignalWireError) as caught:
        asyncio.run(twin.compat.phone_numbers.purchase(PhoneNumber=NUMBER))
    return [failure(RestClient(PROJECT, "token", host, max_retries=0)), caught.value]


def test_a_host_that_has_no_address_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for error in failures("acmee.signalwire.com"):
        assert str(error).endswith("The host name was not found: check host (SIGNALWIRE_SPACE).")
        assert error.advice == str(error).splitlines()[1]


def test_https_to_a_port_without_tls_is_told_to_be_http(mock: MockServer) -> None:
    for error in failures(mock.url.replace("http:", "https:")):
        assert "The port does not speak TLS: for plain http," in str(error)
    for error in failures("127.0.0.1:9"):
        assert error.advice == "Nothing was carried out, so it is safe to call again."


def test_the_async_client_raises_the_same_exceptions(async_client: AsyncRestClient) -> None:
    async def refused() -> None:
        async with async_client as client:
            await client.compat.phone_numbers.purchase(PhoneNumber="+15550021401")

    with pytest.raises(UnprocessableEntityError) as caught:
        asyncio.run(refused())
    assert caught.value.code == 21401


def test_a_token_with_any_character_is_sent_whole(mock: MockServer) -> None:
    with RestClient(PROJECT, f"{DEFAULT_TOKEN}:ü", mock.url) as client:
        assert failure(client).status == 401
