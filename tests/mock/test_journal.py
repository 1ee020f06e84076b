"""The journal holds what was on the wire."""

import json
from dataclasses import replace

import httpx
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.engine import Answer

from tests.conftest import PROJECT
from tests.mock.helpers import (
    FORM,
    NUMBER,
    NUMBERS,
    OTHER,
    Send,
    basic,
    connection,
    number_of,
    sender,
)


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
