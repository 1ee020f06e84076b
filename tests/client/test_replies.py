"""A reply is read with tolerance: what was paid for is never lost, and drift is logged."""

import asyncio
import copy
import datetime
import gzip
import json
import logging
import pickle
from collections.abc import Callable
from types import ModuleType
from typing import Any

import httpx
import pytest
from attrs import fields, has
from signalwire_compat import (
    UNSET,
    APIResponseError,
    AsyncRestClient,
    RestClient,
    SignalWireError,
    UnprocessableEntityError,
    Unset,
    models,
)
from signalwire_compat.models import IncomingPhoneNumber

from tests.client.conftest import NUMBER, TOKEN, Service, answering, buy, buy_async, failure
from tests.conftest import PROJECT, page_reply
from tests.transport.fault_server import FaultServer
from tests.transport.faults.scripts import (
    BUY,
    HEALTHY,
    KEEP,
    MISSING,
    READ,
    coded,
    http,
    purchased,
    send,
)
from tests.transport.faults.scripts import failure as says_failure

SID = page_reply()["sid"]


def drift(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.name == "signalwire_compat" and record.levelno == logging.WARNING
    ]


def present(number: IncomingPhoneNumber) -> dict[str, Any]:
    return {name: value for name, value in number.to_dict().items() if value is not None}


def test_a_reply_without_its_null_members_decodes_without_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert "sms_url" not in page_reply()
    number = buy(answering(201, page_reply()))
    assert number.sid == "b3877c40-da60-4998-90ad-b792e98472pn"
    assert number.sms_url is None
    assert number.voice_caller_id_lookup is None
    assert number.verification_status == "Unverified"
    assert present(number) == page_reply()
    assert drift(caplog) == []


def test_unknown_members_and_values_are_kept_as_received(caplog: pytest.LogCaptureFixture) -> None:
    reply = page_reply(address_requirements="planet", bundle_sid={"a": [1, None]})
    reply["capabilities"]["rcs"] = True
    number = buy(answering(201, reply))
    assert number.address_requirements == "planet"
    assert number.additional_properties == {"bundle_sid": {"a": [1, None]}}
    assert number.capabilities.additional_properties == {"rcs": True}
    assert present(number) == reply
    (message,) = drift(caplog)
    assert "planet" in message
    assert "bundle_sid" not in message
    assert "rcs" not in message


def test_an_absent_optional_member_is_unset_and_falsy() -> None:
    reply = page_reply()
    del reply["verification_status"]
    number = buy(answering(201, reply))
    assert isinstance(number.verification_status, Unset)
    assert not number.verification_status
    assert "verification_status" not in number.to_dict()


@pytest.mark.parametrize("status", [200, 202, 206, 299])
def test_any_2xx_status_is_a_success(status: int) -> None:
    assert buy(answering(status, page_reply())).sid == SID


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
    caplog: pytest.LogCaptureFixture, name: str, came: Any, kept: Any, warning: str
) -> None:
    number = buy(answering(201, page_reply(**{name: came})))
    assert getattr(number, name) == kept
    assert type(getattr(number, name)) is type(kept)
    assert number.to_dict()[name] == kept
    messages = drift(caplog)
    assert len(messages) == (1 if warning else 0)
    assert warning in "".join(messages)


def test_one_warning_names_every_violation(caplog: pytest.LogCaptureFixture) -> None:
    reply = page_reply(beta="x" * 5_000)
    reply["capabilities"].update(sms="yes", fax=None)
    del reply["friendly_name"], reply["capabilities"]["mms"]
    number = buy(answering(201, reply))
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


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "latin-1"])
def test_a_reply_in_another_encoding_is_not_lost(encoding: str) -> None:
    body = json.dumps(page_reply(friendly_name="Büro"), ensure_ascii=False)
    assert buy(answering(201, body.encode(encoding))).sid == SID


def test_numbers_that_json_does_not_have_are_kept() -> None:
    body = json.dumps(page_reply(score=float("nan"), big=10**400))
    assert buy(answering(201, body.encode())).additional_properties["big"] == 10**400


@pytest.mark.parametrize("name", [n for n in models.__all__ if has(getattr(models, n))])
def test_a_missing_member_of_a_model_is_unset_or_none_if_nullable(name: str) -> None:
    model = getattr(models, name)
    made = model.from_dict({})
    for member in fields(model):
        missing: Any = {} if member.name == "additional_properties" else UNSET
        assert getattr(made, member.name) == (None if "None" in str(member.type) else missing)


@pytest.mark.parametrize(
    ("body", "sid", "reason"),
    [
        (b"", None, "it is empty"),
        *((body, None, "it can't be decoded") for body in (b"<html>", b"{", b"\xff")),
        (b"[" * 100_000, None, "nested too deep"),
        *((body, None, "it is not an object") for body in (b"[]", b'"text"', b"null")),
        *((b'{"sid": %b}' % sid, None, "it has no sid") for sid in (b"null", b'""', b"[]")),
        *((b'{"sid": %b}' % sid, None, "it has no sid") for sid in (b"{}", b"true", b'["a"]')),
        (b'{"friendly_name": "no sid"}', None, "it has no sid"),
        (b'{"sid": "PN-1", "beta":', "PN-1", "it can't be decoded"),
        (b'{"a": ' + b"9" * 5_000 + b', "sid": "PN-2"}', "PN-2", "it can't be decoded"),
    ],
)
def test_a_success_without_a_usable_reply_is_an_error_that_keeps_the_body(
    body: bytes, sid: str | None, reason: str
) -> None:
    error = failure(answering(201, body))
    assert type(error) is APIResponseError
    assert (error.status, error.content, error.sid) == (201, body, sid)
    assert error.arguments["PhoneNumber"] == NUMBER
    assert error.outcome_unknown
    assert reason in str(error)
    assert "has probably taken effect" in str(error)
    assert (sid or "purchase") in str(error)
    assert len(str(error).splitlines()) == 2


@pytest.mark.parametrize(
    ("status", "kind"), [(201, APIResponseError), (422, UnprocessableEntityError)]
)
def test_a_reply_that_is_too_large_is_an_error_that_keeps_the_beginning(
    status: int, kind: type[SignalWireError]
) -> None:
    body = b'{"sid": "PN-1", "x": "' + b"x" * 1000 + b'"}'
    error = failure(answering(status, body, max_reply_bytes=100))
    assert type(error) is kind
    assert error.content == body[:100]
    assert error.sid == "PN-1"
    assert ("it is larger than max_reply_bytes=100" in str(error)) == (status == 201)


OTHER = "+13105550100"


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("answer", [OTHER, "13105550100", "", "none", [OTHER]])
def test_a_reply_about_another_number_is_an_error_that_shows_both(
    answer: Any, is_async: bool
) -> None:
    """Its connection is used no more: the next reply on it may be about this number."""

    async def twice(host: str) -> SignalWireError:
        async with AsyncRestClient(PROJECT, TOKEN, host, look_up_timeout=0) as client:
            with pytest.raises(APIResponseError) as caught:
                await buy_async(client)
            assert (await buy_async(client)).phone_number == NUMBER
        return caught.value

    with FaultServer() as server:
        server.play((*BUY, send(http(201, purchased(phone_number=answer))), KEEP), HEALTHY)
        if is_async:
            error = asyncio.run(twice(server.host))
        else:
            with RestClient(PROJECT, TOKEN, server.host, look_up_timeout=0) as client:
                error = failure(client)
                assert buy(client).phone_number == NUMBER
    assert type(error) is APIResponseError
    assert f"it is about another PhoneNumber: asked for '{NUMBER}', got {answer!r}" in str(error)
    assert (error.status, error.sid, error.outcome_unknown) == (201, SID, True)
    assert (server.requests, server.connections) == (2, 2)


@pytest.mark.parametrize("answer", [NUMBER, NUMBER[1:], int(NUMBER), "1 (310) 338-6745"])
def test_a_number_is_the_same_in_any_notation(answer: Any) -> None:
    assert buy(answering(201, page_reply(phone_number=answer))).phone_number == str(answer)


@pytest.mark.parametrize("answer", [None, MISSING])
def test_a_reply_that_does_not_say_its_number_is_taken_with_a_warning(
    caplog: pytest.LogCaptureFixture, answer: Any
) -> None:
    reply = page_reply(phone_number=answer)
    if answer is MISSING:
        del reply["phone_number"]
    number = buy(answering(201, reply))
    kept: object = number.phone_number
    assert (number.sid, kept) == (SID, UNSET if answer is MISSING else None)
    assert "phone_numbers.purchase: the reply has no phone_number" in drift(caplog)


def test_a_refusal_leaves_its_connection_in_use() -> None:
    with (
        FaultServer() as server,
        RestClient(PROJECT, TOKEN, server.host, look_up_timeout=0) as client,
    ):
        server.play((READ, send(says_failure(422)), KEEP), HEALTHY)
        assert failure(client).status == 422
        assert buy(client).phone_number == NUMBER
    assert (server.requests, server.connections) == (2, 1)


@pytest.mark.parametrize("members", [1, 2, 50])
@pytest.mark.parametrize("is_given", [False, True])
def test_a_gzip_body_of_several_members_is_read_whole(members: int, is_given: bool) -> None:
    def pack(content: bytes) -> bytes:
        size = len(content) // members + 1
        parts = (content[start : start + size] for start in range(0, len(content), size))
        return b"".join(map(gzip.compress, parts))

    reply = http(201, coded(purchased(), pack), "Content-Encoding: gzip")
    with FaultServer() as server, httpx.Client(trust_env=False) as given:
        server.play((*BUY, send(reply), KEEP))
        http_client = given if is_given else None
        with RestClient(
            PROJECT, TOKEN, server.host, http_client=http_client, look_up_timeout=0
        ) as client:
            assert buy(client).phone_number == NUMBER


@pytest.mark.parametrize("written", ["2026-01-31T12:00:00.120Z", "2026-01-31T12:00:00.123456789Z"])
def test_a_time_keeps_its_text_in_pickles_and_copies(verbs: ModuleType, written: str) -> None:
    thing = Service(httpx.Response(200, json={"at": written})).call(verbs, "GET")
    plain = datetime.datetime.fromisoformat(written)
    day = datetime.timedelta(days=1)
    again: Callable[[Any], Any] = lambda it: pickle.loads(pickle.dumps(it))  # noqa: E731, S301
    for act in (again, copy.copy, copy.deepcopy):
        for time, same, text in (
            (thing.at, plain, written),
            (thing.at + day, plain + day, type(thing)(at=plain + day).to_dict()["at"]),
        ):
            twin = act(time)
            assert (twin, repr(twin)) == (same, repr(same))
            assert type(thing)(at=twin).to_dict() == {"at": text}


@pytest.mark.parametrize(
    ("name", "written", "value"),
    [
        ("day", "2026-01-31", datetime.date(2026, 1, 31)),
        ("day", "20260131", "20260131"),
        ("day", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z"),
        ("at", "2026-01-31T120000Z", datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)),
        ("at", "31 January", "31 January"),
    ],
)
def test_a_date_or_time_in_any_notation_keeps_its_text(
    verbs: ModuleType, name: str, written: str, value: object
) -> None:
    thing = Service(httpx.Response(200, json={name: written})).call(verbs, "GET")
    assert getattr(thing, name) == value
    assert thing.to_dict() == {name: written}
