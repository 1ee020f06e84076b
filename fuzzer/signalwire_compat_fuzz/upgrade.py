"""Writes every document as OpenAPI 3.1, and adds what it may leave out.

Nothing else here knows 3.0, schemas that are true or false, or content without a schema.
"""

import copy
from typing import Any

VALUES = {"const", "default", "enum", "example", "examples", "value"}
"""Keys of plain values, which stay as they are."""
NAMED = {
    *("$defs", "callbacks", "content", "encoding", "headers", "links", "parameters", "pathItems"),
    *("paths", "properties", "requestBodies", "responses", "schemas", "securitySchemes"),
    *("variables", "webhooks"),
}
"""Keys of parts by their names: a member can be called `default`, or `properties`."""
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_SCHEMAS = {"$defs", "allOf", "anyOf", "items", "not", "oneOf", "properties", "schema", "schemas"}
_LEFT_OUT: dict[str, tuple[str, dict[str, Any]]] = {
    "content": ("schema", {}),
    **dict.fromkeys(METHODS, ("responses", {"default": {}})),
}
"""What a part may leave out, and what that means, by the key of the part."""


def as_read(document: dict[str, Any]) -> dict[str, Any]:
    """Copy a document, written in full as one of OpenAPI 3.1."""
    version = str(document.get("openapi", ""))
    is_old = version.startswith("3.0")
    is_short = version == "3.1"
    return {**_part(document, is_old=is_old), "openapi": "3.1.0" if is_old or is_short else version}


def _part(node: Any, key: str = "", *, is_old: bool, is_named: bool = False) -> Any:
    if isinstance(node, bool) and key in _SCHEMAS:
        return {} if node else {"not": {}}
    if isinstance(node, list):
        return [_part(item, key, is_old=is_old) for item in node]
    if not isinstance(node, dict):
        return node
    if is_named:
        return {name: _part(part, key, is_old=is_old) for name, part in node.items()}
    made = {
        name: value if name in VALUES else _part(value, name, is_old=is_old, is_named=name in NAMED)
        for name, value in node.items()
    }
    if key in _LEFT_OUT and "$ref" not in node:
        name, meaning = _LEFT_OUT[key]
        made.setdefault(name, copy.deepcopy(meaning))
    return _schema(made) if is_old else made


def _schema(node: dict[str, Any]) -> dict[str, Any]:
    if isinstance(node.get("$ref"), str):
        return {"$ref": node["$ref"]}  # What is beside it has no effect.
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(exclusive), bool) and node.pop(exclusive) and limit in node:
            node[exclusive] = node.pop(limit)
    if node.pop("nullable", False) is True:
        if isinstance(node.get("type"), str):  # An enum needs null among its values as well.
            return {**node, "type": [node["type"], "null"]}
        if node.keys() & {"allOf", "anyOf", "oneOf"}:
            return {"anyOf": [node, {"type": "null"}]}
    return node
