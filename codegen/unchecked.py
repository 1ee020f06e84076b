"""Find what the client is generated without: what it does not check, and what has no effect.

`make lint` treats each as a mistake; `make generate` goes on, and counts them by kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from jsonschema_rs import Draft202012Validator

from codegen.content_types import ANY_TYPE, read, written_of
from codegen.document import (
    INTEGER_BOUNDS,
    Pointer,
    Problem,
    at,
    is_generated,
    members_of,
    nodes,
    parts,
    resolved,
)
from codegen.normal_form import (
    NO_TAG,
    empty_replies,
    is_ignored,
    is_served_by_caller,
)
from codegen.patterns import python_pattern
from codegen.samples import described
from codegen.schema_code import FORMATS, is_closed
from codegen.unsupported import KEYWORDS

# Formats that say how a value is stored or shown, and forbid no value that JSON allows.
_DESCRIPTIVE = {*INTEGER_BOUNDS, "float", "double", "binary", "byte", "password", "rfc2822"}
# What they ask for, the server alone checks.
_UNCHECKED = {
    *("not", "if", "then", "else", "dependentSchemas", "dependentRequired", "contains"),
    *("minContains", "maxContains", "minProperties", "maxProperties", "propertyNames"),
    *("unevaluatedItems", "unevaluatedProperties"),
}
META = {
    "$ref": "https://json-schema.org/draft/2020-12/schema",
    "properties": {
        **dict.fromkeys(("discriminator", "example", "externalDocs", "nullable", "xml"), True),
        **dict.fromkeys((*KEYWORDS, *_UNCHECKED), True),
        # The generator knows no others.
        "const": {"type": ["string", "integer", "boolean", "null"]},
        "enum": {"minItems": 1},
    },
}
# JSON Schema takes an unknown keyword for an annotation; it can also be a typing error.
_KNOWN = Draft202012Validator(
    {**META, "patternProperties": {"^x-": True}, "unevaluatedProperties": False}
)


class Note(NamedTuple):
    """Something that is not checked, or has no effect: its kind, its place and what to do."""

    kind: str
    where: Pointer
    what: str


def notes(raw: dict[str, Any], document: dict[str, Any]) -> Iterator[Note]:
    """Find them in a document without mistakes, as it was written and in its normal form."""
    for kind, where, node in nodes(raw):
        if kind == "operation" and is_generated(where):
            yield from _operation(raw, where, node)
        elif kind == "parameter" and is_ignored(node):
            what = "is ignored by OpenAPI, which has security and content types for it: remove it"
            yield Note("ignored parameter", where, what)
        elif kind == "schema" and "discriminator" in node:
            if "discriminator" not in at(document, where):
                what = "is of no choice among references, so the client does not use it: remove it"
                yield Note("unused discriminator", (*where, "discriminator"), what)
        elif kind in ("body", "response") and "content" in node and not is_served_by_caller(where):
            yield from _content(raw, kind, where, node["content"])
    for kind, where, node in nodes(document):
        if kind == "schema":
            yield from _schema(document, where, node)


def summary(found: list[Note]) -> str:
    """Count the notes by kind, as `341 x unknown format, 26 x example that does not fit`."""
    counts = Counter(note.kind for note in found).most_common()
    return ", ".join(f"{count} x {kind}" for kind, count in counts)


def report(found: list[Note], lines: Callable[[Iterable[Problem]], list[str]]) -> str:
    """List the places by kind, each with its line, as Markdown."""
    text = ["# Without effect in the client", ""]
    text += ["The package was generated. What is listed here is not checked, or has no effect."]
    for kind, count in Counter(note.kind for note in found).most_common():
        places = ((note.where, note.what) for note in found if note.kind == kind)
        text += ["", f"## {kind}: {count}", "", *(f"- {line}" for line in lines(places))]
    return "\n".join([*text, ""])


def _operation(raw: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Note]:
    if "operationId" not in node:
        what = "has no operationId: add one, its function is named after it"
        yield Note("missing operationId", where, what)
    if len(node.get("tags", ())) != 1:
        what = f"needs exactly one tag, its module: write `tags: [..]`; without it, {NO_TAG}"
        yield Note("several tags" if node.get("tags") else "missing tag", (*where, "tags"), what)
    if not any(status[0] in "2d" for status in map(str, node.get("responses", {}))):
        what = "has no reply that is a success, so none is decoded: add one, such as 200 or 204"
        yield Note("missing success", (*where, "responses"), what)
    for status in empty_replies(where, node):
        if "content" in resolved(raw, node["responses"][status]):
            to = "to HEAD" if where[2] == "head" else f"of status {status}"
            what = f"has a body in a reply {to}, which cannot have one: remove it"
            yield Note("body of an empty reply", (*where, "responses", status), what)
    for status in (status for status in node.get("responses", ()) if status[0] == "1"):
        what = f"has a reply with status {status}, which no client gets: remove it"
        yield Note("informational reply", (*where, "responses", status), what)
    if "security" not in node and "security" not in raw:
        what = "has no security of its own, nor has the document, so no credentials are sent"
        yield Note("missing security", where, f"{what}: add it")


def _content(
    raw: dict[str, Any], kind: str, where: Pointer, content: dict[str, Any]
) -> Iterator[Note]:
    is_body = kind == "body"
    known = written_of(raw, where, content) if is_body else [n for n in content if read([n])]
    schemas: list[Any] = []
    if not is_body and ANY_TYPE in content and not known:
        what = "is any type, which is read as JSON, or as text if it is a string: name one"
        yield Note("reply of any type", (*where, "content", ANY_TYPE), what)
    for name in content if known else ():
        schema, place = content[name].get("schema"), (*where, "content", name)
        if name not in known:
            what = "is not a content type of the client, which takes another one: remove it"
            yield Note("unused content type", place, what)
        elif kind == "body" and schema in schemas:
            what = "has the schema of another content type, in which it is sent: remove it"
            yield Note("unused content type", place, what)
        else:
            schemas.append(schema)


def _schema(document: dict[str, Any], where: Pointer, node: dict[str, Any]) -> Iterator[Note]:
    if node.get("format", "uuid") not in {*FORMATS, *_DESCRIPTIVE}:
        what = f'"{node["format"]}" is a format that the client does not check'
        todo = f"write a pattern, or take one of {', '.join(FORMATS)}"
        yield Note("unknown format", (*where, "format"), f"{what}: {todo}")
    closed = is_closed([part for _, part in parts(document, node)])
    for key in (_UNCHECKED & node.keys()) - ({"unevaluatedProperties"} if closed else set()):
        what = f'"{key}" is not checked by the client: say it in the description'
        yield Note("unchecked keyword", (*where, key), what)
    if python_pattern(pattern := node.get("pattern", "")) is None:
        what = f"{pattern} is a pattern that the client can't check: write it in another way"
        yield Note("unchecked pattern", (*where, "pattern"), what)
    members, required = members_of(document, where) if "allOf" in node else ({}, set[str]())
    if unknown := required - members.keys():
        what = f'"{min(unknown)}" is required, and no part has it: correct the name'
        yield Note("required member of no part", (*where, "required"), what)
    if "nullable" in node:
        what = 'is of OpenAPI 3.0, and means nothing in 3.1: add "null" to the type'
        yield Note("nullable in 3.1", (*where, "nullable"), what)
    for error in _KNOWN.iter_errors(node):
        yield Note("unknown keyword", *described(error, where))
