"""Faults of the body of a success: what is in it, and how it is written."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace
from typing import Any

from ..scripts import CLOSE, KEEP, MISSING, NUMBER_BODY, SID, Text, answers, around, coded, http, in_chunks, joined, plain, purchased, replaced, up_to
from ..table import Fault, Promise, bought, broken, lost

HALF = up_to(NUMBER_BODY, '"sms_application_sid"')


def says(name: str, server: str, body: Text, promise: Promise, *headers: str, status: int = 201, content_type: str | None = "application/json") -> Fault:
    """Make the row of a server that executes and answers with this body."""
    scripts = answers(http(status, body, *headers, content_type=content_type))
    return Fault(name=name, server=server, scripts=scripts, promise=promise)


def member(name: str, server: str, promise: Promise, **changes: Any) -> Fault:
    """Make the row of a server whose answer has other members than the contract says."""
    return says(name, server, purchased(**changes), promise)


def deflate_raw(content: bytes) -> bytes:
    """Compress as many servers understand `deflate`: without the frame of zlib."""
    return zlib.compress(content)[2:-4]


DEEP = "[" * 100_000 + "]" * 100_000
DIGITS = "9" * 5000

NO_NUMBER = (
    says("empty-body", "Answers 201 with nothing.", plain(""), broken()),
    says("html-body", "Answers 201 with HTML.", plain("<html>Created</html>"), broken(), content_type="text/html"),
    says("text-body", "Answers 201 with a word.", plain("Created"), broken(), content_type="text/plain"),
    *(
        says(f"body-of-{word}", f"Answers 201 with {label} instead of an object.", plain(text), broken(drift=(pointer,)))
        for word, label, text, pointer in (
            ("null", "null", "null", "the body: expected an object"),
            ("a-number", "a number", "42", "the body: expected an object"),
            ("a-string", "a string", '"Created"', "the body: expected an object"),
            ("true", "true", "true", "the body: expected an object"),
            ("a-list", "a list", "[]", "the body: expected an object"),
            ("an-empty-object", "an empty object", "{}", "/sid: expected text, got nothing"),
        )
    ),
    says("number-in-a-list", "Puts the number in a list.", around("[", NUMBER_BODY, "]"), broken(drift=("the body: expected an object",))),
    says("json-cut-off", "Answers 201 with half of the JSON, and the right length for it.", HALF, broken(sid=True)),
    says("json-cut-off-before-the-sid", "Answers 201 with the start of the JSON alone.", up_to(NUMBER_BODY, '"country_code"'), broken()),
    says("json-and-garbage", "Writes garbage after the JSON.", around("", NUMBER_BODY, "garbage"), broken(sid=True)),
    says("json-twice", "Writes the JSON twice.", joined(NUMBER_BODY, NUMBER_BODY), broken(sid=True)),
    says("json-behind-a-guard", "Writes a guard against scripts before the JSON.", around(")]}',\n", NUMBER_BODY), broken(sid=True)),
    says("json-nested-100000-deep", "Answers 201 with 100,000 nested lists.", plain(DEEP), broken(drift=("it may have taken effect",))),
    says("number-and-100000-nested-lists", "Adds a member with 100,000 nested lists.", replaced(NUMBER_BODY, '"beta": false', f'"x": {DEEP}'), broken(sid=True, drift=(SID,))),
    says("integer-of-5000-digits", "Adds a member with 5,000 digits.", replaced(NUMBER_BODY, '"beta": false', f'"beta": false, "x": {DIGITS}'), broken(sid=True)),
)

TEXT = (
    says("byte-order-mark", "Writes a byte order mark before the JSON.", around("\ufeff", NUMBER_BODY), bought()),
    says("utf-16", "Writes the JSON in UTF-16, and says so.", coded(NUMBER_BODY, lambda text: text.decode().encode("utf-16")), bought(), content_type="application/json; charset=utf-16"),
    says(
        "charset-wrong",
        "Says that its UTF-8 is Latin-1.",
        lambda peer: json.dumps(json.loads(purchased(friendly_name="Zürich")(peer)), ensure_ascii=False).encode(),
        bought(friendly_name="Zürich"),
        content_type="application/json; charset=iso-8859-1",
    ),
    says("charset-unknown", "Names a charset that nobody knows.", NUMBER_BODY, bought(), content_type="application/json; charset=klingon"),
    says("utf-8-broken", "Writes a name in Latin-1 although JSON is UTF-8.", replaced(NUMBER_BODY, "(310)", b"Z\xfcrich"), bought("What is no UTF-8 is replaced.", drift=("",))),
    says("half-of-a-surrogate-pair", "Escapes half of a surrogate pair.", purchased(friendly_name="\ud800"), bought(friendly_name="\ud800")),
    says("nul-in-a-name", "Escapes NUL in a name.", purchased(friendly_name="a\x00b"), bought(friendly_name="a\x00b")),
    says("white-space-around", "Writes white space around the JSON.", around("\r\n\t ", NUMBER_BODY, " \r\n" * 100), bought()),
    says("nan-and-infinity", "Adds NaN and Infinity, which JSON does not know.", replaced(NUMBER_BODY, '"beta": false', '"beta": false, "x": NaN, "y": -Infinity'), bought()),
    says("keys-twice", "Writes every member twice.", lambda peer: b"%b, %b" % (NUMBER_BODY(peer)[:-1], NUMBER_BODY(peer)[1:]), bought()),
    says("content-type-missing", "Sends no Content-Type.", NUMBER_BODY, bought(), content_type=None),
    says("content-type-wrong", "Says that its JSON is HTML.", NUMBER_BODY, bought(), content_type="text/html"),
)

CODED = (
    says("gzip", "Compresses with gzip, unasked.", coded(NUMBER_BODY, gzip.compress), bought(), "Content-Encoding: gzip"),
    says("x-gzip", "Compresses with gzip and calls it GZIP.", coded(NUMBER_BODY, gzip.compress), bought(), "Content-Encoding: GZIP"),
    says("deflate", "Compresses with deflate, unasked.", coded(NUMBER_BODY, zlib.compress), bought(), "Content-Encoding: deflate"),
    says("deflate-raw", "Compresses with deflate, without the frame of zlib.", coded(NUMBER_BODY, deflate_raw), bought(), "Content-Encoding: deflate"),
    says("gzip-twice", "Compresses twice, and says so.", coded(NUMBER_BODY, lambda text: gzip.compress(gzip.compress(text))), bought(), "Content-Encoding: gzip, gzip"),
    says("encoding-identity", "Says that it does not compress.", NUMBER_BODY, bought(), "Content-Encoding: identity"),
    says("brotli", "Compresses with Brotli, unasked.", plain(b"\x0b\x02\x80{}\x03"), broken(), "Content-Encoding: br"),
    says("zstandard", "Compresses with Zstandard, unasked.", plain(b"\x28\xb5\x2f\xfd\x04\x00"), broken(), "Content-Encoding: zstd"),
    says(
        "gzip-of-two-members",
        "Compresses each half of the body on its own, as gzip allows.",
        lambda peer: gzip.compress(HALF(peer)) + gzip.compress(NUMBER_BODY(peer)[len(HALF(peer)) :]),
        bought(),
        "Content-Encoding: gzip",
    ),
    says("gzip-and-padding", "Writes zeros behind the gzip.", lambda peer: gzip.compress(NUMBER_BODY(peer)) + bytes(512), bought(), "Content-Encoding: gzip"),
    says("gzip-of-empty-members", "Writes the body behind 10,000 empty members of gzip.", lambda peer: gzip.compress(b"") * 10_000 + gzip.compress(NUMBER_BODY(peer)), broken(), "Content-Encoding: gzip"),
    says(
        "gzip-second-member-cut-off",
        "Cuts off the second member of the gzip.",
        lambda peer: gzip.compress(HALF(peer)) + gzip.compress(NUMBER_BODY(peer)[len(HALF(peer)) :])[:-100],
        broken(sid=True),
        "Content-Encoding: gzip",
    ),
    says("gzip-and-deflate", "Compresses with deflate, then with gzip.", coded(NUMBER_BODY, lambda text: gzip.compress(zlib.compress(text))), bought(), "Content-Encoding: deflate", "Content-Encoding: gzip"),
    says("encoding-empty", "Sends an empty Content-Encoding.", NUMBER_BODY, bought(), "Content-Encoding:"),
    says("encodings-without-end", "Names gzip 1,000 times.", coded(NUMBER_BODY, gzip.compress), broken(sid=None), "Content-Encoding: " + ", ".join(["gzip"] * 1000)),
    says("gzip-broken", "Sends garbage that it calls gzip.", plain("\x1f\x8bgarbage"), broken(), "Content-Encoding: gzip"),
    says("gzip-cut-off", "Sends half of the gzip, and the right length for it.", coded(NUMBER_BODY, lambda text: gzip.compress(text)[:200]), broken(sid=None), "Content-Encoding: gzip"),
    says("gzip-checksum-wrong", "Sends gzip with a wrong checksum.", coded(NUMBER_BODY, lambda text: gzip.compress(text)[:-8] + b"\x00" * 8), broken(sid=None), "Content-Encoding: gzip"),
    says("gzip-that-is-none", "Says gzip, and sends plain JSON.", NUMBER_BODY, broken(sid=True), "Content-Encoding: gzip"),
    Fault(
        name="gzip-and-closed",
        server="Closes in the middle of the gzip.",
        scripts=answers(http(201, coded(NUMBER_BODY, lambda text: gzip.compress(text)[:200]), "Content-Encoding: gzip", length="400"), last=CLOSE),
        promise=lost(201, sid=None),
    ),
    Fault(
        name="gzip-in-chunks",
        server="Compresses with gzip and sends it in chunks.",
        scripts=answers(http(201, lambda peer: in_chunks(coded(NUMBER_BODY, gzip.compress))(peer).partition(b"\r\n\r\n")[2], "Content-Encoding: gzip", "Transfer-Encoding: chunked", length=None), last=KEEP),
        promise=bought(),
    ),
)

MEMBERS = (
    member("sid-no-uuid", "Gives a SID that is no UUID.", bought(sid="PN12"), sid="PN12"),
    member("sid-a-number", "Gives a number for the SID.", bought("The SID is kept.", drift=("/sid",)), sid=42),
    member("sid-missing", "Leaves out the SID.", broken(drift=("/sid",)), sid=MISSING),
    member("sid-null", "Gives null for the SID.", broken(drift=("/sid",)), sid=None),
    member("sid-empty", "Gives an empty SID.", broken(), sid=""),
    member("sid-a-list", "Gives a list for the SID.", broken(sid=None, drift=("/sid",)), sid=[SID]),
    member("beta-in-quotes", 'Gives `"false"` for `beta`.', bought("`beta` is kept or converted.", drift=("/beta",)), beta="false"),
    member("beta-null", "Gives null for `beta`, which is never null.", bought(drift=("/beta",)), beta=None),
    member("capabilities-missing", "Leaves out `capabilities`.", bought(drift=("/capabilities",)), capabilities=MISSING),
    member("capabilities-null", "Gives null for `capabilities`.", bought(drift=("/capabilities",)), capabilities=None),
    member("capabilities-a-list", "Gives a list for `capabilities`.", bought(drift=("/capabilities",)), capabilities=["voice"]),
    member("capabilities-a-string", "Gives a string for `capabilities`.", bought(drift=("/capabilities",)), capabilities="voice"),
    member("capability-missing", "Leaves out one of the capabilities.", bought(drift=("/capabilities",)), capabilities={"voice": True, "sms": True, "mms": True}),
    member("capability-in-words", 'Gives `"yes"` for one of the capabilities.', bought(drift=("/capabilities/sms",)), capabilities={"voice": True, "sms": "yes", "mms": True, "fax": True}),
    member("two-wrong-members", "Gives two members of wrong types.", bought("One warning for both.", drift=("/beta", "/uri")), beta=0, uri=7),
    member("origin-unknown", "Gives an unknown value for `origin`.", bought(drift=None, origin="ported"), origin="ported"),
    member("origin-a-number", "Gives a number for `origin`.", bought(drift=("/origin",)), origin=7),
    member("member-unknown", "Adds a member that the contract does not know.", bought(drift=None, additional_properties={"x": {"a": [1, None]}}), x={"a": [1, None]}),
    member("date-unreadable", "Gives a date that nobody can read.", bought(drift=None, date_created="soon"), date_created="soon"),
    member("date-a-number", "Gives a number for a date.", bought(drift=("/date_created",)), date_created=1537916400),
    member("account-no-uuid", "Gives an account SID that is no UUID.", bought(drift=None, account_sid="me"), account_sid="me"),
    member("number-of-another", "Gives another number than the one that was asked for.", broken(sid=True, note="Both numbers are named."), phone_number="+13105550199"),
    member("number-empty", "Gives an empty number.", broken(sid=True), phone_number=""),
    member("number-as-a-list", "Gives a list for the number.", broken(sid=True, drift=("/phone_number",)), phone_number=["+13105550199"]),
    says(
        "nulls-left-out",
        "Leaves out every member that is null, as the page's example does.",
        lambda peer: json.dumps({k: v for k, v in json.loads(NUMBER_BODY(peer)).items() if v is not None}).encode(),
        bought(drift=None, sms_url=None, voice_caller_id_lookup=None),
    ),
    says("only-the-sid", "Answers with the SID and the number alone.", lambda peer: json.dumps({"sid": SID, "phone_number": peer.number}).encode(), bought(drift=None)),
)

SUCCESSES = (
    *(says(f"status-{status}-for-201", f"Answers {status} instead of 201.", NUMBER_BODY, bought(), status=status) for status in (200, 202, 203, 206, 226, 299)),
    says("status-204", "Answers 204, without a body.", plain(""), broken(204), status=204),
    says("status-204-with-a-body", "Answers 204, and sends a body all the same.", NUMBER_BODY, broken(204), status=204),
    says("status-205", "Answers 205, without a body.", plain(""), broken(205), status=205),
    says("cookie", "Sets a cookie; the client never sends it back.", NUMBER_BODY, bought(), "Set-Cookie: session=1; Path=/"),
    says("created-with-location", "Sends the header Location with its 201.", NUMBER_BODY, bought(), "Location: http://127.0.0.1:9/elsewhere"),
    says("request-id", "Sends X-Request-Id with a reply that is no JSON.", plain("Created"), replace(broken(note="`request_id` is the one of the header."), members={"request_id": "r-1"}), "X-Request-Id: r-1"),
)

FAULTS = (*NO_NUMBER, *TEXT, *CODED, *MEMBERS, *SUCCESSES)
