"""What openapi.yaml says of a case, read without the client's and the mock's code."""

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import yaml
from schemathesis import Case
from schemathesis.core import NotSet
from schemathesis.transport.serialization import Binary
from signalwire_compat_mock.contract import FORM, MULTIPART, is_json, media_type

from tests.conftest import ROOT

AnyCase = Case[Any]
DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
BASE_PATH = urlsplit(DOCUMENT["servers"][0]["url"].replace("{", "").replace("}", "")).path


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    """Follow the references of a part of the document."""
    while "$ref" in node:
        path = node["$ref"].removeprefix("#/").split("/")
        node = functools.reduce(lambda part, name: part[name], path, DOCUMENT)
    return node


def is_valid(case: AnyCase, schema: dict[str, Any], value: Any) -> bool:
    """Tell whether a value keeps to a schema of the document of a case."""
    components = case.operation.schema.raw_schema["components"]
    return _validator(json.dumps({**schema, "components": components})).is_valid(plain(value))


def plain(value: Any) -> Any:
    """Write a value as JSON has it: each byte of a file is a character."""
    if isinstance(value, Binary):
        return value.data.decode("latin-1")
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def make_files(case: AnyCase) -> None:
    """Turn text in the body of a case into a file where the document has one."""
    if schema := body_schema(case):
        case.body = _with_files(case.body, schema)


def _with_files(value: Any, schema: dict[str, Any]) -> Any:
    schema = resolved(schema)
    if isinstance(value, str) and not isinstance(value, Binary) and is_file(schema):
        return Binary(value.encode(errors="surrogatepass"))
    if isinstance(value, list) and "items" in schema:
        return [_with_files(item, schema["items"]) for item in value]
    if isinstance(value, dict):
        members = named_members(schema)
        return {name: _with_files(item, members.get(name, {})) for name, item in value.items()}
    return value


def is_file(schema: dict[str, Any]) -> bool:
    """Tell whether a schema is that of a file."""
    return schema.get("format") == "binary"


@functools.lru_cache(maxsize=1000)
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        _with_bounds(json.loads(schema)), validate_formats=True
    )


def _with_bounds(node: Any) -> Any:
    """Write the bounds of int32 and int64 as keywords: to JSON Schema they are words alone."""
    if isinstance(node, list):
        return [_with_bounds(part) for part in node]
    if not isinstance(node, dict):
        return node
    bits = {"int32": 31, "int64": 63}.get(str(node.get("format")))
    bounds = {"minimum": -(2**bits), "maximum": 2**bits - 1} if bits else {}
    return {**bounds, **{name: _with_bounds(part) for name, part in node.items()}}


def is_secured(case: AnyCase) -> bool:
    """Tell whether the operation needs credentials."""
    ways = case.operation.definition.raw.get("security", DOCUMENT.get("security", []))
    return bool(ways) and {} not in ways


def parameter_schemas(case: AnyCase) -> dict[str, dict[str, Any]]:
    """Return the schema of each parameter that the operation has, by its name."""
    operation = case.operation
    groups = (operation.path_parameters, operation.query, operation.headers, operation.cookies)
    return {p.name: p.definition.get("schema", {}) for group in groups for p in group}


def parameters(case: AnyCase) -> dict[str, Any]:
    """Return the parameters of a case, as a caller gives them.

    Schemathesis writes some as text already, as a URL holds them. Headers that the operation does
    not name are left out: no argument is for them.
    """
    schemas = parameter_schemas(case)
    headers = {name: value for name, value in case.headers.items() if name in schemas}
    query = {**case.query}
    objects: dict[str, Any] = {}
    for found in case.operation.query:
        # Each member of an object in the query is a parameter on the wire.
        if found.name not in query and (members := named_members(schemas[found.name])):
            names = members.keys() & query.keys()
            value = {name: _typed(query.pop(name), members[name]) for name in sorted(names)}
            if value or found.is_required:
                objects[found.name] = value
    given = {**case.path_parameters, **query, **headers, **case.cookies}
    typed_ = {name: _typed(value, schemas.get(name, {})) for name, value in given.items()}
    return typed_ | objects


def in_query(case: AnyCase) -> dict[str, Any]:
    """Return what a case has in its query, as it is on the wire: members, not objects."""
    others = {*case.path_parameters, *case.headers, *case.cookies}
    given = {name: v for name, v in parameters(case).items() if name not in others}
    flat: dict[str, Any] = {}
    for name, value in given.items():
        flat |= value if isinstance(value, dict) else {name: value}
    return flat


def _typed(value: Any, schema: Mapping[str, Any]) -> Any:
    if not isinstance(value, str) or "string" in schema.get("type", "string"):
        return value
    return typed(value)


def typed(text: str) -> Any:
    """Read a text as the JSON value that it is; one that is none stays text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def body_schema(case: AnyCase) -> dict[str, Any] | None:
    """Return the schema of the body of a case, None for a content type that has none."""
    media = contents(case).get(case.media_type)
    return media["schema"] if media else None


def contents(case: AnyCase) -> dict[Any, Any]:
    """Return what the operation documents for each content type of its body."""
    body = resolved(case.operation.definition.raw.get("requestBody", {}))
    found: dict[Any, Any] = body.get("content", {})
    return found


def lacks_body(case: AnyCase) -> bool:
    """Tell whether a case has no body, and the operation needs one."""
    body = resolved(case.operation.definition.raw.get("requestBody", {}))
    return isinstance(case.body, NotSet) and bool(body.get("required"))


def is_form(case: AnyCase) -> bool:
    """Tell whether the body is a form, whose values are text."""
    return media_type(case.media_type or "") in (FORM, MULTIPART)


def has_json(case: AnyCase) -> bool:
    """Tell whether the body is JSON, of whatever kind."""
    return is_json(media_type(case.media_type or ""))


def has_unnamed_members(case: AnyCase) -> bool:
    """Tell whether the body has members that an open schema allows and does not name.

    A caller passes these in a model, where JSON holds them. A closed schema refuses them.
    """
    schema = body_schema(case)
    if not isinstance(case.body, dict) or schema is None:
        return False
    return not named_members(schema).keys() >= set(case.body) and is_valid(case, schema, case.body)


def parts(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """List a schema and those that it joins or chooses from, each without its reference."""
    schema = resolved(schema)
    yield schema
    for word in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(word, []):
            yield from parts(part)


def named_members(schema: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """List the members that a schema names, with their own schemas."""
    return {name: part for one in parts(schema) for name, part in one.get("properties", {}).items()}


def is_object(schema: dict[str, Any]) -> bool:
    """Tell whether a schema names the members of an object, or says that it is one."""
    return any("object" in one.get("type", ()) or "properties" in one for one in parts(schema))


def item_schema(schema: dict[str, Any]) -> dict[str, Any] | None:
    """Return the schema of the items of a list; None for what is no list."""
    return next((one["items"] for one in parts(schema) if "items" in one), None)


def reply_schema(case: AnyCase, status: int) -> dict[str, Any] | None:
    """Return the schema of the JSON that an operation documents for a status; None without one."""
    replies = case.operation.definition.raw["responses"]
    keys = (str(status), f"{status // 100}XX", "default")
    reply = next((resolved(replies[key]) for key in keys if key in replies), {})
    return json_schema(reply)


def json_schema(reply: dict[str, Any]) -> dict[str, Any] | None:
    """Return the schema of the JSON that a reply documents; None if it documents none."""
    for content_type, media in reply.get("content", {}).items():
        if content_type.partition(";")[0].endswith(("/json", "+json")):
            schema: dict[str, Any] = media["schema"]
            return schema
    return None
