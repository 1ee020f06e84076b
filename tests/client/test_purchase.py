"""A purchase through the client: what is on the wire, and what the caller gets back."""

import asyncio
import json
from base64 import b64decode
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import pytest
import signalwire_compat
from signalwire_compat import (
    AsyncRestClient,
    InvalidRequestError,
    RestClient,
    UnprocessableEntityError,
)
from signalwire_compat.api.phone_numbers import purchase
from signalwire_compat.models import Error, IncomingPhoneNumber, PurchaseRequest
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.client.conftest import NUMBER, buy, buy_async
from tests.conftest import PROJECT

SUBPROJECT = "0d6f1c44-7e3b-4c7e-9d55-3a4f8f0f6a10"


def test_a_purchase_returns_a_typed_number(client: RestClient) -> None:
    number = buy(client, FriendlyName="Main Line")
    assert isinstance(number, IncomingPhoneNumber)
    assert (number.phone_number, number.friendly_name) == (NUMBER, "Main Line")
    assert number.account_sid == PROJECT
    assert number.capabilities.sms is True


def test_the_async_client_is_the_awaitable_twin(
    mock: MockServer, async_client: AsyncRestClient
) -> None:
    async def call() -> IncomingPhoneNumber:
        async with async_client as client:
            return await buy_async(client)

    number = asyncio.run(call())
    assert number.phone_number == NUMBER
    assert number.to_dict() == json.loads(mock.journal[-1].reply_body)


def test_the_request_follows_the_contract(mock: MockServer, client: RestClient) -> None:
    buy(client)
    exchange = mock.journal[-1]
    headers = {name.lower(): value for name, value in exchange.headers}
    assert (exchange.method, exchange.query) == ("POST", "")
    assert exchange.path == f"/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers"
    assert exchange.body == b"PhoneNumber=%2B13103386745"
    scheme, _, credentials = headers["authorization"].partition(" ")
    assert (scheme, b64decode(credentials).decode()) == ("Basic", f"{PROJECT}:{DEFAULT_TOKEN}")
    assert headers["accept"] == "application/json"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["user-agent"].startswith(f"signalwire-compat/{signalwire_compat.__version__} ")


@pytest.mark.parametrize(
    "text", ["", " ", "a&b=c", "100%", "+", "naïve — 電話", "\U0001f4de", "#?/;\r\n\x00", "%41"]
)
def test_any_text_arrives_as_it_was_given(mock: MockServer, client: RestClient, text: str) -> None:
    # The mock refuses a name without a character, after it arrived.
    with suppress(UnprocessableEntityError):
        buy(client, FriendlyName=text)
    sent = mock.journal[-1].body.decode("ascii")
    assert parse_qsl(sent, keep_blank_values=True, strict_parsing=True) == [
        ("PhoneNumber", NUMBER),
        ("FriendlyName", text),
    ]


def test_every_field_is_sent_under_its_own_name(
    mock: MockServer, client: RestClient, contract: dict[str, Any]
) -> None:
    path = "/Accounts/{AccountSid}/IncomingPhoneNumbers"
    (body,) = contract["paths"][path]["post"]["requestBody"]["content"].values()
    shown = body["examples"]["everything"]["value"]
    missing = contract["components"]["schemas"]["PurchaseRequest"]["properties"].keys() - shown
    assert not missing, f"openapi.yaml: add {missing} to the example `everything` of {path}"
    fields = {**shown, "StatusCallback": "https://example.com/3#rt=5000"}
    number = client.compat.phone_numbers.purchase(**fields)
    sent = dict(mock.journal[-1].form or ())
    assert sent.keys() == fields.keys()
    assert all(sent[name] == text for name, text in fields.items() if isinstance(text, str))
    assert number.status_callback == "https://example.com/3#rt=5000"
    assert number.voice_method == "GET"


def test_the_account_is_the_project_unless_a_subproject_is_given(
    mock: MockServer, client: RestClient
) -> None:
    own, other = buy(client), buy(client, PhoneNumber="+15557654321", AccountSid=SUBPROJECT)
    assert (own.account_sid, other.account_sid) == (PROJECT, SUBPROJECT)
    assert mock.charges(PROJECT) == mock.charges(SUBPROJECT) == 1


@pytest.mark.parametrize(
    "sid",
    ["", ".", "..", "../../secret", "a/b", "a?b=c", "a#b", "a%2fb", "ü", "a\r\nX: y", "a" * 70_000],
)
def test_an_account_can_not_change_the_path(mock: MockServer, client: RestClient, sid: str) -> None:
    with pytest.raises(InvalidRequestError, match="AccountSid must be a UUID, got") as caught:
        buy(client, AccountSid=sid)
    assert len(str(caught.value)) < 100
    assert mock.journal == []


def test_the_functions_of_an_operation_work_as_users_of_the_generator_know_them(
    client: RestClient, async_client: AsyncRestClient
) -> None:
    bodies = [PurchaseRequest(phone_number=f"+1555000{number}") for number in range(3)]
    assert purchase.sync(PROJECT, client=client, body=bodies[0]).phone_number == "+15550000"
    detailed = purchase.sync_detailed(PROJECT, client=client, body=bodies[1])
    assert detailed.status_code == 201
    assert isinstance(detailed.parsed, IncomingPhoneNumber)
    assert json.loads(detailed.content) == detailed.parsed.to_dict()
    assert detailed.headers["Content-Type"] == "application/json"

    async def both() -> None:
        async with async_client as twin:
            assert (await purchase.asyncio(PROJECT, client=twin, body=bodies[2])).phone_number
            refused = await purchase.asyncio_detailed(PROJECT, client=twin, body=bodies[2])
            assert refused.status_code == 422
            assert isinstance(refused.parsed, Error)
            assert refused.parsed.status == 422

    asyncio.run(both())


def test_a_client_of_the_wrong_kind_buys_nothing(
    mock: MockServer, client: RestClient, async_client: AsyncRestClient
) -> None:
    body, wrong, async_wrong = PurchaseRequest(phone_number=NUMBER), async_client, client
    with pytest.raises(InvalidRequestError, match="client can't be AsyncRestClient"):
        purchase.sync(PROJECT, client=wrong, body=body)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequestError, match="client can't be RestClient"):
        asyncio.run(purchase.asyncio(PROJECT, client=async_wrong, body=body))  # type: ignore[arg-type]
    assert mock.journal == []
