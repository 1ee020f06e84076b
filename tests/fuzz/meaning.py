"""What a case means on the wire, and what a reply says: told without the client's own code."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from attrs import NOTHING, fields, has
from schemathesis.core import NotSet
from schemathesis.transport.serialization import Binary
from signalwire_compat.types import Unset
from signalwire_compat_mock import DEFAULT_TOKEN, Exchange

from tests.conftest import PROJECT

from .document import (
    BASE_PATH,
    AnyCase,
    body_schema,
    in_query,
    is_form,
    is_object,
    is_secured,
    is_valid,
    item_schema,
    named_members,
    parameter_schemas,
    parameters,
    plain,
    typed,
)
from .tally import LOCAL
from .ways import python_name

AUTHORIZATION = f"Basic {base64.b64encode(f'{PROJECT}:{DEFAULT_TOKEN}'.encode()).decode()}"

_TRANSPORT = {"accept", "accept-encoding", "connection", "content-length", "host", "user-agent"}


def curl(case: AnyCase) -> str:
    """Write the curl command of a case, for the mock that `make mock` starts."""
    try:
        return case.as_curl_command({"Authorization": AUTHORIZATION}, base_url=LOCAL + BASE_PATH)
    except Exception as error:  # A case need not be one that HTTP can carry.
        return f"none: {error}"


def as_text(value: Any) -> str:
    """Write a value as a path, a query, a header or a form holds it."""
    if isinstance(value, Binary):
        return str(plain(value))
    return json.dumps(value) if isinstance(value, bool | dict) else str(value)


def as_pairs(members: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List name and text of each member, those of a list one by one, in the order of names."""
    lists = ((k, v if isinstance(v, list) else [v]) for k, v in members.items())
    return sorted((name, as_text(item)) for name, items in lists for item in items)


def assert_meant(case: AnyCase, exchange: Exchange) -> None:
    """Check that the request is what the case means: every value in its place, and no more."""
    given = parameters(case)
    values = {name: as_text(given[name]) for name in case.path_parameters}
    assert exchange.method == case.operation.method.upper()
    assert unquote(exchange.path) == BASE_PATH + case.operation.path.format(**values)
    # A segment that changes when it is decoded and encoded again could be read as two.
    assert exchange.path.count("/") == (BASE_PATH + case.operation.path).count("/")
    sent = parse_qsl(exchange.query, keep_blank_values=True)
    assert sorted(sent) == as_pairs(in_query(case))
    _assert_headers_meant(case, exchange)
    if isinstance(case.body, NotSet):
        assert exchange.body == b""
    elif isinstance(case.body, Binary):
        assert exchange.body == case.body.data
    elif exchange.form is not None:
        assert isinstance(case.body, dict)
        assert _read(exchange.form) == _read(as_pairs(case.body))
    else:
        assert same(exchange.json, case.body)


def _read(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sort the pairs of a form, and write each object that is one of its values in one way."""
    texts = ((name, typed(text) if text[:1] == "{" else text) for name, text in pairs)
    return sorted((name, json.dumps(value, sort_keys=True)) for name, value in texts)


def _assert_headers_meant(case: AnyCase, exchange: Exchange) -> None:
    given = parameters(case)
    expected = {name.lower(): as_text(given[name]) for name in case.headers if name in given}
    if is_secured(case):
        expected["authorization"] = AUTHORIZATION
    if not isinstance(case.body, NotSet) and case.media_type:
        expected["content-type"] = case.media_type
    names = [name for name, _ in exchange.headers]
    assert len(names) == len(set(names)), f"a header stands twice in {sorted(names)}"
    sent = {name: value for name, value in exchange.headers if name not in _TRANSPORT}
    if exchange.form is not None:
        sent["content-type"] = sent["content-type"].partition("; boundary=")[0]
    cookies = [c.strip() for c in sent.pop("cookie", "").split(";") if c]
    assert sorted(tuple(map(unquote, c.split("=", 1))) for c in cookies) == as_pairs(case.cookies)
    assert sent == expected


def has_text(case: AnyCase) -> bool:
    """Tell whether a form can hold each value of a case: no document says how it holds others.

    What the document calls an object is written as JSON.
    """
    body = case.body if is_form(case) and isinstance(case.body, dict) else {}
    members = named_members(body_schema(case) or {})
    return all(_has_text(value, members.get(name, {})) for name, value in body.items())


def _has_text(value: Any, schema: dict[str, Any]) -> bool:
    if isinstance(value, list):
        schema = item_schema(schema) or {}
        return all(not isinstance(item, list) and _has_text(item, schema) for item in value)
    return is_object(schema) if isinstance(value, dict) else value is not None


def _in_form(
    case: AnyCase, members: dict[str, dict[str, Any]], given: Mapping[str, Any]
) -> dict[str, Any] | None:
    """Read members as a server does, each text as what the document allows; None if it can't be."""
    read: dict[str, Any] = {}
    for name, value in given.items():
        items = value if isinstance(value, list) else [value]
        if any(item is None or isinstance(item, list) for item in items):
            return None
        texts = [as_text(item) for item in items]
        values = [typed(text) for text in texts]
        ways: list[Any] = [*texts, *values] if len(texts) == 1 else []
        ways += [texts, values] if texts else []
        schema = members.get(name, {})
        fitting = [way for way in ways if is_valid(case, schema, way)]
        if ways:
            read[name] = (fitting or ways)[0]
    return read


def is_sendable(case: AnyCase) -> bool:
    """Tell whether HTTP can carry each parameter of a case, whatever its schema allows."""
    if any(value in ("", ".", "..") for value in case.path_parameters.values()):
        return False
    texts = (as_text(value) for name, value in case.headers.items() if name in parameters(case))
    return all(re.fullmatch(r"([!-~]([\t -~]*[!-~])?)?", text) for text in texts)


def is_valid_as_text(case: AnyCase) -> bool:
    """Tell whether a case keeps to the document once each of its values is written as text.

    That is what a server sees of a path or a form: the number 5 in place of the text "5" is the
    same request.
    """
    if not is_sendable(case):
        return False
    schemas = parameter_schemas(case)
    for name, value in parameters(case).items():
        if isinstance(value, dict):
            members = _in_form(case, named_members(schemas[name]), value)
            if members is None or not is_valid(case, schemas[name], members):
                return False
            continue
        # One text is a list of one, and the items of a list are texts.
        items = [as_text(item) for item in (value if isinstance(value, list) else [value])]
        read = (value, as_text(value), items, [typed(item) for item in items])
        if not any(is_valid(case, schemas.get(name, {"not": {}}), one) for one in read):
            return False
    schema = body_schema(case)
    if isinstance(case.body, NotSet) or schema is None:
        return isinstance(case.body, NotSet)
    if is_form(case) and isinstance(case.body, dict):
        members = _in_form(case, named_members(schema), case.body)
        return members is not None and is_valid(case, schema, members)
    return is_valid(case, schema, case.body)


def is_valid_as_meant(case: AnyCase) -> bool:
    """Tell whether a case keeps to the document, each value in the type that it has."""
    schemas = parameter_schemas(case)
    given = parameters(case)
    schema = body_schema(case)
    return (
        is_valid_as_text(case)
        and all(is_valid(case, schemas[name], value) for name, value in given.items())
        and (schema is None or is_valid(case, schema, case.body))
    )


def same(one: Any, other: Any) -> bool:
    """Compare as JSON does: unlike in Python, true is not 1 and 1 is not 1.0."""
    if isinstance(one, str) and isinstance(other, str):
        return one == other
    return json.dumps(plain(one), sort_keys=True) == json.dumps(plain(other), sort_keys=True)


def differences(
    result: Any, said: Any, where: str = "", *, converted: bool = False
) -> Iterator[str]:
    """Find what a decoded reply leaves out, changes or makes up; null is no more than silence.

    With `converted`, the text "true" and true are the same: a reply that breaks the document is
    put right where that leaves no doubt.
    """
    if isinstance(result, list) and isinstance(said, list) and len(result) == len(said):
        for index, (item, value) in enumerate(zip(result, said, strict=True)):
            yield from differences(item, value, f"{where}/{index}", converted=converted)
        return
    if not (hasattr(result, "to_dict") and isinstance(said, dict)):
        if not _agree(result, said, converted=converted):
            yield f"{where or '/'} is {result!r}, the reply says {said!r}"
        return
    told = result.to_dict()
    for name, value in said.items():
        if name not in told or not _agree(told[name], value, converted=converted):
            yield f"{where}/{name} is told as {told.get(name)!r}, the reply says {value!r}"
    made_up = {name: value for name, value in told.items() if name not in said}
    if any(value is not None for value in made_up.values()):
        yield f"{where or '/'} tells {made_up!r}, which the reply does not say"
    extra = getattr(result, "additional_properties", {})
    for name, value in said.items():
        member = extra[name] if name in extra else getattr(result, python_name(name), None)
        if not isinstance(value, list):
            yield from differences(member, value, f"{where}/{name}", converted=converted)


def unset(result: Any, where: str = "") -> Iterator[str]:
    """Find members that are always there and for which a decoded reply has not even None."""
    for field in fields(type(result)) if has(type(result)) else ():
        value = getattr(result, field.name)
        if isinstance(value, Unset) and field.default is NOTHING:
            yield f"{where}/{field.name}"
        yield from unset(value, f"{where}/{field.name}")


def unnamed(result: Any, where: str = "") -> Iterator[str]:
    """Find members of a decoded reply that the document does not name."""
    kinds = {
        field.name: field.type for field in (fields(type(result)) if has(type(result)) else ())
    }
    if kinds.get("additional_properties") == "dict[str, Any]":  # Others have a schema.
        yield from (f"{where}/{name}" for name in result.additional_properties)
    for field in fields(type(result)) if has(type(result)) else ():
        yield from unnamed(getattr(result, field.name), f"{where}/{field.name}")


def untyped(result: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:
    """Find what the document names in a reply and a decoded reply has no attribute or model for."""
    members = named_members(schema)
    if not members:
        return
    if not has(type(result)):
        yield f"{where or '/'} is no model"
        return
    for name in members.keys() & getattr(result, "additional_properties", {}).keys():
        yield f"{where}/{name} is no attribute"
    for name, member in members.items():
        value = getattr(result, python_name(name), None)
        if isinstance(value, dict) or has(type(value)):
            yield from untyped(value, member, f"{where}/{name}")


def _agree(one: Any, other: Any, *, converted: bool) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        names = {name for name in (*one, *other) if (one.get(name), other.get(name)) != (None,) * 2}
        return all(_agree(one.get(n), other.get(n), converted=converted) for n in names)
    if isinstance(one, list) and isinstance(other, list):
        pairs = zip(one, other, strict=False)
        return len(one) == len(other) and all(_agree(a, b, converted=converted) for a, b in pairs)
    if converted and not isinstance(one, dict | list) and not isinstance(other, dict | list):
        return as_text(one) == as_text(other)
    return same(one, other)
