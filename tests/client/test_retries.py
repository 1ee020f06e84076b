"""What is sent again, how long a call waits before that, and what is never sent again."""

import asyncio
import json
import logging
import time
from types import ModuleType
from typing import Any

import httpx
import pytest
from signalwire_compat import APIConnectionError, RateLimitError, RestClient, ServerError

from tests.client.conftest import (
    NUMBER,
    TOKEN,
    Answer,
    MakeService,
    Service,
    buy,
    buy_async,
    failure,
)
from tests.conftest import PROJECT
from tests.transport.fault_server import FaultServer
from tests.transport.faults.scripts import HEALTHY

OK = httpx.Response(200, json={})
NOT_SENT = (httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full"))
LOST = (
    *(httpx.ReadError("reset"), httpx.ReadTimeout("slow"), httpx.WriteError("reset")),
    httpx.RemoteProtocolError("no HTTP"),
)
ATTEMPTS = {"POST": 1, "PATCH": 1, "GET": 3, "HEAD": 3, "PUT": 3, "DELETE": 3}
"""How often a request may be sent that may have taken effect: repeats of some change nothing."""
DECLINED = {"code": 20429, "message": "too many"}


@pytest.mark.parametrize("method", ATTEMPTS)
@pytest.mark.parametrize("is_given", [False, True])
def test_a_request_that_did_not_reach_the_server_is_sent_again(
    verbs: ModuleType, waits: list[float], is_given: bool, method: str
) -> None:
    with FaultServer(listening=False) as server, httpx.Client() as given:
        settings: dict[str, Any] = {"http_client": given} if is_given else {}
        client = verbs.RestClient(PROJECT, TOKEN, server.host, **settings)
        with pytest.raises(verbs.APIConnectionError) as caught:
            getattr(client.compat.things, method.lower())()
    assert not caught.value.outcome_unknown
    if is_given and ATTEMPTS[method] == 1:  # The caller's client may have sent it elsewhere.
        assert waits == []
        return
    assert "3 attempts" in str(caught.value)
    assert len(waits) == 2
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1


def test_a_purchase_is_carried_out_once_when_the_server_listens_at_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def listen(_: float) -> None:
        server.listen()
        server.accept()

    with FaultServer(listening=False) as server:
        server.play(HEALTHY)
        monkeypatch.setattr(time, "sleep", listen)
        with RestClient(PROJECT, TOKEN, server.host) as client:
            assert buy(client).phone_number == NUMBER
    assert server.executed == {NUMBER: 1}


@pytest.mark.parametrize("method", ATTEMPTS)
@pytest.mark.parametrize(
    "answer", [*NOT_SENT, *LOST, *map(httpx.Response, (408, 500, 502, 503, 504))]
)
def test_a_request_that_may_have_taken_effect_is_repeated_only_if_that_changes_nothing(
    verbs: ModuleType, waits: list[float], over_either: MakeService, answer: Answer, method: str
) -> None:
    service = over_either(answer)
    error = service.call(verbs, method)
    timed_out = isinstance(answer, httpx.TimeoutException)
    # Of the default client's own connections a timeout says that the time of the call is over.
    once = timed_out and service.is_intercepting
    assert len(service.requests) == (1 if once else ATTEMPTS[method])
    assert error.outcome_unknown is (method not in ("GET", "HEAD") and answer not in NOT_SENT)
    if isinstance(answer, httpx.Response):
        assert error.status == answer.status_code
    else:
        assert isinstance(error, verbs.APIConnectionError)
        assert isinstance(error, verbs.APITimeoutError) is timed_out
        assert error.__cause__ is answer


@pytest.mark.parametrize("status", [301, 400, 401, 404, 409, 422, 499, 501, 520])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_refused_request_is_not_sent_again(
    verbs: ModuleType, over_either: MakeService, method: str, status: int
) -> None:
    service = over_either(httpx.Response(status, headers={"Retry-After": "0"}))
    assert service.call(verbs, method).status == status
    assert len(service.requests) == 1


@pytest.mark.parametrize("first", [httpx.ReadError("reset"), httpx.Response(500)])
@pytest.mark.parametrize(
    "later", [httpx.ConnectError("refused"), httpx.Response(429), httpx.Response(404)]
)
def test_no_later_attempt_makes_an_unknown_outcome_known(
    verbs: ModuleType, waits: list[float], over_either: MakeService, first: Answer, later: Answer
) -> None:
    assert over_either(first, later).call(verbs, "PUT").outcome_unknown


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone can't be changed")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
@pytest.mark.parametrize(
    ("status", "retry_after", "seconds"),
    [
        (429, "", 0.5),
        (429, "soon", 0.5),
        (429, "7", 7),
        (503, "0.5", 0.5),
        (503, "%a, %d %b %Y %H:%M:%S GMT", 30),
        (429, "%a %b %d %H:%M:%S %Y", 30),
        (503, "Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
def test_a_declined_request_is_sent_again_when_the_server_says(
    verbs: ModuleType,
    waits: list[float],
    over_either: MakeService,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    retry_after: str,
    seconds: float,
    zone: str,
) -> None:
    date = time.strftime(retry_after, time.gmtime(time.time() + 30))
    service = over_either(httpx.Response(status, headers={"Retry-After": date}, json=DECLINED), OK)
    method = "POST" if service.is_intercepting else "PUT"
    with monkeypatch.context() as here:
        here.setenv("TZ", zone)
        time.tzset()
        assert not isinstance(service.call(verbs, method, timeout=60), Exception)
    time.tzset()
    assert len(service.requests) == 2
    assert waits == [pytest.approx(seconds, abs=min(seconds / 2, 1.1))]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_reply_over_a_given_client_is_never_a_reason_to_send_again(
    verbs: ModuleType, waits: list[float], method: str, status: int
) -> None:
    """Its transports and hooks may have sent the request more than once."""
    service = Service(httpx.Response(status, headers={"Retry-After": "0"}, json=DECLINED), OK)
    error = service.call(verbs, method)
    assert (error.status, error.outcome_unknown) == (status, False)
    assert (len(service.requests), waits) == (1, [])


VARNISH = b"<h1>Error 503 Backend fetch failed</h1><p>Backend fetch failed</p>"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[" * 100_000, VARNISH, json.dumps([DECLINED]).encode()),
        *({**DECLINED, "code": code} for code in (99999, 20504, 20001, "x", None, True)),
        *({**DECLINED, "message": message} for message in (None, 5)),
        {"errors": [DECLINED]},
    ],
)
def test_an_unavailable_service_that_does_not_say_that_it_declined_may_have_bought(
    waits: list[float], over_either: MakeService, body: Any
) -> None:
    """A cache in front of the service answers 503 with Retry-After, too."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    service = over_either(httpx.Response(503, headers={"Retry-After": "5"}, content=content))
    error = failure(service.client())
    assert (type(error), error.outcome_unknown) == (ServerError, True)
    assert (len(service.requests), waits) == (1, [])


@pytest.mark.parametrize("code", [20429, "20429", 10001, 30002])
def test_an_unavailable_service_that_says_that_it_declined_is_asked_again(
    waits: list[float], over_default: MakeService, code: Any
) -> None:
    body = {**DECLINED, "code": code}
    service = over_default(httpx.Response(503, headers={"Retry-After": "5"}, json=body))
    error = failure(service.client())
    assert (type(error), error.outcome_unknown) == (ServerError, False)
    assert (len(service.requests), waits) == (3, [5, 5])


@pytest.mark.parametrize("seconds", ["61", "31", "999999999", "9" * 400, "1e9", "-1", "nan", ""])
def test_a_call_ends_at_once_if_the_server_asks_for_too_long_a_wait_or_for_none(
    waits: list[float], over_default: MakeService, seconds: str
) -> None:
    service = over_default(httpx.Response(503, headers={"Retry-After": seconds}, json=DECLINED))
    assert failure(service.client(timeout=30)).status == 503
    assert (len(service.requests), waits) == (1, [])


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_the_number_of_retries_is_a_setting(
    waits: list[float], over_default: MakeService, retries: int
) -> None:
    service = over_default(httpx.Response(429))
    for client in (service.client(max_retries=retries), service.client().with_max_retries(retries)):
        service.requests.clear()
        error = failure(client)
        assert type(error) is RateLimitError
        assert not error.outcome_unknown
        assert len(service.requests) == retries + 1
    assert all(0.25 * 2**n <= wait <= 8 for n, wait in enumerate(waits[:retries]))


def test_retries_and_their_waits_are_within_the_timeout(
    waits: list[float], over_default: MakeService
) -> None:
    service = over_default(httpx.Response(429))
    assert failure(service.client(timeout=0.7, max_retries=50)).status == 429
    assert 2 <= len(service.requests) <= 3
    assert sum(waits) < 0.7


def test_no_attempt_begins_that_would_only_run_out_of_time(
    waits: list[float], over_default: MakeService
) -> None:
    service = over_default(httpx.Response(429, headers={"Retry-After": "1"}, json=DECLINED))
    assert isinstance(failure(service.client(timeout=1.05)), RateLimitError)
    assert (waits, len(service.requests)) == ([], 1)


def test_the_async_client_retries_as_its_twin_does(over_either: MakeService) -> None:
    service = over_either(httpx.Response(429, headers={"Retry-After": "0.01"}))
    with pytest.raises(RateLimitError):
        asyncio.run(buy_async(service.async_client()))
    assert len(service.requests) == (3 if service.is_intercepting else 1)


@pytest.mark.parametrize("answer", [*NOT_SENT, *LOST])
def test_an_error_that_a_mock_raises_into_the_async_client_ends_the_call(
    over_either: MakeService, answer: Exception
) -> None:
    service = over_either(answer)
    with pytest.raises(APIConnectionError) as caught:
        asyncio.run(buy_async(service.async_client()))
    assert caught.value.outcome_unknown is (answer in LOST)
    assert len(service.requests) == 1


def test_the_log_has_a_line_for_each_attempt_without_any_personal_data(
    waits: list[float], over_default: MakeService, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "signalwire_compat")
    limited, refused = httpx.Response(429), httpx.Response(422, headers={"X-Request-Id": "r-1"})
    failure(over_default(limited, limited, refused).client(), FriendlyName="Ann")
    failure(over_default(httpx.ConnectError("no")).client(), FriendlyName="Ann")
    lines = [r.getMessage() for r in caplog.records if r.name == "signalwire_compat"]
    for line, outcome, number in zip(
        lines, ("429", "429", "422", "ConnectError"), (0, 1, 2, 0), strict=True
    ):
        assert line.startswith(f"POST /Accounts/{{AccountSid}}/IncomingPhoneNumbers: {outcome} in ")
        assert f", retry {number}, request id " in line
    assert lines[2].endswith("request id r-1")
    for private in (NUMBER[1:], PROJECT, "Ann", TOKEN):
        assert private not in "".join(lines)
