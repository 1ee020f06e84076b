"""Test your own code against the mock, as a pytest fixture: pytest examples/test_my_code.py."""

import pytest
from signalwire_compat import BadRequestError, RestClient
from signalwire_compat_mock import MockServer


def buy(phone_number: str) -> str:
    """Stand for your own code: it knows nothing of the mock."""
    with RestClient() as client:
        return client.compat.phone_numbers.purchase(PhoneNumber=phone_number).sid


def test_a_number_is_bought_once(signalwire_mock: MockServer) -> None:
    sid = buy("+15551234567")
    assert [number["sid"] for number in signalwire_mock.phone_numbers()] == [sid]


def test_a_number_is_bought_once_although_the_reply_is_lost(signalwire_mock: MockServer) -> None:
    signalwire_mock.inject(drop=True)
    assert buy("+15551234567") == signalwire_mock.phone_numbers()[0]["sid"]
    assert signalwire_mock.charges() == 1


def test_a_refusal_is_told(signalwire_mock: MockServer) -> None:
    signalwire_mock.inject(code=21404)
    with pytest.raises(BadRequestError):
        buy("+15551234567")
