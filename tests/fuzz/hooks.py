"""What schemathesis takes for another request than the server gets: see schemathesis.toml."""

import functools
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import schemathesis
from schemathesis.transport import SerializationContext
from schemathesis.transport.requests import (
    REQUESTS_TRANSPORT,
    multipart_serializer,
    urlencoded_serializer,
)

_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
_UNKNOWN = "x-schemathesis-unknown-property"
Case = schemathesis.Case[Any]


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: Case) -> bool:
    """Leave out what is no violation on the wire, where schemathesis takes it for one."""
    one_for_a_list = any(
        "array" in schema.get("type", ()) and not isinstance(value, list)
        for schema, value in _members(case).values()
    )
    is_same = one_for_a_list or _is_as_good(case) or _has_unnamed(case)
    return not is_same and not _has_unknown_header(case)


@REQUESTS_TRANSPORT.serializer(_FORM)
def write_form(context: SerializationContext, value: Any) -> dict[str, Any]:
    """Write each object in a form as JSON, as OpenAPI 3.1 does, where schemathesis spreads it."""
    body: Any = context.case.body
    if not (written := _with_json(context.case)):
        return urlencoded_serializer(context, value)
    texts = {name: _text(member) for name, member in {**body, **written}.items()}
    return {"data": urlencode(texts, doseq=True)}


@REQUESTS_TRANSPORT.serializer(_MULTIPART)
def write_parts(context: SerializationContext, value: Any) -> dict[str, Any]:
    """Write each object in a list as a part of its own, where schemathesis writes the list."""
    if written := _with_json(context.case):
        context.case.multipart_content_types = dict.fromkeys(written, "application/json")
        value = {**value, **written}
    return multipart_serializer(context, value)


def _kind(case: Case) -> str:
    return (case.media_type or "").partition(";")[0]


def _body(case: Case) -> Any:
    return case.operation.get_body_for_media_type(case.media_type)


def _members(case: Case) -> dict[str, tuple[dict[str, Any], Any]]:
    """Give schema and value of each named member that a form of a case has."""
    body: Any = case.body
    is_form = _kind(case) in (_FORM, _MULTIPART) and _body(case) is not None
    if not is_form or not isinstance(body, dict):
        return {}
    schemas = _body(case).form_properties
    return {name: (schema, body[name]) for name, schema in schemas.items() if name in body}


def _with_json(case: Case) -> dict[str, Any]:
    """Give the members of a form that hold objects, each of these written as JSON."""
    members = _members(case)
    root = _body(case).resolved_schema if members else {}
    written = {name: _written(schema, value, root) for name, (schema, value) in members.items()}
    return {name: value for name, value in written.items() if value != members[name][1]}


def _written(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_written(schema.get("items", {}), item, root) for item in value]
    return (
        json.dumps(value) if isinstance(value, dict) and _allows("object", schema, root) else value
    )


def _allows(kind: str, schema: dict[str, Any], root: dict[str, Any]) -> bool:
    return any(kind in part.get("type", ()) for part in _parts(schema, root))


def _parts(schema: dict[str, Any], root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """List a schema and those that it joins or chooses from, each without its reference."""
    if "$ref" in schema:
        path = schema["$ref"].removeprefix("#/").split("/")
        yield from _parts(functools.reduce(lambda part, name: part[name], path, root), root)
    yield schema
    for part in (part for word in ("allOf", "anyOf", "oneOf") for part in schema.get(word, ())):
        yield from _parts(part, root)


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(item) for item in value]
    return value if isinstance(value, str) else json.dumps(value)


def _is_as_good(case: Case) -> bool:
    """Tell whether a form is meant to be wrong for what text does not show.

    That is a list of objects, as if it were one text, or a number where text is one of the choices.
    """
    if case.meta is None or not case.meta.generation.mode.is_negative:
        return False
    members = _members(case)
    root = _body(case).resolved_schema if members else {}
    return any(
        any(isinstance(item, dict) for item in value)
        if isinstance(value, list)
        else isinstance(value, bool | int | float) and _allows("string", schema, root)
        for schema, value in members.values()
    )


def _has_unnamed(case: Case) -> bool:
    """Tell whether an object in the query has members that the document allows and does not name.

    Each is a parameter on the wire, and no document names it there.
    """
    if case.meta is None or case.meta.generation.mode.is_negative:
        return False
    document = case.operation.schema.raw_schema
    schemas = {found.name: found.definition.get("schema", {}) for found in case.operation.query}
    parts = (part for schema in schemas.values() for part in _parts(schema, document))
    members = (name for part in parts for name in part.get("properties", ()))
    return not {*case.query} <= {*schemas, *members}


def _has_unknown_header(case: Case) -> bool:
    """Tell whether a header or cookie is one that no document names, as most of a request are."""
    return _UNKNOWN in (case.headers or {}) or _UNKNOWN in (case.cookies or {})
