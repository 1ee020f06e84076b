"""A purchase through the client: what is on the wire, and what the caller gets back."""

import asyncio
import json
from base64 import b64decode
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
import signalwire_compat
from signalwire_compat import AsyncRestClient, InvalidRequestError, RestClient, Unset
from signalwire_compat.api.phone_numbers import purchase
from signalwire_compat.models import Error, IncomingPhoneNumber, PurchaseRequest
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT, VARIABLES, Answering

NUMBER = "+15551234567"
SUBPROJECT = "0d6f1c44-7e3b-4c7e-9d55-3a4f8f0f6a10"


def sent_headers(mock: MockServer) -> dict[str, str]:
    return {name.lower(): value for name, value in mock.journal[-1].headers}


def test_a_purchase_returns_a_typed_number(client: RestClient) -> None:
    number = client.compat.phone_numbers.purchase(PhoneNumber=NUMBER, FriendlyName="Main Line")
    assert isinstance(number, IncomingPhoneNumber)
    assert (number.phone_number, number.friendly_name) == (NUMBER, "Main Line")
    assert number.account_sid == PROJECT
    assert number.capabilities.sms is True


def test_the_async_client_is_the_awaitable_twin(
    mock: MockServer, async_client: AsyncRestClient
) -> None:
    async def buy() -> IncomingPhoneNumber:
        async with async_client as client:
            return await client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)

    number = asyncio.run(buy())
    assert number.phone_number == NUMBER
    assert number.to_dict() == json.loads(mock.journal[-1].reply_body)


def test_the_request_line_and_headers_follow_the_contract(
    mock: MockServer, client: RestClient
) -> None:
    client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    exchange = mock.journal[-1]
    headers = sent_headers(mock)
    assert exchange.method == "POST"
    assert exchange.path == f"/api/laml/2010-04-01/Accounts/{PROJECT}/IncomingPhoneNumbers"
    assert exchange.query == ""
    scheme, _, credentials = headers["authorization"].partition(" ")
    assert (scheme, b64decode(credentials).decode()) == ("Basic", f"{PROJECT}:{DEFAULT_TOKEN}")
    assert headers["accept"] == "application/json"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["user-agent"].startswith(f"signalwire-compat/{signalwire_compat.__version__} ")


def test_the_form_holds_what_was_given_and_nothing_else(
    mock: MockServer, client: RestClient
) -> None:
    client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert mock.journal[-1].body == b"PhoneNumber=%2B15551234567"


@pytest.mark.parametrize(
    "text", ["", " ", "a&b=c", "100%", "+", "naïve — 電話", "\U0001f4de", "#?/;\r\n\x00", "%41"]
)
def test_any_text_arrives_as_it_was_given(mock: MockServer, client: RestClient, text: str) -> None:
    client.compat.phone_numbers.purchase(PhoneNumber=NUMBER, FriendlyName=text)
    sent = mock.journal[-1].body.decode("ascii")
    assert dict(parse_qsl(sent, keep_blank_values=True, strict_parsing=True)) == {
        "PhoneNumber": NUMBER,
        "FriendlyName": text,
    }


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
    own = client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    other = client.compat.phone_numbers.purchase(PhoneNumber="+15557654321", AccountSid=SUBPROJECT)
    assert (own.account_sid, other.account_sid) == (PROJECT, SUBPROJECT)
    assert mock.charges(PROJECT) == mock.charges(SUBPROJECT) == 1


@pytest.mark.parametrize(
    "sid",
    ["", ".", "..", "../../secret", "a/b", "a?b=c", "a#b", "a%2fb", "ü", "a\r\nX: y", "a" * 70_000],
)
def test_an_account_can_not_change_the_path(mock: MockServer, client: RestClient, sid: str) -> None:
    with pytest.raises(InvalidRequestError, match="AccountSid must be a UUID, got") as caught:
        client.compat.phone_numbers.purchase(PhoneNumber=NUMBER, AccountSid=sid)
    assert len(str(caught.value)) < 100
    assert mock.journal == []


def test_the_example_of_the_page_decodes_without_its_null_members(
    answering: Answering, page_reply: dict[str, Any]
) -> None:
    assert "sms_url" not in page_reply
    number = answering(201, page_reply).compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert number.sid == "b3877c40-da60-4998-90ad-b792e98472pn"
    assert number.sms_url is None
    assert number.voice_caller_id_lookup is None
    assert number.verification_status == "Unverified"
    present = {name: value for name, value in number.to_dict().items() if value is not None}
    assert present == page_reply


def test_what_the_contract_does_not_know_is_kept_as_received(
    answering: Answering, page_reply: dict[str, Any]
) -> None:
    reply = {
        **page_reply,
        "origin": "ported",
        "address_requirements": "planet",
        "bundle_sid": {"a": [1, None]},
    }
    reply["capabilities"] = {**reply["capabilities"], "rcs": True}
    number = answering(201, reply).compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert (number.origin, number.address_requirements) == ("ported", "planet")
    assert number.additional_properties == {"bundle_sid": {"a": [1, None]}}
    assert number.capabilities.additional_properties == {"rcs": True}
    assert {k: v for k, v in number.to_dict().items() if v is not None} == reply


def test_an_absent_optional_member_is_unset_and_false(
    answering: Answering, page_reply: dict[str, Any]
) -> None:
    del page_reply["verification_status"]
    number = answering(201, page_reply).compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert isinstance(number.verification_status, Unset)
    assert not number.verification_status
    assert "verification_status" not in number.to_dict()


def test_the_layer_of_the_generator_works_as_it_is_known(
    client: RestClient, async_client: AsyncRestClient
) -> None:
    bought = purchase.sync(PROJECT, client=client, body=PurchaseRequest(phone_number="+15550001"))
    assert bought.phone_number == "+15550001"
    detailed = purchase.sync_detailed(
        PROJECT, client=client, body=PurchaseRequest(phone_number="+15550002")
    )
    assert detailed.status_code == 201
    assert isinstance(detailed.parsed, IncomingPhoneNumber)
    assert json.loads(detailed.content) == detailed.parsed.to_dict()
    assert detailed.headers["Content-Type"] == "application/json"

    async def both() -> None:
        async with async_client as twin:
            body = PurchaseRequest(phone_number="+15550003")
            assert (await purchase.asyncio(PROJECT, client=twin, body=body)).phone_number
            refused = await purchase.asyncio_detailed(PROJECT, client=twin, body=body)
            assert refused.status_code == 422
            assert isinstance(refused.parsed, Error)
            assert refused.parsed.status == 422

    asyncio.run(both())


def test_settings_left_out_come_from_the_environment(
    mock: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNALWIRE_PROJECT_ID", PROJECT)
    monkeypatch.setenv("SIGNALWIRE_API_TOKEN", DEFAULT_TOKEN)
    monkeypatch.setenv("SIGNALWIRE_SPACE", mock.url)
    with RestClient() as client:
        assert client.compat.phone_numbers.purchase(PhoneNumber=NUMBER).account_sid == PROJECT


def test_a_client_of_the_wrong_kind_buys_nothing(mock: MockServer) -> None:
    wrong: Any = AsyncRestClient(PROJECT, DEFAULT_TOKEN, mock.url)
    with pytest.raises(InvalidRequestError, match="client can't be AsyncRestClient"):
        purchase.sync(PROJECT, client=wrong, body=PurchaseRequest(phone_number=NUMBER))
    wrong = RestClient(PROJECT, DEFAULT_TOKEN, mock.url)
    with pytest.raises(InvalidRequestError, match="client can't be RestClient"):
        asyncio.run(
            purchase.asyncio(PROJECT, client=wrong, body=PurchaseRequest(phone_number=NUMBER))
        )
    assert mock.journal == []


def test_a_host_of_the_environment_that_can_not_be_used_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SIGNALWIRE_PROJECT_ID", PROJECT)
    monkeypatch.setenv("SIGNALWIRE_SPACE", "my space")
    with pytest.raises(InvalidRequestError, match="host can't be 'my space'"):
        RestClient(token="token")
    assert PROJECT in repr(RestClient(token="token", host="localhost"))


@pytest.mark.parametrize("kind", [RestClient, AsyncRestClient])
@pytest.mark.parametrize(
    ("argument", "variable"),
    [
        ("project", "SIGNALWIRE_PROJECT_ID"),
        ("token", "SIGNALWIRE_API_TOKEN"),
        ("host", "SIGNALWIRE_SPACE"),
    ],
)
def test_a_missing_setting_names_the_argument_and_the_variable(
    kind: type[RestClient] | type[AsyncRestClient], argument: str, variable: str
) -> None:
    settings = {"project": PROJECT, "token": "token", "host": "localhost"}
    del settings[argument]
    with pytest.raises(InvalidRequestError) as caught:
        kind(**settings)  # type: ignore[arg-type]  # a dict of names
    assert f"{argument}=" in str(caught.value)
    assert variable in str(caught.value)


@pytest.mark.parametrize("kind", [RestClient, AsyncRestClient])
def test_all_settings_that_are_missing_or_wrong_are_named_at_once(kind: Any) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        kind()
    for variable in VARIABLES:
        assert variable in str(caught.value)
    with pytest.raises(InvalidRequestError) as caught:
        kind("a:b", "t", "a b", timeout=0, max_retries=-1, max_reply_bytes=0, headers={"te": ""})
    problems = caught.value.problems
    wrong = ("project", "host", "timeout", "max_retries", "max_reply_bytes", "the header te")
    assert all(said.startswith(name) for said, name in zip(problems, wrong, strict=True))
    assert str(caught.value) == " ".join(problems)


@pytest.mark.parametrize(
    ("host", "base_url"),
    [
        ("acme.signalwire.com", "https://acme.signalwire.com/api/laml/2010-04-01"),
        ("acme.signalwire.com/", "https://acme.signalwire.com/api/laml/2010-04-01"),
        ("https://acme.signalwire.com", "https://acme.signalwire.com/api/laml/2010-04-01"),
        ("https://proxy.example:8443/sw/", "https://proxy.example:8443/sw"),
        ("localhost:8000", "http://localhost:8000/api/laml/2010-04-01"),
        ("127.0.0.1", "http://127.0.0.1/api/laml/2010-04-01"),
        ("127.8.8.8:1", "http://127.8.8.8:1/api/laml/2010-04-01"),
        ("::1", "http://[::1]/api/laml/2010-04-01"),
        ("[::1]:8000", "http://[::1]:8000/api/laml/2010-04-01"),
        ("https://localhost", "https://localhost/api/laml/2010-04-01"),
        ("localhost.example.com", "https://localhost.example.com/api/laml/2010-04-01"),
        ("10.0.0.1", "https://10.0.0.1/api/laml/2010-04-01"),
    ],
)
def test_a_host_is_a_name_or_a_full_url(host: str, base_url: str) -> None:
    with RestClient(PROJECT, "token", host) as client:
        assert client.base_url == base_url


@pytest.mark.parametrize(
    "host",
    [
        "https://",
        "ftp://acme.signalwire.com",
        "acme.signalwire.com:port",
        "acme.signalwire.com:99999",
        "user:hunter2@acme.signalwire.com",
        "acme.signalwire.com?x=1",
        "acme.signalwire.com#x",
        "acme signalwire com",
        "acme..com",
        "http:/acme.signalwire.com",
        "acme.signalwire.com\r\nX: y",
        "[::1",
    ],
)
def test_a_host_that_can_not_be_used_is_refused_at_once(host: str) -> None:
    with pytest.raises(InvalidRequestError, match="host can't be") as caught:
        RestClient(PROJECT, "token", host)
    assert "hunter2" not in str(caught.value)


def test_a_client_with_other_headers_leaves_the_original_alone(
    mock: MockServer, client: RestClient
) -> None:
    client.compat.phone_numbers.purchase(PhoneNumber="+15550001")
    other = client.with_headers({"X-Trace": "1"})
    other.compat.phone_numbers.purchase(PhoneNumber="+15550002")
    assert sent_headers(mock)["x-trace"] == "1"
    client.compat.phone_numbers.purchase(PhoneNumber="+15550003")
    assert "x-trace" not in sent_headers(mock)
    assert sent_headers(mock)["authorization"].startswith("Basic ")


def test_a_client_with_another_timeout_leaves_the_original_alone(client: RestClient) -> None:
    other = client.with_timeout(1.5)
    assert (client.timeout, other.timeout) == (30.0, 1.5)
    other.close()
    assert client.compat.phone_numbers.purchase(PhoneNumber=NUMBER).phone_number == NUMBER


def test_the_timeout_of_a_client_is_the_one_that_httpx_is_given(mock: MockServer) -> None:
    seen: list[Any] = []
    hooks = {"request": [lambda request: seen.append(request.extensions["timeout"])]}
    with httpx.Client(event_hooks=hooks) as http_client:
        client = RestClient(PROJECT, DEFAULT_TOKEN, mock.url, timeout=7, http_client=http_client)
        client.compat.phone_numbers.purchase(PhoneNumber="+15550001")
        client.with_timeout(3).compat.phone_numbers.purchase(PhoneNumber="+15550002")
    for timeouts, seconds in zip(seen, (7, 3), strict=True):
        assert set(timeouts) == {"connect", "read", "write", "pool"}
        assert all(seconds - 1 < left <= seconds for left in timeouts.values())


@pytest.mark.parametrize(
    "headers",
    [
        *({"X": "a\r\nX-Other: b"}, {"X": "ü"}, {"X Y": "a"}, {"X": " a"}, ["X"], {5: "x"}),
        *({"Content-Length": "5"}, {"Authorization": "Basic x"}, {"Accept-Encoding": "br"}),
    ],
)
def test_a_header_that_would_break_the_request_is_refused(client: RestClient, headers: Any) -> None:
    with pytest.raises(InvalidRequestError, match="header"):
        client.with_headers(headers)
    with pytest.raises(InvalidRequestError, match="header"):
        RestClient(PROJECT, "token", "localhost", headers=headers)


@pytest.mark.parametrize(("value", "kind"), [(None, "None"), (b"a", "bytes")])
def test_a_header_that_is_no_text_is_refused_by_its_type(
    client: RestClient, value: Any, kind: str
) -> None:
    with pytest.raises(InvalidRequestError, match=f"x-a must be text, got {kind}. Leave it out"):
        client.with_headers({"X-A": value})


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 1e10, True, "5"])
def test_a_timeout_that_is_no_time_is_refused(client: RestClient, timeout: Any) -> None:
    with pytest.raises(InvalidRequestError, match="timeout must be seconds above 0"):
        client.with_timeout(timeout)


def test_a_header_of_the_caller_replaces_one_of_ours_in_any_case(
    mock: MockServer, client: RestClient
) -> None:
    other = client.with_headers({"ACCEPT": "text/x", "X-A": "1"}).with_headers({"x-a": "2"})
    other.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    names = [name.lower() for name, _ in mock.journal[-1].headers]
    assert len(names) == len(set(names))
    assert (sent_headers(mock)["accept"], sent_headers(mock)["x-a"]) == ("text/x", "2")


def test_a_proxy_of_the_environment_is_not_asked_for_a_loopback_host(
    mock: MockServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with RestClient(PROJECT, DEFAULT_TOKEN, mock.url) as client:
        assert client.compat.phone_numbers.purchase(PhoneNumber=NUMBER).phone_number == NUMBER


def test_a_broken_proxy_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "garbage://x")
    with pytest.raises(InvalidRequestError, match="proxy or certificate settings"):
        RestClient(PROJECT, "token", "acme.signalwire.com")


def test_an_http_client_of_the_wrong_kind_is_refused() -> None:
    wrong: Any = httpx.AsyncClient()
    with pytest.raises(InvalidRequestError, match="got AsyncClient"):
        RestClient(PROJECT, "token", "localhost", http_client=wrong)


@pytest.mark.parametrize("argument", ["project", "token", "host"])
@pytest.mark.parametrize("blanks", [" {}", "{}\n"])
def test_a_setting_with_blanks_around_it_is_refused(argument: str, blanks: str) -> None:
    settings = {"project": PROJECT, "token": "token", "host": "localhost"}
    settings[argument] = blanks.format(settings[argument])
    with pytest.raises(InvalidRequestError, match=f"^{argument} begins or ends with blanks"):
        RestClient(**settings)  # type: ignore[arg-type]  # a dict of names


@pytest.mark.parametrize("argument", ["project", "token"])
def test_a_setting_that_can_not_be_encoded_is_refused(argument: str) -> None:
    settings = {"project": PROJECT, "token": "token", "host": "localhost", argument: "\ud800"}
    with pytest.raises(InvalidRequestError, match=f"{argument} holds half of a surrogate"):
        RestClient(**settings)  # type: ignore[arg-type]  # a dict of names


def test_a_closed_client_says_that_it_is_closed(mock: MockServer, client: RestClient) -> None:
    client.close()
    with pytest.raises(InvalidRequestError, match="the client is closed"):
        client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert mock.journal == []


def test_a_given_http_client_is_used_and_left_open(mock: MockServer) -> None:
    with httpx.Client(headers={"X-Mine": "yes"}, auth=("other", "user")) as http_client:
        with RestClient(PROJECT, DEFAULT_TOKEN, mock.url, http_client=http_client) as client:
            client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
        assert not http_client.is_closed
    assert sent_headers(mock)["x-mine"] == "yes"
    assert mock.journal[-1].status == 201


def test_threads_can_share_one_client(mock: MockServer, client: RestClient) -> None:
    numbers = [f"+1310{index:07}" for index in range(60)]

    def buy(number: str) -> str:
        return client.compat.phone_numbers.purchase(PhoneNumber=number).phone_number

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(buy, numbers)) == numbers
    assert mock.charges(PROJECT) == 60


def test_tasks_can_share_one_async_client(mock: MockServer, async_client: AsyncRestClient) -> None:
    numbers = [f"+1310{index:07}" for index in range(60)]

    async def buy_all() -> list[IncomingPhoneNumber]:
        async with async_client as client:
            buy = client.compat.phone_numbers.purchase
            return await asyncio.gather(*(buy(PhoneNumber=number) for number in numbers))

    assert [number.phone_number for number in asyncio.run(buy_all())] == numbers
    assert mock.charges(PROJECT) == 60


def test_a_repr_does_not_show_the_token(client: RestClient) -> None:
    assert PROJECT in repr(client)
    for text in (repr(client), str(client), repr(client.compat), repr(client.with_timeout(1))):
        assert DEFAULT_TOKEN not in text
