"""Words for edits: a new operation, its parameters, body and replies, changes of what is there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
Edit = Callable[[Document], object]
PATH = "/Accounts/{AccountSid}/IncomingPhoneNumbers"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
MULTIPART, BYTES = "multipart/form-data", "application/octet-stream"
FILE = {"type": "string", "format": "binary", "description": "A file."}


def purchase(document: Document) -> Document:
    operation: Document = document["paths"][PATH]["post"]
    return operation


def schemas(document: Document) -> Document:
    found: Document = document["components"]["schemas"]
    return found


def asked(document: Document) -> Document:
    """Give the fields of the request of the purchase."""
    found: Document = schemas(document)["PurchaseRequest"]["properties"]
    return found


def given(document: Document) -> Document:
    """Give the members of the reply to the purchase."""
    found: Document = schemas(document)["IncomingPhoneNumber"]["properties"]
    return found


def examples(document: Document) -> list[Document]:
    """Give the examples of the request and of the reply to the purchase."""
    operation = purchase(document)
    medias = [
        *operation["requestBody"]["content"].values(),
        *operation["responses"]["201"]["content"].values(),
    ]
    return [example["value"] for media in medias for example in media["examples"].values()]


def ref(name: str) -> Document:
    return {"$ref": f"#/components/schemas/{name}"}


def text(**more: Any) -> Document:
    return {"type": "string", "description": "Words.", **more}


def object_of(required: str = "", /, **properties: Any) -> Document:
    """Make an object schema; `required` names members, with spaces between."""
    schema = {"type": "object", "description": "A thing.", "properties": properties}
    return {**schema, "required": required.split()} if required else schema


def parameter(name: str, place: str = "query", schema: Document | None = None) -> Document:
    return {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": "What to look for.",
        "schema": schema or {"type": "string"},
    }


def body(schema: Document, kind: str = JSON, *, required: bool = True) -> Document:
    content = {"schema": schema}
    return {"description": "A thing.", "required": required, "content": {kind: content}}


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
        schemas(document).update(fresh)
        document["paths"].setdefault(path, {})[method] = operation(**parts)
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
    given = {**parameter(name, place, schema), **more}
    if "content" in given:
        del given["schema"]
    return adds(parameters=[given], schemas=schemas or {})


def without(document: Document, name: str) -> None:
    """Take a field out of the request of the purchase, and out of its examples."""
    del asked(document)[name]
    for example in examples(document):
        example.pop(name, None)
