"""The exception that a reply stands for, and all that it says.

Written without the client's own code.
"""

import contextlib
import copy
import itertools
import json
import pickle
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

from schemathesis.core import NotSet
from schemathesis.transport.serialization import Binary
from signalwire_compat_mock import Exchange

from . import document as doc
from .client_calls import PACKAGE, Outcome, operation_names
from .document import AnyCase
from .expected_reply import assert_says, assert_typed, is_same_text

_ERRORS = next((o for o in doc.objects(doc.DOCUMENT) if "x-error-categories" in o), {})
"""The schema of errors, if it has tables of codes and categories."""
_CODES: dict[str, Any] = _ERRORS.get("x-error-codes", {})
_CATEGORIES: dict[str, Any] = _ERRORS.get("x-error-categories", {})
CLASSES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}
STATUSES = (
    *(300, 301, 302, 303, 305, 307, 308, 399),
    *(400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 418, 421),
    *(422, 423, 425, 426, 428, 429, 431, 451, 498, 499),
    *(500, 501, 502, 503, 504, 505, 507, 511, 520, 599),
)
"""Statuses of errors that servers and what stands before them send."""


class Told(NamedTuple):
    """What an error body says; what it does not say is None."""

    code: int | str | None = None
    message: str | None = None
    more_info: str | None = None


_URL = "https://x.example/1"
_NO_CODES: tuple[Any, ...] = ("", 1.5, [], {})
_NO_ERRORS: tuple[Any, ...] = ({}, [], None, 5, {"errors": {}}, {"message": 5})
_SHAPES: tuple[tuple[Any, Told], ...] = (
    (
        {
            "errors": [
                {"message": "one", "code": "10001", "attribute": "a", "more_info": _URL},
                {"detail": "two", "code": 10002, "url": "https://x.example/2"},
            ]
        },
        Told(10001, "a: one; two", _URL),
    ),
    (
        {"errors": [{"title": "one"}, {"detail": "two", "code": "x_y", "url": _URL}, {"code": 7}]},
        Told("x_y", "one; two", _URL),
    ),
    ([{"message": "one", "code": 10001}, {"message": "two", "code": 3}], Told(10001, "one; two")),
    ({"errors": ["one", "two"]}, Told(None, "one; two")),
    ({"errors": [], "message": "one", "code": "0012"}, Told("0012", "one")),
    *(({name: "one"}, Told(None, "one")) for name in ("detail", "title", "error_description")),
    ({"error": "one", "code": None, "url": _URL}, Told(None, "one", _URL)),
    ({"message": "one\n\u202etwo\u0000", "code": True}, Told(None, "one two")),
    *(({"message": "one", "code": code}, Told(code, "one")) for code in (0, -1, 10**12, "no")),
    *(({"message": "one", "code": code}, Told(None, "one")) for code in _NO_CODES),
    *((body, Told()) for body in _NO_ERRORS),
    (b"one\r\n two", Told(None, "one two")),
    (b"<html><head><title>one</title></head><body>two</body></html>", Told(None, "one")),
    (b"<html><body><H1 class='x'>one <b>two</b></H1></body></html>", Told(None, "one two")),
    *((body, Told()) for body in (b"", b" ", b"<hr>", b"\x00\xff")),
)
"""Bodies of errors that servers and what stands before them send, and what each says."""


def error_replies(part: int, parts: int) -> Iterator[tuple[int, bytes, Told]]:
    """Make errors of every status, and a part of every published code and shape of a body.

    The last value is what a body says.
    """
    told = Told(10001, "one", _URL)
    plain = json.dumps({"of": {"sid": "x-2"}, **told._asdict(), "sid": "x-1"}).encode()
    yield from ((status, plain, told) for status in STATUSES)
    yield 304, b"", Told()  # It has no body.
    yield from itertools.islice(_shaped(), part, None, parts)


def _shaped() -> Iterator[tuple[int, bytes, Told]]:
    for number, (body, said) in enumerate(_SHAPES):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        yield STATUSES[number * 5 % len(STATUSES)], content, said
    for code, row in _CODES.items():
        message = "one" if int(code) % 2 else None
        body = {"code": code, "message": message} if message else {"code": int(code)}
        yield row["status"], json.dumps(body).encode(), Told(int(code), message)


def assert_refused(
    way: str, case: AnyCase, outcome: Outcome, exchange: Exchange, told: Told | None = None
) -> None:
    """Check that a refusal is the right exception, and says what its body has `told`.

    In the detailed layer it is the model that the document names for its status, if it fits that.
    """
    schema = doc.reply_schema(case, exchange.status)
    said = doc.typed(exchange.reply_body)
    fits = schema is not None and doc.is_valid(case, schema, said)
    if way.endswith("detailed") and (fits or outcome.error is None):
        response = outcome.unwrap()
        key = doc.reply_key(case, exchange.status)
        assert key, f"nothing says what {exchange.status} means"
        assert response.status_code == exchange.status
        assert response.content == exchange.reply_body
        if schema is None:  # What the document does not speak of is left out.
            content = doc.resolved(case.operation.definition.raw["responses"][key]).get("content")
            assert is_same_text(response.parsed, exchange) if content else response.parsed is None
            return
        assert_says(response.parsed, said)
        assert_typed(response.parsed, said, schema)
        return
    error = outcome.error
    assert isinstance(error, PACKAGE.APIStatusError), f"{error!r} for status {exchange.status}"
    name = "ServerError" if 500 <= exchange.status < 600 else "APIStatusError"
    name = CLASSES.get(exchange.status, name)
    assert type(error) is getattr(PACKAGE, name), f"{error!r} for {exchange.status}"
    status = exchange.status
    is_refused = status in (307, 308) or (400 <= status < 500 and status not in (408, 499))
    assert error.outcome_unknown == (case.method.upper() != "GET" and not is_refused)
    assert_describes(case, error, exchange)
    assert_told(error, told or told_by(said), whole=told is not None)
    _assert_advises(error)
    assert_identifies_the_call(case, error)


def assert_unusable(way: str, case: AnyCase, outcome: Outcome, exchange: Exchange) -> None:
    """Check that a success that can't be used is the right exception."""
    error = outcome.error
    assert isinstance(error, PACKAGE.APIResponseError), repr(error)
    assert error.outcome_unknown == (case.method.upper() != "GET")
    assert (error.code, error.more_info, error.category) == (None, None, "unknown")
    assert str(error.message) in str(error)
    assert error.advice in str(error)
    assert error.outcome_unknown == ("taken effect" in error.advice), error.advice
    if error.outcome_unknown and error.sid is not None:
        assert error.sid in error.advice
    assert_describes(case, error, exchange)
    assert_identifies_the_call(case, error)


def assert_describes(case: AnyCase, error: Any, exchange: Exchange) -> None:
    """Check what an exception says of the call and of the reply, and that a copy is the same."""
    assert_names_the_call(case, error)
    said = doc.typed(exchange.reply_body)
    assert error.status == exchange.status
    assert error.content == exchange.reply_body
    assert doc.as_json(error.body) == doc.as_json(None if isinstance(said, bytes) else said)
    sid = said.get("sid") if isinstance(said, dict) else None
    if sid is None or (isinstance(sid, str) and re.fullmatch(r"[\w:-]{1,100}", sid, re.ASCII)):
        assert error.sid == sid
    _assert_same_copies(error)


def assert_knows_no_reply(error: Any) -> None:
    """Check that the exception for a call that was not sent says so."""
    assert ValueError in type(error).__mro__
    known = (error.category, error.message, error.outcome_unknown, error.looks)
    assert known == ("input", str(error), False, ())
    assert all(problem in str(error) for problem in error.problems)
    names = ("status", "content", "body", "code", "more_info", "sid", "request_id")
    assert {name: getattr(error, name) for name in names} == dict.fromkeys(names)
    assert error.headers == {}
    _assert_same_copies(error)


def _assert_same_copies(error: Any) -> None:
    shown = (type(error), str(error), repr(vars(error)))
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301  # our own
        assert (type(other), str(other), repr(vars(other))) == shown


def told_by(said: Any) -> Told:
    """Return what an error body says in the shape that this document gives to errors."""
    members = said if isinstance(said, dict) and "errors" not in said else {}
    code = members.get("code")
    if isinstance(code, str) and re.fullmatch("[1-9][0-9]{0,8}", code):
        code = int(code)
    texts = (_on_one_line(members.get(name)) or None for name in ("message", "more_info"))
    return Told(code if type(code) is int else None, *texts)


def assert_told(error: Any, told: Told, *, whole: bool) -> None:
    """Check what an exception says about its reason. `whole`: what is not told is not known."""
    if whole or told.code is not None:
        assert error.code == told.code, f"the code of {error!r}"
    if whole and told.message is None:  # What the code means, or else the status.
        code = error.code if isinstance(error.code, int) else None
        meaning = _CODES.get(str(code), {}).get("when") or _phrase_of(error.status)
        assert _on_one_line(meaning) in error.message, f"{meaning!r} is missing in {error!r}"
    assert error.message.strip(), "the message is blank"
    for shown, text in ((error.message, told.message), (error.more_info, told.more_info)):
        cut = str(shown).removesuffix("...")
        is_cut = len(text or "") > len(cut) >= 200 and str(text).startswith(cut)
        assert shown == text or is_cut or not text, f"{text!r} is missing in {error!r}"
    assert error.more_info is None or told.more_info or not whole


def _assert_advises(error: Any) -> None:
    """Check category and advice, where the document has tables of them."""
    shown = str(error)
    parts = (error.operation, error.status, error.message, error.more_info, error.code)
    assert all(str(part) in shown for part in (*parts, error.advice) if part is not None)
    if not _CATEGORIES:
        return
    rest = "unavailable" if 500 <= error.status < 600 else "unknown"
    listed = (name for name, row in _CATEGORIES.items() if error.status in row["statuses"])
    row = _CODES.get(str(error.code), {}) if isinstance(error.code, int) else {}
    category = row.get("category") or next(listed, rest)
    assert error.category == category, f"the category of {error!r}"
    advice = _CATEGORIES[category].get("by-status", {}).get(str(error.status))
    advice = advice or _CATEGORIES[category]["advice"]
    is_redirect = 300 <= error.status < 400
    if is_redirect:
        advice = "Redirects are not followed"
    if is_redirect or not error.outcome_unknown:
        assert error.advice.startswith(advice), error.advice
    if error.status == 401:  # Whatever its code says, a 401 is about credentials.
        wanted = [row["advice"] for row in _CATEGORIES.values() if 401 in row["statuses"]]
        assert all(text in error.advice for text in wanted), error.advice
    words = ("may have taken effect", "earlier attempt")
    assert error.outcome_unknown == any(word in error.advice for word in words), error.advice


def assert_identifies_the_call(case: AnyCase, error: Any) -> None:
    """Check that a message has at most two lines and names the arguments that identify the call."""
    shown, schema = str(error), doc.body_schema(case) or {}
    assert shown.count("\n") < 2, shown
    required = {name for part in doc.parts(schema) for name in part.get("required", ())}
    body = case.body if isinstance(case.body, dict) else {}
    given = {name: v for name, v in doc.arguments(case).items() if name in case.path_parameters}
    given.pop(doc.account_parameter(case) or "", None)
    given |= {n: v for n, v in body.items() if n in required & doc.named_members(schema).keys()}
    for name, value in given.items():  # Longer values are cut.
        if isinstance(value, str) and re.fullmatch(r"[\w+-]{1,36}", value, re.ASCII):
            assert f"{name}={value!r}" in shown, shown


def _phrase_of(status: int) -> str:
    with contextlib.suppress(ValueError):
        return HTTPStatus(status).phrase
    return ""


def assert_names_the_call(case: AnyCase, error: Any) -> None:
    assert error.operation == ".".join(operation_names(case))
    body = {} if isinstance(case.body, NotSet) else case.body
    given = doc.plain(doc.arguments(case) | (body if isinstance(body, dict) else {"body": body}))
    named = doc.mapped(error.arguments, lambda v: Binary(v.payload) if hasattr(v, "payload") else v)
    assert doc.as_json(named) == doc.as_json(given), f"{named} in place of {given}"


def _on_one_line(value: Any) -> str:
    """Write a text as an exception shows it: what can't be printed is a space."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())
