"""Find the operations of a contract, and what callers pass to them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from openapi_python_client.strings import PythonIdentifier

from codegen.document import Pointer, at, is_account, merged, nodes, parameters_of, resolved

Node = dict[str, Any]


class Operation(NamedTuple):
    """An operation or callback, its references resolved."""

    where: Pointer
    raw: Node
    parameters: dict[str, Node]
    body: Node
    replies: dict[str, Node]
    fields: Node
    """The fields of the body that callers pass one by one; empty if they pass it as `body`."""

    @property
    def positional(self) -> list[str]:
        """The arguments that callers may pass without their names."""
        names = re.findall(r"{([^}]+)}", str(self.where[1]))
        return [name for name in names if name in self.parameters and name != self.account]

    @property
    def account(self) -> str | None:
        """The parameter that the client fills in; a member of the body can take its name."""
        return next((name for name, node in self.parameters.items() if is_account(node)), None)


def operations(document: Node) -> dict[str, Operation]:
    """Find the operations of a contract, as `tag.operationId`."""
    paths = {"paths": document.get("paths", {})}
    found = [o for o in _operations(document, paths, "document", ()) if len(o.where) == 3]
    return {f"{each.raw['tags'][0]}.{each.raw['operationId']}": each for each in found}


def _operations(document: Node, node: Node, kind: str, start: Pointer) -> Iterator[Operation]:
    for inner, where, raw in nodes(node, kind, start):
        if inner == "operation" and where != start:
            found = (at(document, end) for _, end in parameters_of(document, where))
            parameters = {parameter["name"]: parameter for parameter in found}
            replies = {k: resolved(document, v) for k, v in raw.get("responses", {}).items()}
            body = resolved(document, raw.get("requestBody", {}))
            fields = _fields(document, body, parameters)
            yield Operation(where, raw, parameters, body, replies, fields)


def _fields(document: Node, body: Node, parameters: Node) -> Node:
    """Find the fields that the generator makes arguments, unless a name would be ambiguous."""
    medias = list(body.get("content", {}).values())
    schema = merged(document, medias[0].get("schema", {})) if len(medias) == 1 else {}
    fields: Node = schema.get("properties", {})
    names = [*fields, *(name for name, node in parameters.items() if not is_account(node))]
    spelled = {PythonIdentifier(name, "field_", skip_snake_case=True) for name in names}
    is_ambiguous = len(spelled) < len(names)
    has_others = isinstance(schema.get("additionalProperties"), dict)
    return fields if body.get("required") and not is_ambiguous and not has_others else {}


def callbacks(document: Node, operation: Operation) -> dict[str, Operation]:
    """Find the callbacks of an operation by operationId, or else by place and method."""
    found = _operations(document, operation.raw, "operation", operation.where)
    return {
        each.raw.get("operationId", f"{each.where[-3]} {each.where[-1]}"): each for each in found
    }
