"""Gives requests and replies schemas of their own where a member belongs to only one of them.

A member that is `readOnly` is of no request, and one that is `writeOnly` of no reply.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

from codegen.document import Pointer, at, members_of, merged, nodes, parts, reachable, target

COPIES = "x-copies"
"""Where a document in its normal form keeps the schemas made here: the new name and the old one."""
_COMPONENTS: Pointer = ("components", "schemas")
_SENT = {"requestBody", "requestBodies", "parameters"}
_RECEIVED = {"responses", "headers"}


def split(document: dict[str, Any]) -> None:
    """Leave members out of the way that they do not go.

    A schema of both ways is of replies from here on; requests get a copy, named `ThingRequest`.
    """
    found = [node for kind, _, node in nodes(document) if kind == "schema"]
    if not any(node.get("readOnly") or node.get("writeOnly") for node in found):
        return
    roots = {"readOnly": [*_roots(document, _SENT)], "writeOnly": [*_roots(document, _RECEIVED)]}
    used = {key: _components(document, starts) for key, starts in roots.items()}
    touched = {key: _touched(document, key) for key in roots}
    both = used["readOnly"] & used["writeOnly"] & (touched["readOnly"] | touched["writeOnly"])
    schemas, copies = at(document, _COMPONENTS), document.setdefault(COPIES, {})
    for name in sorted(both):
        new = f"{name}Request"
        while new in schemas:
            new += "Body"
        copies[new] = name
        schemas[new] = copy.deepcopy(schemas[name])
        for _, _, node in nodes(schemas[new], "schema"):
            node.pop("title", None)  # The generator would name the class after it.
    renamed = {old: new for new, old in copies.items()}
    received = [*roots["writeOnly"], *_places(used["writeOnly"])]
    sent = [*roots["readOnly"], *_places({*copies, *(used["readOnly"] - both)})]
    for _, _, node in (found for where in sent for found in nodes(at(document, where), "schema")):
        if "$ref" in node and (new := renamed.get(target(node["$ref"])[-1], "")):
            node["$ref"] = f"#/components/schemas/{new}"
    gone = [*_gone(document, "readOnly", sent), *_gone(document, "writeOnly", received)]
    for node, names in gone:
        node["required"] = [name for name in node.get("required", ()) if name not in names]
        for name in names & node.get("properties", {}).keys():
            del node["properties"][name]
    for _, _, node in [found for found in nodes(document) if found[0] == "schema"]:
        node.pop("readOnly", None)
        node.pop("writeOnly", None)


def _roots(document: dict[str, Any], keys: set[str]) -> Iterator[Pointer]:
    """Find the schemas of one way that are not components."""
    for kind, where, node in nodes(document):
        if kind not in ("media", "parameter", "header") or "schema" not in node:
            continue
        is_served = "callbacks" in where or where[0] == "webhooks"
        way = next((step for step in where[:-1] if step in {*_SENT, *_RECEIVED}), None)
        if way in keys and not is_served:
            yield (*where, "schema")


def _components(document: dict[str, Any], starts: list[Pointer]) -> set[str]:
    found = reachable(document, [("schema", where) for where in starts])
    return {str(place[2]) for _, place, _ in found if place[:2] == _COMPONENTS}


def _touched(document: dict[str, Any], keyword: str) -> set[str]:
    """Name the components with such a member, in them or in what they refer to."""
    refs: dict[str, set[str]] = {}
    touched: set[str] = set()
    for name, schema in at(document, _COMPONENTS).items():
        refs[name] = set()
        for _, _, node in nodes(schema, "schema"):
            if "$ref" in node:
                refs[name].add(str(target(node["$ref"])[-1]))
            if _one_way(document, node, keyword):
                touched.add(name)
    while more := {name for name, others in refs.items() if others & touched} - touched:
        touched |= more
    return touched


def _one_way(document: dict[str, Any], node: dict[str, Any], keyword: str) -> set[str]:
    members = node.get("properties", {}).items()
    return {name for name, member in members if merged(document, member).get(keyword)}


def _places(names: Iterable[str]) -> list[Pointer]:
    return [(*_COMPONENTS, name) for name in names]


def _gone(
    document: dict[str, Any], keyword: str, starts: list[Pointer]
) -> Iterator[tuple[dict[str, Any], set[str]]]:
    """List schemas and the members that they lose, also those that another part of them has."""
    for start in starts:
        for _, where, node in nodes(at(document, start), "schema", start):
            members, _ = members_of(document, where)
            schemas = ((name, at(document, place)) for name, place in members.items())
            lost = {name for name, each in schemas if merged(document, each).get(keyword)}
            for place, part in parts(document, node, where) if lost else ():
                if place[: len(start)] == start:
                    yield part, lost
