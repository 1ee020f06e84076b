"""What the document says about a case.

A reader of its own on purpose: what the generator and the mock make of the document is compared
with what stands here.
"""

import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit
from zlib import crc32

import jsonschema_rs
import yaml
from schemathesis import APIOperation, Case
from schemathesis.core import NotSet
from schemathesis.transport.serialization import Binary

from .options import is_selected, spec_file
from .references import follow
from .upgrade import METHODS, as_read

AnyCase = Case[Any]
Schema = dict[str, Any]
# Keys such as 200 are text in JSON.
DOCUMENT: dict[str, Any] = as_read(
    json.loads(json.dumps(yaml.safe_load(spec_file().read_text("utf-8")), default=str))
)
_SERVER = (DOCUMENT.get("servers") or [{"url": ""}])[0]["url"]
BASE_PATH = urlsplit(_SERVER.replace("{", "").replace("}", "")).path.rstrip("/")
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MULTIPART = "multipart/form-data"
BODY = "body"
"""Names the body among the parameters of a case."""
NOTHING: Schema = {"not": {}}
CHOICES = ("allOf", "anyOf", "oneOf")
_SIGNS = {"<": "_lt", ">": "_gt", "=": "_eq", "!": "_not"}


def operations() -> Iterator[tuple[str, str, Schema]]:
    """List path, method and the operation itself, of those that are to be fuzzed."""
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if path.startswith("/") and method in item:
                operation = item[method]
                name, tags = operation.get("operationId", ""), operation.get("tags", [])
                if is_selected(name, tags, method):
                    yield path, method, operation


def repeating() -> set[str]:
    """Name the operations whose reply repeats an argument."""
    found = (operation for _, _, operation in operations())
    return {operation["operationId"] for operation in found if operation.get("x-reply-repeats")}


def objects(node: Any) -> Iterator[Schema]:
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node:
        if isinstance(part, dict | list):
            yield from objects(part)


def with_objects(node: Any, change: Callable[[Schema], Schema]) -> Any:
    """Copy a part of the document with each of its objects changed, inner ones first."""
    if isinstance(node, dict):
        return change({name: with_objects(part, change) for name, part in node.items()})
    return [with_objects(part, change) for part in node] if isinstance(node, list) else node


def target(reference: str) -> Schema:
    found: Schema = follow(DOCUMENT, reference)
    return found


def resolved(node: Schema) -> Schema:
    while "$ref" in node:
        node = target(node["$ref"])
    return node


def parts(schema: Schema) -> Iterator[Schema]:
    """List a schema and those that it joins or chooses from, each without its reference."""
    schema = resolved(schema)
    yield schema
    for keyword in CHOICES:
        for part in schema.get(keyword, []):
            yield from parts(part)


def types(schema: Schema) -> set[str]:
    """Return the types that a schema itself names, without what it joins or chooses from."""
    named = schema.get("type", [])
    return {named} if isinstance(named, str) else {*named}


def allows_type(schema: Schema, name: str) -> bool:
    return any(name in types(part) for part in parts(schema))


def named_members(schema: Schema) -> dict[str, Schema]:
    return {name: part for one in parts(schema) for name, part in one.get("properties", {}).items()}


def item_schema(schema: Schema) -> Schema | None:
    return next((one["items"] for one in parts(schema) if "items" in one), None)


_VALIDATORS: dict[tuple[int, str], jsonschema_rs.Draft202012Validator] = {}
_USED: list[Schema] = []


def _validator(document: Schema, schema: Schema) -> jsonschema_rs.Draft202012Validator:
    """Make a validator once: a document is large, and its `id` tells it from others."""
    key = (id(document), json.dumps(schema))
    if key not in _VALIDATORS:
        _USED.append(document)  # No other document gets this `id` while it is kept.
        components = document.get("components", {})
        bounded = with_objects({**schema, "components": components}, with_bounds)
        _VALIDATORS[key] = jsonschema_rs.Draft202012Validator(bounded, validate_formats=True)
    return _VALIDATORS[key]


def with_bounds(node: Schema) -> Schema:
    """Write the bounds of int32 and int64 as keywords: JSON Schema ignores these formats."""
    bits = {"int32": 31, "int64": 63}.get(str(node.get("format")))
    return {"minimum": -(2**bits), "maximum": 2**bits - 1, **node} if bits else node


def violations(case: AnyCase, schema: Schema, value: Any) -> list[jsonschema_rs.ValidationError]:
    validator = _validator(case.operation.schema.raw_schema, schema)
    return list(validator.iter_errors(plain(value)))


def is_valid(case: AnyCase, schema: Schema, value: Any) -> bool:
    return not violations(case, schema, value)


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(value, dict):
        return {name: mapped(member, change) for name, member in value.items()}
    return [mapped(item, change) for item in value] if isinstance(value, list) else change(value)


def plain(value: Any) -> Any:
    """Write a value as JSON has it: each byte of a file is a character."""
    return mapped(value, _as_characters)


def _as_characters(value: Any) -> Any:
    data = value.data if isinstance(value, Binary) else value
    if isinstance(data, str):
        return "".join(data)  # Schemathesis has texts of other classes, which no validator takes.
    return data.decode("latin-1") if isinstance(data, bytes) else data


def as_json(value: Any) -> str:
    """Write a value in one way: unlike in Python, true is not 1 and 1 is not 1.0."""
    return json.dumps(plain(value), sort_keys=True)


def with_files(value: Any, schema: Schema) -> Any:
    schema = resolved(schema)
    if isinstance(value, str) and not isinstance(value, Binary):
        is_file = schema.get("format") == "binary"
        return Binary(value.encode(errors="surrogatepass")) if is_file else value
    if isinstance(value, list) and "items" in schema:
        return [with_files(item, schema["items"]) for item in value]
    if isinstance(value, dict):
        members = named_members(schema)
        return {name: with_files(item, members.get(name, {})) for name, item in value.items()}
    return value


def typed(text: str | bytes) -> Any:
    """Read JSON, else return the text. A body may have blanks around it, a single value may not."""
    if isinstance(text, str) and text != text.strip():
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text


def is_secured(case: AnyCase) -> bool:
    choices = case.operation.definition.raw.get("security", DOCUMENT.get("security", []))
    return bool(choices) and {} not in choices


def documented_parameters(path: str, operation: Schema) -> dict[str, Schema]:
    """Return each parameter of an operation, those of its path included, by its name."""
    of_path = DOCUMENT["paths"].get(path, {}).get("parameters", [])
    found = map(resolved, [*of_path, *operation.get("parameters", [])])
    return {parameter["name"]: parameter for parameter in found}


def path_examples(case: AnyCase) -> dict[str, Any]:
    """Return the example of each parameter in the path: few other values name something."""
    found = documented_parameters(case.operation.path, case.operation.definition.raw)
    return {n: p["example"] for n, p in found.items() if p["in"] == "path" and "example" in p}


def parameter_schemas(case: AnyCase) -> dict[str, Schema]:
    return _parameter_schemas(case.operation)


@functools.cache
def _parameter_schemas(operation: APIOperation[Any, Any, Any, Any]) -> dict[str, Schema]:
    found = documented_parameters(operation.path, operation.definition.raw)
    return {name: parameter.get("schema", {}) for name, parameter in found.items()}


def parameters(case: AnyCase) -> dict[str, Any]:
    """Return the parameters of a case, as a caller gives them: of headers, only those documented.

    Schemathesis writes some as text already, as a URL holds them.
    """
    schemas = parameter_schemas(case)
    headers = {name: value for name, value in case.headers.items() if name in schemas}
    query, given = {**case.query}, {}
    for found in case.operation.query:
        # Each member of an object in the query is a parameter on the wire.
        if found.name not in query and (members := named_members(schemas[found.name])):
            names = sorted(members.keys() & query.keys())
            if names or found.is_required:
                given[found.name] = {n: _as_given(query.pop(n), members[n]) for n in names}
    texts = {**case.path_parameters, **query, **headers, **case.cookies}
    return {n: _as_given(value, schemas.get(n, {})) for n, value in texts.items()} | given


def with_plain_path(case: AnyCase) -> AnyCase:
    """Decode the path parameters, which schemathesis percent-encodes. Returns the same case."""
    if case.meta is not None:
        texts = case.path_parameters.items()
        case.path_parameters = {n: unquote(v) if isinstance(v, str) else v for n, v in texts}
    return case


def plain_name(name: str) -> str:
    """Write a name as it is compared: `FriendlyName` and `friendly_name` are the same."""
    return re.sub("[_-]", "", name).lower()


def account_parameter(case: AnyCase) -> str | None:
    """Name the parameter of the path that a client fills in, if its caller does not."""
    found = documented_parameters(case.operation.path, case.operation.definition.raw)
    return next((n for n, p in found.items() if p.get("x-client-default") == "account"), None)


def arguments(case: AnyCase) -> dict[str, Any]:
    """Return the parameters of a case by their names in a call."""
    return {argument_name(case, name): value for name, value in parameters(case).items()}


def argument_name(case: AnyCase, name: str) -> str:
    """Name a parameter as a call does: `Time_lt` for `Time<`, if there is another `Time`."""
    plain = {found.name: re.sub("[<>=!]", "", found.name) for found in case.operation.query}
    is_usual = name not in plain or Counter(plain.values())[plain[name]] < 2
    return name if is_usual else re.sub("[<>=!]", lambda sign: _SIGNS[sign[0]], name)


def _as_given(value: Any, schema: Schema) -> Any:
    is_text = not isinstance(value, str) or "string" in schema.get("type", "string")
    return value if is_text else typed(value)


def in_query(case: AnyCase) -> dict[str, Any]:
    """Return what a case has in its query, as it is on the wire: members, not objects."""
    others = {*case.path_parameters, *case.headers, *case.cookies}
    flat: dict[str, Any] = {}
    for name, value in parameters(case).items():
        if name not in others:
            flat |= value if isinstance(value, dict) else {name: value}
    return flat


def parts_of(case: AnyCase) -> dict[str, tuple[Schema, Any]]:
    """Return schema and value of each parameter and of the body; nothing fits an unknown one."""
    schemas, body = parameter_schemas(case), body_schema(case)
    found = {name: (schemas.get(name, NOTHING), v) for name, v in parameters(case).items()}
    if not isinstance(case.body, NotSet):
        found[BODY] = (NOTHING if body is None else body, case.body)
    return found


def media_type(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def is_json(content_type: str | None) -> bool:
    return media_type(content_type).endswith(("/json", "+json"))


def is_form(case: AnyCase) -> bool:
    return media_type(case.media_type) in (FORM, MULTIPART)


def documented_body(case: AnyCase) -> Schema:
    return resolved(case.operation.definition.raw.get("requestBody", {}))


def contents(case: AnyCase) -> dict[Any, Any]:
    found: dict[Any, Any] = documented_body(case).get("content", {})
    return found


def body_schema(case: AnyCase) -> Schema | None:
    media = contents(case).get(case.media_type)
    return media["schema"] if media else None


def has_unnamed_members(case: AnyCase) -> bool:
    """Tell whether the body has members that an open schema allows and does not name.

    A caller passes these in a model, where JSON holds them. A closed schema refuses them.
    """
    schema = body_schema(case)
    if not isinstance(case.body, dict) or schema is None:
        return False
    return not named_members(schema).keys() >= set(case.body) and is_valid(case, schema, case.body)


def repeats(case: AnyCase) -> dict[str, tuple[Any, str]]:
    """Return what members of a reply must repeat: arguments of the case, and how they compare."""
    given = parameters(case) | (case.body if isinstance(case.body, dict) else {})
    rules = case.operation.definition.raw.get("x-reply-repeats", {}).items()
    found = {name: (given.get(rule["argument"]), rule["compare"]) for name, rule in rules}
    return {name: rule for name, rule in found.items() if rule[0] is not None}


def differing(case: AnyCase, said: Any) -> list[str]:
    """List the members of a reply that show that it is not about what the case asks for."""
    members = said if isinstance(said, dict) else {}
    return [
        name
        for name, (asked, compare) in repeats(case).items()
        if members.get(name) is not None
        and _compared(members[name], compare) != _compared(asked, compare)
    ]


def unrepeated(case: AnyCase, said: Any) -> list[str]:
    """List the members of a reply that should repeat an argument and are missing or null."""
    members = said if isinstance(said, dict) else {}
    return [name for name in repeats(case) if members.get(name) is None]


def _compared(value: Any, compare: str) -> str:
    text = str(value)
    return "".join(c for c in text if c in "0123456789") if compare == "digits" else text


def reply_key(case: AnyCase, status: int) -> str | None:
    """Return the key under which an operation documents a status: itself, its class or default."""
    keys = (str(status), f"{status // 100}XX", "default")
    return next((key for key in keys if key in case.operation.definition.raw["responses"]), None)


def reply_schema(case: AnyCase, status: int) -> Schema | None:
    """Return the schema of the JSON that an operation documents for a status; None without one.

    Any other success stands for the only one that it documents.
    """
    responses = case.operation.definition.raw["responses"]
    successes = [key for key in responses if key.startswith("2")]
    is_other = 200 <= status < 300 and len(successes) == 1
    key = reply_key(case, status) or (successes[0] if is_other else None)
    return json_schema(responses[key]) if key else None


def lot(value: Any, count: int) -> int:
    """Draw a number below `count` for a value: the same in each run."""
    return crc32(repr(value).encode()) % count


def reply_types(reply: Schema) -> list[str]:
    return [*resolved(reply).get("content", {})]


def json_schema(reply: Schema) -> Schema | None:
    content = resolved(reply).get("content", {})
    return next((media["schema"] for kind, media in content.items() if is_json(kind)), None)
