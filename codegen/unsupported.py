"""What OpenAPI can say and the generated client can't do: refused, so that nothing is dropped.

openapi-python-client itself warns of some of it, and is silent about the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openapi_python_client.strings import ClassName, PythonIdentifier

from codegen.content_types import FORMS, files_in, kinds_of, media_type, wrong_body, wrong_reply
from codegen.document import Trouble, Where, at, circles, follow, nodes, target
from codegen.schema_code import FORMATS

_STYLES = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
# What these ask of a value, neither a model nor a rule of the client can hold.
KEYWORDS = {
    *("not", "if", "then", "else", "dependentSchemas", "dependentRequired", "contains"),
    *("minContains", "maxContains", "minProperties", "maxProperties", "propertyNames"),
    *("patternProperties", "prefixItems", "unevaluatedItems", "unevaluatedProperties"),
    *("discriminator", "$dynamicRef", "$recursiveRef"),
}
# No reply of these has a body, whatever is documented. Source: RFC 9110, 15.
_EMPTY = re.compile(r"204|205|304")
_ENCODINGS = {"style", "explode", "allowReserved", "contentType", "headers"}
# What says how a value is stored or shown, and asks nothing of it.
_DECORATIVE = {"int32", "int64", "float", "double", "binary", "byte", "password"}
# What HTTP itself says of a request.
_OWN_HEADERS = {
    *("accept", "authorization", "connection", "content-length", "content-type"),
    *("cookie", "host", "transfer-encoding"),
}
LONGEST = 200
OWN_NAMES = {
    *("Any", "ClassVar", "Literal", "Mapping", "Self", "TYPE_CHECKING"),
    *("AsyncCompat", "AsyncRestClient", "Compat", "RestClient"),
    *("File", "Reply", "Request", "Response", "Schema", "UNSET", "Unset"),
}
# What every module imports, and so has as a name already.
_IMPORTED = {"annotations"}
_UNFIT = {
    "path": ("a list", "an object"),
    "query": ("an object in a list", "a list in a list"),
    "header": ("a list", "an object"),
    "cookie": ("a list", "an object"),
}


def unexpressed(document: dict[str, Any]) -> Iterator[Trouble]:
    """Find what the client can't do, at the field or operation that asks for it."""
    within = ("allOf", "anyOf", "oneOf", "items", "properties", "additionalProperties")
    for where in circles(document, *within, classes=False):
        what = "leads back to itself, and no object among components is on the way, as a class"
        yield Trouble((*where, "$ref"), f"{what}: move one there")
    yield from _one_way(document)
    yield from _tags(document)
    yield from _paths(document)
    for kind, where, node in nodes(document):
        in_callback = _is_called_back(where)
        if kind == "schema":
            yield from _schema(document, where, node)
        elif kind == "parameter" and not in_callback:
            yield from _parameter(document, where, node)
        elif kind == "operation" and not in_callback:
            yield from _operation(document, where, node)
        elif kind == "encoding" and not in_callback and (fields := node.keys() & _ENCODINGS):
            what = "changes how the form is written, and the client has one way: remove it"
            yield from (Trouble((*where, field), what) for field in sorted(fields))
        elif (
            kind == "media"
            and media_type(str(where[-1])) in FORMS
            and "schema" in node
            and not in_callback
        ):
            yield from _form(document, (*where, "schema"))
        elif kind == "path" and where[0] == "paths":
            yield from _path(where, node)


def _one_way(document: dict[str, Any]) -> Iterator[Trouble]:
    """Find members that are required, and that one of the two ways must not have."""
    for word, way, roots in (
        ("readOnly", "requests", ("requestBody", "parameters", "requestBodies")),
        ("writeOnly", "replies", ("responses",)),
    ):
        pending = [
            where
            for kind, where, _ in nodes(document)
            if kind == "schema" and {*roots} & {*where} and not _is_called_back(where)
        ]
        seen: set[Where] = set()
        while pending:
            place = pending.pop()
            if place in seen:
                continue
            seen.add(place)
            pending += [inner for _, inner, _ in nodes(at(document, place), "schema", place)]
            if "$ref" in (node := at(document, place)):
                pending.append(target(node["$ref"]))
            properties, required = _object(document, place)
            for name in properties.keys() & required:
                member = at(document, follow(document, properties[name]))
                if isinstance(member, dict) and member.get(word):
                    what = (
                        f'"{name}" is {word} and required, and would be required of {way} as well'
                    )
                    todo = f"{what}: take it out of required, or give {way} a schema of their own"
                    yield Trouble(properties[name], todo)


def _object(document: dict[str, Any], where: Where) -> tuple[dict[str, Where], set[str]]:
    """List the members of a schema with their places, and the required ones, over all its parts."""
    node = at(document, where)
    parts = [(*where, "allOf", index) for index, _ in enumerate(node.get("allOf", ()))]
    if "$ref" in node:
        parts.append(target(node["$ref"]))
    properties: dict[str, Where] = {
        name: (*where, "properties", name) for name in node.get("properties", ())
    }
    required = set(node.get("required", ()))
    for part in parts:
        more, needed = _object(document, part)
        properties, required = {**more, **properties}, required | needed
    return properties, required


def _is_called_back(where: Where) -> bool:
    return "callbacks" in where or where[0:1] == ("webhooks",)


def _paths(document: dict[str, Any]) -> Iterator[Trouble]:
    """Find paths that differ in the names of their parameters alone: no server can tell them."""
    first: dict[str, str] = {}
    for path in document.get("paths", {}):
        if (other := first.setdefault(re.sub(r"\{[^{}]*\}", "{}", path), path)) != path:
            what = f"is the same path as {other}: put the operations of both under one"
            yield Trouble(("paths", path), what)


def _path(where: Where, node: dict[str, Any]) -> Iterator[Trouble]:
    if "servers" in node:
        what = "has servers of its own, and a client has one server: move them to the top"
        yield Trouble((*where, "servers"), what)
    if "$ref" in node:
        what = "has its operations elsewhere, and the generator would drop them: write them here"
        yield Trouble((*where, "$ref"), what)
    if odd := re.search(r"[\s\"\\<>^`|?#]", str(where[1])):
        what = f"has {odd[0]!r}, which no path of a URL holds: write %{ord(odd[0]):02X}"
        yield Trouble(where, what)


def _schema(document: dict[str, Any], where: Where, node: dict[str, Any]) -> Iterator[Trouble]:
    for keyword in node.keys() & KEYWORDS:
        what = f'"{keyword}" is more than the client can check or follow: say it in the description'
        yield Trouble((*where, keyword), what)
    if "$ref" in node and target(node["$ref"])[:-1] != ("components", "schemas"):
        what = "names a part of a schema, which the generator does not find: move it to components"
        yield Trouble((*where, "$ref"), what)
    if node.get("format", "uuid") not in {*FORMATS, *_DECORATIVE}:
        what = f'"{node["format"]}" is a format that the client does not check'
        todo = f"say it with a pattern, or take one of {', '.join(FORMATS)}"
        yield Trouble((*where, "format"), f"{what}: {todo}")
    parts = [(*where, "allOf", index) for index, _ in enumerate(node.get("allOf", ()))]
    kinds = {kind for part in parts for kind in kinds_of(document, part)}
    if len(parts) > 1 and kinds - {"an object"}:
        what = f"joins {min(kinds - {'an object'})}, and the generator joins objects alone"
        yield Trouble((*where, "allOf"), f"{what}: write the keywords beside the $ref")
    types = {type(value) for value in node.get("enum", ()) if value is not None}
    if types >= {str, int} or types - {str, int, bool}:
        what = "has values that are not all text or all whole numbers: let the description say them"
        yield Trouble((*where, "enum"), what)
    if isinstance(node.get("const"), float | list | dict):
        what = "is no text, whole number, truth or null: let the description say it"
        yield Trouble((*where, "const"), what)
    if "nullable" in node:
        what = 'is of OpenAPI 3.0, and says nothing in 3.1: add "null" to the type'
        yield Trouble((*where, "nullable"), what)
    if where[:-1] == ("components", "schemas") and len(str(where[-1])) > LONGEST:
        what = f"is longer than {LONGEST} characters, too long for a file: rename it"
        yield Trouble(where, what)
    first: dict[tuple[str, str], str] = {}
    for name in node.get("properties", {}):
        # The generator tries both forms, and has no third.
        both = (PythonIdentifier(name, ""), PythonIdentifier(name, "", skip_snake_case=True))
        if (other := first.setdefault(both, name)) != name:
            what = f'"{name}" is {both[1]} in Python, as is "{other}": rename one'
            yield Trouble((*where, "properties", name), what)


def _parameter(document: dict[str, Any], where: Where, node: dict[str, Any]) -> Iterator[Trouble]:
    if "$ref" in node:
        return
    name, place = f'the parameter "{node["name"]}"', node["in"]
    if "schema" not in node:
        what = f"{name} has content, which the client can't write: give it a schema"
        yield Trouble((*where, "content"), what)
        return
    if place == "path" and not re.fullmatch(r"[A-Za-z_-][\w-]*", node["name"], re.ASCII):
        what = f"{name} has signs that no name in a path may have: use letters, digits, - and _"
        yield Trouble((*where, "name"), what)
    if place in ("header", "cookie") and not re.fullmatch(
        r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", node["name"]
    ):
        what = f"{name} has a name that no {place} can have: use letters, digits and -"
        yield Trouble((*where, "name"), what)
    if place == "header" and node["name"].lower() in _OWN_HEADERS:
        what = f"{name} is a header that the client writes by itself: remove the parameter"
        yield Trouble((*where, "name"), what)
    style = node.get("style", _STYLES[place])
    if style != _STYLES[place]:
        what = f"{name} has the style {style}, and {_STYLES[place]} is all that the client writes"
        yield Trouble((*where, "style"), f"{what}: remove it")
    if node.get("explode", style == "form") != (style == "form"):
        what = f"{name} has explode: {str(node['explode']).lower()}, which the client can't write"
        yield Trouble((*where, "explode"), f"{what}: remove it")
    if node.get("allowReserved"):
        what = f"{name} allows reserved characters, and the client escapes them: remove it"
        yield Trouble((*where, "allowReserved"), what)
    kinds = [*kinds_of(document, (*where, "schema"))]
    if "null" in kinds:
        what = f"{name} may be null, which no {place} can hold: leave null out"
        yield Trouble((*where, "schema"), what)
    for file in files_in(document, (*where, "schema")):
        yield Trouble(file, f"{name} is a file, which no {place} can hold: put it into a body")
    if unfit := next((kind for kind in kinds if kind in _UNFIT[place]), None):
        what = f"{name} is {unfit}, which no {place} can hold: give it another type"
        yield Trouble((*where, "schema"), what)
    elif place == "query" and node.get("required"):
        yield from _never_empty(document, node["name"], (*where, "schema"))
    if place == "query" and "an object" in kinds:
        yield from _members(document, name, (*where, "schema"))


def _members(document: dict[str, Any], name: str, where: Where) -> Iterator[Trouble]:
    """Find what the members of an object in the query can't be."""
    members = _object(document, where)[0]
    if not members:
        what = f"{name} is an object without named members, which the client can't write: name them"
        yield Trouble(where, what)
    for member, place in members.items():
        for kind in kinds_of(document, place):
            if kind == "an object" or (kind.endswith(" in a list") and kind.startswith("a")):
                what = f'"{member}" is {kind} in an object, which no query can hold: flatten it'
                yield Trouble(place, what)
                break


def _form(document: dict[str, Any], where: Where) -> Iterator[Trouble]:
    properties, required = _object(document, where)
    for name, place in properties.items():
        if name in required:
            yield from _never_empty(document, name, place)


def _never_empty(document: dict[str, Any], name: str, where: Where) -> Iterator[Trouble]:
    """Find a list that is required where one without items is written as nothing."""
    places = (where, follow(document, where))
    least = max(at(document, place).get("minItems", 0) for place in places)
    if "a list" in kinds_of(document, where) and not least:
        what = f'"{name}" is required, and a list without items is not sent: add `minItems: 1`'
        yield Trouble(where, what)


def _operation(document: dict[str, Any], where: Where, node: dict[str, Any]) -> Iterator[Trouble]:
    name = str(node.get("operationId", where[-1]))
    if "servers" in node:
        what = f"{name} has servers of its own, and a client has one server: move them to the top"
        yield Trouble((*where, "servers"), what)
    if len(name) > LONGEST:
        what = f"is longer than {LONGEST} characters, too long for a file: shorten it"
        yield Trouble((*where, "operationId"), what)
    if PythonIdentifier(name, "") in _IMPORTED:
        what = f'"{name}" is a name that the package needs itself: rename it'
        yield Trouble((*where, "operationId"), what)
    yield from _twins(document, where)
    if "requestBody" in node:
        yield from wrong_body(document, name, follow(document, (*where, "requestBody")))
    if not any(status[0] == "2" for status in node.get("responses", {})):
        what = f"{name} has no reply that is a success: add one, such as 200 or 204"
        yield Trouble((*where, "responses"), what)
    for status in node.get("responses", {}):
        if status.startswith("x-"):
            continue
        place = follow(document, (*where, "responses", status))
        if status[0] == "1":
            what = f"{name} has a reply with status {status}, which no client gets: remove it"
            yield Trouble((*where, "responses", status), what)
        elif content := at(document, place).get("content"):
            bare = where[-1] == "head" and status[0] == "2"
            if bare or _EMPTY.fullmatch(status):
                why = "HEAD" if bare else f"status {status}"
                what = f"{name} is answered without a body, as {why} is: remove it"
                yield Trouble((*place, "content"), what)
            else:
                what = f"{name} has a reply with status {status}"
                yield from wrong_reply(document, what, (*place, "content"), content)


def _tags(document: dict[str, Any]) -> Iterator[Trouble]:
    """Find tags whose modules or classes can't be named after them."""
    tags = {
        (*where, "tags", 0): str(node["tags"][0])
        for kind, where, node in nodes(document)
        if kind == "operation" and node.get("tags") and not _is_called_back(where)
    }
    classes = {ClassName(PythonIdentifier(tag, ""), "") for tag in tags.values()}
    for where, tag in tags.items():
        name, own = PythonIdentifier(tag, ""), ClassName(PythonIdentifier(tag, ""), "")
        if name != PythonIdentifier(tag, "tag"):
            yield Trouble(where, f'"{tag}" gives no name in Python: begin it with a letter')
        elif len(name) > LONGEST:
            what = f"is longer than {LONGEST} characters, too long for a file: shorten it"
            yield Trouble(where, what)
        elif name in _IMPORTED:
            yield Trouble(where, f'"{tag}" is a name that the package needs itself: rename it')
        elif taken := {own, f"Async{own}"} & OWN_NAMES or {f"Async{own}"} & classes:
            what = f'"{tag}" needs the class {min(taken)}, which the package has already: rename it'
            yield Trouble(where, what)


def _twins(document: dict[str, Any], where: Where) -> Iterator[Trouble]:
    """Find parameters of one operation that a request or a call could not tell apart."""
    places: dict[str, str] = {}
    written: dict[tuple[str, str], str] = {}
    for base in (where[:2], where):
        for index, _ in enumerate(at(document, base).get("parameters", ())):
            at_parameter = follow(document, (*base, "parameters", index))
            parameter = at(document, at_parameter)
            name, place = parameter["name"], parameter["in"]
            if (other := places.setdefault(name, place)) != place:
                what = f'"{name}" is a parameter in {other}, too, and an argument: rename one'
                yield Trouble((*base, "parameters", index), what)
            for part in _written(document, at_parameter):
                key = place, part.lower() if place == "header" else part
                if (twin := written.setdefault(key, name)) != name:
                    what = f'"{name}" writes {part} into the {place}, as does "{twin}": remove one'
                    yield Trouble((*base, "parameters", index), what)


def _written(document: dict[str, Any], where: Where) -> list[str]:
    """List the names under which a parameter is written: its own, or those of its members."""
    parameter = at(document, where)
    schema = (*where, "schema")
    is_one = parameter["in"] != "query" or "schema" not in parameter
    if is_one or "an object" not in kinds_of(document, schema):
        return [str(parameter["name"])]
    return [*_object(document, schema)[0]]
