"""Receive the status callback of a purchased number: verify the sender, decode it, answer.

    python examples/status_callback.py --demo
    SIGNALWIRE_SIGNING_KEY=... uvicorn --app-dir examples --factory status_callback:application

Needs starlette beside the client, and a server such as uvicorn. Pass its address as StatusCallback
when you buy a number. Your Space shows the signing key, which is not the API token. Behind a proxy,
set STATUS_CALLBACK_URL to the URL that you passed: the signature covers the URL that the sender
knows.
"""

import asyncio
import hashlib
import hmac
import json
import os
import sys
from base64 import b64encode
from collections.abc import Sequence
from functools import partial
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import httpx
from signalwire_compat import UNSET
from signalwire_compat.models import IncomingCallStatus
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

SIGNATURE = "X-SignalWire-Signature"
FORM = "application/x-www-form-urlencoded"
MAX_BYTES, MAX_FIELDS = 65_536, 100  # A callback has 8 short members.


def sign_json(key: str, url: str, body: bytes) -> str:
    """Sign JSON: hexadecimal HMAC-SHA1 over the URL and the raw body."""
    return hmac.new(key.encode(), url.encode() + body, hashlib.sha1).hexdigest()


def sign_form(key: str, url: str, pairs: Sequence[tuple[str, str]]) -> str:
    """Sign a form: Base64 of the HMAC-SHA1 over the URL and the sorted names and values.

    No document says how a callback by GET is signed. We assume: as an empty form, since its fields
    are part of the URL.
    """
    text = url + "".join(name + value for name, value in sorted(pairs))
    return b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()).decode()


def decode(members: object) -> IncomingCallStatus:
    """Decode a callback. Errors: `ValueError` that names what is missing or not text."""
    if not isinstance(members, dict):
        raise ValueError("the body is not an object")
    status = IncomingCallStatus.from_dict(members)
    values = attrs.asdict(status, recurse=False)
    del values["additional_properties"]
    wrong = [
        f"{name.title().replace('_', '')} is {'missing' if value is UNSET else 'not text'}"
        for name, value in values.items()
        if not isinstance(value, str)
    ]
    if wrong:
        raise ValueError(", ".join(wrong))
    return status


parse_form = partial(parse_qsl, keep_blank_values=True, max_num_fields=MAX_FIELDS)


async def read_body(request: Request) -> bytes:
    """Read the body of a sender who is not verified yet. Errors: `OverflowError`."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BYTES:
            raise OverflowError(f"the body is larger than {MAX_BYTES} bytes")
    return bytes(body)


def verify(key: str, request: Request, url: str, body: bytes) -> object:
    """Verify the signature, and return the members. Errors: `PermissionError`, `ValueError`."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    members: object
    if request.method == "GET":
        members = dict(parse_form(request.url.query))
        expected = sign_form(key, url, [])
    elif media_type == FORM:
        pairs = parse_form(body.decode(errors="replace"))
        members, expected = dict(pairs), sign_form(key, url, pairs)
    else:
        members, expected = None, sign_json(key, url, body)
    given = request.headers.get(SIGNATURE, "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise PermissionError("the signature is missing or wrong")
    return json.loads(body) if members is None else members


def application(key: str | None = None, url: str | None = None) -> Starlette:
    """Create the receiver. Its settings default to those of the environment."""
    key = key or os.environ.get("SIGNALWIRE_SIGNING_KEY")
    if not key:
        sys.exit("Set SIGNALWIRE_SIGNING_KEY to the signing key of your Space.")
    public = urlsplit(url or os.environ.get("STATUS_CALLBACK_URL", ""))

    async def receive(request: Request) -> Response:
        seen = urlsplit(str(request.url))
        if public.netloc:
            # A fragment sets the sender's timeouts and is never sent.
            seen = public._replace(query=seen.query, fragment="")
        try:
            status = decode(verify(key, request, seen.geturl(), await read_body(request)))
        except OverflowError as error:
            return PlainTextResponse(f"Refused: {error}.", 413)
        except PermissionError as error:
            return PlainTextResponse(f"Refused: {error}.", 403)
        except (RecursionError, ValueError) as error:
            return PlainTextResponse(f"Not a status callback: {error}.", 400)
        # The same call may be reported up to three times: recognise it by its SID.
        print(f"SID {status.call_sid!r}: {status.from_!r} to {status.to!r}, {status.call_status!r}")
        return PlainTextResponse("Received.")

    return Starlette(routes=[Route("/status", receive, methods=["GET", "POST"])])


async def demo() -> None:
    """Send the receiver a callback in each of the three forms, and a forged one, in memory."""
    key, url = "a-signing-key", "http://receiver.example/status"
    call = {
        "CallSid": "5d3b9c1a-7f5e-4c59-9d13-4a6f4f5a9f10",
        "AccountSid": "b3877c40-da60-4998-90ad-b792e98472ac",
        "From": "+15551234567",
        "To": "+13103386745",
        "Timestamp": "Thu, 04 Apr 2024 18:32:15 +0000",
        "CallStatus": "completed",
        "CallDuration": "142",
        "AudioInMos": "4.5",
    }
    query, as_json = f"{url}?{urlencode(call)}", httpx.Request("POST", url, json=call)
    form = httpx.Request("POST", url, data=call)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(key))) as client:
        for label, request, signature in (
            ("JSON", as_json, sign_json(key, url, as_json.content)),
            ("A form", form, sign_form(key, url, list(call.items()))),
            ("A query", httpx.Request("GET", query), sign_form(key, query, [])),
            ("A forged signature", httpx.Request("POST", url, json=call), "forged"),
        ):
            print(f"{label}:")
            request.headers[SIGNATURE] = signature
            reply = await client.send(request)
            print(f"Answer: {reply.status_code} {reply.text}\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--demo"]:
        sys.exit(__doc__)
    asyncio.run(demo())
