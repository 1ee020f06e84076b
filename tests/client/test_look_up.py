"""After an unknown outcome the client looks for what was asked for, and never asks for it again."""

import asyncio
import copy
import itertools
import json
import logging
import pickle
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from email.utils import formatdate
from typing import Any

import attrs
import httpx
import pytest
from httpx_aiohttp import AiohttpTransport
from signalwire_compat import (
    APIConnectionError,
    APIResponseError,
    APITimeoutError,
    AsyncRestClient,
    AuthenticationError,
    InvalidRequestError,
    RestClient,
    ServerError,
    SignalWireError,
)
from signalwire_compat.api.phone_numbers import purchase as purchase_module
from signalwire_compat.models import PurchaseRequest
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.engine import Answer

from tests.client.conftest import TOKEN, Service
from tests.conftest import PROJECT, page_reply
from tests.transport.fault_server import FaultServer, Peer
from tests.transport.faults.scripts import CLOSE, READ, failure, send

NUMBER = "+15550001111"
LOST: dict[str, dict[str, Any]] = {
    "no reply": {"drop": True},
    "status 500": {"status": 500, "carried_out": True},
    "another number": {"body": json.dumps(page_reply())},
    "cut off": {"body": '{"sid": "PN'},
}
Buy = Callable[..., Any]


def buy_sync(mock: MockServer, **settings: Any) -> Any:
    """Buy `NUMBER`; give it, or the error."""
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url, **settings) as client:
        try:
            return client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        except SignalWireError as error:
            return error


def buy_async(mock: MockServer, **settings: Any) -> Any:
    """Do what `buy_sync` does."""

    async def run() -> Any:
        async with AsyncRestClient(PROJECT, DEFAULT_TOKEN, mock.url, **settings) as client:
            try:
                return await client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            except SignalWireError as error:
                return error

    return asyncio.run(run())


@pytest.fixture(params=[buy_sync, buy_async], ids=["sync", "async"])
def buy(request: pytest.FixtureRequest) -> Buy:
    call: Buy = request.param
    return call


def asked(mock: MockServer) -> list[str]:
    """List the methods of all requests."""
    return [exchange.method for exchange in mock.journal]


def page_of(*items: Mapping[str, Any], **members: Any) -> str:
    """Write a page with these items, as the mock's page is otherwise."""
    page = {
        **{"uri": "/", "first_page_uri": "/", "next_page_uri": None, "previous_page_uri": None},
        **{"page": 0, "page_size": 50, "incoming_phone_numbers": list(items)},
    }
    return json.dumps({**page, **members})


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_a_purchase_whose_reply_was_lost_is_found(
    mock: MockServer, buy: Buy, fault: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    mock.inject(**fault, operation="purchase")
    number = buy(mock)
    assert (number.phone_number, number.found_by_look_up) == (NUMBER, True)
    assert asked(mock) == ["POST", "GET"]
    assert mock.journal[-1].query == "PhoneNumber=%2B15550001111", "not the whole account"
    (record,) = [record for record in caplog.records if "Found by looking" in record.message]
    assert record.levelno == logging.WARNING
    assert f"purchase(PhoneNumber='{NUMBER}')" in record.message


def test_a_reply_that_arrived_is_not_marked(mock: MockServer, buy: Buy) -> None:
    assert not buy(mock).found_by_look_up
    assert asked(mock) == ["POST"]


def test_what_is_not_there_is_raised_with_what_was_seen(mock: MockServer, buy: Buy) -> None:
    mock.inject(status=500, operation="purchase")
    error = buy(mock, look_up_timeout=2.2)
    assert isinstance(error, ServerError)
    assert error.outcome_unknown
    assert asked(mock) == ["POST", *["GET"] * len(error.looks)]
    assert len(error.looks) > 1
    assert {look.result for look in error.looks} == {"it is not there"}
    assert f"Looked {len(error.looks)} times, until {error.looks[-1].at:%H:%M:%S} UTC" in str(error)
    assert str(error).endswith(str(error.advice))
    assert copy.copy(error).looks == error.looks


def test_a_purchase_that_is_still_under_way_is_found_by_a_later_look(
    mock: MockServer, buy: Buy
) -> None:
    with mock.answering(lambda answer: answer):
        mock.inject(delay_seconds=1.5, operation="purchase")
        mock.inject(body=page_of(), operation="list")
        number = buy(mock, timeout=0.5)
    assert number.found_by_look_up
    assert asked(mock) == ["POST", "GET", "GET"]


@pytest.mark.parametrize("status", [500, 429, 408])
def test_a_look_that_fails_for_now_is_repeated(mock: MockServer, buy: Buy, status: int) -> None:
    mock.inject(drop=True, operation="purchase")
    mock.inject(status=status, operation="list")
    assert buy(mock, max_retries=0).found_by_look_up
    assert asked(mock) == ["POST", "GET", "GET"]


def test_a_look_that_is_refused_is_the_last_one(mock: MockServer, buy: Buy) -> None:
    mock.inject(drop=True, operation="purchase")
    mock.inject(status=403, operation="list")
    error = buy(mock)
    assert isinstance(error, APIConnectionError)
    assert error.outcome_unknown
    (look,) = error.looks
    assert look.result.startswith("no answer (phone_numbers.list(): status 403")
    assert asked(mock) == ["POST", "GET"]


def test_a_number_that_the_account_had_before_is_not_taken_for_the_purchase(
    mock: MockServer, buy: Buy
) -> None:
    old = page_reply(phone_number=NUMBER, date_created="Tue, 15 Sept 2020 10:00:00 +0000")
    mock.inject(drop=True, operation="purchase")
    mock.inject(body=page_of(old), operation="list")
    error = buy(mock)
    assert error.outcome_unknown
    (look,) = error.looks
    assert (
        look.result == "it has been there since Tue, 15 Sept 2020 10:00:00 +0000, before this call"
    )
    assert asked(mock) == ["POST", "GET"]


@pytest.mark.parametrize(
    ("created", "headers"),
    [
        ("yesterday", {}),
        ("Tue, 15 Sep 2020 10:00:00", {}),
        ("Tue, 15 Sep 99999999999999999999 10:00:00 +0000", {}),
        ("Tue, 15 Sep 2020 10:00:00 +0000", {"date": "?"}),
    ],
)
def test_a_number_that_may_have_been_there_before_is_returned_and_the_log_says_so(
    mock: MockServer,
    buy: Buy,
    created: str,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = page_reply(phone_number=NUMBER, date_created=created)
    mock.inject(drop=True, operation="purchase")
    mock.inject(body=page_of(found), headers=headers, operation="list")
    assert buy(mock).found_by_look_up
    assert "it may have been there before this call" in caplog.text


def test_another_number_that_matches_the_pattern_is_not_taken_for_it(
    mock: MockServer, buy: Buy
) -> None:
    others = [page_reply(phone_number=number) for number in (NUMBER + "1", "+25550001111")]
    mock.inject(status=500, operation="purchase")
    mock.inject(body=page_of(*others), operation="list")
    assert isinstance(buy(mock, look_up_timeout=0.5), ServerError)


def test_all_pages_are_looked_at(mock: MockServer, buy: Buy) -> None:
    mock.inject(drop=True, operation="purchase")
    uri = f"/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers?PhoneNumber=%2B1555"
    mock.inject(body=page_of(next_page_uri=uri), operation="list")
    assert buy(mock).found_by_look_up
    assert asked(mock) == ["POST", "GET", "GET"]


def test_an_incomplete_answer_does_not_say_that_it_is_not_there(mock: MockServer, buy: Buy) -> None:
    mock.inject(drop=True, operation="purchase")
    uri = f"/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers?PageToken=PA1"
    mock.inject(body=page_of(next_page_uri=uri), operation="list")
    mock.inject(status=500, operation="list")
    error = buy(mock, max_retries=0, look_up_timeout=0.5)
    assert [look.result[:11] for look in error.looks] == ["no answer ("]


def test_look_up_timeout_0_turns_it_off(mock: MockServer, buy: Buy) -> None:
    mock.inject(drop=True, operation="purchase")
    error = buy(mock, look_up_timeout=0)
    assert isinstance(error, APIConnectionError)
    assert (error.outcome_unknown, error.looks) == (True, ())
    assert asked(mock) == ["POST"]


@pytest.mark.parametrize("fault", [{"code": 21401}, {"status": 401}, {"status": 429}])
def test_nothing_is_looked_for_after_a_refusal(
    mock: MockServer, buy: Buy, fault: dict[str, Any]
) -> None:
    mock.inject(**fault, operation="purchase")
    assert not buy(mock, max_retries=0).outcome_unknown
    assert asked(mock) == ["POST"]


def test_the_detailed_function_returns_what_arrived(mock: MockServer, client: RestClient) -> None:
    mock.inject(status=500, operation="purchase", carried_out=True)
    with pytest.raises(ServerError):
        purchase_module.sync_detailed(
            client.account, client=client, body=PurchaseRequest(phone_number=NUMBER)
        )
    assert asked(mock) == ["POST"]


def test_a_caller_looks_for_the_outcome_of_an_error(mock: MockServer) -> None:
    mock.inject(drop=True)
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url, look_up_timeout=0) as client:
        purchase = client.compat.phone_numbers.purchase
        with pytest.raises(APIConnectionError) as caught:
            purchase(PhoneNumber=NUMBER, FriendlyName="Main Line")
        found = client.look_up(purchase, **caught.value.arguments)
        assert found
        assert (found.phone_number, found.found_by_look_up) == (NUMBER, True)
        assert client.look_up(purchase, PhoneNumber="+15550002222") is None
        mock.inject(status=401)
        with pytest.raises(AuthenticationError):
            client.look_up(purchase, PhoneNumber=NUMBER)
    assert asked(mock) == ["POST", "GET", "GET", "GET"]


def test_an_async_caller_looks_for_the_outcome_of_a_dead_process(
    mock: MockServer, client: RestClient
) -> None:
    client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)

    async def look() -> Any:
        async with AsyncRestClient(PROJECT, DEFAULT_TOKEN, mock.url) as other:
            return await other.look_up(other.compat.phone_numbers.purchase, PhoneNumber=NUMBER)

    assert asyncio.run(look()).phone_number == NUMBER


def test_a_look_by_hand_checks_the_arguments_of_the_call(client: RestClient) -> None:
    with pytest.raises(InvalidRequestError, match="PhoneNumber"):
        client.look_up(client.compat.phone_numbers.purchase, PhoneNumber="five")


def test_only_what_the_contract_can_look_up_is_looked_up(
    client: RestClient, async_client: AsyncRestClient
) -> None:
    methods: list[Any] = [client.compat.phone_numbers.get, async_client.compat.phone_numbers.get]
    for method, problem in zip(methods, ("has no look-up", "of this kind"), strict=True):
        with pytest.raises(InvalidRequestError, match=problem):
            client.look_up(method, "PN1")


@pytest.mark.parametrize("wrong", [-1, None, True, "10", float("nan")])
def test_a_wrong_look_up_timeout_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidRequestError, match="look_up_timeout must be seconds from 0"):
        RestClient(PROJECT, DEFAULT_TOKEN, "localhost", look_up_timeout=wrong)


def test_a_look_takes_time_of_its_own(mock: MockServer, buy: Buy) -> None:
    mock.inject(delay_seconds=3, operation="purchase")
    number = buy(mock, timeout=0.3)
    assert number.found_by_look_up


def test_an_unreadable_reply_of_the_list_is_no_answer(mock: MockServer, buy: Buy) -> None:
    mock.inject(status=500, operation="purchase")
    mock.inject(body="[]", operation="list", times=20)
    error = buy(mock, look_up_timeout=0.5)
    assert isinstance(error, ServerError)
    assert not isinstance(error, APIResponseError | APITimeoutError)
    assert [look.result[:9] for look in error.looks] == ["no answer"]


UNREADABLE: dict[str, dict[str, Any]] = {
    "no list": {"incoming_phone_numbers": None},
    "an empty text": {"incoming_phone_numbers": ""},
    "an empty object": {"incoming_phone_numbers": {}},
    "an empty item": {"incoming_phone_numbers": [{}]},
    "an item that is null": {"incoming_phone_numbers": [None]},
    "a number that is null": {"incoming_phone_numbers": [page_reply(phone_number=None)]},
    "a next page that is no URI": {"next_page_uri": "http://["},
}


@pytest.mark.parametrize("members", UNREADABLE.values(), ids=UNREADABLE)
def test_a_list_that_may_hide_the_number_does_not_say_that_it_is_not_there(
    mock: MockServer, buy: Buy, members: dict[str, Any]
) -> None:
    mock.inject(status=500, operation="purchase")
    mock.inject(body=page_of(**members), operation="list")
    error = buy(mock, look_up_timeout=0.5)
    assert isinstance(error, ServerError)
    (look,) = error.looks
    assert look.result.startswith("no answer (phone_numbers.list(): ")
    mock.inject(body=page_of(**members), operation="list")
    with (
        RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client,
        pytest.raises(APIResponseError, match=r"must be a (list|path)|has no phone_number"),
    ):
        client.look_up(client.compat.phone_numbers.purchase, PhoneNumber=NUMBER)


def test_a_number_is_found_beside_an_item_without_one(mock: MockServer, buy: Buy) -> None:
    mock.inject(drop=True, operation="purchase")
    found = page_reply(phone_number=NUMBER, date_created="just now")
    mock.inject(body=page_of({}, found), operation="list")
    assert buy(mock).found_by_look_up


def test_copies_of_a_number_know_that_it_was_found(mock: MockServer, buy: Buy) -> None:
    mock.inject(drop=True, operation="purchase")
    number = buy(mock)
    twins = [copy.copy(number), copy.deepcopy(number), pickle.loads(pickle.dumps(number))]  # noqa: S301  # our own
    assert [twin.found_by_look_up for twin in twins] == [True] * 3
    assert "found_by" not in repr(number) + str(number.to_dict()) + str(attrs.asdict(number))


def test_all_pages_of_a_look_share_the_time_for_looking(mock: MockServer, buy: Buy) -> None:
    mock.inject(drop=True, operation="purchase")
    for page in range(3):
        uri = f"/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers?FriendlyName={page}"
        items = [page_reply(phone_number=NUMBER, date_created="just now")] * (page == 2)
        body = page_of(*items, next_page_uri=uri)
        mock.inject(body=body, delay_seconds=0.4, operation="list")
    error = buy(mock, look_up_timeout=0.7)
    assert isinstance(error, APIConnectionError)
    assert [look.result[:11] for look in error.looks] == ["no answer ("]


def test_a_client_that_is_closed_meanwhile_raises_what_it_knows(mock: MockServer) -> None:
    client = RestClient(PROJECT, DEFAULT_TOKEN, mock.url)

    def close(answer: Any) -> Any:
        client.close()
        return answer

    mock.inject(status=500, operation="purchase")
    with mock.answering(close), pytest.raises(ServerError) as caught:
        client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert caught.value.outcome_unknown
    assert "the client is closed" in caught.value.looks[-1].result


def test_a_reply_that_aiohttp_cannot_read_is_looked_for() -> None:
    listed = json.loads(page_of(page_reply(phone_number=NUMBER, date_created="just now")))

    async def buy(url: str) -> Any:
        async with httpx.AsyncClient(transport=AiohttpTransport()) as http_client:
            client = AsyncRestClient(PROJECT, TOKEN, url, http_client=http_client)
            return await client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)

    with FaultServer() as server:
        server.play(
            (READ, send(lambda _: b"nonsense\r\n\r\n"), CLOSE),
            (READ, send(failure(200, listed, "Connection: close")), CLOSE),
        )
        assert asyncio.run(buy(server.url)).found_by_look_up


class StopError(Exception):
    """What a hook or a signal handler raises."""


def test_no_look_follows_what_a_hook_of_the_caller_raises() -> None:
    service = Service(StopError("enough"))
    with pytest.raises(APIConnectionError) as caught:
        service.client(look_up_timeout=9).compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert (caught.value.outcome_unknown, caught.value.looks) == (True, ())
    assert len(service.requests) == 1


def test_a_look_that_a_hook_of_the_caller_ends_is_the_last_one() -> None:
    service = Service(httpx.Response(500), StopError("enough"))
    with pytest.raises(ServerError) as caught:
        service.client(look_up_timeout=9).compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert "StopError: enough" in caught.value.looks[-1].result
    assert len(service.requests) == 2


def test_no_log_shows_a_token_that_the_list_repeats(caplog: pytest.LogCaptureFixture) -> None:
    item = page_reply(phone_number=NUMBER, date_created=f"now\n{TOKEN}")
    service = Service(httpx.Response(500), httpx.Response(200, content=page_of(item)))
    service.client(look_up_timeout=9).compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert "Found by looking: created now [secret], and it may" in caplog.text
    assert TOKEN not in caplog.text


def refuse_connections(peer: Peer) -> None:
    peer.server.refuse()


@pytest.fixture
def lonely() -> Iterator[FaultServer]:
    """Give a server that answers a purchase with 500 and then refuses connections."""
    with FaultServer() as server:
        reply = failure(500, {}, "Connection: close")
        server.play((READ, refuse_connections, send(reply)))
        yield server


def test_a_call_that_is_interrupted_between_looks_is_logged(
    lonely: FaultServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with RestClient(PROJECT, TOKEN, lonely.url) as client:
        monkeypatch.setattr(time, "sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert "interrupted after it was sent: it may have taken effect" in caplog.text


def test_an_async_call_that_is_cancelled_between_looks_is_logged(
    lonely: FaultServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def cancel_soon() -> None:
        async with AsyncRestClient(PROJECT, TOKEN, lonely.url) as client:
            purchase = client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
            await asyncio.wait_for(purchase, 0.3)

    with pytest.raises(TimeoutError):
        asyncio.run(cancel_soon())
    assert "interrupted after it was sent: it may have taken effect" in caplog.text


def test_an_import_whose_reply_was_lost_is_found(mock: MockServer, client: RestClient) -> None:
    mock.allow_import = True
    mock.inject(drop=True, operation="import_number")
    number = client.compat.phone_numbers.import_number(number=NUMBER, number_type="longcode")
    assert (number.phone_number, number.found_by_look_up) == (NUMBER, True)
    assert asked(mock) == ["POST", "GET"]
    assert mock.journal[-1].query == "PhoneNumber=%2B15550001111", "not the whole account"


def test_a_purchase_from_before_the_computer_slept_is_found(
    mock: MockServer, buy: Buy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While it sleeps, the clock that measures seconds stands still."""
    hour, clock, slept = 3600, time.time, [0]
    monkeypatch.setattr(time, "time", lambda: clock() + sum(slept))

    def sleep(answer: Answer) -> Answer:
        slept.append(hour)
        headers = {**answer.headers, "date": formatdate(clock() + hour, usegmt=True)}
        return replace(answer, headers=headers) if answer.operation_id == "list" else answer

    mock.inject(drop=True, operation="purchase")
    with mock.answering(sleep):
        assert buy(mock).found_by_look_up
    assert "before this call" not in caplog.text


def test_a_look_by_hand_takes_no_longer_than_the_timeout(
    mock: MockServer, client: RestClient
) -> None:
    pages = itertools.count(1)

    def one_more(answer: Answer) -> Answer:
        time.sleep(0.05)
        number = next(pages)
        path = f"/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers?Page={number}"
        body = page_of(next_page_uri=path if number < 100 else None)
        return replace(answer, status=200, body=body.encode())

    hasty = client.with_timeout(1)
    with mock.answering(one_more), pytest.raises(APITimeoutError):
        hasty.look_up(hasty.compat.phone_numbers.purchase, PhoneNumber=NUMBER)


def test_a_look_for_a_call_to_another_host_is_refused(mock: MockServer, client: RestClient) -> None:
    with MockServer() as elsewhere, RestClient(PROJECT, TOKEN, elsewhere.url) as other:
        with pytest.raises(InvalidRequestError, match="for the same project and host"):
            client.look_up(other.compat.phone_numbers.purchase, PhoneNumber=NUMBER)
        assert not mock.journal
        assert not elsewhere.journal
