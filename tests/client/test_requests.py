"""What the contract asks of a request is checked before a byte is sent."""

import copy
import functools
import pickle
import threading
from enum import Enum, StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from signalwire_compat import UNSET, InvalidRequestError, RestClient
from signalwire_compat.api.phone_numbers import purchase
from signalwire_compat.models import PurchaseRequest
from signalwire_compat_mock import MockServer

from tests.client.conftest import NUMBER, buy
from tests.conftest import PROJECT


def refusal(client: RestClient, **arguments: Any) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        buy(client, **arguments)
    return caught.value


class Verb(str, Enum):  # noqa: UP042  # as callers have it
    """An enumeration whose `str()` is `Verb.CREATE`."""

    CREATE = "POST"


class Number(StrEnum):
    """An enumeration whose `str()` is its value."""

    MAIN = "+13103386745"


def test_a_member_of_an_enumeration_is_sent_as_its_value(
    mock: MockServer, client: RestClient
) -> None:
    buy(client, PhoneNumber=Number.MAIN, FriendlyName=Verb.CREATE, VoiceMethod=Verb.CREATE)
    assert dict(mock.journal[0].form or ()) == {
        "PhoneNumber": NUMBER,
        "FriendlyName": "POST",
        "VoiceMethod": "POST",
    }


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("PhoneNumber", "555-1234", 'must be E.164: "+" and 5 to 17 digits, got "555-1234"'),
        ("PhoneNumber", "+1234", 'must be E.164: "+" and 5 to 17 digits, got "+1234"'),
        ("PhoneNumber", "+" + "1" * 18, 'must be E.164: "+" and 5 to 17 digits, got "+1'),
        ("PhoneNumber", "+15551\n", 'must be E.164: "+" and 5 to 17 digits, got "+15551\\n"'),
        ("PhoneNumber", "+\uff11\uff15\uff15\uff15\uff11", 'must be E.164: "+" and 5 to 17 digits'),
        ("PhoneNumber", 15551234567, 'must be E.164: "+" and 5 to 17 digits, got int 15551234567'),
        ("PhoneNumber", None, 'must be E.164: "+" and 5 to 17 digits, got None'),
        ("PhoneNumber", b"+1555", "must be E.164: \"+\" and 5 to 17 digits, got bytes b'+1555'"),
        ("PhoneNumber", UNSET, 'is missing: it must be E.164: "+" and 5 to 17 digits'),
        ("FriendlyName", b"x", "must be text, got bytes b'x'"),
        ("FriendlyName", 5, "must be text, got int 5"),
        ("FriendlyName", True, "must be text, got True"),
        ("FriendlyName", ["a"], "must be text, got list ['a']"),
        ("FriendlyName", {"a": 1}, "must be text, got dict {'a': 1}"),
        ("FriendlyName", [10**5000], "must be text, got list"),
        ("FriendlyName", "ab\ud800", "must be text that can be sent (character 3 is half of a"),
        ("SmsApplicationSid", "123", 'must be a UUID, got "123"'),
        ("SmsMethod", "get", 'must be "GET" or "POST", got "get"'),
        ("SmsMethod", "GÉT", 'must be "GET" or "POST", got "GÉT"'),
        ("VoiceReceiveMode", "sms", 'must be "voice" or "fax", got "sms"'),
        ("VoiceUrl", "example.com/voice", "must be a URL with its scheme, in ASCII, got"),
        ("SmsUrl", "https://exämple.com", "must be a URL with its scheme, in ASCII, got"),
        ("SmsUrl", "https://example.com/a b", "must be a URL with its scheme, in ASCII, got"),
        ("StatusCallback", "", 'must be a URL with its scheme, in ASCII, got ""'),
        ("AccountSid", "me", 'must be a UUID, got "me"'),
    ],
)
def test_a_value_that_the_contract_does_not_allow_is_not_sent(
    mock: MockServer, client: RestClient, field: str, value: Any, problem: str
) -> None:
    error = refusal(client, **{field: value})
    assert str(error).startswith(f"{field} {problem}")
    assert error.problems == [str(error)]
    assert len(str(error)) < 160
    assert str(error).isprintable()
    assert (error.operation, error.category) == ("phone_numbers.purchase", "input")
    assert error.arguments.get(field, UNSET) == value or value is UNSET
    assert not error.outcome_unknown
    assert mock.journal == []


def test_all_wrong_values_are_named_at_once(mock: MockServer, client: RestClient) -> None:
    error = refusal(client, PhoneNumber="1", SmsMethod="PUT", AccountSid="x", FriendlyName=5)
    named = [problem.split()[0] for problem in error.problems]
    assert named == ["AccountSid", "PhoneNumber", "FriendlyName", "SmsMethod"]
    assert str(error) == "; ".join(error.problems)
    assert mock.journal == []


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a?b=c&d=%20#rt=5000",
        "http://user:pass@[::1]:8080/",
        "HTTPS://EXAMPLE.COM",
        "urn:example:x",
    ],
)
def test_a_url_is_sent_as_it_was_given(mock: MockServer, client: RestClient, url: str) -> None:
    buy(client, StatusCallback=url)
    assert mock.journal[-1].form == [("PhoneNumber", NUMBER), ("StatusCallback", url)]


def test_a_model_is_checked_when_it_is_made_and_when_it_is_changed(
    mock: MockServer, client: RestClient
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        PurchaseRequest(phone_number="1", sms_method="PUT", voice_url="x")  # type: ignore[arg-type]
    assert [problem.split()[0] for problem in caught.value.problems] == [
        *("phone_number", "sms_method", "voice_url")
    ]
    body = PurchaseRequest(phone_number=NUMBER)
    with pytest.raises(InvalidRequestError, match=r"^phone_number must be E\.164"):
        body.phone_number = "1"
    assert body.phone_number == NUMBER
    unchecked = PurchaseRequest.from_dict({"PhoneNumber": "1"})
    assert unchecked.phone_number == "1"
    with pytest.raises(InvalidRequestError, match=r"^PhoneNumber must be E\.164"):
        purchase.sync(PROJECT, client=client, body=unchecked)
    nothing: Any = None
    with pytest.raises(InvalidRequestError, match="body must be an object, got None"):
        purchase.sync(PROJECT, client=client, body=nothing)
    assert mock.journal == []


ANY = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.floats(), st.binary(), st.text()),
    st.text(st.characters(categories=["Cs"]), min_size=1),
    st.lists(st.text(), max_size=2),
    st.builds(object),
)


class Detached:
    """An object that can't be shown, such as a row of a closed database."""

    def __repr__(self) -> str:
        raise RuntimeError("it is detached")


NESTED: list[Any] = functools.reduce(lambda inner, _: [inner], range(5000), [])


@pytest.mark.parametrize("value", [Detached(), NESTED, threading.Lock(), lambda: "x"])
def test_the_error_for_a_value_that_can_not_be_shown_or_pickled_can_be(
    client: RestClient, value: Any
) -> None:
    error = refusal(client, FriendlyName=value)
    assert str(error).startswith("FriendlyName must be text, got ")
    for twin in (pickle.loads(pickle.dumps(error)), copy.deepcopy(error)):  # noqa: S301  # our own
        assert twin.arguments["PhoneNumber"] == NUMBER
        assert str(twin) == str(error)


@settings(deadline=None, database=None, derandomize=True)
@given(name=ANY, number=ANY)
def test_an_argument_of_any_wrong_type_is_an_invalid_request(name: Any, number: Any) -> None:
    with RestClient(PROJECT, "token", "localhost") as client:
        refusal(client, PhoneNumber=number, FriendlyName=name, SmsMethod="X")
