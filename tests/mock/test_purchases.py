"""A purchase: its reply, its record, its charge, and the numbers that are always refused."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from uuid import UUID

import pytest
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.refused_numbers import ReservedNumber

from tests.conftest import PROJECT
from tests.mock import helpers
from tests.mock.helpers import ANOTHER, METHODS, NUMBER, NUMBERS, OTHER, SPEC, URLS, Send, refused


def test_a_purchase_answers_defaults_and_nulls_for_what_was_not_sent(send: Send) -> None:
    number = send.bought()
    sid = number.pop("sid")
    assert UUID(sid).version == 4
    dates = {number.pop("date_created"), number.pop("date_updated")}
    assert [parsedate_to_datetime(date).utcoffset() is not None for date in dates] == [True]
    methods = "sms_fallback sms status_callback voice_fallback voice"
    nulls = "sms_fallback_url sms_url voice_fallback_url voice_url status_callback address_sid "
    nulls += "emergency_address_sid identity_sid trunk_sid sms_application_sid "
    nulls += "voice_application_sid voice_caller_id_lookup"
    assert number == {
        **dict.fromkeys(nulls.split()),
        **{f"{name}_method": "POST" for name in methods.split()},
        "account_id": PROJECT,
        "account_sid": PROJECT,
        "address_requirements": "none",
        "api_version": "2010-04-01",
        "beta": False,
        "capabilities": {"voice": True, "sms": True, "mms": True, "fax": True},
        "country_code": "US",
        "emergency_status": "Inactive",
        "friendly_name": "(310) 338-6745",
        "origin": "signalwire",
        "phone_number": NUMBER,
        "uri": f"{NUMBERS}/{sid}.json",
    }


def test_a_purchase_echoes_every_setting_that_was_sent(send: Send) -> None:
    sent = {name: f"https://x.example/{name}#rt=5000" for name in (*URLS, "StatusCallback")}
    sent |= dict.fromkeys((*METHODS, "StatusCallbackMethod"), "GET")
    sent |= {"SmsApplicationSid": OTHER, "VoiceApplicationSid": PROJECT, "FriendlyName": "ü & ☎"}
    reply = send(data={"PhoneNumber": NUMBER, "VoiceReceiveMode": "fax", **sent})
    echoed = {re.sub("(?<!^)(?=[A-Z])", "_", name).lower(): sent[name] for name in sent}
    assert reply.json().items() >= echoed.items()


@pytest.mark.parametrize(
    ("number", "country", "name", "verification_status"),
    [
        (NUMBER, "US", "(310) 338-6745", None),
        ("+442079460018", "GB", "020 7946 0018", None),
        (ANOTHER, "US", "(555) 123-4567", None),
        ("+18002345678", "US", "(800) 234-5678", "Unverified"),
        ("+80012345678", "US", "1234 5678", "Unverified"),
        ("+00000", "US", "+00000", None),
        ("+99999999999999999", "US", "+99999999999999999", None),
    ],
)
def test_country_name_and_verification_of_a_number_follow_its_prefix(
    send: Send, number: str, country: str, name: str, verification_status: str | None
) -> None:
    bought = send.bought(number)
    assert (bought["country_code"], bought["friendly_name"]) == (country, name)
    assert bought.get("verification_status") == verification_status
    assert ("verification_status" in bought) == (verification_status is not None)


def test_a_number_cannot_be_bought_twice_by_anybody(mock: MockServer, send: Send) -> None:
    first = send.bought()
    for project in (PROJECT, OTHER):
        reply = send.buy(NUMBER, project, auth=(project, DEFAULT_TOKEN))
        assert "not available" in refused(reply, 422, 10000)
    assert mock.phone_numbers(PROJECT) == [first]
    assert mock.phone_numbers(OTHER) == []


def test_charges_are_counted_for_each_account_alone(mock: MockServer, send: Send) -> None:
    for account, number in ((PROJECT, NUMBER), (OTHER, "+15557654321"), (PROJECT, ANOTHER)):
        send.bought(number, account)
    send.buy("no number")
    assert (mock.charges(PROJECT), mock.charges(OTHER)) == (2, 1)
    assert [n["phone_number"] for n in mock.phone_numbers(OTHER)] == ["+15557654321"]


def test_the_case_of_an_account_sid_does_not_matter(mock: MockServer, send: Send) -> None:
    upper = PROJECT.upper()
    assert send.bought(NUMBER, upper, auth=(upper, DEFAULT_TOKEN))["account_sid"] == upper
    send.bought(ANOTHER)
    assert mock.charges(PROJECT) == mock.charges(upper) == 2


def test_of_200_threads_that_buy_one_number_exactly_one_wins(mock: MockServer) -> None:
    barrier = threading.Barrier(200)
    headers = {"authorization": helpers.basic(f"{PROJECT}:{DEFAULT_TOKEN}"), **helpers.FORM}

    def buy(_: int) -> int:
        with closing(HTTPConnection(mock.url.removeprefix("http://"))) as connection:
            connection.connect()
            barrier.wait()
            connection.request("POST", NUMBERS, f"PhoneNumber=%2B{NUMBER[1:]}", headers)
            return connection.getresponse().status

    with ThreadPoolExecutor(200) as pool:
        statuses = list(pool.map(buy, range(200)))
    assert sorted(statuses) == [201] + [422] * 199
    assert mock.charges(PROJECT) == 1
    assert len(mock.journal) == 200


@pytest.mark.parametrize("row", MockServer().reserved_numbers(), ids=lambda row: row.phone_number)
def test_a_reserved_number_is_refused_with_its_code_and_not_charged(
    mock: MockServer, send: Send, row: ReservedNumber
) -> None:
    reply = send.buy(row.phone_number)
    assert row.when in refused(reply, row.status, row.code)
    assert ("www-authenticate" in reply.headers) == (row.status == 401)
    assert mock.charges(PROJECT) == 0


def test_every_code_with_a_documented_status_and_no_other_has_a_reserved_number(
    send: Send,
) -> None:
    rows = {row.phone_number: row[1:] for row in send.mock.reserved_numbers()}
    assert rows.pop("+15550000000") == (422, 10000, "The number is not available.")
    codes = SPEC["components"]["schemas"]["Error"]["x-error-codes"]
    assert rows == {
        f"+155500{int(code):05}": (entry["status"], int(code), entry["when"])
        for code, entry in codes.items()
        if entry["status"] in (400, 401, 422)
    }
    send.bought("+15550020404")


@pytest.mark.parametrize(
    ("method", "operation", "place"),
    [
        ("POST", "import_number", "number"),
        ("GET", "get", "Sid"),
        ("POST", "update", "Sid"),
        ("DELETE", "delete", "Sid"),
        ("GET", "search_local", "IsoCountry"),
        ("GET", "search_toll_free", "IsoCountry"),
    ],
)
def test_a_reserved_number_is_refused_by_each_operation_that_has_its_status(
    send: Send, method: str, operation: str, place: str
) -> None:
    rows = send.mock.reserved_numbers(operation)
    assert {row.status for row in rows} >= {400, 401}
    for row in rows:
        path, data = f"{NUMBERS}/{row.phone_number}", None
        if place == "number":
            path = NUMBERS.replace("Incoming", "Imported")
            data = {"number": row.phone_number, "number_type": "longcode"}
        elif place == "IsoCountry":
            kind = "Local" if operation == "search_local" else "TollFree"
            path = NUMBERS.replace("Incoming", "Available") + f"/{row.phone_number}/{kind}"
        error = send(method, path, data=data or ({} if method != "POST" else {"SmsMethod": "GET"}))
        found = (error.status_code, int(error.json()["code"]))
        assert found == (row.status, row.code), error.text
        assert row.when in error.json()["message"]
    assert (20404 in {row.code for row in rows}) == (place == "Sid")


def test_a_reserved_number_can_be_looked_for(send: Send) -> None:
    page = send("GET", NUMBERS, params={"PhoneNumber": "+15550030002"})
    assert (page.status_code, page.json()["incoming_phone_numbers"]) == (200, [])


@pytest.mark.parametrize("operation", ["list", "list_available_countries"])
def test_an_operation_without_a_place_for_a_number_has_no_reserved_numbers(
    mock: MockServer, operation: str
) -> None:
    assert mock.reserved_numbers(operation) == []
