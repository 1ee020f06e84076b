"""What becomes of a number: it is listed, changed, moved to another account, and released."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Any

import httpx
import pytest
from signalwire_compat import (
    AuthenticationError,
    NotFoundError,
    RestClient,
    UnprocessableEntityError,
)
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT
from tests.mock.helpers import ANOTHER, NUMBER, NUMBERS, OTHER, Send, refused

THIRD = "33333333-2222-4333-8444-555555555555"
MANY = [f"+1512555{number:04}" for number in range(7)]


@pytest.fixture
def numbers(client: RestClient) -> Any:
    return client.compat.phone_numbers


@pytest.fixture
def stranger(mock: MockServer) -> Iterator[RestClient]:
    with RestClient(OTHER, DEFAULT_TOKEN, mock.url) as client:
        yield client


def test_a_number_is_fetched_as_it_was_bought(numbers: Any, mock: MockServer) -> None:
    bought = numbers.purchase(PhoneNumber=NUMBER, SmsUrl="https://x.example/sms")
    assert numbers.get(bought.sid) == bought
    assert [number.sid for number in numbers.list()] == [bought.sid]
    assert [exchange.operation_id for exchange in mock.journal] == ["purchase", "get", "list"]


def test_a_number_is_at_the_uri_that_it_names_even_after_a_transfer(send: Send) -> None:
    upper = PROJECT.upper()
    bought = send.bought(NUMBER, upper)
    assert send("GET", bought["uri"]).json() == bought
    path, sent = f"{NUMBERS}/{bought['sid']}", {"AccountSid": THIRD}
    moved = send(path=path, data=sent).json()
    assert moved["uri"] == bought["uri"].replace(upper, THIRD)
    assert send("GET", moved["uri"]).json() == moved
    assert send("GET", bought["uri"]).status_code == 404


@pytest.mark.parametrize("name", ["get", "update", "delete"])
def test_a_number_that_the_account_does_not_have_is_not_found(
    numbers: Any, stranger: RestClient, name: str
) -> None:
    sid = numbers.purchase(PhoneNumber=NUMBER).sid
    for who, asked in ((numbers, "PN0"), (stranger.compat.phone_numbers, sid)):
        with pytest.raises(NotFoundError) as caught:
            getattr(who, name)(asked)
        assert caught.value.code == 20404
    assert numbers.get(sid).phone_number == NUMBER


def test_an_update_changes_what_was_sent_and_the_date_of_the_last_change(
    numbers: Any, mock: MockServer
) -> None:
    before = numbers.purchase(
        PhoneNumber=NUMBER, FriendlyName="a", SmsUrl="https://x.example/", VoiceMethod="GET"
    )
    mock.advance(days=1)
    sent = {"FriendlyName": "b", "SmsMethod": "GET", "EmergencyAddressSid": THIRD}
    after = numbers.update(before.sid, VoiceReceiveMode="fax", **sent)
    expected = {
        **before.to_dict(),
        "friendly_name": "b",
        "sms_method": "GET",
        "emergency_address_sid": THIRD,
        "date_updated": after.date_updated,
    }
    assert after.to_dict() == numbers.get(before.sid).to_dict() == expected
    then, now = map(parsedate_to_datetime, (before.date_updated, after.date_updated))
    assert 86_400 <= (now - then).total_seconds() < 86_500


def test_an_update_with_an_account_transfers_the_number(
    client: RestClient, stranger: RestClient, mock: MockServer
) -> None:
    numbers, theirs = client.compat.phone_numbers, client.with_account(THIRD).compat.phone_numbers
    bought = numbers.purchase(PhoneNumber=NUMBER)
    moved = numbers.update(bought.sid, AccountSid=THIRD)
    assert (moved.sid, moved.account_sid, moved.account_id) == (bought.sid, THIRD, THIRD)
    assert moved.uri == bought.uri.replace(PROJECT, THIRD)
    assert list(numbers.list()) == []
    assert (mock.charges(PROJECT), mock.charges(THIRD)) == (1, 0)

    with pytest.raises(AuthenticationError, match="another project"):
        stranger.with_account(THIRD).compat.phone_numbers.list()
    stranger.compat.phone_numbers.list()
    with pytest.raises(UnprocessableEntityError, match="another project"):
        theirs.update(bought.sid, AccountSid=OTHER, FriendlyName="b")
    assert theirs.get(bought.sid) == moved


def test_a_number_is_released_14_days_after_its_purchase_and_no_earlier(
    numbers: Any, mock: MockServer
) -> None:
    bought = numbers.purchase(PhoneNumber=NUMBER)
    for step in ({}, {"days": 13, "seconds": 86_300}):
        mock.advance(**step)
        with pytest.raises(UnprocessableEntityError) as caught:
            numbers.delete(bought.sid)
        assert caught.value.code == 22121
    mock.advance(seconds=100)
    assert numbers.delete(bought.sid) is None
    assert mock.journal[-1].status == 204
    with pytest.raises(NotFoundError):
        numbers.delete(bought.sid)
    assert list(numbers.list()) == []
    assert numbers.purchase(PhoneNumber=NUMBER).sid != bought.sid
    assert mock.charges() == 2


def test_a_transfer_does_not_change_when_a_number_can_be_released(
    client: RestClient, mock: MockServer
) -> None:
    sid = client.compat.phone_numbers.purchase(PhoneNumber=NUMBER).sid
    mock.advance(days=13)
    client.compat.phone_numbers.update(sid, AccountSid=THIRD)
    theirs = client.with_account(THIRD).compat.phone_numbers
    with pytest.raises(UnprocessableEntityError, match="22121"):
        theirs.delete(sid)
    mock.advance(days=1)
    theirs.delete(sid)


def test_a_program_in_any_language_moves_the_clock_over_http(send: Send) -> None:
    first = send.bought(NUMBER)
    step = {"days": 14, "seconds": 1}
    assert send("POST", "/clock", json=step).status_code == 204
    gone = send("DELETE", f"{NUMBERS}/{first['sid']}")
    assert (gone.status_code, gone.content) == (204, b"")
    second = send.bought(ANOTHER)
    dates = [parsedate_to_datetime(number["date_created"]) for number in (first, second)]
    assert (dates[1] - dates[0]).days == 14
    assert parsedate_to_datetime(gone.headers["date"]) >= dates[0]
    send.mock.reset()
    third = parsedate_to_datetime(send.bought(NUMBER)["date_created"])
    assert (third - dates[0]).days == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "line 1 column 2"),
        (b"[]", "a step is a JSON object with days, seconds or both"),
        (b"{}", "a step is a JSON object with days, seconds or both"),
        (b'{"weeks": 1}', "a step is a JSON object with days, seconds or both"),
        (b'{"days": "1"}', "days is not a number"),
        (b'{"seconds": true}', "seconds is not a number"),
        (b'{"days": -1}', "use 0 to 36500 days in all"),
        (b'{"days": 36501}', "use 0 to 36500 days in all"),
        (b'{"days": Infinity}', "use 0 to 36500 days in all"),
        (b'{"days": NaN}', "NaN"),
    ],
)
def test_a_step_of_the_clock_that_makes_no_sense_is_refused(
    send: Send, content: bytes, words: str
) -> None:
    sent_as = {"content-type": "application/json"}
    reply = send("POST", "/clock", content=content, headers=sent_as)
    assert (reply.status_code, words in reply.json()["message"]) == (400, True), reply.text


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, [*MANY, NUMBER]),
        ({"PhoneNumber": NUMBER}, [NUMBER]),
        ({"PhoneNumber": "512555"}, MANY),
        ({"PhoneNumber": "+1512*3"}, MANY[3:4]),
        ({"PhoneNumber": "jkl000?"}, MANY),
        ({"PhoneNumber": "555000."}, MANY),
        ({"PhoneNumber": "+15125550000?"}, []),
        ({"PhoneNumber": "*310*6745*"}, [NUMBER]),
        ({"PhoneNumber": "*6745*310*"}, []),
        ({"FriendlyName": "(512) 555-0001"}, MANY[1:2]),
        ({"FriendlyName": "(512)"}, []),
        ({"FriendlyName": "(512) 555-0001", "PhoneNumber": NUMBER}, []),
    ],
)
def test_a_list_holds_the_numbers_that_fit_its_filters(
    numbers: Any, stranger: RestClient, filters: dict[str, str], found: list[str]
) -> None:
    for number in (*MANY, NUMBER):
        numbers.purchase(PhoneNumber=number)
    stranger.compat.phone_numbers.purchase(PhoneNumber=ANOTHER)
    for size in (1, 3, 50):
        listed = numbers.list(PageSize=size, **filters)
        assert [number.phone_number for number in islice(listed, 20)] == found


def test_a_pattern_with_a_plus_that_is_not_escaped_is_refused(send: Send) -> None:
    send.bought()
    said = refused(send("GET", f"{NUMBERS}?PhoneNumber={NUMBER}"), 400, 90000)
    assert "PhoneNumber is not a pattern" in said


def walk(send: Send, uri: str, way: str) -> list[dict[str, Any]]:
    """Follow `next_page_uri` or `previous_page_uri`, and return the pages."""
    pages = [send("GET", uri).json()]
    while pages[-1][way]:
        pages.append(send("GET", pages[-1][way]).json())
        assert len(pages) < 10, "the pages have no end"
    return pages


def test_pages_are_walked_to_the_end_and_back_by_their_uris(send: Send) -> None:
    for number in (*MANY, NUMBER):
        send.bought(number)
    there = walk(send, f"{NUMBERS}?PageSize=3&PhoneNumber=512", "next_page_uri")
    seen = [[n["phone_number"] for n in page["incoming_phone_numbers"]] for page in there]
    assert seen == [MANY[:3], MANY[3:6], MANY[6:]]
    assert [(page["page"], page["page_size"]) for page in there] == [(0, 3), (1, 3), (2, 3)]
    assert there[0]["previous_page_uri"] is None
    back = walk(send, there[-1]["uri"], "previous_page_uri")
    assert back == there[::-1]
    assert [send("GET", page["first_page_uri"]).json() for page in back] == [there[0]] * 3
    whole = send("GET", NUMBERS).json()
    assert (whole["page"], whole["page_size"], whole["next_page_uri"]) == (0, 50, None)


def test_a_number_that_is_released_between_two_pages_hides_no_other(send: Send) -> None:
    for number in MANY:
        send.bought(number)
    send.mock.advance(days=14)
    first = send("GET", f"{NUMBERS}?PageSize=3").json()
    for number in first["incoming_phone_numbers"][1:]:
        assert send("DELETE", f"{NUMBERS}/{number['sid']}").status_code == 204
    rest = walk(send, first["next_page_uri"], "next_page_uri")
    seen = [n["phone_number"] for page in rest for n in page["incoming_phone_numbers"]]
    assert seen == MANY[3:]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Page=1", 54453),
        ("Page=1&PageToken=", 54453),
        ("Page=0&PageToken=PA0123456789", 54453),
        ("PageToken=", 54453),
        ("Page=1&PageSize=2&PageToken=PA000000000200000000", 54453),
        ("PageSize=0", 54454),
        ("PageSize=1001", 54454),
        ("PageSize=many", 54454),
        ("PageSize=3.0", 54454),
    ],
)
def test_a_page_without_a_good_token_or_size_is_refused(send: Send, query: str, code: int) -> None:
    for number in MANY:
        send.bought(number)
    refused(send("GET", f"{NUMBERS}?{query}"), 422, code)


@pytest.mark.parametrize("change", [{"Page": 2}, {"PageSize": 3}, {"PhoneNumber": "1"}])
def test_a_token_is_good_for_the_page_size_and_filters_that_it_was_given_for(
    send: Send, change: dict[str, Any]
) -> None:
    for number in MANY:
        send.bought(number)
    uri = send("GET", f"{NUMBERS}?PageSize=2").json()["next_page_uri"]
    assert send("GET", uri).status_code == 200
    query = httpx.URL(uri).params.merge(change)
    refused(send("GET", NUMBERS, params=query), 422, 54453)
    uri = uri.replace(PROJECT, THIRD)
    refused(send("GET", uri), 422, 54453)
