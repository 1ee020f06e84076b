"""What a sound contract still lacks for those who read it: `make lint` says so, generation goes on.

Docstrings come from descriptions; what `make diff` and the fuzzer play, from examples.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from codegen.document import Trouble, Where, at, follow, nodes, target

_DESCRIBED = {"schema", "parameter", "header", "response", "body", "scheme"}
# What stands there is described by its owner.
_INLINE = {"schema", "items", "allOf", "anyOf", "oneOf"}
_STYLES = {
    "PascalCase": re.compile(r"[A-Z][A-Za-z0-9]*"),
    "snake_case": re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*"),
    "camelCase": re.compile(r"[a-z][A-Za-z0-9]*"),
}


def style(document: dict[str, Any]) -> Iterator[Trouble]:
    """Find missing descriptions and examples, unused components, and names of another style."""
    for kind, where, node in nodes(document):
        silent = "$ref" not in node and not str(node.get("description", "")).strip()
        if kind in _DESCRIBED and silent and not {str(step) for step in where[-2:]} & _INLINE:
            yield Trouble(where, "has no description: say what it is, docstrings come from there")
        if kind in ("parameter", "media") and not _has_example(document, node):
            yield Trouble(where, "has no example: give one, here or in its schema")
        if kind == "operation":
            yield from _operation(where, node)
        elif kind == "schema":
            yield from _members(where, node)
    for index, tag in enumerate(document.get("tags", [])):
        if not str(tag.get("description", "")).strip():
            yield Trouble(("tags", index), "has no description: say what it is for")
    for name in document.get("components", {}).get("schemas", {}):
        yield from _named(("components", "schemas", name), "schema", name, "PascalCase")
    yield from _unused(document)


def _has_example(document: dict[str, Any], node: dict[str, Any]) -> bool:
    if "$ref" in node or {"example", "examples"} & node.keys():
        return True
    schema = node.get("schema", {})
    seen = 0
    while isinstance(schema, dict) and seen < 50:
        if {"example", "examples", "const"} & schema.keys():
            return True
        if "$ref" not in schema:
            break
        schema, seen = at(document, follow(document, target(schema["$ref"]))), seen + 1
    return False


def _operation(where: Where, node: dict[str, Any]) -> Iterator[Trouble]:
    yield from _named((*where, "operationId"), "operationId", node["operationId"], "snake_case")
    for index, tag in enumerate(node.get("tags", [])):
        yield from _named((*where, "tags", index), "tag", tag, "snake_case")
    if not node.get("summary"):
        yield Trouble(where, "has no summary: its docstring begins with it")
    documented = node["responses"].keys() & {"401", "4XX", "default"}
    if any(node.get("security", ())) and not documented:
        yield Trouble((*where, "responses"), "lack the 401 that wrong credentials get: add it")


def _members(where: Where, node: dict[str, Any]) -> Iterator[Trouble]:
    """Hold the members of a schema to the style that most of them have."""
    names = list(node.get("properties", {}))
    fitting = Counter(
        kind for name in names for kind, form in _STYLES.items() if form.fullmatch(name)
    )
    if fitting:
        usual = max(_STYLES, key=lambda kind: fitting[kind])
        for name in names:
            yield from _named((*where, "properties", name), "member", name, usual)


def _named(where: Where, what: str, name: str, kind: str) -> Iterator[Trouble]:
    if not _STYLES[kind].fullmatch(name):
        yield Trouble(where, f'the {what} "{name}" is not in {kind}, as the others are: rename it')


def _unused(document: dict[str, Any]) -> Iterator[Trouble]:
    used: set[Where] = {
        ("components", "securitySchemes", name)
        for kind, _, node in nodes(document)
        if kind in ("operation", "document")
        for requirement in node.get("security", [])
        for name in requirement
    }
    ahead: list[tuple[Where, str]] = [(("paths", path), "path") for path in document["paths"]]
    ahead += [(("webhooks", name), "path") for name in document.get("webhooks", ())]
    while ahead:
        where, kind = ahead.pop()
        for inner, _, node in nodes(at(document, where), kind, where):
            if "$ref" in node and (end := target(node["$ref"])) not in used:
                used.add(end)
                ahead.append((end, inner))
    for section, members in document.get("components", {}).items():
        for name in members if not section.startswith("x-") else ():
            if ("components", section, name) not in used:
                where = ("components", section, name)
                yield Trouble(where, "is used by no operation: remove it, or use it")
