"""Brings a document into the one form that generation and comparison read.

OpenAPI says many things in several ways, and some in a way that has no effect. Here each of them
becomes the explicit one, so that nothing else in this folder knows the others. Parts keep their
places, so that a message can point to the file.
"""

from __future__ import annotations

import copy
import re
from collections import Counter
from collections.abc import Collection
from typing import Any

from openapi_python_client.strings import PythonIdentifier

from codegen.content_types import ANY_TYPE, name_any_type, written_of
from codegen.credentials import sent_keys, ways_of
from codegen.document import (
    Pointer,
    at,
    called_operations,
    children,
    follow,
    is_bytes,
    is_generated,
    is_json,
    media_type,
    nodes,
    parameters_of,
    resolved,
    types_of,
)
from codegen.one_way import split
from codegen.schema_code import TAGS
from codegen.servers import put_on_operations

STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
"""How a parameter is written if it does not say; only `form` explodes."""
DELIMITERS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}
"""What stands between the items of a list in a query that does not explode, by style."""
WIRE_NAME = "x-wire-name"
"""Where the name of a parameter is kept that callers write with another one."""
_SIGNS = {"<": "_lt", ">": "_gt", "=": "_eq", "!": "_not"}
_DESCRIBED_ELSEWHERE = {"accept", "authorization", "content-type"}
NO_TAG = "default"
SWITCHES = {"additionalProperties", "unevaluatedProperties", "unevaluatedItems"}
"""Keywords that are usually true or false."""
BODILESS = {"204", "205", "304"}
"""The statuses of replies that can't have a body."""
# Keywords that evaluate members, besides those of a plain object.
_COMPOSING = {
    *("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "then", "else"),
    *("dependentSchemas", "patternProperties"),
}
_NULL = {"type": "null"}
_NEVER: dict[str, Any] = {"not": {}}
# The success of an operation that documents none.
_SILENT = {"description": "It is done."}


def is_ignored(parameter: dict[str, Any]) -> bool:
    """Whether a parameter has no effect: OpenAPI says that other parts describe these headers."""
    return parameter.get("in") == "header" and parameter["name"].lower() in _DESCRIBED_ELSEWHERE


def is_old(document: dict[str, Any]) -> bool:
    """Whether a document is of OpenAPI 3.0."""
    return str(document.get("openapi", "")).startswith("3.0.")


def as_3_1(document: dict[str, Any]) -> dict[str, Any]:
    """Copy a document of OpenAPI 3.0 as one of 3.1; one of 3.1 is returned as it is."""
    if not is_old(document):
        return document
    document = {**copy.deepcopy(document), "openapi": "3.1.0"}
    for kind, _, node in list(nodes(document)):
        if kind == "schema":
            _schema_of_3_0(node)
    return document


def _schema_of_3_0(node: dict[str, Any]) -> None:
    if "$ref" in node:  # What is beside it is ignored.
        for key in node.keys() - {"$ref", "description"}:
            del node[key]
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(exclusive), bool) and node.pop(exclusive) and limit in node:
            node[exclusive] = node.pop(limit)
    if node.pop("nullable", False) is True:
        null = {"type": "null"}
        if isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
        elif choice := node.keys() & {"anyOf", "oneOf"}:
            node[min(choice)] = [*node[min(choice)], null]
        elif "allOf" in node:
            node["oneOf"] = [{"allOf": node.pop("allOf")}, null]


def normal(document: dict[str, Any]) -> dict[str, Any]:
    """Copy a document that passed the checks of its structure, in the explicit form."""
    document = copy.deepcopy(as_3_1(document))
    document.setdefault("paths", {})
    document.setdefault("components", {}).setdefault("schemas", {})
    put_on_operations(document)
    for kind, where, node in list(nodes(document)):
        for child, place, value in children(node, kind, where):
            if child == "schema" and value is True and place[-1] not in SWITCHES:
                at(document, place[:-1])[place[-1]] = {}
    for kind, where, node in list(nodes(document)):
        if kind == "response" and ANY_TYPE in node.get("content", ()):
            name_any_type(document, where, node["content"])
    found = list(nodes(document))
    ids = {node.get("operationId") for kind, _, node in found if kind == "operation"}
    for kind, where, node in found:
        if kind == "operation" and is_generated(where):
            _operation(document, where, node, ids)
        elif kind == "parameter" and "schema" in node:
            _parameter(document, where, node)
        elif kind == "media" and not node.get("schema"):
            _media(node, media_type(str(where[-1])))
        elif kind == "body" and "content" in node and not is_served_by_caller(where):
            _body(document, where, node["content"])
        elif kind == "schema":
            _schema(node)
            _discriminator(document, node)
    for where, node in called_operations(document):
        _signs(document, where)
        _equal_arguments(document, where)
        keys = sent_keys(document, node)
        for _, end in parameters_of(document, where):
            if (at(document, end)["in"], at(document, end)["name"].lower()) in keys:
                at(document, end)["required"] = False  # The client sends its credentials.
    split(document)
    return document


def drop_ignored(document: dict[str, Any]) -> None:
    """Remove parameters without effect. It moves others, so messages must name places before it."""
    for where, _ in called_operations(document):
        for base in (where[:-1], where):
            node, places = at(document, base), range(len(at(document, base).get("parameters", ())))
            ends = [follow(document, (*base, "parameters", index)) for index in places]
            kept = [i for i in places if not is_ignored(at(document, ends[i]))]
            if len(kept) < len(places):
                node["parameters"] = [node["parameters"][index] for index in kept]


def _signs(document: dict[str, Any], where: Pointer) -> None:
    """Rename parameters of a query whose names differ only in signs, as `Time` and `Time<`."""
    found = [at(document, end) for _, end in parameters_of(document, where)]
    queries = {node["name"]: node for node in found if node["in"] == "query"}
    counts = Counter(map(_spelled, queries))
    for name, node in queries.items():
        spelled = re.sub("[<>=!]", lambda found: _SIGNS[found[0]], name)
        if spelled != name and counts[_spelled(name)] > 1:
            node.update({"name": spelled, WIRE_NAME: name})


def _equal_arguments(document: dict[str, Any], where: Pointer) -> None:
    """Rename parameters that would be one argument with a parameter of the path, or before them."""
    found = [(here, at(document, end)) for here, end in parameters_of(document, where)]
    taken: dict[str, tuple[str, str]] = {}
    for here, node in sorted(found, key=lambda pair: pair[1]["in"] != "path"):
        name, place = node["name"], node["in"]
        spelled = _spelled(name)
        if taken.setdefault(spelled, (name, place)) != (name, place) and place != "path":
            new = f"{name}_{place}"
            while _spelled(new) in taken:
                new += "_"
            taken[_spelled(new)] = name, place
            at(document, here[:-1])[here[-1]] = {WIRE_NAME: name, **node, "name": new}


def _spelled(name: str) -> str:
    return PythonIdentifier(name, "field_", skip_snake_case=True)


def is_served_by_caller(where: Pointer) -> bool:
    """Whether a part is of a callback or webhook, which the client does not call."""
    return "callbacks" in where or where[:1] == ("webhooks",)


def _operation(
    document: dict[str, Any], where: Pointer, node: dict[str, Any], ids: set[Any]
) -> None:
    node["security"] = ways_of(document, node)
    replies = node.setdefault("responses", {})
    for status in empty_replies(where, node):
        replies[status] = {**resolved(document, replies[status])}
        replies[status].pop("content", None)
    for status in [status for status in replies if status[0] == "1"]:
        del replies[status]  # No client gets it.
    if not any(str(status).startswith("2") for status in replies):
        told = replies.get("default") if where[2] != "head" else None
        node["responses"] = {"2XX": told or _SILENT, **replies}
    node["tags"] = node.get("tags", [])[:1] or [NO_TAG]
    if "operationId" not in node:
        name = plain = re.sub(r"\W+", "_", f"{where[2]}{where[1]}", flags=re.ASCII).strip("_")
        for number in range(2, len(ids) + 2):
            if name in ids:
                name = f"{plain}_{number}"
        ids.add(name)
        node["operationId"] = name


def empty_replies(where: Pointer, node: dict[str, Any]) -> set[str]:
    """List the statuses of the replies of an operation that can't have a body."""
    replies, is_head = node.get("responses", ()), where[2] == "head"
    return {status for status in replies if status in BODILESS or (is_head and status[0] == "2")}


def _media(node: dict[str, Any], kind: str) -> None:
    """Write the schema that a content type has without one: any value, text or bytes."""
    if is_json(kind):
        node["schema"] = {}
    elif is_bytes(kind) or kind.startswith("text/"):
        node["schema"] = {"type": "string", **({"format": "binary"} if is_bytes(kind) else {})}


def _body(document: dict[str, Any], where: Pointer, content: dict[str, Any]) -> None:
    """Leave out what the client can't write, and a schema that another content type has."""
    written = written_of(document, where, content)
    schemas: list[Any] = []
    for name in [*content] if written else ():
        schema = content[name].get("schema")
        if name not in written or schema in schemas:
            del content[name]
        else:
            schemas.append(schema)


def is_query_list(types: Collection[str], place: str) -> bool:
    """Whether a parameter of these types is a list in a query, written in one of `DELIMITERS`."""
    return place == "query" and "a list" in types and "an object" not in types


def _parameter(document: dict[str, Any], where: Pointer, node: dict[str, Any]) -> None:
    """Remove style and explode where the usual ones write the same, and null where none fits.

    What may be left out is left out in place of null.
    """
    types = node["schema"].get("type")
    if not node.get("required") and isinstance(types, list) and {"null"} < {*types}:
        rest = [each for each in types if each != "null"]
        node["schema"] = {**node["schema"], "type": rest[0] if len(rest) == 1 else rest}
        if "enum" in node["schema"]:
            values = [value for value in node["schema"]["enum"] if value is not None]
            node["schema"]["enum"] = values
    kinds = set(types_of(document, (*where, "schema")))
    usual = STYLES[node["in"]]
    style = node.get("style", usual)
    if node["in"] in ("path", "header") and style == "form":
        style = usual  # Outside of a query, both are a list with commas.
    explode = node.get("explode", style == "form")
    if is_query_list(kinds, node["in"]) and style in DELIMITERS:
        is_usual = explode  # Exploded, all three are written alike.
    else:
        flat = {"an object"} if usual == "simple" else {"a list", "an object"}
        is_scalar = bool(kinds) and not kinds & flat
        is_usual = style == usual and (is_scalar or explode == (usual == "form"))
    node.pop("style", None)
    node.pop("explode", None)
    if style == "deepObject" and "an object" in kinds:  # It has no other way to be exploded.
        node["style"] = style
    elif not is_usual:
        node.update(style=style, explode=explode)


def _schema(node: dict[str, Any]) -> None:
    """Write a closed object, a list of anything and nested parts in one way."""
    if "array" in node.get("type", ()) and "prefixItems" not in node:
        node.setdefault("items", {})
    while nested := [part for part in node.get("allOf", ()) if "allOf" in part]:
        node["allOf"] += nested[0].pop("allOf")  # The generator looks into the outer one alone.
    for key in ("additionalProperties", "unevaluatedProperties"):
        if node.get(key) == _NEVER:
            node[key] = False
    if node.get("unevaluatedProperties") is False and not node.keys() & _COMPOSING:
        del node["unevaluatedProperties"]
        node.setdefault("additionalProperties", False)


def _discriminator(document: dict[str, Any], node: dict[str, Any]) -> None:
    """Tell each schema of a choice the values that name it; one without such a choice goes."""
    told = node.get("discriminator", {})
    options = [each for each in node.get("oneOf", node.get("anyOf", ())) if each != _NULL]
    if told and (not options or not all("$ref" in each for each in options)):
        del node["discriminator"]
    elif told:
        mapping = {tag: name.rpartition("/")[2] for tag, name in told.get("mapping", {}).items()}
        for option in options:
            name = option["$ref"].rpartition("/")[2]
            tags = [tag for tag, other in mapping.items() if other == name]
            tags += [name] if name not in mapping else []
            kept = resolved(document, option).setdefault(TAGS, {})
            kept[told["propertyName"]] = [*kept.get(told["propertyName"], ()), *tags]
