"""The mock server is an honest peer: as strict as openapi.yaml, and driven by nothing else."""

import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import signalwire_compat_mock
import yaml
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer, SpecError
from signalwire_compat_mock.document import Document
from signalwire_compat_mock.engine import Answer
from signalwire_compat_mock.handlers import HANDLERS, Call, Reply, ReservedNumber, State

ROOT = Path(__file__).resolve().parents[2]
SPEC = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
PROJECT = "b3877c40-da60-4998-90ad-b792e98472ac"
OTHER = "11111111-2222-4333-8444-555555555555"
BASE = "/api/laml/2010-04-01"
NUMBERS = f"{BASE}/Accounts/{PROJECT}/IncomingPhoneNumbers"
NUMBER = "+13103386745"
FORM = {"content-type": "application/x-www-form-urlencoded"}
URLS = ("SmsFallbackUrl", "SmsUrl", "VoiceFallbackUrl", "VoiceUrl")
METHODS = ("SmsFallbackMethod", "SmsMethod", "VoiceFallbackMethod", "VoiceMethod")

Send = Callable[..., httpx.Response]
Serve = Callable[[Callable[[dict[str, Any]], None]], MockServer]


@pytest.fixture(scope="module")
def shared() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture
def mock(shared: MockServer) -> MockServer:
    shared.reset()
    return shared


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture
def send(mock: MockServer, http: httpx.Client) -> Send:
    return sender(mock, http)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start a mock of a copy of the spec, changed by a function."""
    servers = []

    def start(change: Callable[[dict[str, Any]], None]) -> MockServer:
        servers.append(MockServer(changed_spec(tmp_path, change)).start())
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def sender(mock: MockServer, http: httpx.Client) -> Send:
    def send(method: str = "POST", path: str = NUMBERS, **settings: Any) -> httpx.Response:
        settings.setdefault("auth", (PROJECT, DEFAULT_TOKEN))
        return http.request(method, mock.url + path, **settings)

    return send


def changed_spec(folder: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    spec = json.loads(json.dumps(SPEC))
    change(spec)
    path = folder / "openapi.yaml"
    path.write_text(json.dumps(spec), "utf-8")
    return path


def refused(reply: httpx.Response, status: int, code: int) -> str:
    """Check the shape of a refusal and return its message."""
    assert reply.headers["content-type"] == "application/json"
    error = reply.json()
    message = error.pop("message")
    more_info = "https://signalwire.com/docs/compatibility-api"
    assert error == {"code": code, "status": status, "more_info": more_info}, message
    assert reply.status_code == status
    assert DEFAULT_TOKEN not in message
    assert isinstance(message, str)
    return message


def connection(mock: MockServer) -> socket.socket:
    port = int(mock.url.rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port))


def read_all(raw: socket.socket) -> bytes:
    with raw.makefile("rb") as stream:
        return stream.read()


def number_of(reply: httpx.Response) -> dict[str, Any]:
    assert reply.status_code == 201, reply.text
    number: dict[str, Any] = reply.json()
    return number


# Purchases


def test_a_purchase_answers_defaults_and_nulls_for_what_was_not_sent(send: Send) -> None:
    number = number_of(send(data={"PhoneNumber": NUMBER}))
    sid = number.pop("sid")
    assert UUID(sid).version == 4
    dates = {number.pop("date_created"), number.pop("date_updated")}
    assert [parsedate_to_datetime(date).utcoffset() is not None for date in dates] == [True]
    methods = ("sms_fallback", "sms", "status_callback", "voice_fallback", "voice")
    nulls: tuple[str, ...] = (
        "sms_fallback_url",
        "sms_url",
        "voice_fallback_url",
        "voice_url",
        "status_callback",
    )
    nulls += ("address_sid", "emergency_address_sid", "identity_sid", "trunk_sid")
    nulls += ("sms_application_sid", "voice_application_sid", "voice_caller_id_lookup")
    assert number == {
        **dict.fromkeys(nulls),
        **{f"{name}_method": "POST" for name in methods},
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
    number = number_of(send(data={"PhoneNumber": NUMBER, "VoiceReceiveMode": "fax", **sent}))
    for name, value in sent.items():
        assert number[re.sub("(?<!^)(?=[A-Z])", "_", name).lower()] == value


@pytest.mark.parametrize(
    ("number", "country", "name"),
    [
        ("+442079460018", "GB", "020 7946 0018"),
        ("+15551234567", "US", "(555) 123-4567"),
        ("+80012345678", "US", "1234 5678"),
        ("+00000", "US", "+00000"),
        ("+99999999999999999", "US", "+99999999999999999"),
    ],
)
def test_country_and_name_of_a_number_follow_its_prefix(
    send: Send, number: str, country: str, name: str
) -> None:
    bought = number_of(send(data={"PhoneNumber": number}))
    assert (bought["country_code"], bought["friendly_name"]) == (country, name)


def test_only_a_toll_free_number_has_a_verification_status(send: Send) -> None:
    assert "verification_status" not in number_of(send(data={"PhoneNumber": NUMBER}))
    toll_free = number_of(send(data={"PhoneNumber": "+18002345678"}))
    assert toll_free["verification_status"] == "Unverified"


def test_a_number_can_not_be_bought_twice_by_anybody(mock: MockServer, send: Send) -> None:
    first = number_of(send(data={"PhoneNumber": NUMBER}))
    theirs = NUMBERS.replace(PROJECT, OTHER)
    for path, project in ((NUMBERS, PROJECT), (theirs, OTHER)):
        reply = send(path=path, auth=(project, DEFAULT_TOKEN), data={"PhoneNumber": NUMBER})
        assert "not available" in refused(reply, 422, 10000)
    assert mock.phone_numbers(PROJECT) == [first]
    assert mock.phone_numbers(OTHER) == []


def test_charges_are_counted_for_each_account_alone(mock: MockServer, send: Send) -> None:
    for account, number in ((PROJECT, NUMBER), (OTHER, "+15557654321"), (PROJECT, "+15551234567")):
        number_of(send(path=NUMBERS.replace(PROJECT, account), data={"PhoneNumber": number}))
    send(data={"PhoneNumber": "no number"})
    assert (mock.charges(PROJECT), mock.charges(OTHER)) == (2, 1)
    assert [n["phone_number"] for n in mock.phone_numbers(OTHER)] == ["+15557654321"]


def test_the_case_of_an_account_sid_does_not_matter(mock: MockServer, send: Send) -> None:
    path = NUMBERS.replace(PROJECT, PROJECT.upper())
    reply = send(path=path, auth=(PROJECT.upper(), DEFAULT_TOKEN), data={"PhoneNumber": NUMBER})
    assert number_of(reply)["account_sid"] == PROJECT.upper()
    number_of(send(data={"PhoneNumber": "+15551234567"}))
    assert mock.charges(PROJECT) == mock.charges(PROJECT.upper()) == 2


def test_of_200_threads_that_buy_one_number_exactly_one_wins(mock: MockServer) -> None:
    barrier = threading.Barrier(200)
    body = f"PhoneNumber=%2B{NUMBER[1:]}"
    credentials = base64.b64encode(f"{PROJECT}:{DEFAULT_TOKEN}".encode()).decode()
    head = f"POST {NUMBERS} HTTP/1.1\r\nHost: mock\r\nAuthorization: Basic {credentials}\r\n"
    head += f"Content-Type: {FORM['content-type']}\r\nContent-Length: {len(body)}\r\n"
    request = f"{head}Connection: close\r\n\r\n{body}"

    def buy(_: int) -> int:
        with connection(mock) as raw:
            barrier.wait()
            raw.sendall(request.encode())
            return int(read_all(raw).split()[1])

    with ThreadPoolExecutor(200) as pool:
        statuses = list(pool.map(buy, range(200)))
    assert sorted(statuses) == [201] + [422] * 199
    assert mock.charges(PROJECT) == 1
    assert len(mock.journal) == 200


# Reserved numbers


@pytest.mark.parametrize("row", MockServer().reserved_numbers(), ids=lambda row: row.phone_number)
def test_a_reserved_number_is_refused_with_its_code_and_not_charged(
    mock: MockServer, send: Send, row: ReservedNumber
) -> None:
    reply = send(data={"PhoneNumber": row.phone_number})
    assert row.when in refused(reply, row.status, row.code)
    assert ("www-authenticate" in reply.headers) == (row.status == 401)
    assert mock.charges(PROJECT) == 0


def test_every_code_with_a_documented_status_has_a_reserved_number() -> None:
    rows = {row.phone_number: row[1:] for row in MockServer().reserved_numbers()}
    assert rows.pop("+15550000000") == (422, 10000, "The number is not available.")
    codes = SPEC["components"]["schemas"]["Error"]["x-error-codes"]
    assert rows == {
        f"+155500{int(code):05}": (entry["status"], int(code), entry["when"])
        for code, entry in codes.items()
        if entry["status"] in (400, 401, 422)
    }


def test_a_code_without_a_documented_status_reserves_no_number(send: Send) -> None:
    number_of(send(data={"PhoneNumber": "+15550020404"}))


# Credentials


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


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
    mock: MockServer, http: httpx.Client, headers: list[str], words: str
) -> None:
    pairs = [("authorization", value) for value in headers]
    reply = http.post(mock.url + NUMBERS, headers=pairs, content=b"%zz")
    assert words in refused(reply, 401, 20003)
    assert reply.headers["www-authenticate"].startswith("Basic realm=")


def test_an_account_of_another_project_is_refused(mock: MockServer, send: Send) -> None:
    number_of(send(data={"PhoneNumber": NUMBER}))
    path = NUMBERS.replace(PROJECT, PROJECT.upper())
    reply = send(path=path, auth=(OTHER, DEFAULT_TOKEN), data={"PhoneNumber": "+15551234567"})
    assert "another project" in refused(reply, 401, 20003)
    assert mock.charges(PROJECT) == 1


def test_another_token_is_accepted_instead_of_the_default(http: httpx.Client) -> None:
    with MockServer(token="tökén:with colon") as server:
        send = sender(server, http)
        number_of(send(auth=(PROJECT, "tökén:with colon"), data={"PhoneNumber": NUMBER}))
        refused(send(data={"PhoneNumber": "+15551234567"}), 401, 20003)


# Requests that do not fit the spec


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
        ({"PhoneNumber": [NUMBER, "+15551234567"]}, 21401, "PhoneNumber is given 2 times"),
        *(
            ({name: "PUT"}, 21209, f'{name} "PUT" is not one of "GET" or "POST"')
            for name in METHODS
        ),
        ({"StatusCallbackMethod": "get"}, 21209, 'StatusCallbackMethod "get"'),
        ({"VoiceReceiveMode": "sms"}, 21209, '"voice" or "fax"'),
        *(({name: "x.example"}, 21402, f'{name} "x.example" is not a "uri"') for name in URLS),
        ({"StatusCallback": "/status"}, 21456, 'StatusCallback "/status" is not a "uri"'),
        ({"SmsApplicationSid": "AP1"}, 21218, 'SmsApplicationSid "AP1" is not a "uuid"'),
        ({"VoiceApplicationSid": OTHER[:-1]}, 21218, 'is not a "uuid"'),
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


def test_an_unknown_field_is_refused_with_the_nearest_known_name(send: Send) -> None:
    message = refused(send(data={"PhoneNumber": NUMBER, "friendly_nam": "x"}), 400, 10000)
    assert '"friendly_nam"' in message
    assert message.endswith("the nearest known name is FriendlyName.")


def test_a_body_of_many_unknown_fields_gets_a_short_message(send: Send) -> None:
    message = refused(send(data={f"{i}{'x' * 2000}": "" for i in range(300)}), 422, 21421)
    assert "290 more" in message
    assert len(message) < 3000


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, "The body is required and missing"),
        ({"content": b"PhoneNumber=%2B12345"}, "content type is none"),
        ({"json": {"PhoneNumber": NUMBER}}, 'content type is "application/json"'),
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
        ({"extensions": {"target": f"{NUMBERS}?a=%zz".encode()}}, "The query holds a percent"),
        ({"extensions": {"target": f"{NUMBERS}?a=%ff".encode()}}, "The query holds bytes"),
        (
            {"extensions": {"target": NUMBERS.replace(PROJECT, "%zz").encode()}},
            "The path holds a percent",
        ),
    ],
)
def test_a_request_of_another_form_is_refused_with_400(
    send: Send, settings: dict[str, Any], words: str
) -> None:
    assert words in refused(send(**settings), 400, 10000)


@pytest.mark.parametrize(
    ("segment", "words"),
    [
        ("1", 'AccountSid "1" is not a "uuid"'),
        (PROJECT.replace("-", ""), "AccountSid"),
        (f"{PROJECT}%0A", "AccountSid"),
        (f"a%2F{PROJECT}", 'AccountSid "a/b3877c40'),
        ("%FF", "AccountSid holds bytes that are not UTF-8"),
    ],
)
def test_an_account_sid_that_is_no_uuid_is_refused(send: Send, segment: str, words: str) -> None:
    reply = send(path=NUMBERS.replace(PROJECT, segment), data={"PhoneNumber": NUMBER})
    assert words in refused(reply, 400, 10000)


def test_no_message_repeats_the_token_of_a_request(mock: MockServer, send: Send) -> None:
    near = "x" * 50 + DEFAULT_TOKEN
    for data in ({DEFAULT_TOKEN: "x"}, {"PhoneNumber": DEFAULT_TOKEN}, {"VoiceUrl": near}):
        reply = send(data=data, params={DEFAULT_TOKEN: ""})
        assert "[token]" in refused(reply, reply.status_code, reply.json()["code"])
        assert DEFAULT_TOKEN[:6] not in reply.text
    assert DEFAULT_TOKEN not in refused(send(path=f"/{DEFAULT_TOKEN}"), 404, 20404)


@pytest.mark.parametrize(
    "path",
    ["/", "/Accounts", f"{BASE}/Accounts//IncomingPhoneNumbers", f"{NUMBERS}/", f"{NUMBERS}.json"],
)
def test_an_unknown_path_is_refused_before_credentials(
    mock: MockServer, http: httpx.Client, path: str
) -> None:
    assert path in refused(http.post(mock.url + path), 404, 20404)


def test_a_program_that_asks_for_an_unknown_path_learns_the_pages_of_the_mock(
    mock: MockServer, http: httpx.Client
) -> None:
    said = refused(http.get(mock.url), 404, 20404)
    pages = re.findall(r"GET (/\w+)", said)
    assert pages == ["/docs", "/journal"]
    assert all(http.get(mock.url + page).status_code == 200 for page in pages)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "TRACE", "QUERY"])
def test_an_unknown_method_is_refused_with_the_known_ones(
    mock: MockServer, http: httpx.Client, method: str
) -> None:
    reply = http.request(method, mock.url + NUMBERS)
    assert f'"{method}"' in refused(reply, 405, 10000)
    assert reply.headers["allow"] == "POST"


def test_a_head_request_is_refused_without_a_body(mock: MockServer, http: httpx.Client) -> None:
    reply = http.head(mock.url + NUMBERS)
    assert (reply.status_code, reply.headers["allow"], reply.content) == (405, "POST", b"")


# The journal


def test_the_journal_holds_a_purchase_as_it_was_on_the_wire(mock: MockServer, send: Send) -> None:
    path = NUMBERS.replace("-", "%2D")
    reply = send(path=path, headers={"X-Case": "Kept"}, data={"PhoneNumber": NUMBER, "SmsUrl": ""})
    (exchange,) = mock.journal
    assert (exchange.method, exchange.path, exchange.query) == ("POST", path, "")
    assert ("x-case", "Kept") in exchange.headers
    assert ("authorization", basic(f"{PROJECT}:{DEFAULT_TOKEN}")) in exchange.headers
    assert exchange.body == b"PhoneNumber=%2B13103386745&SmsUrl="
    assert exchange.form == [("PhoneNumber", NUMBER), ("SmsUrl", "")]
    assert (exchange.json, exchange.operation_id) == (None, "purchase")
    assert (exchange.status, exchange.reply_body) == (reply.status_code, reply.content)
    assert exchange.refusal == reply.json()["message"]
    assert "authorization" not in repr(exchange)


def test_the_journal_holds_every_request_in_order_of_arrival(mock: MockServer, send: Send) -> None:
    send(data={"PhoneNumber": NUMBER})
    send("GET", "/nowhere?a=%20", auth=None)
    send("PUT", auth=None)
    send(auth=None, headers=FORM, content=b"%")
    send(headers={"content-type": "application/json"}, content=b'{"a": [1, null]}')
    summary = [(e.method, e.status, e.operation_id, e.form, e.json) for e in mock.journal]
    assert summary == [
        ("POST", 201, "purchase", [("PhoneNumber", NUMBER)], None),
        ("GET", 404, None, None, None),
        ("PUT", 405, None, None, None),
        ("POST", 401, "purchase", None, None),
        ("POST", 400, "purchase", None, {"a": [1, None]}),
    ]
    assert [e.refusal is None for e in mock.journal] == [True] + [False] * 4
    assert (mock.journal[1].path, mock.journal[1].query) == ("/nowhere", "a=%20")


def test_the_journal_holds_a_request_whose_sender_hung_up(
    mock: MockServer, http: httpx.Client
) -> None:
    with connection(mock) as raw:
        raw.sendall(f"POST {NUMBERS} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc".encode())
    for _ in range(1000):
        if mock.journal:
            break
        http.get(f"{mock.url}/journal")
    assert (mock.journal[0].body, mock.journal[0].status) == (b"abc", 401)


def test_the_journal_over_http_redacts_the_password_only(
    mock: MockServer, http: httpx.Client, send: Send
) -> None:
    send(headers=FORM, content=b"\xff")
    send(headers={"authorization": f"Bearer {DEFAULT_TOKEN}"}, auth=None)
    send(auth=(DEFAULT_TOKEN, PROJECT))
    send(headers={"proxy-authorization": "Basic dTpwYXNz", "x-key": DEFAULT_TOKEN})
    send(path=f"{NUMBERS}?token={DEFAULT_TOKEN}", json={DEFAULT_TOKEN: [DEFAULT_TOKEN]})
    send(data={"PhoneNumber": NUMBER})
    reply = http.get(f"{mock.url}/journal")
    assert DEFAULT_TOKEN not in reply.text
    assert "dTpwYXNz" not in reply.text
    broken, bearer, *_, bought = reply.json()
    assert broken["body"] == "\\xff"
    assert ["authorization", "[redacted]"] in bearer["headers"]
    assert ["authorization", f"Basic {PROJECT}:[redacted]"] in bought["headers"]
    assert bought["form"] == [["PhoneNumber", NUMBER]]
    assert json.loads(bought["reply_body"])["phone_number"] == NUMBER
    assert bought["status"] == 201


def test_clearing_the_journal_keeps_numbers_and_reset_forgets_them(
    mock: MockServer, http: httpx.Client, send: Send
) -> None:
    send(data={"PhoneNumber": NUMBER})
    assert http.delete(f"{mock.url}/journal").status_code == 204
    assert http.get(f"{mock.url}/journal").json() == mock.journal == []
    assert mock.charges(PROJECT) == 1
    assert http.post(f"{mock.url}/reset").status_code == 204
    assert mock.charges(PROJECT) == 0
    path = NUMBERS.replace(PROJECT, PROJECT.upper())
    number_of(send(path=path, auth=(OTHER, DEFAULT_TOKEN), data={"PhoneNumber": NUMBER}))


def test_a_forgetful_mock_sells_the_same_number_again_and_again(http: httpx.Client) -> None:
    with MockServer(forgetful=True) as mock:
        send = sender(mock, http)
        sids = {number_of(send(data={"PhoneNumber": NUMBER}))["sid"] for _ in range(3)}
        number_of(send(auth=(OTHER, DEFAULT_TOKEN), data={"PhoneNumber": NUMBER}))
        assert (len(sids), len(mock.journal)) == (3, 4)
        assert mock.charges(PROJECT) == 0


def test_a_changed_answer_is_sent_and_journalled_while_the_block_lasts(
    mock: MockServer, send: Send
) -> None:
    def change(answer: Answer) -> Answer:
        return replace(answer, status=299, body=b"?", headers={"content-type": "text/plain"})

    with mock.answering(change):
        changed = send(data={"PhoneNumber": NUMBER})
    assert (changed.status_code, changed.content) == (299, b"?")
    assert changed.headers["content-type"] == "text/plain"
    (exchange,) = mock.journal
    assert (exchange.status, exchange.reply_body) == (299, b"?")
    assert mock.charges(PROJECT) == 1
    assert send(data={"PhoneNumber": NUMBER}).status_code == 422


# Driven by the spec


ADDED = """
schemas:
  Call:
    type: object
    required: [sid, at]
    properties:
      sid: {type: string, format: uuid}
      at: {type: string, format: date-time}
      status: {allOf: [{$ref: "#/components/schemas/CallStatus"}]}
      price: {type: [number, "null"], minimum: 0.5}
      parent: {$ref: "#/components/schemas/Call"}
  Calls: {type: array, minItems: 2, items: {$ref: "#/components/schemas/Call"}}
  Note:
    type: object
    additionalProperties: false
    required: [size]
    properties:
      size: {type: integer, format: int64}
      text: {type: string}
      tree: {type: array}
      either:
        oneOf:
          - {type: integer}
          - {type: object, required: [n], properties: {n: {type: integer}}}
paths:
  /Accounts/{AccountSid}/Calls.json:
    parameters: [{$ref: "#/components/parameters/AccountSid"}]
    get:
      tags: [calls]
      security: [{ProjectToken: []}]
      parameters:
        - {name: Limit, in: query, schema: {type: integer, format: int32}}
        - {name: Rate, in: query, schema: {type: number}}
        - {name: Muted, in: query, schema: {type: boolean}}
        - {name: Ids, in: query, schema: {type: array, items: {type: integer}}}
        - {name: Sizes, in: query, explode: false, schema: {type: array, items: {type: integer}}}
        - {name: Before, in: query, schema: {type: string, format: date-time}}
        - {name: X-Trace, in: header, required: true, schema: {const: "7"}}
      responses:
        "200": {content: {application/json: {schema: {$ref: "#/components/schemas/Calls"}}}}
        "400": {content: {application/json: {schema: {$ref: "#/components/schemas/Error"}}}}
  /Notes:
    post:
      operationId: create_note
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Note"}}}
      responses:
        "202": {content: {application/json: {schema: {type: object}, example: {created: true}}}}
        "404": {content: {application/json: {schema: {$ref: "#/components/schemas/Error"}}}}
  /Forms:
    post:
      operationId: send_form
      requestBody:
        required: true
        content:
          application/x-www-form-urlencoded:
            schema: {oneOf: [{type: object, properties: {Size: {type: integer}}}]}
      responses: {"204": {}}
  /Notes/{Number}:
    parameters: [{name: Number, in: path, required: true, schema: {type: integer}}]
    delete:
      operationId: delete_note
      responses: {"204": {headers: {X-Left: {required: true, schema: {type: integer}}}}}
    get:
      operationId: read_note
      responses: {"200": {content: {text/plain: {schema: {type: string, minLength: 6}}}}}
"""


def add_operations(spec: dict[str, Any]) -> None:
    """Add a list, a JSON body, a deletion and a text, none of which the mock has code for."""
    added = yaml.safe_load(ADDED)
    spec["components"]["schemas"] |= added["schemas"]
    spec["paths"] |= added["paths"]


def content(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {kind: {"schema": schema}}}


def test_an_operation_that_was_added_to_the_spec_is_served_without_code(
    serve: Serve, http: httpx.Client
) -> None:
    mock = serve(add_operations)
    send = sender(mock, http)
    query = "Ids=1&Ids=2&Sizes=3,4"
    calls = send("GET", f"{BASE}/Accounts/{PROJECT}/Calls.json?{query}", headers={"x-trace": "7"})
    call = {"sid": "00000000-0000-4000-8000-000000000000", "at": "2024-01-31T12:00:00Z"}
    assert calls.json() == [{**call, "status": "completed", "price": 0.5}] * 2
    noted = send(path=f"{BASE}/Notes", auth=None, json={"size": -(2**63), "text": "\0 ü"})
    assert (noted.status_code, noted.json()) == (202, {"created": True})
    gone = send("DELETE", f"{BASE}/Notes/12", auth=None)
    assert (gone.status_code, gone.content, gone.headers["x-left"]) == (204, b"", "0")
    assert "content-type" not in gone.headers
    text = send("GET", f"{BASE}/Notes/12", auth=None)
    assert (text.text, text.headers["content-type"]) == ("textxx", "text/plain")
    assert send(path=f"{BASE}/Forms", auth=None, data={"Size": "3"}).status_code == 204
    ids = [exchange.operation_id for exchange in mock.journal]
    calls_id = "GET /Accounts/{AccountSid}/Calls.json"
    assert ids == [calls_id, "create_note", "delete_note", "read_note", "send_form"]
    number_of(send(data={"PhoneNumber": NUMBER}))


UPLOADS = """
/Uploads:
  post:
    operationId: upload
    requestBody:
      required: true
      content:
        multipart/form-data:
          schema:
            type: object
            additionalProperties: false
            required: [file]
            properties:
              file: {type: string, format: binary, maxLength: 4}
              sizes: {type: array, items: {type: integer}}
              note: {type: object, required: [text]}
              'a"b': {type: string}
        application/octet-stream: {schema: {type: string, maxLength: 4}}
        text/plain; charset=utf-8: {schema: {type: string, maxLength: 2}}
        application/merge-patch+json: {schema: {type: object, required: [text]}}
    responses:
      "204": {}
      "400": {content: {application/problem+json: {schema: {$ref: "#/components/schemas/Note"}}}}
      "401": {content: {text/plain: {schema: {type: string}}}}
    security: []
"""


def add_uploads(spec: dict[str, Any]) -> None:
    """Add an operation that takes files, bytes, text and a kind of JSON."""
    spec["components"]["schemas"]["Note"] = {"type": "object", "required": ["size"]}
    spec["components"]["schemas"]["Note"]["properties"] = {"size": {"type": "integer"}}
    spec["paths"] |= yaml.safe_load(UPLOADS)


def multipart(*parts: bytes, end: bytes = b"--") -> dict[str, Any]:
    encoded = b"".join(b"--x\r\nContent-Disposition: form-data; " + p + b"\r\n" for p in parts)
    headers = {"content-type": "Multipart/Form-Data; boundary=x"}
    return {"headers": headers, "content": encoded + b"--x" + end + b"\r\n"}


def typed(kind: str, body: bytes) -> dict[str, Any]:
    return {"headers": {"content-type": kind}, "content": body}


FILE = b'name="file"; filename="a"\r\nContent-Type: image/png\r\n\r\n\xff\r\n\0'


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (multipart(FILE), None),
        (multipart(FILE, b'name="sizes"\r\n\r\n1', b'name="sizes"\r\n\r\n2'), None),
        (multipart(FILE, b'name="note"\r\n\r\n{"text": 1}', b'name="a%22b"\r\n\r\n'), None),
        (multipart(), "file is required and missing"),
        (multipart(FILE, FILE), "file is given 2 times"),
        (multipart(FILE + b"x"), "file"),
        (multipart(FILE, b'name="more"\r\n\r\n'), 'field "more" is not known'),
        (multipart(FILE, b'name="sizes"\r\n\r\nx'), "sizes/0"),
        (multipart(FILE, b'name="note"\r\n\r\n{"text": '), "note"),
        (multipart(FILE, b'name="a%22b"\r\n\r\n\xff'), "not UTF-8"),
        (multipart(FILE, end=b""), "last boundary is missing"),
        (multipart(b'filename="a"\r\n\r\n'), "is not multipart/form-data"),
        (typed("multipart/form-data", b""), "without a boundary"),
        (typed("application/octet-stream", b"\xff\0\r\n"), None),
        (typed("application/octet-stream", b"12345"), "longer than 4"),
        (typed("text/plain", "üü".encode()), None),
        (typed("text/plain; charset=latin-1", b"\xfc"), "not declared as UTF-8"),
        (typed("text/plain", b"\xfc"), "not UTF-8"),
        (typed("application/merge-patch+json", b'{"text": null}'), None),
        (typed("application/merge-patch+json", b"{}"), "text is required and missing"),
        (typed("application/merge-patch+json", b"{"), "not JSON"),
    ],
)
def test_a_body_of_any_content_type_is_held_to_its_schema(
    serve: Serve, http: httpx.Client, request_: dict[str, Any], words: str | None
) -> None:
    mock = serve(add_uploads)
    reply = http.post(f"{mock.url}{BASE}/Uploads", **request_)
    (exchange,) = mock.journal
    assert reply.status_code == (400 if words else 204), exchange.refusal
    assert (words or "") in (exchange.refusal or "")


def test_an_error_of_another_shape_is_the_message_or_a_sample(
    serve: Serve, http: httpx.Client
) -> None:
    def secure(spec: dict[str, Any]) -> None:
        add_uploads(spec)
        spec["paths"]["/Uploads"]["post"]["security"] = [{"ProjectToken": []}]

    mock = serve(secure)
    send = sender(mock, http)
    wrong = send(path=f"{BASE}/Uploads", json={})
    assert wrong.headers["content-type"] == "application/problem+json"
    assert (wrong.status_code, wrong.json()) == (400, {"size": 0})
    assert "content type" in str(mock.journal[0].refusal)
    unknown = send(path=f"{BASE}/Uploads", auth=None)
    assert (unknown.status_code, unknown.headers["content-type"]) == (401, "text/plain")
    assert "credentials are missing" in unknown.text


def test_the_parameters_of_an_added_operation_are_checked_by_type(
    serve: Serve, http: httpx.Client
) -> None:
    send = sender(serve(add_operations), http)
    path = f"{BASE}/Accounts/{PROJECT}/Calls.json?"
    traced = {"x-trace": "7"}
    for query in (
        "Limit=-2147483648",
        "Rate=1e3&Muted=true",
        "Before=2024-01-31T12:00:00Z",
        "Ids=1",
    ):
        assert send("GET", path + query, headers=traced).status_code == 200, query
    for query in (
        "Limit=2147483648", "Limit=1.5", "Limit=", "Limit=٣", "Limit=1_0", f"Limit={'9' * 5000}",
        "Limit=1&Limit=2", "Rate=NaN", "Rate=1e999", "Rate=0x1", "Muted=True", "Muted=1",
        "Before=today", "Ids=1&Ids=x",
    ):  # fmt: skip
        name = query.partition("=")[0]
        assert name in refused(send("GET", path + query, headers=traced), 400, 10000)
    assert "X-Trace is required" in refused(send("GET", path), 400, 10000)
    assert 'X-Trace "8"' in refused(send("GET", path, headers={"x-trace": "8"}), 400, 10000)
    refused(send("GET", path, auth=None, headers=traced), 401, 20003)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"size": 1}\0', "not JSON"),
        (b'\xef\xbb\xbf{"size": 1}', "not JSON"),
        (b'{"size": 1, "size": 1}', "names a member twice"),
        (b'{"size": NaN}', "not finite"),
        (b'{"size": -Infinity}', "not finite"),
        (b'{"size": 1e999}', "not finite"),
        (b'{"size": ' + b"9" * 5000 + b"}", "too many digits"),
        (b'{"size": 9223372036854775808}', "size 9223372036854775808"),
        (b'{"size": ' + b"9" * 4000 + b"}", "size 999"),
        (b'{"size": "1"}', 'size "1" is not of type "integer"'),
        (b'{"size": 1, "text": "\xff"}', "not UTF-8"),
        (b'{"size": 1, "text": "\\ud800"}', "lone surrogate"),
        (b'{"size": 1, "text": "\0"}', "not JSON"),
        (b'{"size": 1, "txt": ""}', "nearest known name is text"),
        (b"[" * 2000 + b"]" * 2000, "levels deep"),
        (b"[" * 2**19 + b"]" * 2**19, "levels deep"),
        (b'{"size": 1, "tree": ' + b"[" * 100 + b"]" * 100 + b"}", "levels deep"),
        (b'{"size": 1, "either": {"n": "x"}}', 'either/n "x" is not of type "integer"'),
        (b'{"size": 1, "either": {}}', 'either an object: "n" is a required property'),
        (b'{"size": 1, "either": "x"}', 'either "x" is not valid under any of the schemas'),
        (b"{}", "size is required and missing"),
        (b"[]", "The body an array"),
        (b"null", "The body null"),
    ],
)
def test_a_json_body_that_breaks_its_rules_is_refused(
    json_mock: MockServer, http: httpx.Client, body: bytes, words: str
) -> None:
    headers = {"content-type": "application/json"}
    reply = http.post(f"{json_mock.url}{BASE}/Notes", headers=headers, content=body)
    assert words in refused(reply, 404, 10000), "its only documented 4xx is 404"


@pytest.fixture(scope="module")
def json_mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockServer]:
    spec = changed_spec(tmp_path_factory.mktemp("json"), add_operations)
    with MockServer(spec) as server:
        yield server


def test_a_body_that_is_not_documented_is_refused(
    json_mock: MockServer, http: httpx.Client
) -> None:
    reply = http.request("DELETE", f"{json_mock.url}{BASE}/Notes/1", content=b"x")
    assert "body is not expected" in refused(reply, 400, 10000)


def test_without_its_handler_a_purchase_answers_the_example_of_the_spec(
    serve: Serve, http: httpx.Client
) -> None:
    def rename(spec: dict[str, Any]) -> None:
        spec["paths"]["/Accounts/{AccountSid}/IncomingPhoneNumbers"]["post"]["operationId"] = (
            "acquire"
        )

    send = sender(serve(rename), http)
    for _ in range(2):
        number = number_of(send(data={"PhoneNumber": "+15551234567"}))
        assert (number["phone_number"], number["verification_status"]) == (NUMBER, "Unverified")


@pytest.mark.parametrize(
    ("change", "sent", "words"),
    [
        (lambda fields, body, _: fields.pop("PhoneNumber"), {"FriendlyName": "a"}, "PhoneNumber"),
        (
            lambda fields, body, _: fields.update(PhoneNumber={"type": "integer"}),
            {"PhoneNumber": "15551234567"},
            "PhoneNumber",
        ),
        (lambda fields, body, _: body.update(required=False), None, "PhoneNumber"),
        (
            lambda fields, body, account: account.update(name="Account"),
            {"PhoneNumber": NUMBER},
            "AccountSid",
        ),
    ],
    ids=["no such field", "a number", "no body", "no account"],
)
def test_a_purchase_without_what_its_handler_needs_is_told_what_to_require(
    serve: Serve,
    http: httpx.Client,
    caplog: pytest.LogCaptureFixture,
    change: Callable[[dict[str, Any], dict[str, Any], dict[str, Any]], object],
    sent: dict[str, str] | None,
    words: str,
) -> None:
    def loosen(spec: dict[str, Any]) -> None:
        path = "/Accounts/{AccountSid}/IncomingPhoneNumbers"
        request = spec["components"]["schemas"]["PurchaseRequest"]
        account = spec["components"]["parameters"]["AccountSid"]
        body = spec["paths"][path]["post"]["requestBody"]
        request["required"] = []
        change(request["properties"], body, account)
        spec["paths"] = {path.replace("AccountSid", account["name"]): spec["paths"][path]}

    reply = sender(serve(loosen), http)(data=sent)
    told = f"the handler of purchase is broken, it needs {words}, and the contract allows a request"
    assert (reply.status_code, told in reply.text) == (500, True), reply.text
    assert "Require it in" in reply.text
    assert "Traceback" not in caplog.text


def test_a_reply_without_the_number_in_it_is_sold_as_any_other(
    serve: Serve, http: httpx.Client
) -> None:
    def rename(spec: dict[str, Any]) -> None:
        reply = spec["components"]["schemas"]["IncomingPhoneNumber"]
        reply["properties"]["number"] = reply["properties"].pop("phone_number")
        reply["required"].remove("phone_number")

    send = sender(serve(rename), http)
    assert [send(data={"PhoneNumber": NUMBER}).status_code for _ in range(2)] == [201, 422]


def test_code_and_default_come_from_the_spec_alone(serve: Serve, http: httpx.Client) -> None:
    def change(spec: dict[str, Any]) -> None:
        fields = spec["components"]["schemas"]["PurchaseRequest"]["properties"]
        fields["PhoneNumber"]["x-error-codes"]["invalid"] = 21456
        fields["SmsMethod"]["default"] = "GET"
        spec["servers"][0]["url"] = "https://{space}.example/v9/"

    send = sender(serve(change), http)
    path = NUMBERS.replace(BASE, "/v9")
    number = number_of(send(path=path, data={"PhoneNumber": NUMBER}))
    assert number["sms_method"] == "GET"
    assert number["uri"].startswith("/v9/Accounts/")
    refused(send(path=path, data={"PhoneNumber": "1"}), 422, 21456)
    refused(send(data={"PhoneNumber": NUMBER}), 404, 20404)


def set_at(*path: str) -> Callable[[Any], Callable[[dict[str, Any]], None]]:
    def to(value: Any) -> Callable[[dict[str, Any]], None]:
        def change(spec: dict[str, Any]) -> None:
            add_operations(spec)
            node = spec
            for name in path[:-1]:
                node = node[name]
            node[path[-1]] = value

        return change

    return to


REPLY = ("paths", "/Notes", "post", "responses", "202", "content", "application/json")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_at("openapi")("3.0.3"), "not an OpenAPI 3.1 document"),
        (set_at("paths")([1]), "not a valid OpenAPI 3.1 document"),
        (set_at("components", "schemas", "Error")({"type": "object"}), "x-error-codes"),
        (set_at("components", "schemas", "Call")({"type": "thing"}), "/components/schemas/Call"),
        (set_at("components", "schemas", "Call")({"format": "e164"}), "e164"),
        (set_at(*REPLY, "schema")({"$ref": "other.yaml#/x"}), "not within this file"),
        (set_at(*REPLY, "schema")({"$ref": "#/nowhere"}), "/nowhere"),
        (set_at(*REPLY, "example")([]), "operation create_note, status 202"),
        (set_at(*REPLY)({"schema": {"type": "string", "pattern": "^a$"}}), "Add an example"),
        (set_at("components", "schemas", "Call", "required")(["parent"]), "requires itself"),
        (set_at("paths", "/Notes", "post", "responses")({}), "no 2xx"),
        (set_at("paths", "/Notes", "post", "operationId")("purchase"), "purchase is taken"),
        (set_at("paths", "/Notes", "post", "requestBody")(content("a/b", {})), "a/b is not served"),
        (set_at("paths", "/Notes", "post", "parameters")([{"$ref": "#/info"}]), "not a valid"),
        (
            set_at("paths", "/Notes", "post", "parameters")(
                [{"name": "X-Some", "in": "header", "schema": {"type": "object"}}]
            ),
            "no object but in a query",
        ),
        (set_at("paths", "/Notes", "post", "security")([{"Key": []}]), "Key"),
        (
            set_at("paths", "/Notes", "post", "responses", "404")(
                content("application/json", {"type": "string", "pattern": "^[0-9]+$"})
            ),
            "schema Error",
        ),
    ],
)
def test_a_spec_that_can_not_be_served_is_one_line_that_names_the_place(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    path = changed_spec(tmp_path, change)
    with pytest.raises(SpecError) as caught:
        MockServer(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert words in message
    assert "\n" not in message


def test_a_date_without_quotes_stays_text(tmp_path: Path, http: httpx.Client) -> None:
    text = (ROOT / "openapi.yaml").read_text("utf-8")
    path = tmp_path / "openapi.yaml"
    path.write_text(text.replace('version: "2010-04-01"', "version: 2010-04-01"), "utf-8")
    with MockServer(path) as server:
        number = number_of(sender(server, http)(data={"PhoneNumber": NUMBER}))
    assert number["api_version"] == "2010-04-01"


# Its own answers


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(202, {}), "status 202 is not documented at /paths/~1Accounts~1{AccountSid}~1Inc"),
        (Reply(201), "/components/schemas/IncomingPhoneNumber/type"),
        (Reply(201, {"sid": 1}), "/components/schemas/IncomingPhoneNumber/required"),
        (Reply(201, {1, 2}), "not JSON"),
        (Reply(201, float("nan")), "not JSON"),
        (Reply(422, {"code": 1}), "/components/schemas/Error/required"),
    ],
)
def test_a_reply_that_breaks_the_spec_is_never_sent(
    mock: MockServer, send: Send, monkeypatch: pytest.MonkeyPatch, reply: Reply, words: str
) -> None:
    monkeypatch.setitem(HANDLERS, "purchase", lambda *_: reply)
    answer = send(data={"PhoneNumber": NUMBER})
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("The mock is at fault, not the request: the handler of purchase")
    assert words in answer.text
    assert mock.journal[-1].refusal == answer.text


def test_a_wrong_member_of_a_reply_is_named_in_the_log(
    send: Send, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sell = HANDLERS["purchase"]

    def handler(call: Call, state: State) -> Reply:
        reply = sell(call, state)
        return Reply(reply.status, {**reply.body, "beta": "no"})

    monkeypatch.setitem(HANDLERS, "purchase", handler)
    pointer = "/components/schemas/IncomingPhoneNumber/properties/beta/type"
    assert f"/beta does not fit {pointer}" in send(data={"PhoneNumber": NUMBER}).text
    assert pointer in caplog.text


def test_a_handler_that_raises_is_an_answer_without_the_token(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(call: Call, state: State) -> Reply:
        raise KeyError(DEFAULT_TOKEN)

    monkeypatch.setitem(HANDLERS, "purchase", handler)
    answer = send(data={"PhoneNumber": NUMBER})
    assert answer.status_code == 500
    assert "KeyError('[token]')" in answer.text


# Pages


def test_the_journal_is_json_for_programs_and_a_page_for_browsers(
    mock: MockServer, send: Send, http: httpx.Client
) -> None:
    for number in (NUMBER, NUMBER, "+15551234567"):
        send(data={"PhoneNumber": number})
    page = http.get(mock.url + "/journal", headers={"accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    whole = http.get(mock.url + "/journal")
    assert [exchange["status"] for exchange in whole.json()] == [201, 422, 201]
    last = http.get(mock.url + "/journal?last=1")
    assert last.json() == whole.json()[-1:]
    assert last.headers["journal-length"] == "3"
    seen = {"if-none-match": last.headers["etag"]}
    assert http.get(mock.url + "/journal", headers=seen).status_code == 304
    send(data={"PhoneNumber": NUMBER})
    assert http.get(mock.url + "/journal", headers=seen).status_code == 200


def test_the_journal_of_another_mock_is_never_taken_for_the_one_that_was_seen(
    http: httpx.Client,
) -> None:
    with MockServer() as one, MockServer() as other:
        seen = {"if-none-match": http.get(one.url + "/journal").headers["etag"]}
        assert http.get(one.url + "/journal", headers=seen).status_code == 304
        assert http.get(other.url + "/journal", headers=seen).status_code == 200


def test_the_journal_over_http_names_cookies_without_their_values(
    mock: MockServer, send: Send, http: httpx.Client
) -> None:
    cookie = "session=secret; theme=a=b;hidden"
    send(headers={"cookie": cookie})
    (shown,) = http.get(f"{mock.url}/journal").json()
    assert ["cookie", "session=[redacted]; theme=[redacted]; [redacted]"] in shown["headers"]
    assert ("cookie", cookie) in mock.journal[0].headers


def test_a_token_is_not_in_the_journal_over_http_in_any_spelling_of_a_url(
    http: httpx.Client,
) -> None:
    with MockServer(token='P T+ü/"token') as mock:
        for spelt in ("P%20T%2B%C3%BC%2F%22token", "P+T%2b%c3%bc/%22%74oken"):
            content = f"PhoneNumber={spelt}"
            http.post(f"{mock.url}/x{spelt}?a={spelt}", headers=FORM, content=content)
            shown = http.get(f"{mock.url}/journal?last=1").json()[0]
            assert (shown["path"], shown["query"]) == ("/x[token]", "a=[token]")
            assert shown["body"] == "PhoneNumber=[token]"
            assert mock.journal[-1].query == f"a={spelt}"


@pytest.mark.parametrize("last", ["-1", "abc", "1.5", "9" * 5_000])
def test_an_end_of_the_journal_that_is_no_number_is_refused(
    mock: MockServer, http: httpx.Client, last: str
) -> None:
    reply = http.get(f"{mock.url}/journal?last={last}")
    assert (reply.status_code, "last must be a whole" in reply.json()["message"]) == (400, True)


def test_the_explorer_gets_the_contract_with_this_mock_as_its_server(
    mock: MockServer, http: httpx.Client
) -> None:
    shown = http.get(mock.url + "/openapi.json").json()
    assert [server["url"] for server in shown["servers"]] == [BASE]
    assert shown["paths"].keys() == SPEC["paths"].keys()
    for code, entry in SPEC["components"]["schemas"]["Error"]["x-error-codes"].items():
        row = f"| {code} | {entry['status']} | {entry['when']} |"
        assert row in shown["components"]["schemas"]["Error"]["description"]
        for operation in shown["paths"][next(iter(shown["paths"]))].values():
            if answer := operation["responses"].get(str(entry["status"])):
                assert row in answer["description"]
    assert http.get(mock.url + "/docs/none.js").status_code == 404
    assert len(http.get(mock.url + "/docs/swagger-ui-bundle.js").content) > 10**6


def test_a_token_of_ones_own_is_not_shown_by_the_explorer(http: httpx.Client) -> None:
    with MockServer(token="spoken") as server:
        assert http.get(server.url + "/docs/credentials").json()["token"] is None
        assert "spoken" not in http.get(server.url + "/docs").text


def test_the_readme_names_every_member_of_an_entry_of_the_journal(
    mock: MockServer, send: Send, http: httpx.Client
) -> None:
    send(data={"PhoneNumber": NUMBER})
    (entry,) = http.get(f"{mock.url}/journal").json()
    readme = (ROOT / "mock_server" / "README.md").read_text("utf-8")
    table = readme.partition("| member | holds |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\|(.*?)\|", table, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", "".join(cells))) == sorted(entry)


# Start and end


def test_two_servers_share_neither_port_nor_numbers(mock: MockServer, http: httpx.Client) -> None:
    with MockServer() as second:
        assert second.url != mock.url
        for server in (mock, second):
            number_of(sender(server, http)(data={"PhoneNumber": NUMBER}))


def test_a_closed_server_leaves_no_thread_and_no_socket() -> None:
    before = threading.active_count()
    server = MockServer().start()
    with connection(server) as idle, connection(server) as halfway:
        halfway.sendall(
            f"POST {NUMBERS} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\na".encode()
        )
        address = idle.getpeername()
        server.close()
        assert threading.active_count() == before
        assert read_all(idle) == read_all(halfway) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_a_closed_server_can_be_started_again_with_its_numbers(http: httpx.Client) -> None:
    server = MockServer()
    for status in (201, 422):
        with server:
            reply = sender(server, http)(data={"PhoneNumber": NUMBER})
        assert reply.status_code == status
    server.close()
    with pytest.raises(RuntimeError, match="not running"):
        _ = server.url
    assert server.charges(PROJECT) == len(server.journal) - 1 == 1


def test_a_server_on_ipv6_has_a_url_with_brackets(http: httpx.Client) -> None:
    with MockServer(host="::1") as server:
        assert re.fullmatch(r"http://\[::1\]:\d+", server.url)
        number_of(sender(server, http)(data={"PhoneNumber": NUMBER}))


@pytest.mark.parametrize(("host", "called"), [("0.0.0.0", r"127\.0\.0\.1"), ("::", r"\[::1\]")])  # noqa: S104
def test_a_server_on_every_address_names_one_that_a_client_takes(
    host: str, called: str, http: httpx.Client
) -> None:
    with MockServer(host=host) as server:
        assert re.fullmatch(rf"http://{called}:\d+", server.environment["SIGNALWIRE_SPACE"])
        number_of(sender(server, http)(data={"PhoneNumber": NUMBER}))


def test_a_token_without_text_is_not_taken() -> None:
    with pytest.raises(ValueError, match="token is empty"):
        MockServer(token="")


def test_the_exported_names_are_sorted_and_documented() -> None:
    names = signalwire_compat_mock.__all__
    assert names == sorted(names)
    assert all(getattr(signalwire_compat_mock, n).__doc__ for n in names)


# On the command line


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    module = [sys.executable, "-m", "signalwire_compat_mock", *arguments]
    pipe = subprocess.PIPE
    with subprocess.Popen(module, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
def test_the_command_serves_until_a_signal_and_ends_cleanly(
    http: httpx.Client, name: signal.Signals
) -> None:
    with command("--port", "0", "--token", "spoken", "--forgetful") as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(5)]
        url, pages = said[0].split()[-1], said[1].split()[-3::2]
        for page in pages:
            assert "<html" in http.get(page, headers={"Accept": "text/html"}).text
        for _ in range(2):
            reply = http.post(url + NUMBERS, auth=(PROJECT, "spoken"), data={"PhoneNumber": NUMBER})
        process.send_signal(name)
        rest = process.communicate()
    assert pages == [url + "/docs", url + "/journal"]
    assert number_of(reply)["phone_number"] == NUMBER
    assert "with your token as SIGNALWIRE_API_TOKEN" in said[2]
    assert "spoken" not in "".join(said)
    assert (process.returncode, rest) == (0, ("", ""))


def test_what_the_command_prints_points_a_shell_and_its_client_at_it() -> None:
    with command("--port", "0") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        exports = "".join(line for line in lines if line.startswith("export "))
        script = f"{exports}exec {sys.executable} {ROOT / 'examples' / 'buy.py'}"
        bought = subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True)
    assert "+1555" in bought.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--spec", "{folder}/none.yaml"], "No such file or directory"),
        (["--spec", "{folder}"], "Is a directory"),
        (["--spec", "{folder}/broken.yaml"], "not YAML"),
        (["--spec", "{folder}/other.yaml"], "not an OpenAPI 3.1 document"),
        (["--port", "{port}"], "port {port} of 127.0.0.1 is in use. Choose another one"),
        (["--host", "192.0.2.1"], "can't listen on port 8000 of 192.0.2.1"),
        (["--port", "65536"], "give a number from 0 to 65535"),
        (["--token", ""], "argument --token: it is empty"),
        (["--host", ""], "argument --host: it is empty"),
        (["python", "-c", "1"], "unrecognized arguments: -c 1. Put -- before the command"),
        (["--colour"], "unrecognized arguments: --colour\n"),
        (["--"], "after -- comes the command to run"),
    ],
)
def test_a_command_that_can_not_serve_says_why_and_what_to_do(
    tmp_path: Path, mock: MockServer, arguments: list[str], words: str
) -> None:
    (tmp_path / "broken.yaml").write_text("a: [", "utf-8")
    (tmp_path / "other.yaml").write_text("a: 1", "utf-8")
    known = {"folder": str(tmp_path), "port": mock.url.rpartition(":")[2]}
    with command(*(argument.format(**known) for argument in arguments)) as process:
        out, err = process.communicate()
    assert process.returncode in (1, 2)
    assert (out, words.format(**known) in err) == ("", True), err
    assert "Traceback" not in err
    assert len(err.splitlines()) == 1 or process.returncode == 2


@pytest.mark.parametrize(
    ("target", "words"),
    [(">&-", "it is closed"), (">/dev/full", "No space left on device"), ("", "Broken pipe")],
)
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_command_that_can_not_say_its_address_ends_in_one_line(
    target: str, words: str, unbuffered: str
) -> None:
    script = f'"$0" -m signalwire_compat_mock --port 0 {target}'
    nobody, pipe = os.pipe()
    os.close(nobody)
    told = subprocess.run(
        ["sh", "-c", script, sys.executable],
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        check=False,
        stdout=pipe,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(pipe)
    assert told.returncode == 1
    problem = f"signalwire-compat-mock: can't write to standard output: {words}."
    assert told.stderr == f"{problem} Send it to a terminal, a file or a reader that stays.\n"


def test_the_mock_needs_the_spec_and_not_the_client() -> None:
    code = (
        "import sys, signalwire_compat_mock.__main__; sys.exit('signalwire_compat' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_schema_is_read_with_all_that_stands_for_it_and_each_part_once() -> None:
    schemas = {
        "Whole": {"allOf": [{"$ref": "#/schemas/Base"}, {"$ref": "#/schemas/Base"}, {"type": "x"}]},
        "Base": {"allOf": [{"$ref": "#/schemas/Whole"}], "required": ["a"]},
    }
    document = Document({"schemas": schemas})
    found = [pointer.removeprefix("/schemas/") for pointer, _ in document.parts("/schemas/Whole")]
    assert found == [
        *("Whole", "Whole/allOf/0", "Whole/allOf/1", "Whole/allOf/2"),
        *("Base", "Base/allOf/0"),
    ]
    assert document.required("/schemas/Whole") == {"a"}
