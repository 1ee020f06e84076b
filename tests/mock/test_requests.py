"""A request is checked as strictly as openapi.yaml says."""

import re
from typing import Any

import pytest
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer

from tests.conftest import PROJECT
from tests.mock import helpers
from tests.mock.helpers import (
    ANOTHER,
    BASE,
    FORM,
    NUMBER,
    NUMBERS,
    OTHER,
    Send,
    Serve,
    basic,
    refused,
)


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([], "missing"),
        ([basic(f"{PROJECT}:wrong")], "password"),
        ([basic(f"{PROJECT}:")], "password"),
        ([basic(f"{PROJECT}:{DEFAULT_TOKEN.upper()}")], "password"),
        ([basic(f"me:{DEFAULT_TOKEN}")], "UUID"),
        ([basic(f"{DEFAULT_TOKEN}:{PROJECT}")], "UUID"),
        ([basic(f"{PROJECT}\n:{DEFAULT_TOKEN}")], "UUID"),
        ([basic(PROJECT)], "HTTP Basic"),
        (["Basic ???"], "HTTP Basic"),
        (["Basic /w=="], "HTTP Basic"),
        ([basic(f"{PROJECT}:{DEFAULT_TOKEN}").replace("Basic", "Bearer")], "HTTP Basic"),
        ([basic(f"{PROJECT}:{DEFAULT_TOKEN}")] * 2, "HTTP Basic"),
    ],
)
def test_wrong_credentials_are_refused_before_the_request_is_read(
    send: Send, headers: list[str], words: str
) -> None:
    pairs = [("authorization", value) for value in headers]
    reply = send(auth=None, headers=pairs, content=b"%zz")
    assert words in refused(reply, 401, 20003)
    assert reply.headers["www-authenticate"].startswith("Basic realm=")


def test_an_account_of_another_project_is_refused(mock: MockServer, send: Send) -> None:
    send.bought()
    reply = send.buy(ANOTHER, PROJECT.upper(), auth=(OTHER, DEFAULT_TOKEN))
    assert "another project" in refused(reply, 401, 20003)
    assert mock.charges(PROJECT) == 1


def test_another_token_is_accepted_instead_of_the_default(serve: Serve) -> None:
    send = serve(token="tökén:with colon")
    send.bought(auth=(PROJECT, "tökén:with colon"))
    refused(send.buy(ANOTHER), 401, 20003)


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({}, 21421, "PhoneNumber is required and missing"),
        ({"PhoneNumber": ""}, 21401, 'PhoneNumber ""'),
        ({"PhoneNumber": "+1234"}, 21401, 'PhoneNumber "+1234"'),
        ({"PhoneNumber": "+123456789012345678"}, 21401, "18 characters"),
        ({"PhoneNumber": "13103386745"}, 21401, 'match "^\\+\\d{5,17}$"'),
        ({"PhoneNumber": "+13103386745\n"}, 21401, 'PhoneNumber "+13103386745\\n"'),
        ({"PhoneNumber": "+١٢٣٤٥٦"}, 21401, 'PhoneNumber "+١٢٣٤٥٦"'),
        ({"PhoneNumber": [NUMBER, ANOTHER]}, 21401, "PhoneNumber is given 2 times"),
        *(
            ({name: "PUT"}, 21209, f'{name} "PUT" is not one of "GET" or "POST"')
            for name in helpers.METHODS
        ),
        ({"StatusCallbackMethod": "get"}, 21209, 'StatusCallbackMethod "get"'),
        ({"VoiceReceiveMode": "sms"}, 21209, '"voice" or "fax"'),
        *(
            ({name: "x.example"}, 21402, f'{name} "x.example" is not a "uri"')
            for name in helpers.URLS
        ),
        ({"StatusCallback": "/status"}, 21456, 'StatusCallback "/status" is not a "uri"'),
        ({"SmsApplicationSid": "AP1"}, 21218, 'SmsApplicationSid "AP1" is not a "uuid"'),
        ({"VoiceApplicationSid": OTHER[:-1]}, 21218, 'is not a "uuid"'),
        ({"FriendlyName": ""}, 20002, "1 to 64 characters"),
        ({"FriendlyName": "x" * 65}, 20002, "1 to 64 characters"),
        ({"SmsUrl": "x", "VoiceMethod": "", "PhoneNumber": "1"}, 21401, "VoiceMethod"),
        ({"VoiceUrl": "x", "SmsMethod": "PUT", "Extra": "1"}, 21209, 'VoiceUrl "x"'),
        ({"VoiceUrl": "x" * 999}, 21402, "xxx..."),
    ],
)
def test_a_wrong_field_is_refused_with_the_code_of_the_spec(
    mock: MockServer, send: Send, fields: dict[str, Any], code: int, words: str
) -> None:
    data = fields if "PhoneNumber" in fields or not fields else {"PhoneNumber": NUMBER, **fields}
    reply = send(headers=FORM, data=data) if data else send(headers=FORM, content=b"")
    message = refused(reply, 422, code)
    assert words in message
    assert all(name in message for name in fields)
    assert len(message) < 500
    assert mock.charges(PROJECT) == 0


def test_a_name_of_64_characters_is_taken(send: Send) -> None:
    name = "é" * 64
    reply = send(data={"PhoneNumber": NUMBER, "FriendlyName": name})
    assert (reply.status_code, reply.json()["friendly_name"]) == (201, name)


def test_an_unknown_field_is_refused_with_the_nearest_known_name(send: Send) -> None:
    message = refused(send(data={"PhoneNumber": NUMBER, "friendly_nam": "x"}), 400, 10000)
    assert '"friendly_nam"' in message
    assert message.endswith("the nearest known name is FriendlyName.")


def test_a_body_of_many_unknown_fields_gets_a_short_message(send: Send) -> None:
    message = refused(send(data={f"{i}{'x' * 2000}": "" for i in range(300)}), 422, 21421)
    assert "290 more" in message
    assert len(message) < 3000


def to_account(sid: str) -> dict[str, Any]:
    return {"path": NUMBERS.replace(PROJECT, sid), "data": {"PhoneNumber": NUMBER}}


def to_target(target: str) -> dict[str, Any]:
    """Send a target as it is."""
    return {"extensions": {"target": target.encode()}}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "The body is required and missing"),
        ({"content": b"PhoneNumber=%2B12345"}, "content type is none"),
        ({"headers": {"content-type": "text/json"}, "content": b"{}"}, 'type is "text/json"'),
        ({"json": [{"PhoneNumber": NUMBER}]}, "The body an array is not of type"),
        ({"files": {"PhoneNumber": NUMBER}}, 'content type is "multipart/form-data"'),
        ({"headers": FORM, "content": b"PhoneNumber=%2"}, "percent sign"),
        ({"headers": FORM, "content": b"PhoneNumber=%2B12345&FriendlyName=%FF"}, "not UTF-8"),
        ({"headers": FORM, "content": b"PhoneNumber=\xff"}, "not UTF-8"),
        ({"headers": FORM, "content": b"PhoneNumber=%ED%A0%80"}, "not UTF-8"),
        ({"headers": FORM, "content": b"PhoneNumber=\x00"}, "control character"),
        ({"headers": FORM, "content": b"PhoneNumber=%2B12345\r\n"}, "control character"),
        ({"headers": FORM, "content": b"a=" + b"x" * 2**20}, "larger than 1048576 bytes"),
        ({"headers": {"content-type": FORM["content-type"] + "; charset=latin-1"}}, "as UTF-8"),
        ({"headers": [*FORM.items(), *FORM.items()], "content": b"a=b"}, "The content type is"),
        ({"params": {"PhoneNumber": "x"}}, 'query parameter "PhoneNumber" is not known'),
        (to_target(f"{NUMBERS}?a=%zz"), "The query holds a percent"),
        (to_target(f"{NUMBERS}?a=%ff"), "The query holds bytes"),
        (to_target(NUMBERS.replace(PROJECT, "%zz")), "The path holds a percent"),
        (to_account("1"), 'AccountSid "1" is not a "uuid"'),
        (to_account(PROJECT.replace("-", "")), "AccountSid"),
        (to_account(f"{PROJECT}%0A"), "AccountSid"),
        (to_account(f"a%2F{PROJECT}"), 'AccountSid "a/b3877c40'),
        (to_account("%FF"), "AccountSid holds bytes that are not UTF-8"),
    ],
)
def test_a_malformed_request_is_refused_with_400(
    send: Send, settings: dict[str, Any], words: str
) -> None:
    assert words in refused(send(**settings), 400, 10000)


def test_no_message_repeats_the_token_of_a_request(send: Send) -> None:
    near = "x" * 50 + DEFAULT_TOKEN
    for data in ({DEFAULT_TOKEN: "x"}, {"PhoneNumber": DEFAULT_TOKEN}, {"VoiceUrl": near}):
        reply = send(data=data, params={DEFAULT_TOKEN: ""})
        assert "[token]" in refused(reply, reply.status_code, reply.json()["code"])
        assert DEFAULT_TOKEN[:6] not in reply.text
    assert DEFAULT_TOKEN not in refused(send(path=f"/{DEFAULT_TOKEN}"), 404, 20404)


@pytest.mark.parametrize(
    "path",
    ["/", "/Accounts", f"{BASE}/Accounts//IncomingPhoneNumbers", f"{NUMBERS}/", f"{NUMBERS}.xml"],
)
def test_an_unknown_path_is_refused_before_credentials_and_tells_the_pages_of_the_mock(
    send: Send, path: str
) -> None:
    said = refused(send(path=path, auth=None), 404, 20404)
    assert path in said
    pages = re.findall(r"GET (/\w+)", said)
    assert pages == ["/docs", "/journal"]
    assert all(send("GET", page).status_code == 200 for page in pages)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"])
def test_an_unknown_method_is_refused_with_the_known_ones(send: Send, method: str) -> None:
    reply = send(method, auth=None)
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, POST")
    if method == "HEAD":
        assert reply.content == b""
    else:
        assert f'"{method}"' in refused(reply, 405, 10000)
