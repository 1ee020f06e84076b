"""The request that a case stands for, and whether the document allows it.

Written without the client's own code.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from schemathesis.core import NotSet
from schemathesis.transport.serialization import Binary

from . import credentials
from . import document as doc
from .document import AnyCase, Schema

if TYPE_CHECKING:
    from signalwire_compat_mock import Exchange

_TRANSPORT = {"accept", "accept-encoding", "connection", "content-length", "host", "user-agent"}

_HAS_CODES = any("x-error-codes" in found for found in doc.objects(doc.DOCUMENT))


def as_text(value: Any) -> str:
    """Write a value as a path, a query, a header or a form holds it."""
    if isinstance(value, Binary):
        return str(doc.plain(value))
    return json.dumps(value) if isinstance(value, bool | dict) else str(value)


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _as_pairs(members: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List name and text of each member, those of a list one by one, in the order of names."""
    return sorted((name, as_text(item)) for name, v in members.items() for item in _items(v))


def assert_sent_as_meant(case: AnyCase, exchange: "Exchange") -> None:
    """Check that the request is what the case means: every value in its place, and no more."""
    given = doc.parameters(case)
    values = {name: as_text(given[name]) for name in case.path_parameters}
    assert exchange.method == case.operation.method.upper()
    assert unquote(exchange.path) == doc.BASE_PATH + case.operation.path.format(**values)
    # A segment that changes when it is decoded and encoded again could be read as two.
    assert exchange.path.count("/") == (doc.BASE_PATH + case.operation.path).count("/")
    sent = parse_qsl(exchange.query, keep_blank_values=True)
    assert sorted(sent) == sorted([*_as_pairs(doc.in_query(case)), *_credentials("query", case)])
    _assert_headers_sent_as_meant(case, exchange)
    if isinstance(case.body, NotSet):
        assert exchange.body == b""
    elif isinstance(case.body, Binary):
        assert exchange.body == case.body.data
    elif exchange.form is not None:
        assert isinstance(case.body, dict)
        assert _comparable(exchange.form) == _comparable(_as_pairs(case.body))
    else:
        assert doc.as_json(exchange.json) == doc.as_json(case.body)


def _credentials(place: str, case: AnyCase) -> list[tuple[str, str]]:
    return [(name, text) for where, name, text in credentials.sent(case) if where == place]


def _comparable(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sort the pairs of a form, and write each object that is one of its values in one way."""
    texts = ((name, doc.typed(text) if text[:1] == "{" else text) for name, text in pairs)
    return sorted((name, doc.as_json(value)) for name, value in texts)


def _assert_headers_sent_as_meant(case: AnyCase, exchange: "Exchange") -> None:
    given = doc.parameters(case)
    expected = {name.lower(): as_text(given[name]) for name in case.headers if name in given}
    expected |= {name.lower(): text for name, text in _credentials("header", case)}
    if not isinstance(case.body, NotSet) and case.media_type:
        expected["content-type"] = case.media_type
    names = [name for name, _ in exchange.headers]
    assert len(names) == len(set(names)), f"a header is repeated in {sorted(names)}"
    sent = {name: value for name, value in exchange.headers if name not in _TRANSPORT}
    others = dict(exchange.headers)
    assert int(others.get("content-length", 0)) == len(exchange.body)
    assert re.match(r"[\w.-]+/\d", others["user-agent"])
    answers = case.operation.definition.raw["responses"].items()
    kinds = {kind for key, reply in answers if key[0] == "2" for kind in doc.reply_types(reply)}
    assert not kinds or any(kind in others["accept"] for kind in (*kinds, "*/*"))
    if exchange.form is not None:
        sent["content-type"] = sent["content-type"].partition("; boundary=")[0]
    cookies = [c.strip() for c in sent.pop("cookie", "").split(";") if c]
    expected_cookies = sorted([*_as_pairs(case.cookies), *_credentials("cookie", case)])
    assert sorted(tuple(map(unquote, c.split("=", 1))) for c in cookies) == expected_cookies
    assert sent == expected


def is_sendable(case: AnyCase) -> bool:
    """Tell whether HTTP can carry each parameter of a case, regardless of its schema."""
    return not unsendable_names(case)


def unsendable_names(case: AnyCase) -> set[str]:
    """Name the parameters that HTTP can't carry, regardless of their schemas."""
    headers = {name: v for name, v in case.headers.items() if name in doc.parameters(case)}
    in_path = {name for name, v in case.path_parameters.items() if v in ("", ".", "..")}
    return in_path | {name for name, value in headers.items() if not fits_a_header(value)}


def fits_a_header(value: Any) -> bool:
    return re.fullmatch(r"([!-~]([\t -~]*[!-~])?)?", as_text(value)) is not None


def has_text(case: AnyCase) -> bool:
    """Tell whether a form can hold each value of a case: no document says how it holds others.

    What the document calls an object is written as JSON.
    """
    body = case.body if doc.is_form(case) and isinstance(case.body, dict) else {}
    members = doc.named_members(doc.body_schema(case) or {})
    return all(_has_text(value, members.get(name, {})) for name, value in body.items())


def _has_text(value: Any, schema: Schema) -> bool:
    if isinstance(value, list):
        schema = doc.item_schema(schema) or {}
        return all(not isinstance(item, list) and _has_text(item, schema) for item in value)
    if isinstance(value, dict):
        return doc.allows_type(schema, "object") or bool(doc.named_members(schema))
    return value is not None


def code_of_refusal(case: AnyCase) -> int | None:
    """Return the code that the document gives for the first wrong field, in its order.

    None if the document names no codes (`x-error-codes`), or nothing is wrong.
    """
    for _, schema, is_missing in _wrong_fields(case) if _HAS_CODES else ():
        codes = doc.resolved(schema).get("x-error-codes", {})
        return int(codes.get("missing" if is_missing else "invalid", 10000))
    return None


def wrong_names(case: AnyCase) -> set[str]:
    """Name the parameters and the members of the body that break the document."""
    return {name for name, *_ in _wrong_fields(case) if name != doc.BODY}


def said_of_a_wrong(case: AnyCase, name: str) -> Iterator[str]:
    """List what a problem must say of a wrong value: the value, if short, and what is allowed."""
    parts = doc.parts_of(case)
    schema, body = parts.pop(doc.BODY, ({}, None))
    if isinstance(body, dict):
        members = doc.named_members(schema)
        given = members.keys() & body.keys()
        if name in given & parts.keys():
            return  # It could be about either.
        parts |= {name: (members[name], body[name]) for name in given}
    if name not in parts or name in unsendable_names(case):
        return
    schema, value = parts[name]
    schema = doc.with_bounds(doc.resolved(schema))
    if isinstance(value, str) and re.fullmatch(r"[\w+:. -]{1,20}", value, re.ASCII):
        yield f'got "{value}"'
    if any(keyword in schema for keyword in doc.CHOICES) or doc.allows_type(schema, "array"):
        return
    if "enum" in schema:
        yield from (as_text(allowed) for allowed in schema["enum"] if allowed is not None)
    elif "x-must-be" in schema:
        yield schema["x-must-be"].strip()
    elif schema.get("format") in (None, "int32", "int64"):
        limits = ("minLength", "maxLength", "minimum", "maximum")
        yield from (str(schema[keyword]) for keyword in limits if keyword in schema)


def doubtful_names(case: AnyCase) -> set[str]:
    """Name the parameters and members that break the document in the type that they have.

    Written as text, some keep to it; a list without items is not written at all.
    """
    parts = doc.parts_of(case)
    schema, body = parts.pop(doc.BODY, ({}, None))
    for name, member in doc.named_members(schema).items() if isinstance(body, dict) else ():
        if name in body:
            parts[name] = (member, body[name])
    return {name for name, part in parts.items() if not doc.is_valid(case, *part)}


def _wrong_fields(case: AnyCase) -> Iterator[tuple[str, Schema, bool]]:
    """List name and schema of what breaks the document: parameters, members, unknown ones last.

    The last value says that a required one is missing.
    """
    for name, (schema, value) in doc.parts_of(case).items():
        if _is_part_valid_as_text(case, name, schema, value):
            continue
        if name == doc.BODY and isinstance(value, dict) and schema != doc.NOTHING:
            required = {n for part in doc.parts(schema) for n in part.get("required", ())}
            for member, part in doc.named_members(schema).items():
                only = {n: v for n, v in value.items() if n == member and v != []}
                is_missing = member in required and not only
                alone = {"properties": {member: part}}
                if is_missing or not _is_part_valid_as_text(case, name, alone, only):
                    yield member, part, is_missing
        yield name, schema, False


def is_valid_as_text(case: AnyCase) -> bool:
    """Tell whether a case keeps to the document once each of its values is written as text.

    That is what a server sees of a path or a form: the number 5 in place of the text "5" is the
    same request.
    """
    return is_sendable(case) and all(
        _is_part_valid_as_text(case, name, *part) for name, part in doc.parts_of(case).items()
    )


def _is_part_valid_as_text(case: AnyCase, name: str, schema: Schema, value: Any) -> bool:
    is_body = name == doc.BODY
    if isinstance(value, dict) and (not is_body or doc.is_form(case)):
        return _is_valid_form(case, schema, value)
    # One text is a list of one, and the items of a list are texts.
    readings = [] if is_body else [as_text(value), *_readings(value)[-2:]]
    return any(doc.is_valid(case, schema, reading) for reading in (value, *readings))


def _readings(value: Any) -> list[Any]:
    """List what the text of a value can be read as: one text is a list of one as well."""
    texts = [as_text(item) for item in _items(value)]
    values = [doc.typed(text) for text in texts]
    return [*([*texts, *values] if len(texts) == 1 else []), texts, values]


def _is_valid_form(case: AnyCase, schema: Schema, given: Mapping[str, Any]) -> bool:
    """Read members as a server does, each text as what the document allows, and check them."""
    read: dict[str, Any] = {}
    members = doc.named_members(schema)
    for name, value in given.items():
        if any(item is None or isinstance(item, list) for item in _items(value)):
            return False  # No text stands for it.
        if _items(value):  # A list without items is not written at all.
            readings, member = _readings(value), members.get(name, {})
            fitting = (reading for reading in readings if doc.is_valid(case, member, reading))
            read[name] = next(fitting, readings[0])
    return doc.is_valid(case, schema, read)


def is_valid_as_meant(case: AnyCase) -> bool:
    """Tell whether a case keeps to the document, each value in the type that it has."""
    parts = doc.parts_of(case)
    return is_valid_as_text(case) and all(doc.is_valid(case, *part) for part in parts.values())
