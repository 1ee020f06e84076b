"""Find what OpenAPI allows and the client does not support, so that nothing is dropped silently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openapi_python_client.strings import ClassName, PythonIdentifier

from codegen.content_types import FORMS, wrong_body, wrong_reply
from codegen.document import (
    INTEGER_BOUNDS,
    Pointer,
    Problem,
    at,
    cycles,
    files_in,
    follow,
    media_type,
    members_of,
    nodes,
    resolved,
    target,
    types_of,
)
from codegen.schema_code import FORMATS

# Neither a model nor a check of the client can hold what these keywords ask for.
KEYWORDS = {
    *("not", "if", "then", "else", "dependentSchemas", "dependentRequired", "contains"),
    *("minContains", "maxContains", "minProperties", "maxProperties", "propertyNames"),
    *("patternProperties", "prefixItems", "unevaluatedItems", "unevaluatedProperties"),
    *("discriminator", "$dynamicRef", "$recursiveRef"),
}
# Formats that say how a value is stored or shown, and forbid no value that JSON allows.
_DESCRIPTIVE = {*INTEGER_BOUNDS, "float", "double", "binary", "byte", "password"}
# The client or HTTP itself writes these headers.
_OWN_HEADERS = {
    *("accept", "authorization", "connection", "content-length", "content-type"),
    *("cookie", "host", "transfer-encoding"),
}
LONGEST = 200
OWN_NAMES = {
    *("Any", "ClassVar", "Literal", "Mapping", "Self", "TYPE_CHECKING"),
    *("AsyncCompat", "AsyncRestClient", "Compat", "RestClient"),
    *("File", "Reply", "Request", "Response", "Schema", "UNSET", "Unset"),
}
# Every generated module imports this name.
_IMPORTED = "annotations"
_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_UNFIT = {
    "path": {"a list", "an object"},
    "query": {"an object in a list", "a list in a list"},
    "header": {"a list", "an object"},
    "cookie": {"a list", "an object"},
}
_NESTED = re.compile(r"an object|an? .* in a list")
_TOO_LONG = f"is longer than {LONGEST} characters, too long for a file: shorten it"
_SERVERS = "has servers of its own, and a client has one server: move them to the top"


def unsupported(document: dict[str, Any]) -> Iterator[Problem]:
    """Find what the client does not support, at the field or operation that asks for it."""
    inline = ("allOf", "anyOf", "oneOf", "items", "properties", "additionalProperties")
    for where in cycles(document, *inline, through_objects=False):
        what = "leads back to itself without an object among components, which would be a class"
        yield (*where, "$ref"), f"{what}: move one there"
    yield from _one_way(document)
    yield from _tags(document)
    yield from _equal_paths(document)
    checks = {
        "path": _path,
        "operation": _operation,
        "parameter": _parameter,
        "media": _form,
        "encoding": _encoding,
    }
    for kind, where, node in nodes(document):
        if kind == "schema":
            yield from _schema(document, where, node)
        elif kind in checks and not _is_served_by_caller(where):
            yield from checks[kind](document, where, node)


def _is_served_by_caller(where: Pointer) -> bool:
    return "callbacks" in where or where[0] == "webhooks"


def _one_way(document: dict[str, Any]) -> Iterator[Problem]:
    """Find required members that requests, or replies, must not have."""
    for keyword, way, roots in (
        ("readOnly", "requests", {"requestBody", "parameters", "requestBodies"}),
        ("writeOnly", "replies", {"responses"}),
    ):
        pending = [
            where
            for kind, where, _ in nodes(document)
            if kind == "schema" and roots & {*where} and not _is_served_by_caller(where)
        ]
        seen: set[Pointer] = set()
        while pending:
            if (place := pending.pop()) in seen:
                continue
            seen.add(place)
            node = at(document, place)
            pending += [inner for _, inner, _ in nodes(node, "schema", place)]
            if "$ref" in node:
                pending.append(target(node["$ref"]))
            members, required = members_of(document, place)
            for name in members.keys() & required:
                if resolved(document, at(document, members[name])).get(keyword):
                    what = f'"{name}" is {keyword} and required, so {way} would need it as well'
                    todo = f"take it out of required, or give {way} a schema of their own"
                    yield members[name], f"{what}: {todo}"


def _equal_paths(document: dict[str, Any]) -> Iterator[Problem]:
    """Find paths that differ only in the names of their parameters."""
    first: dict[str, str] = {}
    for path in document.get("paths", {}):
        if (other := first.setdefault(re.sub(r"\{[^{}]*\}", "{}", path), path)) != path:
            what = f"is the same path as {other}: put the operations of both under one"
            yield ("paths", path), what


def _path(_: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    if "servers" in node:
        yield (*where, "servers"), _SERVERS
    if "$ref" in node:
        what = "has its operations elsewhere, and the generator would drop them: write them here"
        yield (*where, "$ref"), what
    if odd := re.search(r"[\s\"\\<>^`|?#]", str(where[1])):
        yield where, f"has {odd[0]!r}, which no URL path can contain: write %{ord(odd[0]):02X}"


def _schema(document: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    for key, what in _keywords(document, where, node):
        yield (*where, key), what
    first: dict[tuple[str, str], str] = {}
    for name in node.get("properties", {}):
        # The generator tries both names, and has no third.
        both = (PythonIdentifier(name, ""), PythonIdentifier(name, "", skip_snake_case=True))
        if (other := first.setdefault(both, name)) != name:
            what = f'"{name}" is {both[1]} in Python, as is "{other}": rename one'
            yield (*where, "properties", name), what


def _keywords(
    document: dict[str, Any], where: Pointer, node: dict[str, Any]
) -> Iterator[tuple[str, str]]:
    for keyword in node.keys() & KEYWORDS:
        yield keyword, f'"{keyword}" is not supported: say it in the description'
    if "$ref" in node and target(node["$ref"])[:-1] != ("components", "schemas"):
        yield "$ref", "names a part of a schema: move that part to components"
    if node.get("format", "uuid") not in {*FORMATS, *_DESCRIPTIVE}:
        what = f'"{node["format"]}" is a format that the client does not check'
        yield "format", f"{what}: write a pattern, or take one of {', '.join(FORMATS)}"
    parts = [(*where, "allOf", index) for index, _ in enumerate(node.get("allOf", ()))]
    types = {name for part in parts for name in types_of(document, part)} - {"an object"}
    if len(parts) > 1 and types:
        what = f"joins {min(types)}, and the generator joins only objects"
        yield "allOf", f"{what}: write the keywords beside the $ref"
    if parts and (
        unknown := members_of(document, where)[1] - members_of(document, where)[0].keys()
    ):
        yield "required", f'"{min(unknown)}" is required, and no part has it: correct the name'
    if node.get("enum") == []:
        yield "enum", "needs at least 1 item: list the values, or remove it"
    values = {type(value) for value in node.get("enum", ()) if value is not None}
    if values >= {str, int} or values - {str, int, bool}:
        what = "has values that are not all text or all whole numbers"
        yield "enum", f"{what}: list them in the description"
    if isinstance(node.get("const"), float | list | dict):
        yield "const", "is not text, a whole number, a boolean or null: name it in the description"
    if "nullable" in node:
        yield "nullable", 'is of OpenAPI 3.0, and means nothing in 3.1: add "null" to the type'


def _parameter(document: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    if "$ref" in node:
        return
    name, schema = f'the parameter "{node["name"]}"', (*where, "schema")
    if "schema" not in node:
        what = "has content, which the client cannot write: give it a schema"
        yield (*where, "content"), f"{name} {what}"
        return
    yield from (((*where, key), f"{name} {what}") for key, what in _fields(node))
    place, types = node["in"], [*types_of(document, schema)]
    if "null" in types:
        yield schema, f"{name} may be null, which no {place} can hold: remove null"
    for file in files_in(document, schema):
        yield file, f"{name} is a file, which no {place} can hold: put it into a body"
    if unfit := next((each for each in types if each in _UNFIT[place]), None):
        yield schema, f"{name} is {unfit}, which no {place} can hold: give it another type"
    elif place == "query" and node.get("required"):
        yield from _required_list(document, node["name"], schema)
    if place == "query" and "an object" in types:
        members = members_of(document, schema)[0]
        if not members:
            what = "is an object without named members, which the client cannot write: name them"
            yield schema, f"{name} {what}"
        for member, inner in members.items():
            nested = [each for each in types_of(document, inner) if _NESTED.fullmatch(each)]
            if nested:
                what = f"is {nested[0]} in an object, which no query can hold: flatten it"
                yield inner, f'"{member}" {what}'


def _fields(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Find the fields of a parameter that the client cannot write."""
    name, place = node["name"], node["in"]
    if place == "path" and not re.fullmatch(r"[A-Za-z_-][\w-]*", name, re.ASCII):
        yield "name", "has a name that no path can have: use letters, digits, - and _"
    is_header = place in ("header", "cookie")
    if is_header and not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        yield "name", f"has a name that no {place} can have: use letters, digits and -"
    if place == "header" and name.lower() in _OWN_HEADERS:
        yield "name", "is a header that the client writes itself: remove the parameter"
    style = node.get("style", _STYLES[place])
    if style != _STYLES[place]:
        what = f"has the style {style}, and the client writes only {_STYLES[place]}"
        yield "style", f"{what}: remove it"
    if node.get("explode", style == "form") != (style == "form"):
        what = f"has explode: {str(node['explode']).lower()}, which the client cannot write"
        yield "explode", f"{what}: remove it"
    if node.get("allowReserved"):
        what = "allows reserved characters, and the client escapes them: remove it"
        yield "allowReserved", what


def _form(document: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    if media_type(str(where[-1])) in FORMS and "schema" in node:
        members, required = members_of(document, (*where, "schema"))
        for name in [name for name in members if name in required]:
            yield from _required_list(document, name, members[name])


def _required_list(document: dict[str, Any], name: str, where: Pointer) -> Iterator[Problem]:
    """Find a required list that may be empty, where an empty list is not sent at all."""
    places = (where, follow(document, where))
    least = max(at(document, place).get("minItems", 0) for place in places)
    if "a list" in types_of(document, where) and not least:
        yield where, f'"{name}" is required, and an empty list is not sent: add `minItems: 1`'


def _encoding(_: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    keys = ("style", "explode", "allowReserved", "contentType", "headers")
    for key in (key for key in keys if key in node):
        yield (*where, key), "is not supported, the client writes forms in one way: remove it"


def _operation(document: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    name = str(node.get("operationId", where[-1]))
    if "servers" in node:
        yield (*where, "servers"), f"{name} {_SERVERS}"
    if len(name) > LONGEST:
        yield (*where, "operationId"), _TOO_LONG
    if PythonIdentifier(name, "") == _IMPORTED:
        yield (*where, "operationId"), f'"{name}" is a name that the package uses: rename it'
    yield from _ambiguous_parameters(document, where)
    if "requestBody" in node:
        yield from wrong_body(document, name, follow(document, (*where, "requestBody")))
    replies = {code: (*where, "responses", code) for code in node["responses"] if code[:2] != "x-"}
    if not any(status[0] == "2" for status in replies):
        what = f"{name} has no reply that is a success: add one, such as 200 or 204"
        yield (*where, "responses"), what
    for status, place in replies.items():
        content = at(document, follow(document, place)).get("content")
        is_head = where[-1] == "head" and status[0] == "2"
        if status[0] == "1":
            yield place, f"{name} has a reply with status {status}, which no client gets: remove it"
        elif content and (is_head or status in ("204", "205", "304")):
            why = "to HEAD" if is_head else f"of status {status}"
            what = f"{name} has a body in a reply {why}, which cannot have one: remove it"
            yield (*follow(document, place), "content"), what
        elif content:
            what = f"{name} has a reply with status {status}"
            place = (*follow(document, place), "content")
            yield from wrong_reply(document, what, place, content)


def _tags(document: dict[str, Any]) -> Iterator[Problem]:
    """Find tags that modules or classes cannot be named after."""
    tags = {
        (*where, "tags", 0): str(node["tags"][0])
        for kind, where, node in nodes(document)
        if kind == "operation" and node.get("tags") and not _is_served_by_caller(where)
    }
    classes = {ClassName(PythonIdentifier(tag, ""), "") for tag in tags.values()}
    for where, tag in tags.items():
        name, own = PythonIdentifier(tag, ""), ClassName(PythonIdentifier(tag, ""), "")
        if name != PythonIdentifier(tag, "tag"):
            yield where, f'"{tag}" is not a name in Python: begin it with a letter'
        elif len(name) > LONGEST:
            yield where, _TOO_LONG
        elif name == _IMPORTED:
            yield where, f'"{tag}" is a name that the package uses: rename it'
        elif taken := {own, f"Async{own}"} & OWN_NAMES or {f"Async{own}"} & classes:
            what = f'"{tag}" needs the class {min(taken)}, which already exists: rename the tag'
            yield where, what


def _ambiguous_parameters(document: dict[str, Any], where: Pointer) -> Iterator[Problem]:
    """Find parameters of one operation that are the same argument, or written the same way."""
    places: dict[str, str] = {}
    written: dict[tuple[str, str], str] = {}
    for base in (where[:2], where):
        for index, _ in enumerate(at(document, base).get("parameters", ())):
            here = (*base, "parameters", index)
            end = follow(document, here)
            parameter, schema = at(document, end), (*end, "schema")
            name, place = parameter["name"], parameter["in"]
            if (other := places.setdefault(name, place)) != place:
                yield here, f'"{name}" is also a parameter in {other}: rename one'
            names, is_query = [name], place == "query" and "schema" in parameter
            if is_query and "an object" in types_of(document, schema):
                names = [*members_of(document, schema)[0]]
            for key in names:
                same = place, key.lower() if place == "header" else key
                if (other := written.setdefault(same, name)) != name:
                    what = f'"{name}" writes {key} into the {place}, as does "{other}": remove one'
                    yield here, what
