"""Read which arguments of another operation a reply offers: `signalwire-compat bulk --find`.

A link on a success takes each argument from the first item of a list:
`requestBody: {PhoneNumber: $response.body#/available_phone_numbers/0/phone_number}`.
"""

import re
from collections.abc import Iterator
from typing import Any

from codegen.command_hints import operation_name
from codegen.document import (
    Pointer,
    Problem,
    at,
    follow,
    links_of,
    members_of,
    operations_by_id,
    success_schema,
)
from codegen.look_up import look_up_of
from codegen.reply_repeats import arguments_of, nearest_name

_OFFERED = re.compile(r"\$response\.body#/([^/]+)/0/([^/]+)")
Candidates = dict[tuple[str, str], tuple[str, dict[str, str]]]
"""By source and target, as `tag.operation`: a list in the reply, and a member for each argument."""


def candidates(document: dict[str, Any]) -> Candidates:
    """Find the links that take arguments from the items of a list.

    Their target can be looked up: no other operation is called in bulk.
    """
    operations = operations_by_id(document)
    found: Candidates = {}
    for where in operations.values():
        for _, link in links_of(document, where):
            offered = {place[-1]: offer for place, offer in _offers(document, link)}
            target = operations.get(at(document, link).get("operationId"))
            lists = {items for items, _ in offered.values()}
            if target and look_up_of(document, target) and len(lists) == 1:
                members = {str(name): member for name, (_, member) in offered.items()}
                key = operation_name(document, where), operation_name(document, target)
                found[key] = lists.pop(), members
    return found


def wrong_candidates(document: dict[str, Any]) -> Iterator[Problem]:
    """Find links that take arguments from what a reply does not have, or that nobody takes."""
    operations = operations_by_id(document)
    for where in operations.values():
        body = success_schema(document, where)
        for _, link in links_of(document, where):
            target = operations.get(at(document, link).get("operationId"))
            for place, (items, member) in _offers(document, link):
                known = members_of(document, body)[0] if body else {}
                if target:
                    takes = arguments_of(document, target)
                    if place[-1] not in takes:
                        yield place, f"is not an argument: {nearest_name(str(place[-1]), takes)}"
                if items not in known:
                    yield place, f'the reply has no "{items}": {nearest_name(items, known)}'
                    continue
                item = (*follow(document, known[items]), "items")
                inner = members_of(document, item)[0] if "items" in at(document, item[:-1]) else {}
                if member not in inner:
                    what = f'an item of {items} has no "{member}"'
                    yield place, f"{what}: {nearest_name(member, inner)}"


def _offers(document: Any, link: Pointer) -> Iterator[tuple[Pointer, tuple[str, str]]]:
    """Give the place of each argument that a list offers, the list, and the member of an item."""
    for key in ("parameters", "requestBody"):
        given = at(document, link).get(key)
        for name, expression in given.items() if isinstance(given, dict) else ():
            if found := _OFFERED.fullmatch(str(expression)):
                yield (*link, key, name), (found[1], found[2])
