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
from signalwire_compat_mock import MockServer

from tests.client.conftest import NUMBER, Service, answering, buy, buy_async, failure
from tests.conftest import PROJECT

BODY = {"code": 21401, "message": "no such number", "more_info": "https://x.example", "status": 1}
# Python has another phrase for 422 since 3.13.
NO_REASON = f"{HTTPStatus(422).phrase}, and no reason in the reply"
REFUSED = {307, 308, *range(400, 500)} - {408, 499}
SCOPE = "that the token has the scope Numbers"


@pytest.mark.parametrize(
    ("number", "kind", "status", "code"),
    [
        ("+15550010000", BadRequestError, 400, 10000),
        ("+15550021404", BadRequestError, 400, 21404),
        ("+15550020003", AuthenticationError, 401, 20003),
        ("+15550021401", UnprocessableEntityError, 422, 21401),
    ],
)
def test_both_clients_raise_a_documented_refusal_as_a_typed_error(
    client: RestClient,
    async_client: AsyncRestClient,
    number: str,
    kind: type[APIStatusError],
    status: int,
    code: int,
) -> None:
    async def refused() -> None:
        async with async_client as twin:
            await buy_async(twin, PhoneNumber=number)

    with pytest.raises(kind) as caught:
        asyncio.run(refused())
    for error in (failure(client, PhoneNumber=number), caught.value):
        assert type(error) is kind
        assert (error.status, error.code, error.body["code"]) == (status, code, code)
        assert not error.outcome_unknown
        assert error.message
        assert (error.more_info or "").startswith("https://")
        for part in (f"purchase(PhoneNumber='{number}')", str(status), str(code), error.message):
            assert part in str(error)


CATEGORIES = {
    **dict.fromkeys((4001, 30002), "funds"),
    **dict.fromkeys((10001, 20010, 21404, 22121), "limit"),
    **{20001: "unknown", 20003: "credentials", 20429: "throttled", 20504: "unavailable"},
}
"""The category of each code that is not about a wrong argument."""


@pytest.mark.parametrize(
    ("status", "kind", "category"),
    [
        (400, BadRequestError, "input"),
        (401, AuthenticationError, "credentials"),
        (402, APIStatusError, "funds"),
        (403, PermissionDeniedError, "credentials"),
        (404, NotFoundError, "input"),
        (408, APIStatusError, "unavailable"),
        (409, ConflictError, "input"),
        (422, UnprocessableEntityError, "input"),
        (429, RateLimitError, "throttled"),
        *((n, ServerError, "unavailable") for n in (500, 502, 503, 504, 520, 561, 599)),
        *((n, APIStatusError, "unknown") for n in (300, 302, 307, 304, 418, 499, 600)),
    ],
)
def test_every_status_has_one_class_and_one_category(
    status: int, kind: type[APIStatusError], category: str
) -> None:
    for body in (b"", {"code": 99999}):
        assert failure(answering(status, body)).category == category
    error = failure(answering(status, BODY, {"X-Request-Id": "r1", "X-Two": "b"}))
    assert type(error) is kind
    assert (error.operation, error.status) == ("phone_numbers.purchase", status)
    assert error.arguments == {"AccountSid": PROJECT, "PhoneNumber": NUMBER}
    assert (error.code, error.message) == (21401, "no such number")
    assert error.more_info == "https://x.example"
    assert error.body == json.loads(error.content or b"") == BODY
    assert (error.headers["x-two"], error.request_id) == ("b", "r1")
    assert error.outcome_unknown is (status not in REFUSED)
    assert ("may have taken effect" in str(error)) is error.outcome_unknown
    assert len(str(error).splitlines()) == 2


def test_every_code_of_the_contract_has_a_category_and_advice(contract: dict[str, Any]) -> None:
    table = contract["components"]["schemas"]["Error"]
    categories = table["x-error-categories"]
    assert set(categories) == {
        *("input", "credentials", "funds", "limit", "throttled", "unavailable", "unknown")
    }
    found = {int(code): known["category"] for code, known in table["x-error-codes"].items()}
    assert found.items() >= CATEGORIES.items()
    for code, known in table["x-error-codes"].items():
        error = failure(answering(422, {"code": int(code)}))
        category = categories[known["category"]]
        advice = category.get("by-status", {}).get("422", category["advice"])
        assert (error.code, error.category, error.advice) == (int(code), known["category"], advice)
        assert error.message == known["when"]
        assert str(error).endswith(f"\n{advice}")


@pytest.mark.parametrize(
    ("status", "body", "advice"),
    [
        *((401, {**BODY, "code": code}, SCOPE) for code in (10000, 20010, 20003, 99999)),
        (401, b"", SCOPE),
        (404, b"<h1>Not Found</h1>", "Check the SID, AccountSid and host, then call again."),
        (404, {"code": 20404}, "Check the SID, AccountSid and host, then call again."),
        (404, {"code": 20003}, SCOPE),
        (422, {"errors": [{"title": "Taken.", "code": "422"}]}, "choose another number"),
        (308, b"", "Redirects are not followed: correct host"),
    ],
)
def test_the_advice_follows_the_status_and_the_code(status: int, body: Any, advice: str) -> None:
    error = failure(answering(status, body, {"Location": "http://localhost/elsewhere"}))
    assert str(error).endswith(f"\n{error.advice}")
    assert str(error).count(advice) == 1
    assert error.headers["location"] == "http://localhost/elsewhere"
    assert not error.outcome_unknown


def test_the_mock_refuses_a_sold_number_and_wrong_credentials_as_the_service_does(
    mock: MockServer, client: RestClient
) -> None:
    buy(client)
    assert "choose another number" in str(failure(client))
    with RestClient(PROJECT, "hunter2-secret", mock.url) as stranger:
        error = failure(stranger)
    assert type(error) is AuthenticationError
    assert (error.status, error.code, error.category) == (401, 20003, "credentials")
    assert SCOPE in str(error)


def test_a_trial_account_that_is_used_up_has_come_to_its_limit() -> None:
    error = failure(answering(400, {"code": 21404, "message": "Upgrade your account."}))
    assert type(error) is BadRequestError
    assert (error.category, error.message) == ("limit", "Upgrade your account.")
    assert str(error.advice).startswith("The account or Space does not allow this, or not yet;")
    assert not error.outcome_unknown


@pytest.mark.parametrize(
    ("retry_after", "unknown"),
    [("5", False), ("Wed, 21 Oct 2015 07:28:00 GMT", False), ("soon", True)],
)
def test_an_unavailable_service_that_says_when_to_retry_has_done_nothing(
    retry_after: str, unknown: bool
) -> None:
    body = {"code": 20429, "message": "too many"}
    error = failure(answering(503, body, {"Retry-After": retry_after}))
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
        (b"", None, NO_REASON),
        (b"\xff\xfe", None, NO_REASON),
        ([], None, NO_REASON),
        ({"code": True, "message": {"a": 1}, "more_info": 7}, None, NO_REASON),
        ({"errors": {}}, None, NO_REASON),
        ({"errors": [None, 5, []]}, None, NO_REASON),
        (b"[" * 100_000, None, NO_REASON),
    ],
)
def test_every_shape_of_an_error_body_gives_a_useful_message(
    body: Any, code: int | str | None, message: str
) -> None:
    error = failure(answering(422, body))
    assert type(error) is UnprocessableEntityError
    assert (error.code, error.message) == (code, message)
    assert message[:100] in str(error)
    assert ("(see " in str(error)) is (error.more_info is not None)
    assert len(str(error).splitlines()) == 2
    assert error.content == (body if isinstance(body, bytes) else json.dumps(body).encode())
    assert str(error).replace("\n", "").isprintable()


@pytest.mark.parametrize(
    "header", ["X-Request-ID", "Request-Id", "X-Correlation-Id", "x-amzn-RequestId", "CF-RAY"]
)
def test_the_id_of_a_request_is_found_under_its_usual_names(header: str) -> None:
    assert failure(answering(500, b"", {header: "abc"})).request_id == "abc"
    assert failure(answering(500, b"", {"X-Other": "abc"})).request_id is None


@pytest.mark.parametrize(
    ("body", "sid"),
    [
        (b'{"sid": "PN-1"}', "PN-1"),
        (b'{"a": {"sid": "PN-2", "b": [{"sid": "PN-3"}]}, "sid": "PN-1", "c', "PN-1"),
        (b'[{"sid": "PN-2"}]', None),
        (b'{"a": {"sid": "PN-2"}}', None),
        (b'{"a": {"sid": "PN-2"', None),
        (b'{"a": "sid", "b": "\\"sid\\": \\"PN-2\\"", "sid" : "PN-1"', "PN-1"),
        (b'{"a": "}", "b": {"c": "{", "sid": "PN-2"}, "sid": "PN-1"}', "PN-1"),
        (b'{"account_sid": "AC-1", "Sid": "PN-2"}', None),
        (b'{"sid": {"sid": "PN-2"}}', None),
        (b'{"sid": null, "a": "PN-2"}', None),
    ],
)
def test_the_sid_of_an_error_is_that_of_what_the_reply_is_about(
    body: bytes, sid: str | None
) -> None:
    assert failure(answering(500, body)).sid == sid


@attrs.frozen
class SoldOutError(Exception):
    """An exception of a caller whose attributes can't be set."""

    number: str


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"sid": "\xff'])
def test_a_call_fails_as_usual_while_an_exception_that_can_not_change_is_handled(
    body: bytes,
) -> None:
    try:
        raise SoldOutError("+15550000001")
    except SoldOutError:
        assert type(failure(answering(201, body))) is APIResponseError
        error = failure(Service(httpx.ConnectError("refused")).client(max_retries=0))
        assert type(error) is APIConnectionError


def test_errors_survive_pickling_and_copying() -> None:
    refused = failure(answering(422, BODY))
    broken = failure(answering(201, b'{"sid": "PN-1"'))
    invalid = failure(answering(201, b""), FriendlyName=5)
    assert type(invalid) is InvalidRequestError
    lost = APITimeoutError("no reply", operation="phone_numbers.purchase", outcome_unknown=True)
    for error in (refused, broken, invalid, lost, InvalidRequestError("no")):
        for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301  # our own
            assert type(twin) is type(error)
            assert (str(twin), vars(twin)) == (str(error), vars(error))
            assert (twin.sid, twin.body, twin.request_id) == (error.sid, error.body, None)


def test_every_error_is_exported_at_the_root() -> None:
    family = {SignalWireError}
    while (wider := family | {sub for kind in family for sub in kind.__subclasses__()}) != family:
        family = wider
    assert {kind.__name__ for kind in family} <= set(signalwire_compat.__all__)
    assert issubclass(InvalidRequestError, ValueError)
    assert issubclass(APITimeoutError, APIConnectionError)


def test_an_error_can_be_made_by_hand_for_tests_of_callers() -> None:
    error = RateLimitError("slow down", status=429)
    assert (str(error), error.status, error.outcome_unknown) == ("slow down", 429, False)
    assert (error.operation, error.arguments, error.sid, error.body) == (None, {}, None, None)


def connection_errors(host: str) -> list[SignalWireError]:
    """Let each kind of client fail to buy."""
    twin = AsyncRestClient(PROJECT, "token", host, max_retries=0, look_up_timeout=0)
    with pytest.raises(SignalWireError) as caught:
        asyncio.run(buy_async(twin))
    return [
        failure(RestClient(PROJECT, "token", host, max_retries=0, look_up_timeout=0)),
        caught.value,
    ]


def test_a_host_without_an_address_leads_to_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    for error in connection_errors("acmee.signalwire.com"):
        assert str(error).endswith("The host name was not found: check host (SIGNALWIRE_SPACE).")
        assert error.advice == str(error).splitlines()[1]


def test_https_to_a_port_without_tls_leads_to_http(mock: MockServer) -> None:
    for error in connection_errors(mock.url.replace("http:", "https:")):
        assert "The port does not speak TLS: for plain http," in str(error)
    for error in connection_errors("127.0.0.1:9"):
        assert error.advice == "Nothing was carried out, so it is safe to call again."
