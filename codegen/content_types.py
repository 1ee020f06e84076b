"""The content types of bodies and replies: what the client writes and reads, and what it can't."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.schema import Response

from codegen.document import Trouble, Where, at, follow, nodes

_MULTIPART = "multipart/form-data"
FORMS = ("application/x-www-form-urlencoded", _MULTIPART)
_BYTES = "application/octet-stream"
_FILE = "write {type: string, format: binary}"


def media_type(content_type: str) -> str:
    """Give a content type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a content type is JSON."""
    kind = media_type(content_type)
    return kind == "application/json" or (kind.endswith("+json") and "*" not in kind)


def read(content: Iterable[str]) -> str | None:
    """Choose the content type of a reply that the client reads: JSON, else the first it can."""
    known = [kind for kind in content if is_json(kind) or _is_text(kind)]
    return next(iter(sorted(known, key=lambda kind: not is_json(kind))), None)


def _is_text(content_type: str) -> bool:
    kind = media_type(content_type)
    return kind == _BYTES or (kind.startswith("text/") and "*" not in kind)


def put_json_first(document: dict[str, Any]) -> None:
    """Order the content types of each reply, of which the generator takes the first it knows."""
    for kind, _, node in nodes(document):
        if kind == "response" and "content" in node:
            content = node["content"].items()
            node["content"] = dict(sorted(content, key=lambda pair: not is_json(pair[0])))


def accepted(endpoint: Endpoint) -> str:
    """List the content types of the replies that the client reads, those of successes first."""
    found = [
        kind
        for response in sorted(endpoint.responses, key=lambda r: r.status_code.pattern[0] != "2")
        if isinstance(response.data, Response)
        and (kind := read(key.get_untrusted_value() for key in response.data.content or ()))
    ]
    return ", ".join(dict.fromkeys(map(media_type, found))) or "application/json"


def wrong_body(document: dict[str, Any], name: str, where: Where) -> Iterator[Trouble]:
    """Find what the client can't write of the body of an operation."""
    content = at(document, where)["content"]
    if not content:
        what = f"{name} has a body of no content type: name one, or remove the body"
        yield Trouble((*where, "content"), what)
    for content_type, media in content.items():
        place, kind = (*where, "content", content_type), media_type(content_type)
        what = f"{name} has a body of {content_type}"
        if not (is_json(kind) or kind in FORMS or kind == _BYTES):
            todo = f"write application/json, {', '.join(FORMS)} or {_BYTES}"
            yield Trouble(place, f"{what}, which the client can't write: {todo}")
            continue
        if "schema" not in media:
            yield Trouble(place, f"{what} and of no known type: add a schema")
            continue
        place = (*place, "schema")
        if kind == _BYTES:
            schema = at(document, follow(document, place))
            if set(kinds_of(document, place)) != {"string"} or schema.get("format") != "binary":
                yield Trouble(place, f"{what}, which is a file: {_FILE}")
            continue
        if kind in FORMS:
            yield from _wrong_form(document, what, place)
        allowed = set(_members(document, place)) if kind == _MULTIPART else set()
        for file in files_in(document, place):
            if file not in allowed:
                todo = f"only a member of {_MULTIPART} can be one, or a list there"
                yield Trouble(file, f"{what} with a file in it: {todo}")


def _wrong_form(document: dict[str, Any], what: str, where: Where) -> Iterator[Trouble]:
    schema = at(document, follow(document, where))
    kinds = set(kinds_of(document, where))
    named = isinstance(schema, dict) and "properties" in schema
    if kinds != {"an object"} and (kinds or not named):
        yield Trouble(where, f"{what}, which holds members alone: give it the type object")
        return
    for member in _members(document, where):
        if "a list in a list" in kinds_of(document, member):
            yield Trouble(member, f"{what} with a list of lists, which no form holds: make it JSON")
        if "null" in kinds_of(document, member):
            todo = "leave null out, and the member optional, or make it JSON"
            yield Trouble(member, f"{what} with a null, which no form holds: {todo}")


def wrong_reply(
    document: dict[str, Any], what: str, where: Where, content: dict[str, Any]
) -> Iterator[Trouble]:
    """Find what the client can't read of a reply."""
    chosen = read(content)
    if chosen is None:
        todo = f"write JSON, text or {_BYTES}"
        yield Trouble(where, f"{what} of {', '.join(content)}, which the client can't read: {todo}")
    elif any("schema" not in media for media in content.values()):
        yield Trouble(where, f"{what} of no known type: add a schema")
    elif is_json(chosen):
        for file in files_in(document, (*where, chosen, "schema")):
            yield Trouble(file, f"{what} with a file in it, and JSON holds none: make it text")
    elif set(kinds_of(document, (*where, chosen, "schema"))) != {"string"}:
        what = f"{what} of {chosen}, which is no JSON: give it the type string, or make it JSON"
        yield Trouble((*where, chosen, "schema"), what)


def files_in(
    document: dict[str, Any], where: Where, seen: set[Where] | None = None
) -> Iterator[Where]:
    """Find the files in a schema, and in those that it refers to."""
    where, seen = follow(document, where), set() if seen is None else seen
    if where in seen:
        return
    seen.add(where)
    for _, place, node in nodes(at(document, where), "schema", where):
        if node.get("format") == "binary":
            yield place
        if "$ref" in node:
            yield from files_in(document, place, seen)


def _members(document: dict[str, Any], where: Where) -> Iterator[Where]:
    """Find the schemas of the members of a form, and of the items of those that are lists."""
    where = follow(document, where)
    schema = at(document, where)
    if not isinstance(schema, dict):
        return
    for index, _ in enumerate(schema.get("allOf", ())):
        yield from _members(document, (*where, "allOf", index))
    for name in schema.get("properties", {}):
        member = follow(document, (*where, "properties", name))
        yield member
        if isinstance(found := at(document, member), dict) and "items" in found:
            yield follow(document, (*member, "items"))


def kinds_of(
    document: dict[str, Any], where: Where, above: tuple[Where, ...] = ()
) -> Iterator[str]:
    """Name what a schema allows, as far as it matters for a place other than JSON."""
    where = follow(document, where)
    schema = at(document, where)
    if not isinstance(schema, dict) or where in above:
        return
    above = (*above, where)
    named = schema.get("type", ())
    for kind in [named] if isinstance(named, str) else named:
        yield {"array": "a list", "object": "an object"}.get(kind, kind)
    if "array" in named and "items" in schema:
        yield from (f"{kind} in a list" for kind in kinds_of(document, (*where, "items"), above))
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index, _ in enumerate(schema.get(keyword, ())):
            yield from kinds_of(document, (*where, keyword, index), above)
