"""The words of the table: what a row holds, and how to write an edit of the contract."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

Document = dict[str, Any]
Edit = Callable[[Document], object]
PATH = "/Accounts/{AccountSid}/IncomingPhoneNumbers"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MULTIPART, BYTES = "multipart/form-data", "application/octet-stream"
TEXT: Document = {"type": "string"}
FILE = {"type": "string", "format": "binary", "description": "A file."}
GONE = object()


class Row(NamedTuple):
    """An edit, what `make diff` says of it, and code that calls the package generated from it.

    `says` lists verdicts, as "breaking removed, compatible added". In `code`, `compat` leads to the
    operations and `m` to the models; the async client awaits each call. `sent` lists the requests:
    method, path, query, body; `header` is in the first, which `lacks` another. A row without code
    is only compared, with the contract that `base` makes.
    """

    name: str
    edit: Edit
    says: str
    code: str = ""
    sent: str = ""
    header: str = ""
    lacks: str = ""
    breaks_names: bool = False  # The names of the package alone break callers.
    base: Edit = lambda _: None


class Refusal(NamedTuple):
    """An edit that the client can't express, and words of the message that refuses it."""

    name: str
    edit: Edit
    words: tuple[str, ...]


_PURCHASE = f"paths {PATH} post"
_SHORT = {
    "purchase": _PURCHASE,
    "responses": f"{_PURCHASE} responses",
    "fields": "components schemas PurchaseRequest properties",
    "members": "components schemas IncomingPhoneNumber properties",
    "schemas": "components schemas",
}


def find(document: Document, place: str) -> Any:
    """Find a part by its keys, as "schemas Origin"; the first key may be one of the short names."""
    found: Any = document
    first, *rest = place.split()
    for key in (*_SHORT.get(first, first).split(), *rest):
        found = found[int(key) if isinstance(found, list) else key]
    return found


def change(place: str, **values: Any) -> Edit:
    """Make an edit that sets keys of a part, and removes those that are GONE."""

    def edit(document: Document) -> None:
        part = find(document, place)
        part.update(values)
        for key in [key for key, value in values.items() if value is GONE]:
            del part[key]

    return edit


def rename(place: str, old: str, new: str) -> Edit:
    """Make an edit that renames a key of a part."""
    return lambda document: find(document, place).update({new: find(document, place).pop(old)})


def append(place: str, item: Any) -> Edit:
    """Make an edit that appends to a list."""
    return lambda document: find(document, place).append(item)


def both(*edits: Edit) -> Edit:
    """Make one edit of several."""
    return lambda document: [edit(document) for edit in edits]


def lose(name: str) -> Edit:
    """Make an edit that removes a member of the reply, from its examples too."""

    def edit(document: Document) -> None:
        del find(document, "members")[name]
        find(document, "schemas IncomingPhoneNumber required").remove(name)
        for example in find(document, f"responses 201 content {JSON} examples").values():
            example["value"].pop(name, None)

    return edit


def ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def text(**more: Any) -> Document:
    return {"type": "string", "description": "Words.", **more}


def list_of(items: Document) -> Document:
    return {"type": "array", "items": items, "description": "Several."}


def object_of(required: str = "", /, **properties: Any) -> Document:
    """Make an object schema; `required` names members, with spaces between."""
    found = {"type": "object", "description": "A thing.", "properties": properties}
    return {**found, "required": required.split()} if required else found


def parameter(name: str, place: str = "query", schema: Document | None = None) -> Document:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": "What to look for.",
        "schema": schema or TEXT,
    }


ACCOUNT = {**parameter("AccountSid", "path"), "x-client-default": "account"}


def body(schema: Document, kind: str = JSON, *, required: bool = True) -> Document:
    content = {kind: {"schema": schema}}
    return {"description": "A thing.", "required": required, "content": content}


def reply(schema: Document | None = None, example: Any = None, kind: str = JSON) -> Document:
    """Make a response, with a body where there is a schema."""
    if schema is None:
        return {"description": "It is done."}
    media = {"schema": schema} if example is None else {"schema": schema, "example": example}
    return {"description": "A thing.", "content": {kind: media}}


def operation(**parts: Any) -> Document:
    """Make an operation; without `responses` it answers 204."""
    refused = reply(ref("Error"))
    return {
        "operationId": "try_it",
        "tags": ["things"],
        "summary": "Do something with a thing",
        "description": "Does something.",
        "security": [{"ProjectToken": []}],
        **parts,
        "responses": {"400": refused, "401": refused, **parts.get("responses", {"204": reply()})},
    }


def adds(path: str = "/things", method: str = "get", **parts: Any) -> Edit:
    """Make an edit that adds an operation; `schemas` go into the components."""
    fresh = parts.pop("schemas", {})

    def edit(document: Document) -> None:
        # Copied, since a further edit of the document may change what is in it.
        find(document, "schemas").update(copy.deepcopy(fresh))
        document["paths"].setdefault(path, {})[method] = copy.deepcopy(operation(**parts))
        if not any(tag["name"] == "things" for tag in document["tags"]):
            document["tags"].append({"name": "things", "description": "Things."})

    return edit


def replies(schema: Document, example: Any, **parts: Any) -> Edit:
    """Make an edit that adds an operation with this reply."""
    return adds(responses={"200": reply(schema, example)}, **parts)


def sends(schema: Document, kind: str = JSON, **parts: Any) -> Edit:
    """Make an edit that adds an operation with this body."""
    return adds(method="post", requestBody=body(schema, kind), **parts)


def takes(
    name: str,
    place: str = "query",
    schema: Document | None = None,
    schemas: Document | None = None,
    **more: Any,
) -> Edit:
    """Make an edit that adds an operation with this parameter."""
    found = {**parameter(name, place, schema), **more}
    if "content" in found:
        del found["schema"]
    return adds(parameters=[found], schemas=schemas or {})
