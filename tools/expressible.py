"""What OpenAPI can say and the generated client can't do: refused, so that nothing is dropped.

openapi-python-client itself warns of some of it, and is silent about the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from contents import files_in, kinds_of, wrong_body, wrong_reply
from openapi_python_client.strings import PythonIdentifier
from spec_source import Trouble, Where, at, follow, nodes

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
LONGEST = 200
_UNFIT = {
    "path": ("a list", "an object"),
    "query": ("an object in a list", "a list in a list"),
    "header": ("a list", "an object"),
    "cookie": ("a list", "an object"),
}


def unexpressed(document: dict[str, Any]) -> Iterator[Trouble]:
    """Find what the client can't do, at the field or operation that asks for it."""
    for kind, where, node in nodes(document):
        in_callback = "callbacks" in where or where[0:1] == ("webhooks",)
        if kind == "schema":
            yield from _schema(where, node)
        elif kind == "parameter" and not in_callback:
            yield from _parameter(document, where, node)
        elif kind == "operation" and not in_callback:
            yield from _operation(document, where, node)
        elif kind == "encoding" and not in_callback and (fields := node.keys() & _ENCODINGS):
            what = "changes how the form is written, and the client has one way: remove it"
            yield from (Trouble((*where, field), what) for field in sorted(fields))
        elif kind == "path" and where[0] == "paths":
            yield from _path(where, node)


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


def _schema(where: Where, node: dict[str, Any]) -> Iterator[Trouble]:
    for keyword in node.keys() & KEYWORDS:
        what = f'"{keyword}" is more than the client can check or follow: say it in the description'
        yield Trouble((*where, keyword), what)
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
    kinds = kinds_of(document, (*where, "schema"))
    for file in files_in(document, (*where, "schema")):
        yield Trouble(file, f"{name} is a file, which no {place} can hold: put it into a body")
    if unfit := next((kind for kind in kinds if kind in _UNFIT[place]), None):
        what = f"{name} is {unfit}, which no {place} can hold: give it another type"
        yield Trouble((*where, "schema"), what)


def _operation(document: dict[str, Any], where: Where, node: dict[str, Any]) -> Iterator[Trouble]:
    name = str(node.get("operationId", where[-1]))
    if "servers" in node:
        what = f"{name} has servers of its own, and a client has one server: move them to the top"
        yield Trouble((*where, "servers"), what)
    if len(name) > LONGEST:
        what = f"is longer than {LONGEST} characters, too long for a file: shorten it"
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


def _twins(document: dict[str, Any], where: Where) -> Iterator[Trouble]:
    """Find parameters of one operation that have one name, in two places."""
    found: dict[str, str] = {}
    for base in (where[:2], where):
        for index, _ in enumerate(at(document, base).get("parameters", ())):
            parameter = at(document, follow(document, (*base, "parameters", index)))
            name, place = parameter["name"], parameter["in"]
            if (other := found.setdefault(name, place)) != place:
                what = f'"{name}" is a parameter in {other}, too, and an argument: rename one'
                yield Trouble((*base, "parameters", index), what)
