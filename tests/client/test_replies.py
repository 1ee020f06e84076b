"""A reply is read with tolerance: what was paid for is never lost, and drift is seen."""

import json
import logging
from base64 import b64encode
from typing import Any

import httpx
import pytest
from attrs import fields, has
from signalwire_compat import UNSET, APIResponseError, RestClient, Unset, models
from signalwire_compat.models import IncomingPhoneNumber

from tests.conftest import PROJECT, Answering

NUMBER = "+15551234567"


def bought(answering: Answering, body: Any, status: int = 201) -> IncomingPhoneNumber:
    return answering(status, body).compat.phone_numbers.purchase(PhoneNumber=NUMBER)


def drift(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "signalwire_compat" and record.levelno == logging.WARNING
    ]


def test_the_reply_of_the_page_is_no_drift(
    answering: Answering, page_reply: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    number = bought(answering, {**page_reply, "a_new_member": [1]})
    assert number.sms_url is None
    assert number.additional_properties == {"a_new_member": [1]}
    assert drift(caplog) == []


@pytest.mark.parametrize("status", [200, 202, 206, 299])
def test_any_success_is_one(answering: Answering, page_reply: dict[str, Any], status: int) -> None:
    assert bought(answering, page_reply, status).sid == page_reply["sid"]


@pytest.mark.parametrize(
    ("name", "came", "kept", "warning"),
    [
        ("beta", "false", False, '/beta: expected true or false, got "false"'),
        ("beta", "no", "no", '/beta: expected true or false, got "no"'),
        ("beta", None, None, "/beta: expected true or false, got None"),
        ("beta", 0, 0, "/beta: expected true or false, got int 0"),
        ("sid", 42, "42", "/sid: expected text, got int 42"),
        ("friendly_name", 4.5, "4.5", "/friendly_name: expected text, got float 4.5"),
        ("friendly_name", None, None, "/friendly_name: expected text, got None"),
        ("account_sid", "AC1", "AC1", '/account_sid: expected a UUID, got "AC1"'),
        ("origin", "ported", "ported", '/origin: expected "signalwire" or "hosted", got "ported"'),
        ("origin", "7", "7", '/origin: expected "signalwire" or "hosted", got "7"'),
        ("capabilities", None, None, "/capabilities: expected an object, got None"),
        ("capabilities", ["sms"], ["sms"], "/capabilities: expected an object, got list ['sms']"),
        ("sms_url", 7, "7", "/sms_url: expected text or null, got int 7"),
        ("voice_caller_id_lookup", "true", True, "/voice_caller_id_lookup: expected true or fal"),
        ("uri", "x" * 90, "x" * 90, ""),
    ],
)
def test_a_value_of_the_wrong_type_is_converted_or_kept_and_logged(
    answering: Answering,
    page_reply: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    name: str,
    came: Any,
    kept: Any,
    warning: str,
) -> None:
    number = bought(answering, {**page_reply, name: came})
    assert getattr(number, name) == kept
    assert type(getattr(number, name)) is type(kept)
    assert number.to_dict()[name] == kept
    messages = drift(caplog)
    assert len(messages) == (1 if warning else 0)
    assert warning in "".join(messages)


def test_one_warning_names_all_that_does_not_fit(
    answering: Answering, page_reply: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    page_reply["capabilities"].update(sms="yes", fax=None)
    del page_reply["friendly_name"], page_reply["capabilities"]["mms"]
    number = bought(answering, {**page_reply, "beta": "x" * 5_000})
    assert isinstance(number.friendly_name, Unset)
    assert isinstance(number.capabilities.mms, Unset)
    assert number.capabilities.sms == "yes"
    assert "friendly_name" not in number.to_dict()
    (message,) = drift(caplog)
    for part in (
        "phone_numbers.purchase: the reply with status 201 breaks the contract: ",
        "/friendly_name: expected text, got nothing",
        '/capabilities/sms: expected true or false, got "yes"',
        "/capabilities/mms: expected true or false, got nothing",
        "/capabilities/fax: expected true or false, got None",
    ):
        assert part in message
    assert len(message) < 600
    assert message.isprintable()


@pytest.mark.parametrize("sid", [None, "", [], {}, True])
def test_a_success_without_a_sid_is_an_error_with_the_whole_body(
    answering: Answering, page_reply: dict[str, Any], sid: Any
) -> None:
    body = {**page_reply, "sid": sid}
    with pytest.raises(APIResponseError, match="it has no sid") as caught:
        bought(answering, body)
    assert caught.value.body == body
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_a_reply_in_another_encoding_is_not_lost(
    answering: Answering, page_reply: dict[str, Any], encoding: str
) -> None:
    body = json.dumps({**page_reply, "friendly_name": "Büro"}, ensure_ascii=False)
    assert bought(answering, body.encode(encoding)).sid == page_reply["sid"]


def test_a_drifting_reply_that_repeats_the_token_is_not_lost_either(
    answering: Answering, page_reply: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    secret = b64encode(f"{PROJECT}:token".encode()).decode()
    members = {**page_reply, "friendly_name": "Büro", "beta": secret}
    body = json.dumps(members, ensure_ascii=False).encode("latin-1")
    assert bought(answering, body).sid == page_reply["sid"]
    assert '/beta: expected true or false, got "[secret]"' in drift(caplog)[1]


def test_a_token_that_holds_signs_of_json_is_not_shown_either(
    page_reply: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    token = '"beta": "'
    reply = httpx.Response(201, json={**page_reply, "beta": "no"})
    reply = httpx.Response(201, content=reply.content.replace(b'"beta":"', token.encode()))
    with httpx.Client(transport=httpx.MockTransport(lambda _: reply)) as http_client:
        client = RestClient(PROJECT, token, "localhost", http_client=http_client)
        client.compat.phone_numbers.purchase(PhoneNumber=NUMBER)
    assert token not in drift(caplog)[0]


@pytest.mark.parametrize("name", [n for n in models.__all__ if has(getattr(models, n))])
def test_a_member_that_is_missing_is_unset_in_a_model_or_null(name: str) -> None:
    model = getattr(models, name)
    made = model.from_dict({})
    for member in fields(model):
        missing: Any = {} if member.name == "additional_properties" else UNSET
        assert getattr(made, member.name) == (None if "None" in str(member.type) else missing)


def test_numbers_that_json_does_not_have_are_kept(
    answering: Answering, page_reply: dict[str, Any]
) -> None:
    body = json.dumps({**page_reply, "score": float("nan"), "big": 10**400})
    assert bought(answering, body.encode()).additional_properties["big"] == 10**400
