"""Find what OpenAPI allows and the client does not support, so that nothing is dropped silently."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openapi_python_client.strings import PythonIdentifier

from codegen.content_types import wrong_body, wrong_reply
from codegen.document import (
    Pointer,
    Problem,
    at,
    cycles,
    files_in,
    follow,
    members_of,
    nodes,
    parameters_of,
    target,
    types_of,
)
from codegen.normal_form import DELIMITERS, STYLES, is_ignored, is_query_list, is_served_by_caller

KEYWORDS = {"patternProperties", "prefixItems", "$dynamicRef", "$recursiveRef"}
"""Keywords that neither a model nor a check of the client can hold."""
_ENCODINGS = ("style", "explode", "allowReserved", "contentType", "headers")
# Keys that no part of a kind may have.
_REFUSED = {
    ("path", "$ref"): "has its operations elsewhere, and they would be dropped: write them here",
    ("parameter", "content"): "has content, which the client cannot write: give it a schema",
    **dict.fromkeys(
        (("encoding", key) for key in _ENCODINGS),
        "is not supported, the client writes forms in one way: remove it",
    ),
    **{("schema", key): f'"{key}" is not supported: say it in the description' for key in KEYWORDS},
}
# The client or HTTP itself writes these headers.
_OWN_HEADERS = {"connection", "content-length", "cookie", "host", "transfer-encoding"}
LONGEST = 200
OWN_NAMES = {
    *("Any", "ClassVar", "Literal", "Mapping", "Self", "TypedDict"),
    *("AsyncCompat", "AsyncPage", "AsyncRestClient", "Compat", "RestClient", "SyncPage"),
    *("File", "Findable", "InvalidRequestError", "LookUp", "Reply", "Request", "Response"),
    *("Schema", "UNSET", "Unset"),
}
# Every generated module imports this name.
_IMPORTED = "annotations"
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", "letters, digits and -"
_NAMES = {
    "path": (r"[A-Za-z_-][\w-]*", "letters, digits, - and _"),
    **{"header": _TOKEN, "cookie": _TOKEN},
}
_NESTED_LISTS = {"an object in a list", "a list in a list"}
_NESTED = re.compile(r"an object|an? .* in a list")
_TOO_LONG = f"is longer than {LONGEST} characters, too long for a file: shorten it"


def unsupported(document: dict[str, Any]) -> Iterator[Problem]:
    """Find what the client does not support, at the field or operation that asks for it."""
    inline = ("allOf", "anyOf", "oneOf", "items", "properties", "additionalProperties")
    for where in cycles(document, *inline, through_objects=False):
        what = "leads back to itself without an object among components, which would be a class"
        yield (*where, "$ref"), f"{what}: move one there"
    yield from _tags(document)
    yield from _equal_paths(document)
    checks = {"schema": _schema, "operation": _operation, "parameter": _parameter}
    for kind, where, node in nodes(document):
        if kind != "schema" and is_served_by_caller(where):
            continue
        name = node.get("operationId", node.get("name")) if kind in checks else None
        prefix = f'"{name}" ' if name else ""
        for key in (key for key in node if (kind, key) in _REFUSED):
            yield (*where, key), prefix + _REFUSED[kind, key]
        for place, what in checks[kind](document, where, node) if kind in checks else ():
            yield place, prefix + what


def _equal_paths(document: dict[str, Any]) -> Iterator[Problem]:
    """Find paths that differ only in the names of their parameters, or that no URL can have."""
    first: dict[str, str] = {}
    for path in document.get("paths", {}):
        if (other := first.setdefault(re.sub(r"\{[^{}]*\}", "{}", path), path)) != path:
            yield ("paths", path), f"is the same path as {other}: put all operations under one"
        if odd := re.search(r"[\s\"\\<>^`|?#]", path):
            what = f"has {odd[0]!r}, which no URL path can contain: write %{ord(odd[0]):02X}"
            yield ("paths", path), what


def _schema(document: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    if "$ref" in node and target(node["$ref"])[:-1] != ("components", "schemas"):
        yield (*where, "$ref"), "names a part of a schema: move that part to components"
    parts = [(*where, "allOf", index) for index, _ in enumerate(node.get("allOf", ()))]
    types = {name for part in parts for name in types_of(document, part)} - {"an object"}
    if len(parts) > 1 and types:
        what = f"joins {min(types)}, and the generator joins only objects"
        yield (*where, "allOf"), f"{what}: write the keywords beside the $ref"
    values = {type(value) for value in node.get("enum", ()) if value is not None}
    if values >= {str, int} or values - {str, int, bool}:
        what = "has values that are not all text or all whole numbers"
        yield (*where, "enum"), f"{what}: list them in the description"
    first: dict[tuple[str, str], str] = {}
    for name in node.get("properties", {}):
        # The generator tries both names, and has no third.
        both = (PythonIdentifier(name, ""), PythonIdentifier(name, "", skip_snake_case=True))
        if (other := first.setdefault(both, name)) != name:
            what = f'"{name}" is {both[1]} in Python, as is "{other}": rename one'
            yield (*where, "properties", name), what


def _parameter(document: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    if "schema" not in node or is_ignored(node):  # A reference, or content, which is refused.
        return
    schema, place = (*where, "schema"), node["in"]
    types = [*types_of(document, schema)]
    yield from _written(where, node, types)
    if "null" in types:
        yield schema, f"may be null, which no {place} can hold: remove null"
    for file in files_in(document, schema):
        yield file, f"is a file, which no {place} can hold: put it into a body"
    if found := next((each for each in types if each in _NESTED_LISTS), None):
        yield schema, f"is {found}, which no {place} can hold: give it another type"
    if "an object" in types:
        yield from _members(document, schema, node)


def _members(document: dict[str, Any], schema: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    """Find members of an object that a parameter can't hold."""
    place, members = node["in"], members_of(document, schema)[0]
    # In these places each member is a pair of its own, unless the object is one value.
    is_pairs = place in ("query", "cookie") and node.get("style") not in DELIMITERS
    if is_pairs and not members:
        yield schema, f"is an object without named members, which no {place} can hold: name them"
    here, more = follow(document, schema), "additionalProperties"
    if not is_pairs and isinstance(at(document, here).get(more), dict):
        members = {**members, more: (*here, more)}
    has_lists = place == "query" and "style" not in node
    for member, inner in members.items():
        kinds = types_of(document, inner)
        nested = (k for k in kinds if _NESTED.fullmatch(k) or (not has_lists and k == "a list"))
        if kind := next(nested, None):
            what = f'has the member "{member}", {kind}, which no {place} can hold: flatten it'
            yield inner, what


def _written(where: Pointer, node: dict[str, Any], types: list[str]) -> Iterator[Problem]:
    """Find names and styles that the client cannot write."""
    name, place = node["name"], node["in"]
    pattern, todo = _NAMES.get(place, ("", ""))
    if pattern and not re.fullmatch(pattern, name, re.ASCII):
        yield (*where, "name"), f"is a name that no {place} can have: use {todo}"
    if place == "header" and name.lower() in _OWN_HEADERS:
        yield (*where, "name"), "is a header that the client writes itself: remove the parameter"
    if node.get("allowReserved"):
        yield (*where, "allowReserved"), "is not supported, the client encodes them: remove it"
    style = node.get("style")
    is_one = is_query_list(types, place) or ("an object" in types and not node.get("explode"))
    is_deep = style == "deepObject" and "an object" in types
    if style and place == "query" and not is_deep and not (is_one and style in DELIMITERS):
        key = "explode" if style == STYLES[place] else "style"
        what = f"is {node[key]}, a way that the client cannot write this value"
        yield (*where, key), f"{what}: remove it"


def _operation(document: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    name = str(node.get("operationId", where[-1]))
    if len(name) > LONGEST:
        yield (*where, "operationId"), _TOO_LONG
    if PythonIdentifier(name, "") == _IMPORTED:
        yield (*where, "operationId"), "is a name that the package uses: rename it"
    yield from _ambiguous_parameters(document, where)
    if "requestBody" in node:
        yield from wrong_body(document, follow(document, (*where, "requestBody")))
    replies = {code: (*where, "responses", code) for code in node["responses"] if code[:2] != "x-"}
    for status, place in replies.items():
        end = follow(document, place)
        content = at(document, end).get("content")
        if content:
            what = f"has a reply with status {status}"
            yield from wrong_reply(document, what, (*end, "content"), content)


def _tags(document: dict[str, Any]) -> Iterator[Problem]:
    """Find tags that modules cannot be named after."""
    tags = {
        (*where, "tags", 0): str(node["tags"][0])
        for kind, where, node in nodes(document)
        if kind == "operation" and node.get("tags") and not is_served_by_caller(where)
    }
    for where, tag in tags.items():
        name = PythonIdentifier(tag, "")
        if name != PythonIdentifier(tag, "tag"):
            yield where, f'"{tag}" is not a name in Python: begin it with a letter'
        elif len(name) > LONGEST:
            yield where, _TOO_LONG
        elif name == _IMPORTED:
            yield where, f'"{tag}" is a name that the package uses: rename it'


def _ambiguous_parameters(document: dict[str, Any], where: Pointer) -> Iterator[Problem]:
    """Find parameters of one operation that are the same argument, or written the same way."""
    written: dict[tuple[str, str], str] = {}
    for here, end in parameters_of(document, where):
        parameter, schema = at(document, end), (*end, "schema")
        name, place = parameter["name"], parameter["in"]
        names, is_pairs = [name], place in ("query", "cookie") and "schema" in parameter
        is_pairs = is_pairs and parameter.get("style") not in DELIMITERS
        if is_pairs and "an object" in types_of(document, schema):
            names = [*members_of(document, schema)[0]]
            if parameter.get("style") == "deepObject":
                names = [f"{name}[{member}]" for member in names]
        for key in names:
            same = place, key.lower() if place == "header" else key
            if (other := written.setdefault(same, name)) != name:
                what = f'sends two values: "{name}" writes {key} into the {place}, as does'
                yield here, f'{what} "{other}": remove one'
