"""Faults that have a status: errors, in every shape that a body can have."""

from __future__ import annotations

from typing import Any

from signalwire_compat import APIStatusError, AuthenticationError, BadRequestError, ConflictError, NotFoundError, PermissionDeniedError, ServerError, UnprocessableEntityError

from ..scripts import BUY, CLOSE, KEEP, Text, answers, around, credentials, does, failure, http, plain, purchased, refuses, send, up_to
from ..table import Fault, Promise, bought, broken, lost, refused

CLASSES: dict[int, type[APIStatusError]] = {400: BadRequestError, 401: AuthenticationError, 403: PermissionDeniedError, 404: NotFoundError, 409: ConflictError, 422: UnprocessableEntityError}
REFUSALS = (400, 401, 402, 403, 404, 405, 407, 409, 410, 413, 418, 422, 425, 431, 451)
UNCERTAIN = (408, 499, 500, 501, 502, 503, 504, 505, 507, 511, 520, 522, 524, 530, 561, 599, 600, 999)


def _class(status: int) -> type[APIStatusError]:
    return CLASSES.get(status, ServerError if 500 <= status < 600 else APIStatusError)


BY_STATUS = (
    *(Fault(name=f"status-{status}", server=f"Refuses with {status}.", scripts=refuses(failure(status)), promise=refused(status, _class(status), code=21401), executed=0) for status in REFUSALS),
    *(
        Fault(name=f"status-{status}", server=f"Executes, and answers {status}.", scripts=does(*BUY, send(failure(status)), KEEP), promise=refused(status, _class(status), unknown=True, note="Not repeated."))
        for status in UNCERTAIN
    ),
    Fault(name="status-000", server="Executes, and answers 000.", scripts=does(*BUY, send(lambda peer: failure(201)(peer).replace(b" 201 ", b" 000 ", 1)), CLOSE), promise=lost()),
)


def body(name: str, server: str, content: Any, status: int = 422, **members: Any) -> Fault:
    """Make the row of a server that refuses with this body, as JSON unless it is a text."""
    return Fault(name=f"error-{name}", server=f"Refuses with {status} and {server}.", scripts=refuses(failure(status, content)), promise=refused(status, _class(status), **members), executed=0)


SHAPES = (
    body("documented", "the documented object", {"code": 21401, "message": "no such number", "more_info": "https://x.example", "status": 422}, code=21401, message="no such number", more_info="https://x.example"),
    body(
        "in-a-list",
        "a list of errors, codes as strings",
        {"errors": [{"code": "30010", "message": "no such number", "more_info": "https://x.example"}]},
        code=30010,
        message="no such number",
        more_info="https://x.example",
    ),
    body("of-strings", "a list of strings", {"errors": ["no such number"]}, message="no such number"),
    body(
        "code-as-string",
        "the documented object, its code a string",
        {"code": "10000", "message": "blank", "more_info": "https://x.example", "status": 400},
        400,
        code=10000,
        message="blank",
        more_info="https://x.example",
    ),
    body("message-alone", "an object that has a message alone", {"message": "blank"}, message="blank"),
    body("code-alone", "an object that has a code alone", {"code": 21401}, code=21401),
    body(
        "with-attribute",
        "an object with `type`, `attribute` and `url`",
        {"type": "validation_error", "code": "invalid_number", "message": "no such number", "attribute": "PhoneNumber", "url": "https://x.example"},
        code="invalid_number",
        message="PhoneNumber: no such number",
        more_info="https://x.example",
    ),
    body("with-title", "a list of errors with `title` and a null `detail`", {"errors": [{"detail": None, "status": "422", "title": "taken", "code": "422"}]}, message="taken"),
    body("two-at-once", "two errors in a list", {"errors": [{"code": "21401", "message": "one"}, {"code": "21402", "message": "two"}]}, code=21401),
    body("errors-of-numbers", "a list of numbers for the errors", {"errors": [1, None, [2]]}),
    body("errors-no-list", "an object for the errors", {"errors": {"PhoneNumber": ["is taken"]}}),
    body("members-of-wrong-types", "the documented object, every type wrong", {"code": True, "message": {"a": 1}, "more_info": 7, "status": "x"}, code=None, more_info=None),
    body("empty-object", "an empty object", {}, code=None),
    body("empty", "nothing", plain("")),
    body("html", "a page of HTML", plain("<html><head><title>422 Refused</title></head><body>Refused</body></html>")),
    body("text", "plain text", plain("That number is taken.")),
    body("null", "null", plain("null")),
    body("list", "a list", plain("[]")),
    body("string", "a string", plain('"taken"')),
    body("number", "a number", plain("42")),
    body("cut-off", "half of the JSON", up_to(lambda peer: failure(422)(peer).partition(b"\r\n\r\n")[2], '"message"')),
    body("no-text", "bytes that are no text", plain(b"\xff\xfe\x00\xd8")),
    body("nested-100000-deep", "100,000 nested lists", plain("[" * 100_000)),
    body("with-nan", "NaN for a code", plain('{"code": NaN, "message": "taken"}'), message="taken"),
    body("of-many-lines", "a message of many lines", {"code": 21401, "message": "one\r\ntwo\n\u2028three\x85four\x0bfive"}, code=21401),
    body("of-a-megabyte", "a message of a megabyte", {"message": "taken " * 200_000}),
    body("of-half-a-character", "half of a surrogate pair in the message", {"message": "taken \ud800"}, message="taken"),
    body("contradicting-itself", "a body that says status 200", {"code": 21401, "message": "taken", "status": 200}, code=21401),
    Fault(
        name="error-page-of-a-proxy",
        server="Executes, and a proxy answers 502 with a page of HTML.",
        scripts=does(*BUY, send(http(502, plain("<html><h1>Bad Gateway</h1></html>"), content_type="text/html")), KEEP),
        promise=refused(502, ServerError, unknown=True),
    ),
    Fault(
        name="error-not-gzip", server="Refuses with 422, and says gzip of a body that is none.", scripts=refuses(failure(422, None, "Content-Encoding: gzip")), promise=refused(422, UnprocessableEntityError), executed=0
    ),
    Fault(
        name="error-in-brotli",
        server="Refuses with 422 in Brotli, unasked.",
        scripts=refuses(failure(422, plain(b"\x0b\x02\x80{}\x03"), "Content-Encoding: br")),
        promise=refused(422, UnprocessableEntityError),
        executed=0,
    ),
    Fault(
        name="error-with-request-id",
        server="Refuses with 422 and X-Request-Id.",
        scripts=refuses(failure(422, None, "X-Request-Id: r-1")),
        promise=refused(422, UnprocessableEntityError, request_id="r-1", note="`request_id` is the one of the header."),
        executed=0,
    ),
)


def echo(name: str, server: str, text: Text, promise: Promise, executed: int = 0) -> Fault:
    """Make the row of a server that sends the credentials of the request back."""
    return Fault(name=f"echo-{name}", server=f"Sends the credentials back {server}.", scripts=answers(text) if executed else refuses(text), promise=promise, executed=executed, echoes=True)


def in_json(peer: Any) -> bytes:
    """Say an error whose message holds the credentials."""
    return around('{"code": 20003, "message": "wrong: ', credentials, '"}')(peer)


WRONG = refused(401, AuthenticationError)
ECHOES = (
    echo("in-the-message", "in the message of a 401", failure(401, in_json), WRONG),
    echo("in-html", "in the HTML of a 401", failure(401, around("<p>", credentials, "</p>")), WRONG),
    echo("in-a-header", "in a header of a 401", failure(401, None, around("X-Was: ", credentials)), WRONG),
    echo("in-the-reason-phrase", "in the reason phrase of a 401", lambda peer: failure(401)(peer).replace(b"401 Said", b"401 " + credentials(peer)), WRONG),
    echo("in-a-redirect", "in the Location of a 307", failure(307, None, around("Location: http://127.0.0.1:9/", credentials)), refused(307)),
    echo("instead-of-http", "instead of a reply", around("", credentials, "\r\n\r\n"), lost(), 1),
    echo("in-a-broken-header", "in a header that breaks HTTP", failure(401, None, around("X Was ", credentials, "\x00")), lost()),
    echo("in-a-broken-success", "in a 201 that is no JSON", http(201, around("created for ", credentials)), broken(), 1),
    echo("in-the-number", "in a member of the number", http(201, lambda peer: purchased(friendly_name=credentials(peer).decode())(peer)), bought(), 1),
    echo("in-a-wrong-member", "in a member of the wrong type", http(201, lambda peer: purchased(beta=credentials(peer).decode())(peer)), bought(drift=("/beta",)), 1),
)

FAULTS = (*BY_STATUS, *SHAPES, *ECHOES)
