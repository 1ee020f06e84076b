"""Documents in which the replies of openapi.yaml are requests, so that schemathesis makes them."""

from collections.abc import Callable

import schemathesis
from schemathesis import BaseSchema

from .document import DOCUMENT, JSON, Schema, json_schema, operations, with_objects
from .settings import config


def documented() -> BaseSchema:
    """Load a document with a path for each documented reply, and the reply as its request.

    Paths are "/operation id/status". A member that can be null can be absent: providers do that.
    """
    return _load(_with_absent_nulls)


def wild() -> BaseSchema:
    """Load the same with values that no enum has."""
    return _load(lambda node: _with_new_values(_with_absent_nulls(node)))


def _load(change: Callable[[Schema], Schema]) -> BaseSchema:
    paths = {
        f"/{operation['operationId']}/{status}": {
            "post": {
                "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
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
        "components": {"schemas": DOCUMENT["components"]["schemas"]},
    }
    return schemathesis.openapi.from_dict(with_objects(document, change), config=config())


def _with_absent_nulls(node: Schema) -> Schema:
    if isinstance(node.get("required"), list):
        members = node.get("properties", {})
        nullable = {n for n, schema in members.items() if "null" in schema.get("type", ())}
        node["required"] = [name for name in node["required"] if name not in nullable]
        # A blank SID names nothing: the client treats it as missing, and raises.
        if "sid" in members:
            node["properties"] = {**members, "sid": {**members["sid"], "minLength": 1}}
    return node


def _with_new_values(node: Schema) -> Schema:
    if isinstance(node.get("enum"), list):
        node["anyOf"] = [{"enum": node.pop("enum")}, {"type": "string"}]
    return node
