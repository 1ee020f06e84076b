"""A document that the mock can't serve is refused in one line; another is served as it says."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from signalwire_compat_mock import MockServer, SpecError

from tests.conftest import ROOT
from tests.mock.helpers import (
    BASE,
    NUMBER,
    NUMBERS,
    Serve,
    add_operations,
    changed_spec,
    content,
    number_of,
    refused,
    sender,
)


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
    told = f"the handler of purchase is broken, it needs {words} as text, but the contract allows a"
    assert (reply.status_code, told in reply.text) == (500, True), reply.text
    assert "Make it a required string in" in reply.text
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


def set_at(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(spec: dict[str, Any]) -> None:
        add_operations(spec)
        node = spec
        *parents, last = path.split()
        for name in parents:
            node = node[name]
        node[last] = value

    return change


REPLY = "paths /Notes post responses 202 content application/json"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_at("openapi", "3.0.3"), "not an OpenAPI 3.1 document"),
        (set_at("paths", [1]), "not a valid OpenAPI 3.1 document"),
        (set_at("components schemas Error", {"type": "object"}), "x-error-codes"),
        (set_at("components schemas Call", {"type": "thing"}), "/components/schemas/Call"),
        (set_at("components schemas Call", {"format": "e164"}), "e164"),
        (set_at(f"{REPLY} schema", {"$ref": "other.yaml#/x"}), "not within this file"),
        (set_at(f"{REPLY} schema", {"$ref": "#/nowhere"}), "/nowhere"),
        (set_at(f"{REPLY} example", []), "operation create_note, status 202"),
        (set_at(REPLY, {"schema": {"type": "string", "pattern": "^a$"}}), "Add an example"),
        (set_at("components schemas Call required", ["parent"]), "requires itself"),
        (set_at("paths /Notes post responses", {}), "no 2xx"),
        (set_at("paths /Notes post operationId", "purchase"), "purchase is taken"),
        (set_at("paths /Notes post requestBody", content("a/b", {})), "a/b is not served"),
        (set_at("paths /Notes post parameters", [{"$ref": "#/info"}]), "not a valid"),
        (
            set_at(
                "paths /Notes post parameters",
                [{"name": "X-Some", "in": "header", "schema": {"type": "object"}}],
            ),
            "no object but in a query",
        ),
        (set_at("paths /Notes post security", [{"Key": []}]), "Key"),
        (
            set_at(
                "paths /Notes post responses 404",
                content("application/json", {"type": "string", "pattern": "^[0-9]+$"}),
            ),
            "an error does not fit",
        ),
    ],
)
def test_a_spec_that_cannot_be_served_is_one_line_that_names_the_place(
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
