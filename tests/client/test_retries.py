"""What is sent again, how long a call waits before that, and what is never sent again."""

import asyncio
import logging
import time
from types import ModuleType

import httpx
import pytest
from signalwire_compat import RateLimitError

from tests.client.conftest import NUMBER, TOKEN, Answer, Service, buy_async, failure
from tests.conftest import PROJECT

OK = httpx.Response(200, json={})
NOT_SENT = (httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), httpx.PoolTimeout("full"))
LOST = (
    *(httpx.ReadError("reset"), httpx.ReadTimeout("slow"), httpx.WriteError("reset")),
    httpx.RemoteProtocolError("no HTTP"),
)
ATTEMPTS = {"POST": 1, "PATCH": 1, "GET": 3, "HEAD": 3, "PUT": 3, "DELETE": 3}
"""How often a request may be sent that may have taken effect: repeats of some change nothing."""


@pytest.mark.parametrize("method", ATTEMPTS)
@pytest.mark.parametrize("error", NOT_SENT)
def test_a_request_that_did_not_reach_the_server_is_sent_again(
    verbs: ModuleType, waits: list[float], error: Exception, method: str
) -> None:
    service = Service(error, error, OK)
    assert not isinstance(service.call(verbs, method), Exception)
    assert (len(service.requests), len(waits)) == (3, 2)
    assert 0.25 <= waits[0] <= 0.5 <= waits[1] <= 1


@pytest.mark.parametrize("method", ATTEMPTS)
@pytest.mark.parametrize("answer", [*LOST, *map(httpx.Response, (408, 500, 502, 503, 504))])
def test_a_request_that_may_have_taken_effect_is_repeated_only_if_that_changes_nothing(
    verbs: ModuleType, waits: list[float], answer: Answer, method: str
) -> None:
    service = Service(answer)
    error = service.call(verbs, method)
    assert len(service.requests) == ATTEMPTS[method]
    assert error.outcome_unknown is (method not in ("GET", "HEAD"))
    if isinstance(answer, httpx.Response):
        assert error.status == answer.status_code
    else:
        assert isinstance(error, verbs.APIConnectionError)
        timed_out = isinstance(answer, httpx.TimeoutException)
        assert isinstance(error, verbs.APITimeoutError) is timed_out
        assert error.__cause__ is answer


@pytest.mark.parametrize("status", [301, 400, 401, 404, 409, 422, 499, 501, 520])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_refused_request_is_not_sent_again(verbs: ModuleType, method: str, status: int) -> None:
    service = Service(httpx.Response(status, headers={"Retry-After": "0"}))
    assert service.call(verbs, method).status == status
    assert len(service.requests) == 1


@pytest.mark.parametrize("first", [httpx.ReadError("reset"), httpx.Response(500)])
@pytest.mark.parametrize(
    "later", [httpx.ConnectError("refused"), httpx.Response(429), httpx.Response(404)]
)
def test_no_later_attempt_makes_an_unknown_outcome_known(
    verbs: ModuleType, waits: list[float], first: Answer, later: Answer
) -> None:
    assert Service(first, later).call(verbs, "PUT").outcome_unknown


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
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    retry_after: str,
    seconds: float,
    zone: str,
) -> None:
    date = time.strftime(retry_after, time.gmtime(time.time() + 30))
    service = Service(httpx.Response(status, headers={"Retry-After": date}), OK)
    with monkeypatch.context() as here:
        here.setenv("TZ", zone)
        time.tzset()
        assert not isinstance(service.call(verbs, "POST", timeout=60), Exception)
    time.tzset()
    assert len(service.requests) == 2
    assert waits == [pytest.approx(seconds, abs=min(seconds / 2, 1.1))]


@pytest.mark.parametrize("seconds", ["61", "31", "999999999", "9" * 400, "1e9", "-1", "nan", ""])
def test_a_call_ends_at_once_if_the_server_asks_for_too_long_a_wait_or_for_none(
    waits: list[float], seconds: str
) -> None:
    service = Service(httpx.Response(503, headers={"Retry-After": seconds}))
    assert failure(service.client(timeout=30)).status == 503
    assert (len(service.requests), waits) == (1, [])


@pytest.mark.parametrize("retries", [0, 1, 5])
def test_the_number_of_retries_is_a_setting(waits: list[float], retries: int) -> None:
    service = Service(httpx.Response(429))
    for client in (service.client(max_retries=retries), service.client().with_max_retries(retries)):
        service.requests.clear()
        error = failure(client)
        assert type(error) is RateLimitError
        assert not error.outcome_unknown
        assert len(service.requests) == retries + 1
    assert all(0.25 * 2**n <= wait <= 8 for n, wait in enumerate(waits[:retries]))


def test_retries_and_their_waits_are_within_the_timeout(waits: list[float]) -> None:
    service = Service(httpx.Response(429))
    assert failure(service.client(timeout=0.6, max_retries=50)).status == 429
    assert 2 <= len(service.requests) <= 3
    assert sum(waits) < 0.6


def test_the_async_client_retries_as_its_twin_does() -> None:
    service = Service(httpx.Response(429, headers={"Retry-After": "0.01"}))
    with pytest.raises(RateLimitError):
        asyncio.run(buy_async(service.async_client()))
    assert len(service.requests) == 3


def test_the_log_has_a_line_for_each_attempt_without_any_personal_data(
    waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "signalwire_compat")
    refused = httpx.Response(422, headers={"X-Request-Id": "r-1"})
    service = Service(httpx.ConnectError("no"), httpx.Response(429), refused)
    failure(service.client(), FriendlyName="Ann")
    lines = [r.getMessage() for r in caplog.records if r.name == "signalwire_compat"]
    for number, (line, outcome) in enumerate(
        zip(lines, ("ConnectError", "429", "422"), strict=True)
    ):
        assert line.startswith(f"POST /Accounts/{{AccountSid}}/IncomingPhoneNumbers: {outcome} in ")
        assert f", retry {number}, request id " in line
    assert lines[2].endswith("request id r-1")
    for private in (NUMBER[1:], PROJECT, "Ann", TOKEN):
        assert private not in "".join(lines)
