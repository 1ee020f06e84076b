"""The content types of bodies and replies: what the client can write and read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.schema import Response

from codegen.document import (
    Pointer,
    Problem,
    at,
    files_in,
    follow,
    is_bytes,
    is_json,
    media_type,
    members_of,
    merged,
    nodes,
    resolved,
    types_of,
)

MULTIPART = "multipart/form-data"
FORMS = ("application/x-www-form-urlencoded", MULTIPART)
_BYTES = "application/octet-stream"
ANY_TYPE = "*/*"


def read(content: Iterable[str]) -> str | None:
    """Choose the content type that the client reads of a reply: JSON, or the first it knows."""
    known = [kind for kind in content if is_json(kind) or _is_text(kind)]
    return next(iter(sorted(known, key=lambda kind: not is_json(kind))), None)


def _is_text(content_type: str) -> bool:
    kind = media_type(content_type)
    return is_bytes(kind) or (kind.startswith("text/") and "*" not in kind)


def is_written(content_type: str) -> bool:
    """Whether the client can write a body of a content type."""
    kind = media_type(content_type)
    return is_json(kind) or kind in FORMS or is_bytes(kind)


def name_any_type(document: dict[str, Any], where: Pointer, content: dict[str, Any]) -> None:
    """Name the content type of a reply of any type: bytes, text, or JSON for everything else."""
    media = content[ANY_TYPE]
    media["schema"] = media.get("schema") or {"type": "string", "format": "binary"}
    types = set(types_of(document, (*where, "content", ANY_TYPE, "schema")))
    del content[ANY_TYPE]
    if not read(content):
        is_file = resolved(document, media["schema"]).get("format") == "binary"
        kind = "application/json" if types != {"string"} else "text/plain"
        content[_BYTES if is_file else kind] = media


def written_of(document: dict[str, Any], where: Pointer, content: dict[str, Any]) -> list[str]:
    """List the content types of a body that the client writes: for files, multipart alone."""
    written = [name for name in content if is_written(name)]
    if any(media_type(name) == MULTIPART for name in written):
        other = [name for name in written if is_json(name) or media_type(name) == FORMS[0]]
        places = {n: (*where, "content", n, "schema") for n in other if "schema" in content[n]}
        filed = {name for name, place in places.items() if files_in(document, place)}
        written = [name for name in written if name not in filed]
    return written


def put_json_first(document: dict[str, Any]) -> None:
    """Sort the content types of each reply: the generator takes the first that it knows."""
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


def wrong_body(document: dict[str, Any], where: Pointer) -> Iterator[Problem]:
    """Find what the client cannot write of the body of an operation."""
    content = at(document, where)["content"]
    if not content:
        what = "has a body without content type: name one, or remove the body"
        yield (*where, "content"), what
    for content_type, media in content.items():
        place, kind = (*where, "content", content_type), media_type(content_type)
        schema, what = (*place, "schema"), f"has a body of {content_type}"
        if not is_written(kind):
            todo = f"write application/json, {', '.join(FORMS)} or {_BYTES}"
            yield place, f"{what}, which the client cannot write: {todo}"
        elif "schema" not in media:
            yield place, f"{what} without a type: add a schema"
        elif is_bytes(kind):
            is_file = resolved(document, media["schema"]).get("format") == "binary"
            if set(types_of(document, schema)) != {"string"} or not is_file:
                yield schema, f"{what}, which is a file: write {{type: string, format: binary}}"
        else:
            if kind in FORMS:
                yield from _wrong_form(document, what, schema)
            allowed = set(_fields(document, schema)) if kind == MULTIPART else set()
            for file in set(files_in(document, schema)) - allowed:
                todo = f"only a member of {MULTIPART}, or an item of a list there, can be a file"
                yield file, f"{what} with a file in it: {todo}"


def _wrong_form(document: dict[str, Any], what: str, where: Pointer) -> Iterator[Problem]:
    types = set(types_of(document, where))
    if types != {"an object"} and (
        types or "properties" not in merged(document, at(document, where))
    ):
        yield where, f"{what}, which has named members: give it the type object"
        return
    for field in _fields(document, where):
        if "a list in a list" in types_of(document, field):
            yield field, f"{what} with a list of lists, which no form holds: make it JSON"
        if "null" in types_of(document, field):
            todo = "remove null and make the member optional, or make the body JSON"
            yield field, f"{what} with a null, which no form holds: {todo}"


def lists_to_fill(document: dict[str, Any], where: Pointer) -> list[str]:
    """List the required members of a form that may be empty lists, which a form cannot hold."""
    members, required = members_of(document, where)
    return [n for n in members if n in required and is_possibly_empty_list(document, members[n])]


def is_possibly_empty_list(document: dict[str, Any], where: Pointer) -> bool:
    """Whether a schema allows an empty list, which a form or a parameter cannot hold."""
    schema = merged(document, at(document, where))
    return "a list" in types_of(document, where) and not schema.get("minItems")


def _fields(document: dict[str, Any], where: Pointer) -> Iterator[Pointer]:
    """Find the schemas of the members of a form, and of the items of lists among them."""
    for place in members_of(document, where)[0].values():
        yield (field := follow(document, place))
        if "items" in at(document, field):
            yield follow(document, (*field, "items"))


def wrong_reply(
    document: dict[str, Any], what: str, where: Pointer, content: dict[str, Any]
) -> Iterator[Problem]:
    """Find what the client cannot read of a reply."""
    chosen = read(content)
    if chosen is None:
        todo = f"write JSON, text or {_BYTES}"
        yield where, f"{what} of {', '.join(content)}, which the client cannot read: {todo}"
    elif any("schema" not in media for media in content.values()):
        yield where, f"{what} without a type: add a schema"
    elif is_json(chosen):
        for file in files_in(document, (*where, chosen, "schema")):
            yield file, f"{what} with a file in it, which JSON cannot hold: make it text"
    elif set(types_of(document, (*where, chosen, "schema"))) != {"string"}:
        todo = "give it the type string, or make it JSON"
        yield (*where, chosen, "schema"), f"{what} of {chosen}, which is not JSON: {todo}"
