"""A document that can't be served is refused in one line; a reply that breaks it is never sent."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from signalwire_compat_mock import DEFAULT_TOKEN, MockServer, SpecError
from signalwire_compat_mock.document import Document
from signalwire_compat_mock.handler_types import Call, Reply
from signalwire_compat_mock.handlers import HANDLERS
from signalwire_compat_mock.state import State

from tests.conftest import ROOT
from tests.mock import helpers
from tests.mock.helpers import ANOTHER, BASE, NUMBER, NUMBERS, Change, Send, Serve, content, refused

PURCHASES = "/Accounts/{AccountSid}/IncomingPhoneNumbers"


def test_without_its_handler_a_purchase_answers_the_example_with_its_number(serve: Serve) -> None:
    send = serve(lambda spec: spec["paths"][PURCHASES]["post"].update(operationId="acquire"))
    for _ in range(2):
        number = send.bought(ANOTHER)
        assert (number["phone_number"], number["verification_status"]) == (ANOTHER, "Unverified")


@pytest.mark.parametrize(
    ("change", "sent", "words"),
    [
        (lambda fields, *_: fields.pop("PhoneNumber"), {"FriendlyName": "a"}, "PhoneNumber"),
        (
            lambda fields, *_: fields.update(PhoneNumber={"type": "integer"}),
            {"PhoneNumber": "15551234567"},
            "PhoneNumber",
        ),
        (lambda fields, body, _: body.update(required=False), None, "PhoneNumber"),
        (lambda *found: found[-1].update(name="Account"), {"PhoneNumber": NUMBER}, "AccountSid"),
    ],
    ids=["no such field", "a number", "no body", "no account"],
)
def test_a_purchase_without_what_its_handler_needs_is_told_what_to_require(
    serve: Serve,
    caplog: pytest.LogCaptureFixture,
    change: Callable[..., object],
    sent: dict[str, str] | None,
    words: str,
) -> None:
    def loosen(spec: dict[str, Any]) -> None:
        request = spec["components"]["schemas"]["PurchaseRequest"]
        account = spec["components"]["parameters"]["AccountSid"]
        item = spec["paths"].pop(PURCHASES)
        request["required"] = []
        change(request["properties"], item["post"]["requestBody"], account)
        spec["paths"] = {PURCHASES.replace("AccountSid", account["name"]): item}

    reply = serve(loosen)(data=sent)
    told = f"the handler of purchase is broken, it needs {words} as text, but the contract allows a"
    assert (reply.status_code, told in reply.text) == (500, True), reply.text
    assert "Make it a required string in" in reply.text
    assert "Traceback" not in caplog.text


def test_a_read_only_field_is_refused_and_not_required_in_a_request(serve: Serve) -> None:
    def close(spec: dict[str, Any]) -> None:
        request = spec["components"]["schemas"]["PurchaseRequest"]
        request["properties"]["FriendlyName"]["readOnly"] = True
        request["required"] = ["PhoneNumber", "FriendlyName"]

    send = serve(close)
    reply = send(data={"PhoneNumber": NUMBER, "FriendlyName": "a"})
    assert (reply.status_code, "FriendlyName" in reply.text) == (422, True)
    assert "can't be sent: leave it out" in reply.json()["message"]
    assert send.buy().status_code == 201


def test_a_reply_without_the_number_in_it_is_sold_as_any_other(serve: Serve) -> None:
    def rename(spec: dict[str, Any]) -> None:
        reply = spec["components"]["schemas"]["IncomingPhoneNumber"]
        reply["properties"]["number"] = reply["properties"].pop("phone_number")
        reply["required"].remove("phone_number")

    send = serve(rename)
    assert [send.buy().status_code for _ in range(2)] == [201, 422]


def test_code_and_default_come_from_the_spec_alone(serve: Serve) -> None:
    def change(spec: dict[str, Any]) -> None:
        fields = spec["components"]["schemas"]["PurchaseRequest"]["properties"]
        fields["PhoneNumber"]["x-error-codes"]["invalid"] = 21456
        fields["SmsMethod"]["default"] = "GET"
        spec["servers"][0]["url"] = "https://{space}.example/v9/"

    send = serve(change)
    path = NUMBERS.replace(BASE, "/v9")
    number = send(path=path, data={"PhoneNumber": NUMBER}).json()
    assert number["sms_method"] == "GET"
    assert number["uri"].startswith("/v9/Accounts/")
    refused(send(path=path, data={"PhoneNumber": "1"}), 422, 21456)
    refused(send.buy(), 404, 20404)


def test_a_refusal_whose_code_the_spec_lacks_names_the_code(serve: Serve) -> None:
    def forget(spec: dict[str, Any]) -> None:
        del spec["components"]["schemas"]["Error"]["x-error-codes"]["54453"]
        query = spec["paths"][PURCHASES]["get"]["parameters"]
        for parameter in query[1:]:
            parameter["schema"].pop("x-error-codes", None)

    reply = serve(forget)("GET", f"{NUMBERS}?Page=1")
    told = "the handler of list is broken, it needs the error code 54453. Add it to x-error-codes."
    assert (reply.status_code, told in reply.text) == (500, True), reply.text


def set_at(path: str, value: Any) -> Change:
    def change(spec: dict[str, Any]) -> None:
        helpers.add_operations(spec)
        *parents, last = path.split()
        for name in parents:
            spec = spec[name]
        spec[last] = value

    return change


NOTES = "paths /Notes post"
REPLY = f"{NOTES} responses 202 content application/json"
ANY_MEMBERS = {"name": "some", "in": "query", "schema": {"type": "object"}}
DIGITS = {"type": "string", "pattern": "^[0-9]{8}$", "maxLength": 7}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_at("openapi", "2.0.3"), "not an OpenAPI 3.1 document"),
        (set_at("paths", [1]), "not a valid OpenAPI 3.1 document"),
        (set_at("components schemas Error", {"type": "object"}), "which is not in"),
        (set_at("components schemas Call", {"type": "thing"}), "/components/schemas/Call"),
        (set_at(f"{REPLY} schema", {"$ref": "other.yaml#/x"}), "not within this file"),
        (set_at(f"{REPLY} schema", {"$ref": "#/nowhere"}), "/nowhere"),
        (set_at(REPLY, {"schema": {"type": "string", "pattern": "(?=b)a"}}), "Add an example"),
        (set_at("components schemas Call required", ["parent"]), "requires itself"),
        (set_at(f"{NOTES} operationId", "purchase"), "purchase is taken"),
        (set_at(f"{NOTES} requestBody", content("a/b", {})), "a/b is not served"),
        (set_at(f"{NOTES} parameters", [{"$ref": "#/info"}]), "not a valid"),
        (set_at(f"{NOTES} parameters", [ANY_MEMBERS]), "an object that explodes named members"),
        (set_at(f"{NOTES} security", [{"Key": []}]), "Key"),
        (set_at(f"{NOTES} responses 404", content("text/plain", DIGITS)), "an error does not fit"),
    ],
)
def test_a_spec_that_cannot_be_served_is_one_line_that_names_the_place(
    tmp_path: Path, change: Change, words: str
) -> None:
    path = helpers.changed_spec(tmp_path, change)
    with pytest.raises(SpecError) as caught:
        MockServer(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert words in message
    assert "\n" not in message


def test_a_date_without_quotes_stays_text(tmp_path: Path, send: Send) -> None:
    text = (ROOT / "openapi.yaml").read_text("utf-8")
    path = tmp_path / "openapi.yaml"
    text = text.replace("enum: [voice, fax]", "enum: [voice, fax, 18:00]")
    path.write_text(text.replace('version: "2010-04-01"', "version: 2010-04-01"), "utf-8")
    with MockServer(path) as server:
        assert Send(server, send.http).bought()["api_version"] == "2010-04-01"


def test_a_schema_is_read_with_all_that_stands_for_it_and_each_part_once() -> None:
    base, whole = {"$ref": "#/schemas/Base"}, {"$ref": "#/schemas/Whole"}
    schemas = {
        "Whole": {"allOf": [base, base, {"type": "x"}]},
        "Base": {"allOf": [whole], "required": ["a"]},
    }
    document = Document({"schemas": schemas})
    found = [pointer.removeprefix("/schemas/") for pointer, _ in document.parts("/schemas/Whole")]
    assert " ".join(found) == "Whole Whole/allOf/0 Whole/allOf/1 Whole/allOf/2 Base Base/allOf/0"
    assert document.required("/schemas/Whole") == {"a"}


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
    monkeypatch.setitem(HANDLERS, "phone_numbers.purchase", lambda *_: reply)
    answer = send.buy()
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text.startswith("The mock is at fault, not the request: the handler of purchase")
    assert words in answer.text
    assert mock.journal[-1].refusal == answer.text


def test_a_wrong_member_of_a_reply_is_named_in_the_log(
    send: Send, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sell = HANDLERS["phone_numbers.purchase"]

    def handler(call: Call, state: State) -> Reply:
        return Reply(201, {**sell(call, state).body, "beta": "no"})

    monkeypatch.setitem(HANDLERS, "phone_numbers.purchase", handler)
    pointer = "/components/schemas/IncomingPhoneNumber/properties/beta/type"
    assert f"/beta does not fit {pointer}" in send.buy().text
    assert pointer in caplog.text


def test_a_handler_that_raises_is_an_answer_without_the_token(
    send: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def handler(call: Call, state: State) -> Reply:
        raise KeyError(DEFAULT_TOKEN)

    monkeypatch.setitem(HANDLERS, "phone_numbers.purchase", handler)
    answer = send.buy()
    assert answer.status_code == 500
    assert "KeyError('[token]')" in answer.text
