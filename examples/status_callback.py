"""Receive the status callback of a purchased number: check who sent it, decode it, answer.

    python examples/status_callback.py --demo
    SIGNALWIRE_SIGNING_KEY=... uvicorn --app-dir examples --factory status_callback:application

It needs starlette beside the client, and a server such as uvicorn. Give its address as
StatusCallback when you buy a number. The signing key stands in your Space; it is not the API token.
Behind a proxy set STATUS_CALLBACK_URL to the URL that you gave, since the signature covers the URL
as the sender knows it.
"""

import asyncio
import hashlib
import hmac
import json
import os
import sys
from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import httpx
from signalwire_compat import Unset
from signalwire_compat.models import IncomingCallStatus
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

SIGNATURE = "X-SignalWire-Signature"
FORM = "application/x-www-form-urlencoded"
MOST_BYTES, MOST_FIELDS = 65_536, 100  # A callback has 8 short members.
Pairs = Sequence[tuple[str, str]]


def sign_json(key: str, url: str, body: bytes) -> str:
    """Sign JSON: hexadecimal HMAC-SHA1 over the URL and the raw body."""
    return hmac.new(key.encode(), url.encode() + body, hashlib.sha1).hexdigest()


def sign_form(key: str, url: str, pairs: Pairs) -> str:
    """Sign a form: Base64 of the HMAC-SHA1 over the URL and the sorted names and values.

    Assumed, as no document says it: a callback by GET, whose query is part of the URL, is signed as
    a form without fields.
    """
    text = url + "".join(name + value for name, value in sorted(pairs))
    return b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha1).digest()).decode()


def decode(members: object) -> IncomingCallStatus:
    """Decode a callback. Errors: `ValueError` that names what is missing or no text."""
    if not isinstance(members, dict):
        raise ValueError("the body is no object")
    status = IncomingCallStatus.from_dict(members)
    values = attrs.asdict(status, recurse=False)
    del values["additional_properties"]
    wrong = [
        f"{name.title().replace('_', '')} is {'missing' if isinstance(value, Unset) else 'no text'}"
        for name, value in values.items()
        if not isinstance(value, str)
    ]
    if wrong:
        raise ValueError(", ".join(wrong))
    return status


async def body_of(request: Request) -> bytes:
    """Read the body, before it is known who sent it. Errors: `OverflowError` beyond MOST_BYTES."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            raise OverflowError(f"the body is larger than {MOST_BYTES} bytes")
    return bytes(body)


def fields_of(text: str) -> list[tuple[str, str]]:
    """Decode a form or a query. Errors: `ValueError` beyond MOST_FIELDS."""
    return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)


def check(key: str, request: Request, url: str, body: bytes) -> object:
    """Return what a callback says. Errors: `PermissionError` if it is not signed.

    A GET is a query, and what is no form is read as JSON, whatever its media type.
    """
    if request.method == "GET":
        members: object = dict(fields_of(request.url.query))
        expected = sign_form(key, url, [])
    elif request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM:
        pairs = fields_of(body.decode(errors="replace"))
        members, expected = dict(pairs), sign_form(key, url, pairs)
    else:
        members, expected = None, sign_json(key, url, body)
    given = request.headers.get(SIGNATURE, "")
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise PermissionError("the signature is missing or wrong")
    return json.loads(body) if members is None else members


def application(key: str | None = None, url: str | None = None) -> Starlette:
    """Make the receiver. Without arguments its settings come from the environment."""
    key = key or os.environ.get("SIGNALWIRE_SIGNING_KEY")
    if not key:
        sys.exit("Set SIGNALWIRE_SIGNING_KEY to the signing key of your Space.")
    # A fragment tunes the sender's time-outs, and is no part of a request.
    public = urlsplit(url or os.environ.get("STATUS_CALLBACK_URL", ""))

    async def receive(request: Request) -> Response:
        seen = urlsplit(str(request.url))
        if public.netloc:
            seen = public._replace(query=seen.query, fragment="")
        try:
            members = check(key, request, seen.geturl(), await body_of(request))
            status = decode(members)
        except OverflowError as error:
            return PlainTextResponse(f"Refused: {error}.", 413)
        except PermissionError as error:
            return PlainTextResponse(f"Refused: {error}.", 403)
        except (RecursionError, ValueError) as error:
            return PlainTextResponse(f"This is no status callback: {error}.", 400)
        # The same call may be reported up to three times: know it by its SID.
        print(f"SID {status.call_sid!r}: {status.from_!r} to {status.to!r}, {status.call_status!r}")
        return PlainTextResponse("Received.")

    return Starlette(routes=[Route("/status", receive, methods=["GET", "POST"])])


async def demo() -> None:
    """Send the receiver one callback in each of its three forms, without a network."""
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
    sent = {
        "JSON": (as_json, sign_json(key, url, as_json.content)),
        "A form": (httpx.Request("POST", url, data=call), sign_form(key, url, list(call.items()))),
        "A query": (httpx.Request("GET", query), sign_form(key, query, [])),
        "A forged signature": (httpx.Request("POST", url, json=call), "forged"),
    }
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(key))) as client:
        for label, (request, signature) in sent.items():
            print(f"{label}:")
            request.headers[SIGNATURE] = signature
            reply = await client.send(request)
            print(f"Answer: {reply.status_code} {reply.text}\n")


if __name__ == "__main__":
    if sys.argv[1:] != ["--demo"]:
        sys.exit(__doc__)
    asyncio.run(demo())
