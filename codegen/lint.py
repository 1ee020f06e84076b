"""Find what a valid contract lacks for its readers: `make lint` stops there, generation goes on.

Docstrings come from descriptions. `make diff` and the fuzzer send the examples.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from codegen.document import Pointer, Problem, merged, nodes, reachable, target

_DESCRIBED = {"schema", "parameter", "header", "response", "body", "scheme"}
# The part around these describes them.
_INLINE = {"schema", "items", "allOf", "anyOf", "oneOf"}
_EXAMPLES = {"$ref", "example", "examples", "const"}
_LONGEST = 72
_NEEDED = {
    "summary": "its docstring begins with it",
    "description": "its docstring goes on with it",
    "externalDocs": "readers look up the provider's page there",
    "x-source": "it says where the facts are from",
}
_STYLES = {
    "PascalCase": re.compile(r"[A-Z][A-Za-z0-9]*"),
    "snake_case": re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*"),
    "camelCase": re.compile(r"[a-z][A-Za-z0-9]*"),
}


def style(document: dict[str, Any]) -> Iterator[Problem]:
    """Find missing descriptions and examples, unused components, and names of another style."""
    names = {node.get("operationId") for kind, _, node in nodes(document) if kind == "operation"}
    for kind, where, node in nodes(document):
        is_silent = "$ref" not in node and not str(node.get("description", "")).strip()
        if kind in _DESCRIBED and is_silent and not {str(step) for step in where[-2:]} & _INLINE:
            yield where, "has no description: add one, docstrings come from it"
        shown = {**merged(document, node.get("schema")), **node}
        if kind in ("parameter", "media") and not shown.keys() & _EXAMPLES:
            yield where, "has no example: add one, here or in its schema"
        if kind == "operation":
            yield from _operation(where, node)
        elif kind == "link" and node.get("operationId", "") not in {"", *names}:
            yield where, f'leads to "{node["operationId"]}", which is not an operation: correct it'
        elif kind == "schema":
            yield from _members(where, node)
    for index, tag in enumerate(document.get("tags", [])):
        if not str(tag.get("description", "")).strip():
            yield ("tags", index), "has no description: say what it is for"
    for name in document.get("components", {}).get("schemas", {}):
        yield from _named(("components", "schemas", name), "schema", name, "PascalCase")
    yield from _unused(document)


def _operation(where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    yield from _named(
        (*where, "operationId"), "operationId", node.get("operationId", ""), "snake_case"
    )
    for index, tag in enumerate(node.get("tags", [])):
        yield from _named((*where, "tags", index), "tag", tag, "snake_case")
    # The caller serves the operations of a callback, so these need less.
    less = {"description", "externalDocs"} if "callbacks" in where else set()
    for key, why in _NEEDED.items():
        if key not in less and not node.get(key):
            yield where, f"has no {key}: add one, {why}"
    if len(node.get("summary", "")) > _LONGEST:
        what = f"is longer than {_LONGEST} characters: shorten it"
        yield (*where, "summary"), f"{what}, it is the first line of a docstring"
    documented = node.get("responses", {}).keys() & {"401", "4XX", "default"}
    if any(node.get("security", ())) and not documented:
        yield (*where, "responses"), "lack the 401 for wrong credentials: add it"


def _members(where: Pointer, node: dict[str, Any]) -> Iterator[Problem]:
    """Find members whose names are not in the style that most members of the schema have."""
    names = list(node.get("properties", {}))
    words = [name for name in names if not name.isupper()]
    styles = Counter(kind for kind in _STYLES for name in words if _STYLES[kind].fullmatch(name))
    if styles:
        usual = max(_STYLES, key=lambda kind: styles[kind])
        for name in names:
            yield from _named((*where, "properties", name), "member", name, usual)


def _named(where: Pointer, what: str, name: str, kind: str) -> Iterator[Problem]:
    if name and not _STYLES[kind].fullmatch(name) and not name.isupper():  # SMS is of every style.
        yield where, f'the {what} "{name}" is not in {kind}: rename it'


def _unused(document: dict[str, Any]) -> Iterator[Problem]:
    used: set[Pointer] = {
        ("components", "securitySchemes", name)
        for kind, _, node in nodes(document)
        if kind in ("operation", "document")
        for requirement in node.get("security", [])
        for name in requirement
    }
    starts = [("path", ("paths", path)) for path in document.get("paths", ())]
    starts += [("path", ("webhooks", name)) for name in document.get("webhooks", ())]
    found = reachable(document, starts)
    used |= {target(node["$ref"]) for _, _, node in found if "$ref" in node}
    for section, members in document.get("components", {}).items():
        for where in (("components", section, name) for name in members):
            if where not in used and not section.startswith("x-"):
                yield where, "is used by no operation: remove it, or use it"
