"""Writes a document of OpenAPI 3.0 as 3.1 says the same, so that nothing else here knows 3.0."""

from typing import Any

VALUES = {"const", "default", "enum", "example", "examples", "value"}
"""Keys of plain values, which stay as they are."""
NAMED = {
    *("callbacks", "encoding", "headers", "links", "parameters", "paths", "properties"),
    *("requestBodies", "responses", "schemas", "securitySchemes", "variables"),
}
"""Keys of parts by their names: a member can be called `default`, or `properties`."""


def as_3_1(document: dict[str, Any]) -> dict[str, Any]:
    """Copy a document of OpenAPI 3.0 as one of 3.1; any other is returned as it is."""
    if not str(document.get("openapi", "")).startswith("3.0"):
        return document
    return {**_part(document), "openapi": "3.1.0"}


def _part(node: Any, *, is_named: bool = False) -> Any:
    if isinstance(node, list):
        return [_part(item) for item in node]
    if not isinstance(node, dict):
        return node
    if is_named:
        return {name: _part(part) for name, part in node.items()}
    return _schema(
        {
            key: value if key in VALUES else _part(value, is_named=key in NAMED)
            for key, value in node.items()
        }
    )


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
