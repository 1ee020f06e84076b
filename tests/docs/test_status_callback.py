"""The example that receives the status callback accepts what is signed, and nothing else."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import status_callback as receiver

from tests.conftest import run

KEY, URL = "a-signing-key", "https://receiver.example/status"
HEADER = receiver.SIGNATURE


def send(
    method: str, url: str, signature: str | bytes | None, public: str | None = None, **body: Any
) -> httpx.Response:
    """Send a request to the receiver without a network; `public` is the URL it was given."""
    headers = {**body.pop("headers", {}), **({} if signature is None else {HEADER: signature})}

    async def request() -> httpx.Response:
        transport = httpx.ASGITransport(receiver.application(KEY, public))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(method, url, headers=headers, **body)

    return asyncio.run(request())


def post_json(body: bytes) -> httpx.Response:
    return send("POST", URL, receiver.sign_json(KEY, URL, body), content=body)


def post_form(members: dict[str, str]) -> httpx.Response:
    return send("POST", URL, receiver.sign_form(KEY, URL, list(members.items())), data=members)


@pytest.fixture(scope="module")
def call(contract: dict[str, Any]) -> dict[str, str]:
    example: dict[str, str] = contract["components"]["schemas"]["IncomingCallStatus"]["examples"][0]
    return example


def test_known_signatures_are_those_of_another_implementation() -> None:
    # printf 'https://receiver.example/status{"a":1}' | openssl dgst -sha1 -hmac key
    signature = "a8b35e200e4f7ad6427cd04d6bcecb57f100f029"
    assert receiver.sign_json("key", URL, b'{"a":1}') == signature
    # printf 'https://receiver.example/statusa1b2' | openssl dgst -sha1 -hmac key -binary | base64
    signature = "v+V69Y3CSw0fCJCVK7fMVRyyZHA="
    assert receiver.sign_form("key", URL, [("b", "2"), ("a", "1")]) == signature


def test_a_signed_callback_is_accepted_as_json_form_and_query(
    call: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    query = f"{URL}?{urlencode(call)}"
    by_get = send("GET", query, receiver.sign_form(KEY, query, []))
    replies = [post_json(json.dumps(call).encode()), post_form(call), by_get]
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    line = f"SID '{call['CallSid']}': '{call['From']}' to '{call['To']}', 'completed'"
    assert capsys.readouterr().out.splitlines() == [line] * 3


@pytest.mark.parametrize("signature", [None, "", "forged", "ü".encode()])
def test_a_callback_without_its_signature_is_refused(
    call: dict[str, str], signature: str | bytes | None
) -> None:
    for method, form in (("POST", "json"), ("POST", "data"), ("GET", "params")):
        assert send(method, URL, signature, None, **{form: call}).status_code == 403


def test_a_changed_member_breaks_the_signature(call: dict[str, str]) -> None:
    signature = receiver.sign_form(KEY, URL, list(call.items()))
    assert send("POST", URL, signature, data={**call, "CallDuration": "1"}).status_code == 403


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"CallSid": "x"}', b"\xff", b"[" * 60_000])
def test_a_signed_body_that_is_not_a_callback_is_a_bad_request(body: bytes) -> None:
    reply = post_json(body)
    assert reply.status_code == 400
    assert reply.text.startswith("Not a status callback: ")


@pytest.mark.parametrize("value", [None, ["+15551234567"], {"number": 1}, 15551234567])
def test_a_member_that_is_not_text_is_refused_by_its_name(
    call: dict[str, str], value: object
) -> None:
    members: dict[str, object] = {**call, "From": value}
    del members["AudioInMos"]
    reply = post_json(json.dumps(members).encode())
    assert reply.status_code == 400
    assert reply.text == "Not a status callback: From is not text, AudioInMos is missing."


def test_what_a_caller_says_reaches_the_terminal_without_control_characters(
    call: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {**call, "From": "\x1b[2J", "To": "a\nb", "CallStatus": "\r", "CallSid": "\x9b"}
    assert post_form(odd).status_code == 200
    assert capsys.readouterr().out.rstrip("\n").isprintable()


def test_a_body_is_read_no_further_than_its_limit() -> None:
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 10_000
            yield b"x" * 10_000

    reply = send("POST", URL, "forged", content=parts())
    assert (reply.status_code, reply.text) == (413, "Refused: the body is larger than 65536 bytes.")
    assert sent == 70_000


def test_a_form_or_query_with_many_fields_is_refused_unread() -> None:
    many = urlencode([("a", "b")] * 101)
    form = {"Content-Type": receiver.FORM}
    by_post = send("POST", URL, "forged", content=many, headers=form)
    for reply in (by_post, send("GET", f"{URL}?{many}", "forged")):
        assert (reply.status_code, "Max number of fields exceeded" in reply.text) == (400, True)


def test_behind_a_proxy_the_url_that_was_passed_is_the_signed_one(call: dict[str, str]) -> None:
    public = "https://public.example/hook?tenant=7"
    body = json.dumps(call).encode()
    signature = receiver.sign_json(KEY, public, body)
    seen = "http://10.0.0.1:8080/status?tenant=7"
    assert send("POST", seen, signature, f"{public}#rt=5000", content=body).status_code == 200


def test_the_demo_shows_three_callbacks_and_a_forged_one() -> None:
    result = run(sys.executable, "-W", "error", receiver.__file__, "--demo")
    sent = [part.splitlines() for part in result.stdout.strip().split("\n\n")]
    assert [label for label, *_ in sent] == ["JSON:", "A form:", "A query:", "A forged signature:"]
    assert [answer[:11] for *_, answer in sent] == ["Answer: 200"] * 3 + ["Answer: 403"]
    assert all(printed.startswith("SID '5d3b") for _, printed, _ in sent[:3])
