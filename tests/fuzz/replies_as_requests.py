"""Documents in which the replies of openapi.yaml are requests, so that schemathesis makes them."""

from collections.abc import Callable
from typing import Any

import schemathesis
from schemathesis import BaseSchema

from .document import DOCUMENT, JSON, json_schema, operations
from .settings import config


def documented() -> BaseSchema:
    """Load a document with a path for each documented reply, and the reply as its request.

    Paths are "/operation id/status". A member that can be null can be absent: providers do that.
    """
    return _load(_with_absent_nulls)


def wild() -> BaseSchema:
    """Load the same with values that no enum has."""
    return _load(lambda node: _with_new_values(_with_absent_nulls(node)))


def _load(change: Callable[[Any], Any]) -> BaseSchema:
    paths = {
        f"/{operation['operationId']}/{status}": {
            "post": {
                "requestBody": {"required": True, "content": {JSON: {"schema": change(schema)}}},
                "responses": {"200": {"description": "The reply was understood."}},
            }
        }
        for _, _, operation in operations()
        for status, reply in operation["responses"].items()
        if (schema := json_schema(reply)) is not None
    }
    document = {
        "openapi": DOCUMENT["openapi"],
        "info": {"title": "replies", "version": "1"},
        "paths": paths,
        "components": {"schemas": change(DOCUMENT["components"]["schemas"])},
    }
    return schemathesis.openapi.from_dict(document, config=config())


def _with_absent_nulls(node: Any) -> Any:
    node = _each(_with_absent_nulls, node)
    if isinstance(node, dict) and isinstance(node.get("required"), list):
        members = node.get("properties", {})
        nullable = {n for n, schema in members.items() if "null" in schema.get("type", ())}
        node["required"] = [name for name in node["required"] if name not in nullable]
        # A blank SID names nothing: the client treats it as missing, and raises.
        if "sid" in members:
            node["properties"] = {**members, "sid": {**members["sid"], "minLength": 1}}
    return node


def _with_new_values(node: Any) -> Any:
    node = _each(_with_new_values, node)
    if isinstance(node, dict) and isinstance(node.get("enum"), list):
        node["anyOf"] = [{"enum": node.pop("enum")}, {"type": "string"}]
    return node


def _each(change: Callable[[Any], Any], node: Any) -> Any:
    if isinstance(node, dict):
        return {name: change(part) for name, part in node.items()}
    return [change(part) for part in node] if isinstance(node, list) else node
