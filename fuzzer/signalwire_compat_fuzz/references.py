"""References in a document, such as `#/components/schemas/Order`."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from .upgrade import NAMED, VALUES


def references(node: Any, *, is_named: bool = False) -> Iterator[str]:
    """List the references at any depth."""
    if isinstance(node, dict):
        if not is_named and isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for name, part in node.items():
            if is_named or not (name in VALUES or name.startswith("x-")):
                yield from references(part, is_named=not is_named and name in NAMED)
    for part in node if isinstance(node, list) else ():
        yield from references(part)


def follow(document: Any, reference: str) -> Any:
    """Return what a reference to the document itself names.

    Errors: `LookupError`, `TypeError` or `ValueError`, if that is not there.
    """
    if not reference.startswith("#/"):
        raise ValueError(reference)
    node = document
    for name in unquote(reference).split("/")[1:]:
        name = name.replace("~1", "/").replace("~0", "~")
        node = node[int(name) if isinstance(node, list) else name]
    return node
