"""References in a document, such as `#/components/schemas/Order`."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

_VALUES = {"const", "default", "enum", "example", "value"}
"""Keys of plain values: what looks like a reference there is none."""


def references(node: Any) -> Iterator[str]:
    """List the references at any depth."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = [part for name, part in node.items() if name not in _VALUES]
    for part in node if isinstance(node, list) else ():
        yield from references(part)


def follow(document: Any, reference: str) -> Any:
    """Return what a reference to the document itself names.

    Errors: `LookupError`, `TypeError` or `ValueError`, if that is not there.
    """
    node = document
    for name in unquote(reference).removeprefix("#").split("/")[1:]:
        name = name.replace("~1", "/").replace("~0", "~")
        node = node[int(name) if isinstance(node, list) else name]
    return node
