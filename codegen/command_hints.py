"""Read and check what the command says and shows: `x-caution` and `x-columns`."""

from collections.abc import Iterator
from typing import Any

from openapi_python_client.strings import PythonIdentifier

from codegen.document import Pointer, Problem, at, called_operations, members_of, nodes
from codegen.facts import method_of
from codegen.reply_repeats import nearest_name

CAUTION, COLUMNS = "x-caution", "x-columns"


def cautions(document: dict[str, Any]) -> dict[str, str]:
    """Say of each operation, as `tag.operation`, what must be known before it is called."""
    found = {}
    for where, node in called_operations(document):
        usual = "This can't be undone." if where[-1] == "delete" else ""
        if text := node.get(CAUTION, usual):
            found[operation_name(document, where)] = " ".join(text.split())
    return found


def operation_name(document: Any, where: Pointer) -> str:
    """Name an operation as callers do, below `client.compat`."""
    node = at(document, where)
    tag = PythonIdentifier(node["tags"][0], "field_")
    return f"{tag}.{method_of(node)}"


def wrong_cautions_and_columns(document: dict[str, Any]) -> Iterator[Problem]:
    """Find cautions that are not text, and columns that no object has."""
    for kind, where, node in nodes(document):
        if kind == "operation" and not isinstance(node.get(CAUTION, ""), str):
            yield (*where, CAUTION), "is not text: say in a sentence what a caller must know"
        if kind == "schema" and COLUMNS in node:
            place, columns = (*where, COLUMNS), node[COLUMNS]
            if not isinstance(columns, list):
                yield place, "is not a list: name members of the object"
                continue
            known = members_of(document, where)[0]
            for index, name in enumerate(columns):
                if name not in known:
                    todo = nearest_name(str(name), known)
                    yield (*place, index), f'the object has no "{name}": {todo}'
