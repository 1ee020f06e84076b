"""Check `x-pages`: which members of a reply hold the items of a page and the way to the next."""

import difflib
from collections.abc import Iterator
from typing import Any

from codegen.document import (
    Pointer,
    Problem,
    at,
    called_operations,
    json_schema,
    members_of,
    successes_of,
    types_of,
)

KEY = "x-pages"
_MEMBERS = ("items", "next")


def pages(document: dict[str, Any]) -> Iterator[Problem]:
    """Find entries that are malformed, or whose operation has no such pages."""
    for where, node in called_operations(document):
        if KEY not in node:
            continue
        place, rule = (*where, KEY), node[KEY]
        if not isinstance(rule, dict) or sorted(rule) != sorted(_MEMBERS):
            known = "write {items: the member that holds them, next: the member with the next path}"
            yield place, f"must have the keys items and next and no others: {known}"
        elif where[-1] != "get":
            what = f"is on a {where[-1]}, and pages are asked for only by GET"
            yield place, f"{what}: remove it"
        else:
            yield from _replies(document, where, place)


def _replies(document: Any, where: Pointer, place: Pointer) -> Iterator[Problem]:
    statuses = successes_of(document, where)
    if len(statuses) > 1:
        listed = " and ".join(statuses)
        yield place, f"needs one success, and the operation has {listed}: keep one"
        return
    for status in statuses:
        body = json_schema(document, where, status)
        members = members_of(document, body)[0] if body else {}
        for key in _MEMBERS:
            yield from _member(document, (*place, key), f"the reply {status}", members)


def _member(
    document: Any, where: Pointer, reply: str, members: dict[str, Pointer]
) -> Iterator[Problem]:
    """Check that the reply has the member, as a list of items or as the text of a path."""
    name = at(document, where)
    if name not in members:
        near = difflib.get_close_matches(str(name), members, 1, 0)
        todo = f'the nearest is "{near[0]}"' if near else "name a member of its JSON object"
        yield where, f'{reply} has no member "{name}": {todo}'
        return
    types = {each for each in types_of(document, members[name]) if not each.endswith(" in a list")}
    if where[-1] == "items" and types != {"a list"}:
        yield where, f'"{name}" is not a list in {reply}: name the list of items'
    elif where[-1] == "next" and not types <= {"string", "null"}:
        what = f'"{name}" is not text in {reply}: name the member that holds the path of the next'
        yield where, f"{what} page"
