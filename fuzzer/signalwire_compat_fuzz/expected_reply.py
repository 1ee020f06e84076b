"""The result or the exception that a reply stands for.

Written without the client's own code.
"""

import datetime
import importlib
import json
import re
from collections.abc import Iterator
from typing import Any

from attrs import NOTHING, fields, has
from schemathesis.core import NotSet
from schemathesis.transport.serialization import Binary
from signalwire_compat_mock import Exchange, MockServer

from . import document as doc
from .client_calls import PACKAGE, Caller, Outcome, operation_names, python_name
from .document import AnyCase, Schema
from .expected_request import as_text
from .options import CLIENT, URL
from .relay import Relay

_ERRORS = next((o for o in doc.objects(doc.DOCUMENT) if "x-error-categories" in o), {})
"""The schema of errors, if it has tables of codes and categories."""
UNSET: Any = importlib.import_module(f"{CLIENT}.types").Unset
CLASSES = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}


def send(
    way: str, case: AnyCase, server: MockServer | Relay, caller: Caller
) -> tuple[Outcome, list[Exchange]]:
    """Send a case to a server that remembers nothing, and return what both ends saw."""
    server.reset()
    return caller.call(way, case), server.journal


def only_exchange(journal: list[Exchange], outcome: Outcome) -> Exchange:
    """Return the one exchange of a call. Errors: what prevented it."""
    if not journal:
        outcome.unwrap()
    assert len(journal) == 1, f"{len(journal)} requests were sent for one call"
    return journal[0]


def assert_decoded(
    way: str, case: AnyCase, outcome: Outcome, exchange: Exchange, *, converted: bool = False
) -> None:
    """Check that a result says all that a successful reply said; see `assert_says`."""
    result = outcome.unwrap()
    if way.endswith("detailed"):
        assert result.status_code == exchange.status
        assert result.content == exchange.reply_body
        result = result.parsed
    if (schema := doc.reply_schema(case, exchange.status)) is None:
        assert _is_same_text(result, exchange)
        return
    assert_says(result, json.loads(exchange.reply_body), converted=converted)
    if not converted:
        assert list(unset(result)) == []
        assert list(untyped(result, schema)) == []


def _is_same_text(result: Any, exchange: Exchange) -> bool:
    """Tell whether a result is a reply that is not JSON: its text, its bytes, or None for none."""
    text = result.encode() if isinstance(result, str) else result
    return bool((text or b"") == exchange.reply_body)


def assert_refused(
    way: str, case: AnyCase, outcome: Outcome, exchange: Exchange, *, documented: bool = False
) -> None:
    """Check that a refusal is the right exception.

    In the detailed layer it may be its model, and has to be if the reply is `documented`.
    """
    schema = doc.reply_schema(case, exchange.status)
    said = doc.typed(exchange.reply_body)
    if way.endswith("detailed") and (documented or outcome.error is None):
        response = outcome.unwrap()
        assert response.status_code == exchange.status
        if schema is None:  # A server may send what the document does not speak of.
            assert URL or _is_same_text(response.parsed, exchange)
            return
        assert_says(response.parsed, said)
        assert list(untyped(response.parsed, schema)) == []
        return
    error = outcome.error
    assert isinstance(error, PACKAGE.APIStatusError), f"{error!r} for status {exchange.status}"
    name = "ServerError" if 500 <= exchange.status < 600 else "APIStatusError"
    name = CLASSES.get(exchange.status, name)
    assert type(error) is getattr(PACKAGE, name), f"{error!r} for {exchange.status}"
    assert error.status == exchange.status
    assert error.content == exchange.reply_body
    assert_names_the_call(case, error)
    refused = 400 <= exchange.status < 500 and exchange.status not in (408, 499)
    assert error.outcome_unknown == (case.method != "GET" and not refused)
    members = said if isinstance(said, dict) else {}
    code = members.get("code")
    if isinstance(code, str) and re.fullmatch("[1-9][0-9]{0,8}", code):
        code = int(code)
    if type(code) is int:
        assert error.code == code, f"the code of {error!r}"
    _assert_advises(error)
    for member in ("message", "more_info"):
        shown, text = str(getattr(error, member)), _on_one_line(members.get(member))
        cut = shown.removesuffix("...")
        is_cut = len(text) > len(cut) >= 200 and text.startswith(cut)
        assert not text or shown == text or is_cut, f"{member} of {error!r}"


def _assert_advises(error: Any) -> None:
    """Check category and advice, where the document has tables of them."""
    categories = _ERRORS.get("x-error-categories", {})
    listed = (name for name, row in categories.items() if error.status in row["statuses"])
    codes = _ERRORS.get("x-error-codes", {}) if isinstance(error.code, int) else {}
    code = codes.get(str(error.code), {})
    if category := code.get("category") or next(listed, None):
        assert error.category == category, f"the category of {error!r}"
        row = categories[category]
        advice = row.get("by-status", {}).get(str(error.status), row["advice"])
        assert error.outcome_unknown or error.advice.startswith(advice), error.advice
    shown = str(error)
    assert all(str(part) in shown for part in (error.operation, error.status, error.advice))
    assert error.code is None or str(error.code) in shown


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


def assert_says(result: Any, said: Any, where: str = "/", *, converted: bool = False) -> None:
    """Check that a decoded reply leaves out, changes and makes up nothing.

    Null and absent are the same. With `converted`, the text "true" and true are the same: a reply
    that breaks the document is put right where that leaves no doubt.
    """
    if isinstance(result, list) and isinstance(said, list) and len(result) == len(said):
        for index, (item, value) in enumerate(zip(result, said, strict=True)):
            assert_says(item, value, f"{where}{index}/", converted=converted)
        return
    is_model = hasattr(result, "to_dict") and isinstance(said, dict)
    told = result.to_dict() if is_model else result
    same = _in_one_way(told, converted=converted) == _in_one_way(said, converted=converted)
    assert same, f"{where} is {told!r}, the reply says {said!r}"
    if is_model:
        assert said.keys() <= told.keys(), f"{where} lacks a member"
        extra = getattr(result, "additional_properties", {})
        for name, value in said.items():
            member = extra[name] if name in extra else getattr(result, python_name(name), None)
            if not isinstance(value, list):
                assert_says(member, value, f"{where}{name}/", converted=converted)


def _time(text: str) -> Any:
    """Read a text that is a time of RFC 3339: a client gives it as a `datetime`."""
    if not re.match(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d", text, re.ASCII):
        return text
    try:
        return datetime.datetime.fromisoformat(text.upper())
    except ValueError:
        return text


def _in_one_way(value: Any, *, converted: bool) -> str:
    def alike(node: Any) -> Any:
        if isinstance(node, str):
            node = _time(node)
        if isinstance(node, datetime.date):
            return node.isoformat()
        if isinstance(node, dict):
            return {name: alike(member) for name, member in node.items() if member is not None}
        if isinstance(node, list):
            return [alike(item) for item in node]
        return as_text(node) if converted else node

    return doc.as_json(alike(value))


def unset(result: Any, where: str = "") -> Iterator[str]:
    """Find members that are always there and for which a decoded reply has not even None."""
    for field in fields(type(result)) if has(type(result)) else ():
        value = getattr(result, field.name)
        if isinstance(value, UNSET) and field.default is NOTHING:
            yield f"{where}/{field.name}"
        yield from unset(value, f"{where}/{field.name}")


def untyped(result: Any, schema: Schema, where: str = "") -> Iterator[str]:
    """Find what the document names in a reply and a decoded reply has no attribute or model for."""
    members = doc.named_members(schema)
    if members and not has(type(result)):
        yield f"{where or '/'} is not a model"
    extra = getattr(result, "additional_properties", {})
    for name, member in members.items():
        if name in extra:
            yield f"{where}/{name} is not an attribute"
        value = getattr(result, python_name(name), None)
        if isinstance(value, dict) or has(type(value)):
            yield from untyped(value, member, f"{where}/{name}")


def unnamed(said: Any, schema: Schema, where: str = "") -> Iterator[str]:
    members = doc.named_members(schema)
    is_open = isinstance(doc.resolved(schema).get("additionalProperties"), dict)
    for name, value in said.items() if isinstance(said, dict) and members else ():
        if name in members:
            yield from unnamed(value, members[name], f"{where}/{name}")
        elif not is_open:
            yield f"{where}/{name}"
