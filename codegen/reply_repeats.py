"""Check `x-reply-repeats`: which member of a reply repeats which argument of an operation."""

import difflib
from collections.abc import Iterable, Iterator
from typing import Any

from jsonschema_rs import Draft202012Validator

from codegen.document import (
    Pointer,
    Problem,
    at,
    called_operations,
    follow,
    json_schema,
    members_of,
    parameters_of,
    successes_of,
    types_of,
)

KEY = "x-reply-repeats"
SHAPE = Draft202012Validator(
    {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "required": ["argument", "compare"],
            "properties": {
                "argument": {"type": "string"},
                "compare": {"enum": ["exact", "digits"]},
            },
            "additionalProperties": False,
        },
    }
)


def repeated_arguments(document: dict[str, Any]) -> Iterator[Problem]:
    """Find entries whose argument or member the operation does not have, or can't compare."""
    for where, node in called_operations(document):
        for member, rule in node.get(KEY, {}).items():
            place, name = (*where, KEY, member), rule["argument"]
            arguments = arguments_of(document, where)
            if name not in arguments:
                what = f'"{name}" is not a parameter or a member of the body'
                yield (*place, "argument"), f"{what}: {nearest_name(name, arguments)}"
            elif kind := _uncompared(document, arguments[name]):
                yield (
                    (*place, "argument"),
                    f'"{name}" can be {kind}: name one that is a plain value',
                )
            yield from _replies(document, where, place)


def arguments_of(document: Any, where: Pointer) -> dict[str, Pointer]:
    """Find the arguments of an operation: its parameters, and the members of its body."""
    found: dict[str, Pointer] = {}
    for _, end in parameters_of(document, where):
        if "schema" in at(document, end):
            found[at(document, end)["name"]] = (*end, "schema")
    if "requestBody" in at(document, where):
        body = follow(document, (*where, "requestBody"))
        for content_type, media in at(document, body).get("content", {}).items():
            if "schema" in media:
                found |= members_of(document, (*body, "content", content_type, "schema"))[0]
    return found


def _replies(document: Any, where: Pointer, place: Pointer) -> Iterator[Problem]:
    """Find successes whose JSON does not have the member."""
    member = str(place[-1])
    for status in successes_of(document, where):
        body = json_schema(document, where, status)
        members = members_of(document, body)[0] if body else {}
        if member not in members:
            what = f'the reply {status} has no member "{member}"'
            yield place, f"{what}: {nearest_name(member, members)}"
        elif kind := _uncompared(document, members[member]):
            yield place, f'"{member}" can be {kind} in the reply {status}: name a plain value'


def _uncompared(document: Any, where: Pointer) -> str:
    """Name the type of a value that is not compared; empty if it is a plain value."""
    found = {name for name in types_of(document, where) if name in ("a list", "an object")}
    return min(found, default="")


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Say what to write in place of a name that is not known."""
    near = difflib.get_close_matches(name, list(known), 1, 0)
    return f'the nearest is "{near[0]}"' if near else "remove this entry"
