"""Corrections of cases that would reach the server as another request."""

import json
from typing import Any
from urllib.parse import urlencode

import schemathesis
from schemathesis.transport import SerializationContext
from schemathesis.transport.requests import (
    REQUESTS_TRANSPORT,
    multipart_serializer,
    urlencoded_serializer,
)

from signalwire_compat_fuzz import document as doc
from signalwire_compat_fuzz.document import AnyCase, Schema
from signalwire_compat_fuzz.expected_request import fits_a_header
from signalwire_compat_fuzz.rules import broken_rules
from signalwire_compat_fuzz.upgrade import as_read

_UNKNOWN = "x-schemathesis-unknown-property"


@schemathesis.hook
def before_load_schema(context: schemathesis.HookContext, raw_schema: Schema) -> None:
    """Let schemathesis read the document as this package does."""
    raw_schema.update(as_read(raw_schema))


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: AnyCase) -> bool:
    """Skip cases that schemathesis calls invalid and are not, and those that HTTP can't carry."""
    one_for_a_list = any(
        doc.allows_type(schema, "array") and not isinstance(value, list)
        for schema, value in _form_members(case).values()
    )
    # No document names every header that a request may have.
    sent = [*(case.headers or {}).items(), *(case.cookies or {}).items()]
    can_be_sent = all(name != _UNKNOWN and fits_a_header(value) for name, value in sent)
    is_negative = case.meta and case.meta.generation.mode.is_negative
    is_odd = _is_valid_as_text(case) if is_negative else case.meta and _has_unnamed_query(case)
    return can_be_sent and not (one_for_a_list or is_odd)


@schemathesis.hook
def map_case(context: schemathesis.HookContext, case: AnyCase) -> AnyCase:
    """Let most valid cases ask for what exists, and all keep to the rules that no schema says."""
    return _keeping_rules(case) if case.meta and case.meta.generation.mode.is_positive else case


@schemathesis.hook
def before_add_examples(context: schemathesis.HookContext, examples: list[AnyCase]) -> None:
    """Let the examples keep to these rules: their example of a page does not exist."""
    examples[:] = map(_keeping_rules, examples)


def _keeping_rules(case: AnyCase) -> AnyCase:
    examples = doc.path_examples(case)
    given = (case.path_parameters, case.query, case.body)
    is_other = doc.lot(given, 4) == 0
    if len(examples) > 1 and (_breaks_a_rule(case) or not is_other):
        case.path_parameters = {**case.path_parameters, **examples}
    if broken := broken_rules(case):
        left_out = {*broken, "Page"} if "PageToken" in broken else {*broken}
        case.query = {name: value for name, value in case.query.items() if name not in left_out}
        if isinstance(case.body, dict):
            case.body = {name: value for name, value in case.body.items() if name not in left_out}
    return case


def _breaks_a_rule(case: AnyCase) -> bool:
    """Tell whether a valid case is refused; an unknown SID is a reply of its own."""
    return bool(broken_rules(case).keys() - {"Sid"})


@REQUESTS_TRANSPORT.serializer(doc.FORM)
def write_form(context: SerializationContext, value: Any) -> dict[str, Any]:
    """Write each object in a form as JSON, as OpenAPI 3.1 does, where schemathesis spreads it."""
    body: Any = context.case.body
    if not (written := _objects_as_json(context.case)):
        return urlencoded_serializer(context, value)
    texts = {name: _text(member) for name, member in {**body, **written}.items()}
    return {"data": urlencode(texts, doseq=True)}


@REQUESTS_TRANSPORT.serializer(doc.MULTIPART)
def write_parts(context: SerializationContext, value: Any) -> dict[str, Any]:
    """Write each object in a list as a part of its own, where schemathesis writes the list."""
    if written := _objects_as_json(context.case):
        context.case.multipart_content_types = dict.fromkeys(written, doc.JSON)
        value = {**value, **written}
    return multipart_serializer(context, value)


def _form_members(case: AnyCase) -> dict[str, tuple[Schema, Any]]:
    if not doc.is_form(case) or not isinstance(case.body, dict):
        return {}
    schemas = doc.named_members(doc.body_schema(case) or {})
    return {name: (schemas[name], value) for name, value in case.body.items() if name in schemas}


def _objects_as_json(case: AnyCase) -> dict[str, Any]:
    """Return the members of a form that hold objects, each of these written as JSON."""
    members = _form_members(case)
    written = {name: _object_as_json(*member) for name, member in members.items()}
    return {name: value for name, value in written.items() if value != members[name][1]}


def _object_as_json(schema: Schema, value: Any) -> Any:
    if isinstance(value, list):
        return [_object_as_json(doc.item_schema(schema) or {}, item) for item in value]
    is_object = isinstance(value, dict) and doc.allows_type(schema, "object")
    return json.dumps(value) if is_object else value


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(item) for item in value]
    return value if isinstance(value, str) else json.dumps(value)


def _is_valid_as_text(case: AnyCase) -> bool:
    """Tell whether a form is meant to be wrong for what text does not show.

    That is a list of objects, as if it were one text, or a number where text is one of the choices.
    """
    return any(
        any(isinstance(item, dict) for item in value)
        if isinstance(value, list)
        else isinstance(value, bool | int | float) and doc.allows_type(schema, "string")
        for schema, value in _form_members(case).values()
    )


def _has_unnamed_query(case: AnyCase) -> bool:
    """Tell whether an object in the query has members that the document allows and does not name.

    Each is a parameter on the wire, and no document names it there.
    """
    schemas = doc.parameter_schemas(case)
    members = {member for schema in schemas.values() for member in doc.named_members(schema)}
    return not {*case.query} <= {*schemas, *members}
