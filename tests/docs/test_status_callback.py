"""The example that receives the status callback takes what is signed, and nothing else."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import status_callback as receiver
from starlette.applications import Starlette

KEY, URL = "a-signing-key", "https://receiver.example/status"
HEADER = receiver.SIGNATURE


class Sender:
    """Send requests to the receiver without a network."""

    def __init__(self, application: Starlette, base: str) -> None:
        self._application, self._base = application, base

    def request(self, method: str, url: str, **settings: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self._application)
            async with httpx.AsyncClient(transport=transport, base_url=self._base) as client:
                return await client.request(method, url, **settings)

        return asyncio.run(send())

    def post(self, url: str, **settings: Any) -> httpx.Response:
        return self.request("POST", url, **settings)

    def get(self, url: str, **settings: Any) -> httpx.Response:
        return self.request("GET", url, **settings)


@pytest.fixture
def http() -> Sender:
    return Sender(receiver.application(KEY), "https://receiver.example")


@pytest.fixture(scope="module")
def call(contract: dict[str, Any]) -> dict[str, str]:
    example: dict[str, str] = contract["components"]["schemas"]["IncomingCallStatus"]["examples"][0]
    return example


def test_known_signatures_are_those_of_another_implementation() -> None:
    # From openssl: printf 'https://receiver.example/status{"a":1}' | openssl dgst -sha1 -hmac KEY
    assert receiver.sign_json("key", URL, b'{"a":1}') == JSON_SIGNATURE
    assert receiver.sign_form("key", URL, [("b", "2"), ("a", "1")]) == FORM_SIGNATURE


JSON_SIGNATURE = "a8b35e200e4f7ad6427cd04d6bcecb57f100f029"
FORM_SIGNATURE = "v+V69Y3CSw0fCJCVK7fMVRyyZHA="


def test_a_signed_callback_is_taken_as_json_form_and_query(
    http: Sender, call: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    body = json.dumps(call).encode()
    query = f"{URL}?{urlencode(call)}"
    replies = [
        http.post(URL, content=body, headers={HEADER: receiver.sign_json(KEY, URL, body)}),
        http.post(
            URL, data=call, headers={HEADER: receiver.sign_form(KEY, URL, list(call.items()))}
        ),
        http.get(query, headers={HEADER: receiver.sign_form(KEY, query, [])}),
    ]
    assert [reply.status_code for reply in replies] == [200, 200, 200]
    line = f"SID '{call['CallSid']}': '{call['From']}' to '{call['To']}', 'completed'"
    assert capsys.readouterr().out.splitlines() == [line] * 3


@pytest.mark.parametrize("signature", [None, "", "forged", "ü"])
def test_a_callback_without_its_signature_is_refused(
    http: Sender, call: dict[str, str], signature: str | None
) -> None:
    headers = {} if signature is None else {HEADER: signature.encode()}
    for reply in (
        http.post(URL, json=call, headers=headers),
        http.post(URL, data=call, headers=headers),
        http.get(URL, params=call, headers=headers),
    ):
        assert reply.status_code == 403


def test_a_changed_member_breaks_the_signature(http: Sender, call: dict[str, str]) -> None:
    headers = {HEADER: receiver.sign_form(KEY, URL, list(call.items()))}
    assert http.post(URL, data={**call, "CallDuration": "1"}, headers=headers).status_code == 403


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"CallSid": "x"}', b"\xff", b"[" * 60_000])
def test_a_signed_body_that_is_no_callback_is_told_apart(http: Sender, body: bytes) -> None:
    reply = http.post(URL, content=body, headers={HEADER: receiver.sign_json(KEY, URL, body)})
    assert reply.status_code == 400
    assert reply.text.startswith("This is no status callback: ")


@pytest.mark.parametrize("value", [None, ["+15551234567"], {"number": 1}, 15551234567])
def test_a_member_that_is_no_text_is_refused_by_its_name(
    http: Sender, call: dict[str, str], value: object
) -> None:
    members: dict[str, object] = {**call, "From": value}
    del members["AudioInMos"]
    body = json.dumps(members).encode()
    reply = http.post(URL, content=body, headers={HEADER: receiver.sign_json(KEY, URL, body)})
    assert reply.status_code == 400
    assert reply.text == "This is no status callback: From is no text, AudioInMos is missing."


def test_what_a_caller_says_reaches_the_terminal_without_control_characters(
    http: Sender, call: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    odd = {**call, "From": "\x1b[2J", "To": "a\nb", "CallStatus": "\r", "CallSid": "\x9b"}
    headers = {HEADER: receiver.sign_form(KEY, URL, list(odd.items()))}
    assert http.post(URL, data=odd, headers=headers).status_code == 200
    assert capsys.readouterr().out.rstrip("\n").isprintable()


def test_a_body_is_read_no_further_than_its_limit(http: Sender) -> None:
    sent = 0

    async def parts() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 10_000
            yield b"x" * 10_000

    reply = http.post(URL, content=parts(), headers={HEADER: "forged"})
    assert (reply.status_code, reply.text) == (413, "Refused: the body is larger than 65536 bytes.")
    assert sent == 70_000


def test_a_form_or_query_with_many_fields_is_refused_unread(http: Sender) -> None:
    many = urlencode([("a", "b")] * 101)
    form = {"Content-Type": receiver.FORM, HEADER: "forged"}
    for reply in (
        http.post(URL, content=many, headers=form),
        http.get(f"{URL}?{many}", headers=form),
    ):
        assert (reply.status_code, "Max number of fields exceeded" in reply.text) == (400, True)


def test_behind_a_proxy_the_url_that_was_given_is_the_signed_one(call: dict[str, str]) -> None:
    given = "https://public.example/hook?tenant=7#rt=5000"
    body = json.dumps(call).encode()
    signature = receiver.sign_json(KEY, "https://public.example/hook?tenant=7", body)
    http = Sender(receiver.application(KEY, given), "http://10.0.0.1:8080")
    reply = http.post("/status?tenant=7", content=body, headers={HEADER: signature})
    assert reply.status_code == 200


def test_the_demo_shows_three_callbacks_and_a_forged_one() -> None:
    script = [sys.executable, "-W", "error", receiver.__file__, "--demo"]
    result = subprocess.run(script, check=True, capture_output=True, text=True)
    sent = [part.splitlines() for part in result.stdout.strip().split("\n\n")]
    assert [(lines[0], lines[-1][:11]) for lines in sent] == [
        ("JSON:", "Answer: 200"),
        ("A form:", "Answer: 200"),
        ("A query:", "Answer: 200"),
        ("A forged signature:", "Answer: 403"),
    ]
    assert [len(lines) for lines in sent] == [3, 3, 3, 2]
    assert all(lines[1].startswith("SID '5d3b") for lines in sent[:3])
