"""The contract as plain data: the kind of each part, where references lead, what a schema allows.

The only reader for checks, generation, comparison and docs. The mock server and the fuzz tests
have readers of their own on purpose: a mistake here shows as a disagreement with theirs.
"""

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

Pointer = tuple[str | int, ...]
"""The place of a part in the document, as keys and indexes."""
Problem = tuple[Pointer, str]
"""A mistake: its place, and what is wrong and what to do, in words."""

ACCOUNT = "x-client-default"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
INTEGER_BOUNDS = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
}

# The children of each kind of part, as key:kind. A star means a mapping or list of that kind, a dot
# every key. Free text and free values (x-, example) have no kind.
_CHILDREN = {
    kind: dict(pair.split(":") for pair in pairs.split())
    for kind, pairs in {
        "document": "paths:path* webhooks:path* components:components",
        "components": "schemas:schema* responses:response* parameters:parameter* links:link* "
        "examples:example* requestBodies:body* headers:header* callbacks:callback* "
        "pathItems:path* securitySchemes:scheme*",
        "path": "parameters:parameter* get:operation put:operation post:operation "
        "delete:operation options:operation head:operation patch:operation trace:operation",
        "operation": "parameters:parameter* requestBody:body responses:response* "
        "callbacks:callback*",
        "callback": ".:path",
        "body": "content:media*",
        "response": "content:media* headers:header* links:link*",
        "parameter": "schema:schema content:media* examples:example*",
        "header": "schema:schema content:media* examples:example*",
        "media": "schema:schema examples:example* encoding:encoding*",
        "encoding": "headers:header*",
        "schema": "properties:schema* patternProperties:schema* $defs:schema* allOf:schema* "
        "anyOf:schema* oneOf:schema* prefixItems:schema* dependentSchemas:schema* not:schema "
        "items:schema contains:schema if:schema then:schema else:schema propertyNames:schema "
        "additionalProperties:schema unevaluatedProperties:schema unevaluatedItems:schema",
    }.items()
}


def dotted(where: Pointer) -> str:
    """Write a pointer for people: `paths./Accounts.post.parameters[0]`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in where)
    return "".join(steps).removeprefix(".") or "document"


def at(document: Any, where: Pointer) -> Any:
    """Return the part that a pointer names."""
    for step in where:
        document = document[step]
    return document


def target(reference: str) -> Pointer:
    """Return the pointer that a reference into the same document stands for."""
    steps = reference.removeprefix("#/").split("/")
    return tuple(unquote(step).replace("~1", "/").replace("~0", "~") for step in steps)


def follow(document: Any, where: Pointer) -> Pointer:
    """Return the pointer at the end of a chain of references, or the same one without any."""
    node = at(document, where)
    is_reference = isinstance(node, dict) and "$ref" in node
    return follow(document, target(node["$ref"])) if is_reference else where


def resolved(document: Any, node: dict[str, Any]) -> dict[str, Any]:
    """Return the part that a node refers to, or the node itself if it is not a reference."""
    while "$ref" in node:
        node = at(document, target(node["$ref"]))
    return node


def parts(
    document: Any, node: Any, where: Pointer = ()
) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Split a schema at `allOf` and `$ref`: pointer and value, the outermost part first."""
    if isinstance(node, dict):
        yield where, node
        for index, part in enumerate(node.get("allOf", ())):
            yield from parts(document, part, (*where, "allOf", index))
        if "$ref" in node:
            end = target(node["$ref"])
            yield from parts(document, at(document, end), end)


def merged(document: Any, schema: Any) -> dict[str, Any]:
    """Merge a schema with its reference and its `allOf`; the outermost keyword wins."""
    result: dict[str, Any] = {}
    for _, part in parts(document, schema):
        for key, value in part.items():
            if key == "properties":
                result[key] = {**value, **result.get(key, {})}
            elif key == "required" and isinstance(value, list):
                result[key] = [*result.get(key, ()), *value]
            elif key not in ("$ref", "allOf"):
                result.setdefault(key, value)
    return result


def is_account(parameter: dict[str, Any]) -> bool:
    """Whether the client fills in a parameter with its account, unless the caller names another."""
    return parameter["in"] == "path" and parameter.get(ACCOUNT) == "account"


def is_generated(where: Pointer) -> bool:
    """Whether the client calls the operation at a place; the caller serves the others."""
    return where[:1] == ("paths",) and len(where) == 3 and where[2] in _METHODS


def called_operations(document: dict[str, Any]) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Walk over the operations that the client calls: pointer and value."""
    for path, item in document.get("paths", {}).items():
        for method, node in item.items() if not path.startswith("x-") else ():
            if method in _METHODS:
                yield ("paths", path, method), node


def operations_by_id(document: dict[str, Any]) -> dict[str, Pointer]:
    """Find the operations that the client calls; of two with one id, the first."""
    found: dict[str, Pointer] = {}
    for where, node in called_operations(document):
        found.setdefault(node.get("operationId", ""), where)
    return found


def links_of(document: Any, where: Pointer) -> Iterator[tuple[str, Pointer]]:
    """List the links of an operation: the status of the reply, and the place of the link."""
    for status in at(document, where)["responses"]:
        reply = follow(document, (*where, "responses", status))
        for name in at(document, reply).get("links", {}):
            yield str(status), follow(document, (*reply, "links", name))


def successes_of(document: Any, where: Pointer) -> list[str]:
    """List the statuses of the successes of an operation."""
    return [status for status in at(document, where)["responses"] if str(status).startswith("2")]


def json_schema(document: Any, where: Pointer, status: str) -> Pointer | None:
    """Return the place of the schema of the JSON that an operation replies with a status."""
    reply = follow(document, (*where, "responses", status))
    content = at(document, reply).get("content", {})
    kind = next(filter(is_json, content), "")
    return (*reply, "content", kind, "schema") if "schema" in content.get(kind, {}) else None


def success_schema(document: Any, where: Pointer) -> Pointer | None:
    """Return the place of the schema of the JSON that an operation returns."""
    found = (json_schema(document, where, status) for status in successes_of(document, where))
    return next((follow(document, place) for place in found if place), None)


def parameters_of(document: Any, where: Pointer) -> Iterator[tuple[Pointer, Pointer]]:
    """List the parameters of a path, then of its operation: each place, and where it leads."""
    for base in (where[:-1], where):
        for index, _ in enumerate(at(document, base).get("parameters", ())):
            place = (*base, "parameters", index)
            yield place, follow(document, place)


def members_of(document: Any, where: Pointer) -> tuple[dict[str, Pointer], set[str]]:
    """List the members of an object and the required ones, with those of `$ref` and `allOf`."""
    members: dict[str, Pointer] = {}
    required: set[str] = set()
    for place, part in parts(document, at(document, where), where):
        own = {name: (*place, "properties", name) for name in part.get("properties", ())}
        members, required = {**own, **members}, required | {*part.get("required", ())}
    return members, required


def nearest(document: Any, where: Pointer) -> Pointer:
    """Return the last existing part on the way to a pointer."""
    here: Pointer = ()
    for step in where:
        node = at(document, here)
        if isinstance(node, dict) and str(step) in node:
            here = (*here, str(step))
        elif isinstance(node, list) and isinstance(step, int):
            here = (*here, step)
        else:
            break
    return here


def nodes(
    node: Any, kind: str = "document", where: Pointer = ()
) -> Iterator[tuple[str, Pointer, dict[str, Any]]]:
    """Walk over all parts that have a kind: kind, pointer, value."""
    if isinstance(node, dict):
        yield kind, where, node
        for child, place, value in children(node, kind, where):
            yield from nodes(value, child, place)


def children(node: dict[str, Any], kind: str, where: Pointer) -> Iterator[tuple[str, Pointer, Any]]:
    """List the parts directly inside a part: kind, pointer, value."""
    kinds = _CHILDREN.get(kind, {})
    for name, value in node.items():
        child = kinds.get(name) or kinds.get(".", "")
        if not child.endswith("*"):
            yield from [(child, (*where, name), value)] if child else ()
            continue
        child = child.removesuffix("*")
        if isinstance(value, list):
            value = dict(enumerate(value))
        for key, item in value.items() if isinstance(value, dict) else ():
            if child == "schema" or not str(key).startswith("x-"):
                yield child, (*where, name, key), item


def reachable(
    document: Any, starts: Iterable[tuple[str, Pointer]]
) -> Iterator[tuple[str, Pointer, dict[str, Any]]]:
    """Walk over parts, given as kind and pointer, and all that they refer to, each once."""
    seen: set[Pointer] = set()
    pending = list(starts)
    while pending:
        kind, where = pending.pop()
        for inner, place, node in nodes(at(document, where), kind, where):
            if place not in seen:
                seen.add(place)
                yield inner, place, node
                if "$ref" in node:
                    pending.append((inner, target(node["$ref"])))


def cycles(document: Any, *keywords: str, through_objects: bool = True) -> Iterator[Pointer]:
    """Find references that lead back to themselves through these keywords only.

    Unless `through_objects`, a reference to an object ends the search.
    """
    edges: dict[Pointer, list[Pointer]] = {}
    references: dict[Pointer, Pointer] = {}
    for kind, where, node in nodes(document):
        inner = children(node, kind, where)
        edges[where] = [place for _, place, _ in inner if place[len(where)] in keywords]
        if str(node.get("$ref", "")).startswith("#/"):
            end = target(node["$ref"])
            found = {} if through_objects else at(document, end)
            if not found.keys() & {"properties", "allOf"} and found.get("type") != "object":
                references[where] = end
                edges[where].append(end)
    for where, end in references.items():
        seen, pending = set(), [end]
        while pending:
            if (here := pending.pop()) not in seen:
                seen.add(here)
                pending += edges.get(here, ())
        if where in seen:
            yield where


def media_type(content_type: str) -> str:
    """Return a content type without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_bytes(content_type: str) -> bool:
    """Whether a content type is a file of bytes, such as an image."""
    kind, main = media_type(content_type), media_type(content_type).partition("/")[0]
    known = {f"application/{name}" for name in ("octet-stream", "pdf", "zip", "gzip")}
    return kind in known or (main in ("image", "audio", "video", "font") and "*" not in kind)


def is_json(content_type: str) -> bool:
    """Whether a content type is JSON."""
    kind = media_type(content_type)
    return kind == "application/json" or (kind.endswith("+json") and "*" not in kind)


def types_of(
    document: dict[str, Any], where: Pointer, parents: tuple[Pointer, ...] = ()
) -> Iterator[str]:
    """Name the types that a schema allows, as `string`, `an object`, `a list`, `x in a list`."""
    where = follow(document, where)
    schema = at(document, where)
    if not isinstance(schema, dict) or where in parents:
        return
    parents = (*parents, where)
    types = schema.get("type", ())
    for name in [types] if isinstance(types, str) else types:
        yield {"array": "a list", "object": "an object"}.get(name, name)
    if "array" in types and "items" in schema:
        yield from (f"{name} in a list" for name in types_of(document, (*where, "items"), parents))
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index, _ in enumerate(schema.get(keyword, ())):
            yield from types_of(document, (*where, keyword, index), parents)


def files_in(document: dict[str, Any], where: Pointer) -> list[Pointer]:
    """Find the files in a schema, and in the schemas that it refers to."""
    found = reachable(document, [("schema", where)])
    return [place for _, place, node in found if node.get("format") == "binary"]
