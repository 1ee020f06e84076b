"""Turn the examples of a contract into calls to play: what is asked for, and the reply to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from openapi_python_client.strings import PythonIdentifier

from codegen.content_types import read
from codegen.document import is_json, resolved
from codegen.normal_form import normal
from contract_diff.contract_calls import Operation, operations


def cases(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Make the cases: each example of a request once, and each example of a reply once."""
    document = normal(document)
    return [
        case
        for name, operation in operations(document).items()
        for case in _cases(document, name, operation)
    ]


def _cases(document: dict[str, Any], name: str, operation: Operation) -> Iterator[dict[str, Any]]:
    raw = operation.raw
    arguments = {}
    content = operation.body.get("content", {})
    for key, parameter in operation.parameters.items():
        value = next(iter(_examples(document, parameter).values()), None)
        # An argument that a parameter and a member of the body share is the member.
        if value is not None and key not in operation.fields:
            arguments[key] = value
    bodies = [
        (example if len(content) == 1 else f"{example} as {content_type}", place, value, media)
        for place, (content_type, media) in enumerate(content.items())
        for example, value in _examples(document, media).items()
    ] or [("no body", 0, None, {})]
    replies = [
        (status, *answer)
        for status, response in operation.replies.items()
        for answer in _answers(document, status, response.get("content", {}))
    ] or [(next(iter(operation.replies)), "nothing", None, "")]
    calls = [(body, replies[0]) for body in bodies]
    calls += [(bodies[0], reply) for reply in replies[1:]]
    for (asked, place, body, media), (status, answered, example, content_type) in calls:
        given = {**arguments, **(body if isinstance(body, dict) else {})}
        reply = _repeating(raw, given, example) if status.startswith("2") else example
        yield {
            "name": f"{name}, {asked}, {status} {answered}",
            "tag": PythonIdentifier(raw["tags"][0], "tag"),
            "operation": PythonIdentifier(raw["operationId"], "field_"),
            "parameters": arguments,
            "body": body,
            "place": place,
            "files": _files(document, media),
            "status": int(status.replace("X", "0").replace("default", "400")),
            "reply": json.dumps(reply) if is_json(content_type) else reply,
            "type": content_type,
        }


def _answers(document: dict[str, Any], status: str, content: Any) -> Iterator[tuple[str, Any, str]]:
    """List what a reply can hold: name, value and content type. A success may be empty."""
    content_type = read(content) if content else ""
    if content_type:
        for example, value in _examples(document, content[content_type]).items():
            yield example, value, content_type
    elif status.startswith("2") and not content:
        yield "nothing", None, ""


def _repeating(raw: dict[str, Any], given: dict[str, Any], reply: Any) -> Any:
    """Make an example of a reply one about the arguments that are given."""
    rules = raw.get("x-reply-repeats", {}).items() if isinstance(reply, dict) else ()
    repeated = {m: given[rule["argument"]] for m, rule in rules if rule["argument"] in given}
    return {**reply, **repeated} if repeated else reply


def _files(document: dict[str, Any], media: dict[str, Any]) -> list[str]:
    """Name the members of a body that are files, or lists of them; "" is the whole body."""
    schema = resolved(document, media.get("schema", {}))
    if schema.get("format") == "binary":
        return [""]
    found = []
    for name, node in schema.get("properties", {}).items():
        member = resolved(document, node)
        items = resolved(document, member.get("items", {}))
        if "binary" in (member.get("format"), items.get("format")):
            found.append(name)
    return found


def _examples(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """List the examples of a parameter or media type: its own, or else one of its schema."""
    found = {
        name: resolved(document, example).get("value")
        for name, example in node.get("examples", {}).items()
    }
    if "example" in node:
        found["example"] = node["example"]
    schema = resolved(document, node.get("schema", {}))
    value = schema.get("example", next(iter(schema.get("examples", ())), None))
    return found or ({} if value is None else {"example": value})
