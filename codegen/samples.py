"""The values that a document shows: examples, defaults and enum values, and whether they fit."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from jsonschema_rs import Draft202012, Draft202012Validator, Registry, ValidationError

from codegen.document import Pointer, Problem, at, follow, nodes


def described(error: ValidationError, where: Pointer, prefix: str = "") -> Problem:
    """Describe an error of a schema; of a union, the most specific error of its branches."""
    kind: Any = error.kind
    inner = [inner for branch in getattr(kind, "context", ()) for inner in branch]
    if inner:
        best = max(inner, key=lambda e: (len(e.instance_path), e.kind.name != "type"))
        return described(best, where, prefix)
    what = error.message
    where = (*where, *error.instance_path)
    if kind.name == "enum":
        what = f"{error.instance!r} is not one of {', '.join(map(str, kind.options))}"
    elif kind.name == "required":
        what = f'"{kind.property}" is missing: add it'
    elif kind.name == "type" and "string" in kind.types:
        what += ": quote it, or write text"
    elif unexpected := getattr(kind, "unexpected", None):
        where = (*where, unexpected[0])
        what = f'"{unexpected[0]}" is not known here: correct its name, or remove it'
    return where, prefix + what


def samples(document: dict[str, Any]) -> Iterator[tuple[Pointer, Pointer]]:
    """Find all examples, defaults and enum values: the place of the value, and of its owner."""
    for kind, where, node in nodes(document):
        if kind != "schema" and "schema" not in node:
            continue
        values = [(*where, key) for key in ("example", "default", "const") if key in node]
        for key in ("examples", "enum"):
            members = node.get(key, [])
            if isinstance(members, list):
                values += [(*where, key, index) for index, _ in enumerate(members)]
            else:
                named = (follow(document, (*where, key, name)) for name in members)
                values += [(*place, "value") for place in named if "value" in at(document, place)]
        yield from ((value, where) for value in values)


def misfits(document: dict[str, Any]) -> Iterator[tuple[Pointer, Pointer, str]]:
    """Find values that do not fit their schema: the place of the value, of the mistake, and words.

    An example of an error must also fit the status that it is listed under.
    """
    registry = Registry([("spec:/", document)], draft=Draft202012)
    kinds = {where: kind for kind, where, _ in nodes(document)}
    replies: dict[Pointer, list[str]] = {}
    for where, kind in kinds.items():
        if kind == "response" and where[-2] == "responses":
            replies.setdefault(follow(document, where), []).append(str(where[-1]))
    for where, owner in samples(document):
        value = at(document, where)
        schema = owner if kinds[owner] == "schema" else (*owner, "schema")
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in schema)
        reference = {"$ref": "spec:/#/" + "/".join(quote(step, safe="~") for step in steps)}
        validator = Draft202012Validator(reference, registry=registry, validate_formats=True)
        for error in validator.iter_errors(value):
            yield where, *described(error, where, "does not fit its schema: ")
        written = str(value["status"]) if isinstance(value, dict) and "status" in value else None
        for status in replies.get(owner[:-2], []) if written else ():
            if status[0] in "45" and not re.fullmatch(status.replace("X", r"\d"), written or ""):
                what = f"says {written} under the status {status}: write the status of the reply"
                yield where, (*where, "status"), what
