"""Test your own code against the mock, as a pytest fixture: pytest examples/test_my_code.py."""

import pytest
from signalwire_compat import APIConnectionError, RestClient
from signalwire_compat_mock import MockServer


def buy(phone_number: str) -> str:
    """Stand for your own code: it knows nothing of the mock."""
    with RestClient() as client:
        return client.compat.phone_numbers.purchase(PhoneNumber=phone_number).sid


def test_a_number_is_bought_once(signalwire_mock: MockServer) -> None:
    sid = buy("+15551234567")
    assert [number["sid"] for number in signalwire_mock.phone_numbers()] == [sid]


def test_a_lost_reply_leaves_the_number_bought(signalwire_mock: MockServer) -> None:
    signalwire_mock.inject(drop=True)
    with pytest.raises(APIConnectionError) as caught:
        buy("+15551234567")
    assert caught.value.outcome_unknown
    assert signalwire_mock.charges() == 1
