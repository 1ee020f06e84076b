"""The journal holds what was on the wire, for programs and browsers; and the explorer's pages."""

import contextlib
import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

import httpx
import pytest
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer
from signalwire_compat_mock.engine import Answer

from tests.conftest import PROJECT, ROOT
from tests.mock import helpers
from tests.mock.helpers import ANOTHER, FORM, NUMBER, NUMBERS, OTHER, SPEC, Send, Serve

OPERATIONS = [(path, method) for path, item in SPEC["paths"].items() for method in item]


def test_the_journal_holds_a_purchase_as_it_was_on_the_wire(mock: MockServer, send: Send) -> None:
    path = NUMBERS.replace("-", "%2D")
    reply = send(path=path, headers={"X-Case": "Kept"}, data={"PhoneNumber": NUMBER, "SmsUrl": ""})
    (exchange,) = mock.journal
    assert (exchange.method, exchange.path, exchange.query) == ("POST", path, "")
    assert ("x-case", "Kept") in exchange.headers
    assert ("authorization", helpers.basic(f"{PROJECT}:{DEFAULT_TOKEN}")) in exchange.headers
    assert exchange.body == b"PhoneNumber=%2B13103386745&SmsUrl="
    assert exchange.form == [("PhoneNumber", NUMBER), ("SmsUrl", "")]
    assert (exchange.json, exchange.operation_id) == (None, "purchase")
    assert (exchange.status, exchange.reply_body) == (reply.status_code, reply.content)
    assert exchange.refusal == reply.json()["message"]
    assert "authorization" not in repr(exchange)


def test_the_journal_holds_every_request_in_order_of_arrival(mock: MockServer, send: Send) -> None:
    send.buy()
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
        ("POST", 422, "purchase", None, {"a": [1, None]}),
    ]
    assert [e.refusal is None for e in mock.journal] == [True] + [False] * 4
    assert (mock.journal[1].path, mock.journal[1].query) == ("/nowhere", "a=%20")


@pytest.mark.parametrize(
    ("fault", "carried_out"),
    [
        ({"drop": True}, True),
        ({"drop": True, "carried_out": False}, False),
        ({"code": 30002}, False),
        ({"code": 30002, "carried_out": True}, True),
        ({"status": 504}, False),
        ({"body": "{"}, True),
    ],
)
def test_the_journal_says_whether_a_request_was_carried_out(
    mock: MockServer, send: Send, fault: dict[str, Any], carried_out: bool
) -> None:
    send.buy(ANOTHER, OTHER)
    send.buy(ANOTHER)
    mock.inject(**fault)
    with contextlib.suppress(httpx.RemoteProtocolError):
        send.buy()
    shown = send("GET", "/journal").json()
    assert [entry["carried_out"] for entry in shown] == [True, False, carried_out]
    owned = send("GET", "/journal/phone_numbers").json()
    names = [(number["account_sid"], number["phone_number"]) for number in owned]
    assert names == [(OTHER, ANOTHER), (PROJECT, NUMBER)][: 1 + carried_out]
    assert owned == mock.phone_numbers(None)


def test_the_journal_holds_a_request_whose_sender_hung_up(mock: MockServer, send: Send) -> None:
    with helpers.connection(mock) as raw:
        raw.sendall(
            f"POST {NUMBERS} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc".encode()
        )
    for _ in range(1000):
        if mock.journal:
            break
        send("GET", "/journal")
    assert (mock.journal[0].body, mock.journal[0].status) == (b"abc", 401)


def test_the_journal_over_http_redacts_passwords_and_the_token(
    mock: MockServer, send: Send
) -> None:
    cookie = "session=secret; theme=a=b;hidden"
    send(headers={**FORM, "cookie": cookie}, content=b"\xff")
    send(headers={"authorization": f"Bearer {DEFAULT_TOKEN}"}, auth=None)
    send(auth=(DEFAULT_TOKEN, PROJECT))
    send(headers={"proxy-authorization": "Basic dTpwYXNz", "x-key": DEFAULT_TOKEN})
    send(path=f"{NUMBERS}?token={DEFAULT_TOKEN}", json={DEFAULT_TOKEN: [DEFAULT_TOKEN]})
    send.buy()
    reply = send("GET", "/journal")
    assert DEFAULT_TOKEN not in reply.text
    assert "dTpwYXNz" not in reply.text
    broken, bearer, *_, bought = reply.json()
    assert broken["body"] == "\\xff"
    assert ["cookie", "session=[redacted]; theme=[redacted]; [redacted]"] in broken["headers"]
    assert ("cookie", cookie) in mock.journal[0].headers
    assert ["authorization", "[redacted]"] in bearer["headers"]
    assert ["authorization", f"Basic {PROJECT}:[redacted]"] in bought["headers"]
    assert bought["form"] == [["PhoneNumber", NUMBER]]
    assert json.loads(bought["reply_body"])["phone_number"] == NUMBER
    assert bought["status"] == 201


def test_a_token_is_not_in_the_journal_over_http_in_any_spelling_of_a_url(serve: Serve) -> None:
    send = serve(token='P T+ü/"token')
    for spelt in ("P%20T%2B%C3%BC%2F%22token", "P+T%2b%c3%bc/%22%74oken"):
        send(path=f"/x{spelt}?a={spelt}", headers=FORM, content=f"PhoneNumber={spelt}")
        shown = send("GET", "/journal?last=1").json()[0]
        assert (shown["path"], shown["query"]) == ("/x[token]", "a=[token]")
        assert shown["body"] == "PhoneNumber=[token]"
        assert send.mock.journal[-1].query == f"a={spelt}"


SPELT: list[Callable[[str], str]] = [
    lambda token: token,
    lambda token: b64encode(token.encode()).decode(),
    lambda token: b64encode(f"{PROJECT}:{token}".encode()).decode(),
    lambda token: b64encode(f"ab{token}:c".encode()).decode().rstrip("="),
    lambda token: urlsafe_b64encode(f"~~{token}".encode()).decode(),
    lambda token: quote(token, safe=""),
    lambda token: "".join(rf"\u{ord(character):04X}" for character in token),
    lambda token: json.dumps(token)[1:-1],
]


@pytest.mark.parametrize("token", [DEFAULT_TOKEN, 'P T+ü/"\\token~~~'])
@pytest.mark.parametrize("spell", SPELT)
def test_the_journal_over_http_holds_the_token_in_no_spelling(
    serve: Serve, token: str, spell: Callable[[str], str]
) -> None:
    send = serve(token=token)
    spelt = spell(token)
    escaped = quote(spelt, safe="")
    nested = quote(f"https://a.example/?t={escaped}", safe="")
    send(path=f"/{escaped}?a={escaped}&{escaped}=b&c={nested}", headers=FORM, content="a=b")
    send(headers={"x-key": spelt.encode(), **FORM}, content=f"{escaped}={escaped}&b={nested}")
    send(json={spelt: [spelt, {"a": f"x {spelt} y"}]})
    sent_as = {"content-type": "application/json"}
    send(headers=sent_as, content='{"a": ' + json.dumps(spelt).replace("/", r"\/") + "}")
    shown = send("GET", "/journal").json()
    places = ("path", "query", "headers", "body", "form", "json", "refusal", "reply_body")
    found = [json.dumps(e[place], ensure_ascii=False) for e in shown for place in places]
    texts = [text for step in (str, unquote_plus, unescape) for text in map(step, found)]
    for hidden in (token, spelt, escaped, token.encode().decode("latin-1")):
        assert [text for text in texts if hidden in text] == []
    assert sum(text.count("[token]") for text in found) >= 14
    assert send.mock.journal[0].path == f"/{escaped}"


def unescape(text: str) -> str:
    """Decode the escapes of JSON in a text, and those within."""
    return re.sub(
        r"\\+u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text.replace('\\\\"', '"')
    )


@pytest.mark.parametrize("filler", ["\\", "%", "%25", "%5C", "P", "A", " "])
def test_a_long_text_is_searched_for_the_token_in_reasonable_time(send: Send, filler: str) -> None:
    text = filler * (2**20 // len(filler))
    send(headers={"content-type": "text/plain"}, content=text)
    (shown,) = send("GET", "/journal").json()
    assert shown["body"] == text


def test_the_journal_forgets_its_oldest_entries_and_still_counts_them(serve: Serve) -> None:
    send = serve(journal_entries=3)
    for page in range(5):
        send("GET", f"{NUMBERS}?PageSize={page + 1}")
    reply = send("GET", "/journal?last=2")
    assert [exchange["query"] for exchange in reply.json()] == ["PageSize=4", "PageSize=5"]
    assert [exchange.query[-1] for exchange in send.mock.journal] == ["3", "4", "5"]
    assert reply.headers["journal-length"] == "5"
    seen = {"if-none-match": reply.headers["etag"]}
    send("GET", f"{NUMBERS}?PageSize=6")
    assert send("GET", "/journal", headers=seen).status_code == 200
    send.mock.reset()
    assert send("GET", "/journal").headers["journal-length"] == "0"


def test_the_journal_holds_no_more_bytes_than_it_is_allowed(serve: Serve) -> None:
    send = serve(journal_bytes=10_000)
    for number in range(5):
        send(data={"PhoneNumber": str(number), "FriendlyName": "x" * 3_000})
    assert [dict(exchange.form or [])["PhoneNumber"] for exchange in send.mock.journal] == [
        "3",
        "4",
    ]
    send(data={"FriendlyName": "x" * 10_000})
    assert send.mock.journal == []
    send("GET")
    assert len(send.mock.journal) == 1


def test_a_limit_of_the_journal_below_0_is_not_taken() -> None:
    with pytest.raises(ValueError, match="less than 0"):
        MockServer(journal_entries=-1)
    with pytest.raises(ValueError, match="less than 0"):
        MockServer(journal_bytes=-1)


def test_clearing_the_journal_keeps_numbers_and_reset_forgets_them(
    mock: MockServer, send: Send
) -> None:
    send.bought()
    assert send("DELETE", "/journal").status_code == 204
    assert send("GET", "/journal").json() == mock.journal == []
    assert mock.charges(PROJECT) == 1
    assert send("POST", "/reset").status_code == 204
    assert mock.charges(PROJECT) == 0
    send.bought(NUMBER, PROJECT.upper(), auth=(OTHER, DEFAULT_TOKEN))


def test_a_forgetful_mock_sells_the_same_number_again_and_again(serve: Serve) -> None:
    send = serve(forgetful=True)
    sids = {send.bought()["sid"] for _ in range(3)}
    send.bought(auth=(OTHER, DEFAULT_TOKEN))
    assert (len(sids), len(send.mock.journal), send.mock.charges(PROJECT)) == (3, 4, 0)


def test_a_changed_answer_is_sent_and_journalled_while_the_block_lasts(
    mock: MockServer, send: Send
) -> None:
    def change(answer: Answer) -> Answer:
        return replace(answer, status=299, body=b"?", headers={"content-type": "text/plain"})

    with mock.answering(change):
        changed = send.buy()
    assert (changed.status_code, changed.content) == (299, b"?")
    assert changed.headers["content-type"] == "text/plain"
    (exchange,) = mock.journal
    assert (exchange.status, exchange.reply_body) == (299, b"?")
    assert mock.charges(PROJECT) == 1
    assert send.buy().status_code == 422


def test_the_journal_is_json_for_programs_and_a_page_for_browsers(send: Send) -> None:
    for number in (NUMBER, NUMBER, ANOTHER):
        send.buy(number)
    page = send("GET", "/journal", headers={"accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    whole = send("GET", "/journal").json()
    assert [exchange["status"] for exchange in whole] == [201, 422, 201]
    last = send("GET", "/journal?last=1")
    assert (last.json(), last.headers["journal-length"]) == (whole[-1:], "3")
    readme = (ROOT / "mock_server" / "README.md").read_text("utf-8")
    table = readme.partition("| member | holds |")[2].partition("\n\n")[0]
    cells = re.findall(r"^\|(.*?)\|", table, re.MULTILINE)
    assert sorted(re.findall(r"`(\w+)`", "".join(cells))) == sorted(whole[0])


def test_a_program_that_saw_a_journal_gets_it_again_when_it_has_changed(
    send: Send, serve: Serve
) -> None:
    seen = {"if-none-match": send("GET", "/journal").headers["etag"]}
    assert send("GET", "/journal", headers=seen).status_code == 304
    assert serve()("GET", "/journal", headers=seen).status_code == 200
    send.buy()
    assert send("GET", "/journal", headers=seen).status_code == 200


@pytest.mark.parametrize("last", ["-1", "abc", "1.5", "9" * 5_000])
def test_a_journal_position_that_is_not_a_number_is_refused(send: Send, last: str) -> None:
    reply = send("GET", f"/journal?last={last}")
    assert (reply.status_code, "last must be a whole" in reply.json()["message"]) == (400, True)


def test_the_explorer_gets_the_contract_with_this_mock_as_its_server(send: Send) -> None:
    shown = send("GET", "/openapi.json").json()
    assert [server["url"] for server in shown["servers"]] == [helpers.BASE]
    assert shown["paths"].keys() == SPEC["paths"].keys()
    for code, entry in SPEC["components"]["schemas"]["Error"]["x-error-codes"].items():
        row = f"| {code} | {entry['status']} | {entry['when']} |"
        assert row in shown["components"]["schemas"]["Error"]["description"]
        for path, method in OPERATIONS:
            answers = shown["paths"][path][method]["responses"]
            if answer := answers.get(str(entry["status"])):
                assert row in answer["description"]
    for path, method in OPERATIONS:
        for status, answer in shown["paths"][path][method]["responses"].items():
            written = SPEC["paths"][path][method]["responses"][status]
            name = written.get("$ref", "").rpartition("/")[2]
            written = SPEC["components"]["responses"].get(name, written)
            assert answer.get("description", "$ref").startswith((written["description"], "$ref"))
    assert send("GET", "/docs/none.js").status_code == 404
    assert len(send("GET", "/docs/swagger-ui/swagger-ui-bundle.js").content) > 10**6


def test_the_explorer_shows_a_document_without_components(
    tmp_path: Path, http: httpx.Client
) -> None:
    spec = tmp_path / "openapi.json"
    responses = {"204": {"description": "Pong."}}
    servers = [{"url": "https://ping.example/v2"}]
    operation = {"operationId": "ping", "servers": servers, "responses": responses}
    info = {"title": "Ping", "version": "1"}
    spec.write_text(
        json.dumps({"openapi": "3.1.0", "info": info, "paths": {"/": {"get": operation}}})
    )
    with MockServer(spec) as mock:
        shown = http.get(mock.url + "/openapi.json").json()
        ping = shown["paths"]["/"]["get"]
        assert (ping["operationId"], ping["servers"]) == ("ping", [{"url": "/v2"}])
        assert http.get(mock.url + "/favicon.ico").status_code == 204
        assert mock.journal == []


def test_a_token_chosen_by_the_user_is_not_shown_by_the_explorer(
    serve: Serve, http: httpx.Client
) -> None:
    url = serve(token="spoken").mock.url
    assert http.get(url + "/docs/credentials").json()["token"] is None
    assert "spoken" not in http.get(url + "/docs").text
