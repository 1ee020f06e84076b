"""Read and check `x-look-up`: how to look for what became of a call whose outcome is unknown.

It stands on a link of the success, since what the call would have brought is in the list that the
link leads to. When it is needed there is no reply, so only expressions of the request count.
"""

import re
from collections.abc import Iterator
from typing import Any

from jsonschema_rs import Draft202012Validator

from codegen.document import (
    Pointer,
    Problem,
    at,
    follow,
    links_of,
    members_of,
    operations_by_id,
    parameters_of,
    success_schema,
)
from codegen.reply_repeats import arguments_of, nearest_name

KEY = "x-look-up"
SHAPE = Draft202012Validator(
    {
        "type": "object",
        "required": ["created"],
        "properties": {"created": {"type": "string"}},
        "additionalProperties": False,
    }
)
_EXPRESSION = re.compile(r"\$request\.(?:path\.|query\.|body#/)([^/~]+)")


def look_up_of(document: Any, where: Pointer) -> dict[str, Any] | None:
    """Return the link by which the outcome of an operation can be looked up, if it has one."""
    found = ((status, at(document, link)) for status, link in links_of(document, where))
    return next((link for status, link in found if status.startswith("2") and KEY in link), None)


def argument_of(expression: str) -> str:
    """Return the argument that an expression of a link names."""
    match = _EXPRESSION.fullmatch(expression)
    return match[1] if match else ""


def look_ups(document: dict[str, Any]) -> Iterator[Problem]:
    """Find links whose look-up can't work."""
    operations = operations_by_id(document)
    for where in operations.values():
        for _, link in links_of(document, where):
            if KEY in at(document, link):
                yield from _look_up(document, where, link, operations)


def _look_up(
    document: Any, where: Pointer, link: Pointer, operations: dict[str, Pointer]
) -> Iterator[Problem]:
    node, place = at(document, link), (*link, KEY)
    listing = operations.get(node.get("operationId", ""))
    if "x-reply-repeats" not in at(document, where):
        yield place, "needs x-reply-repeats on the operation: it says what to compare"
    if listing is None or "x-pages" not in at(document, listing):
        yield place, "needs the operationId of a list: an operation with x-pages"
        return
    item = _item(document, listing)
    if item is None or item != success_schema(document, where):
        what = "leads to a list whose items are not what the operation returns"
        yield place, f"{what}: let both refer to one schema"
    elif node[KEY]["created"] not in members_of(document, item)[0]:
        what = f'"{node[KEY]["created"]}" is not a member of an item of the list'
        yield (*place, "created"), f"{what}: name the one that says when it was created"
    found = (at(document, end) for _, end in parameters_of(document, listing))
    known = {parameter["name"]: parameter for parameter in found}
    given = node.get("parameters", {})
    for name in sorted(name for name in known if known[name].get("required")):
        if name not in given:
            yield (*link, "parameters"), f"needs {name}, which the list requires"
    arguments = arguments_of(document, where)
    for name, expression in given.items():
        argument, here = argument_of(str(expression)), (*link, "parameters", name)
        if name not in known:
            yield here, f"is not a parameter of the list: {nearest_name(name, known)}"
        elif not argument:
            what = f'can\'t be "{expression}", since the reply is lost when it is needed'
            yield here, f"{what}: write $request.body#/NAME or the like"
        elif argument not in arguments:
            what = f'"{argument}" is not an argument of the operation'
            yield here, f"{what}: {nearest_name(argument, arguments)}"


def _item(document: Any, listing: Pointer) -> Pointer | None:
    page = success_schema(document, listing)
    if page is None:
        return None
    items = members_of(document, page)[0].get(at(document, listing)["x-pages"]["items"])
    is_list = items is not None and "items" in at(document, follow(document, items))
    return follow(document, (*follow(document, items), "items")) if items and is_list else None
