"""Read which arguments of another operation a reply offers: `signalwire-compat bulk --find`.

A link on a success takes each argument from the first item of a list:
`requestBody: {PhoneNumber: $response.body#/available_phone_numbers/0/phone_number}`.
"""

import re
from collections.abc import Iterator
from typing import Any

from openapi_python_client.strings import PythonIdentifier

from codegen.document import Pointer, at, nodes, resolved
from codegen.schema_code import method_name

_OFFERED = re.compile(r"\$response\.body#/([^/]+)/0/([^/]+)")
Candidates = dict[tuple[str, str], tuple[str, dict[str, str]]]
"""By source and target, as `tag.operation`: a list in the reply, and a member for each argument."""


def candidates(document: dict[str, Any]) -> Candidates:
    """Find the links that take arguments from the items of a list."""
    operations = _operations(document)
    names = {node["operationId"]: _name(node) for _, node in operations}
    found: Candidates = {}
    for where, node in operations:
        for link in _links(document, where):
            places = {name: _OFFERED.fullmatch(str(value)) for name, value in _given(link)}
            offered = {name: place for name, place in places.items() if place}
            lists = {place[1] for place in offered.values()}
            target = names.get(link.get("operationId", ""))
            if target and len(lists) == 1:
                members = {name: place[2] for name, place in offered.items()}
                found[_name(node), target] = lists.pop(), members
    return found


def _operations(document: Any) -> list[tuple[Pointer, dict[str, Any]]]:
    """List the operations that the client calls, and their places."""
    found = ((where, node) for kind, where, node in nodes(document) if kind == "operation")
    return [(where, node) for where, node in found if where[0] == "paths" and len(where) == 3]


def _links(document: Any, where: Pointer) -> Iterator[dict[str, Any]]:
    for response in at(document, where)["responses"].values():
        for link in resolved(document, response).get("links", {}).values():
            yield resolved(document, link)


def _given(link: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from link.get("parameters", {}).items()
    body = link.get("requestBody")
    yield from body.items() if isinstance(body, dict) else ()


def _name(node: dict[str, Any]) -> str:
    tag = PythonIdentifier(node["tags"][0], "field_")
    return f"{tag}.{method_name(PythonIdentifier(node['operationId'], 'field_'))}"
