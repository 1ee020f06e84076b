"""Gives schemas titles where the generator would name two classes alike, and stop.

It names the class of a component after its title or name, and the class of another schema after
what is around it and its own title or place: `ThingSize` is the component of that name, and the
values of the member `size` of the component `Thing`.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Any

from openapi_python_client.config import Config
from openapi_python_client.parser.properties.schemas import Class
from openapi_python_client.strings import PythonIdentifier, pascal_case

from codegen.content_types import read
from codegen.document import (
    at,
    called_operations,
    is_bytes,
    is_json,
    media_type,
    parameters_of,
    resolved,
)

_Named = tuple[dict[str, Any], str, str]
"""A schema with a class, what is around it (nothing around a component), and its place in that."""


def tell_apart(document: dict[str, Any], config: Config) -> None:
    """Let no two schemas have one class, except for equal lists of values, which share it."""
    components = document["components"]["schemas"]
    while _untitle(components, config):
        pass  # A component that takes its own name may meet the title of another one.
    while _number(document, config):
        pass  # A parameter or reply that operations share has a class for each of them.


def _untitle(components: dict[str, Any], config: Config) -> bool:
    """Remove the titles of components that are equal, and say whether there were any."""
    first: dict[str, dict[str, Any]] = {}
    equal: list[dict[str, Any]] = []
    for node, module in _own_classes(components, config):
        other = first.setdefault(module, node)
        equal += [other, node] if _signature(other) != _signature(node) else []
    titled = [node for node in equal if "title" in node]
    for node in titled:
        node.pop("title", None)
    return bool(titled)


def _number(document: dict[str, Any], config: Config) -> bool:
    """Give another title to a schema whose class is taken, and say whether there were any."""
    own = [*_own_classes(document["components"]["schemas"], config)]
    components, numbered = {id(node) for node, _ in own}, False
    taken = {module: _signature(node) for node, module in own}
    for start in _starts(document):
        for node, around, place in _named(*start, config):
            mine, number, title = _signature(node), 2, node.get("title") or place
            while taken.setdefault(_module(node, around, place, config), mine) != mine:
                if id(node) in components:
                    break  # Callers know its name: that it is taken is refused.
                node["title"], number, numbered = f"{title}_{number}", number + 1, True
    return numbered


def _own_classes(
    components: dict[str, Any], config: Config
) -> Iterator[tuple[dict[str, Any], str]]:
    """List the components that are classes, with their modules."""
    for name, node in components.items():
        for found, _, place in _named(node, "", name, config):
            if found is node:
                yield node, _module(node, "", place, config)


def _signature(node: dict[str, Any]) -> Hashable:
    values = [value for value in node.get("enum", ()) if value is not None]
    return frozenset(values) if values else id(node)


def _class(node: dict[str, Any], around: str, place: str, config: Config) -> Class:
    name = node.get("title") or place
    alone = not config.use_path_prefixes_for_title_model_names and "enum" not in node
    if around and not (alone and "title" in node):
        name = f"{pascal_case(around)}{pascal_case(name)}"
    return Class.from_string(string=name, config=config)


def _module(node: dict[str, Any], around: str, place: str, config: Config) -> str:
    return _class(node, around, place, config).module_name


def _starts(document: dict[str, Any]) -> Iterator[_Named]:
    for name, node in document["components"]["schemas"].items():
        yield node, "", name
    for where, operation in called_operations(document):
        around = PythonIdentifier(operation["operationId"], "field_")
        for _, end in parameters_of(document, where):
            parameter = at(document, end)
            yield parameter.get("schema", {}), around, parameter["name"]
        body = resolved(document, operation.get("requestBody", {})).get("content", {})
        for kind, media in body.items():
            way = f"{around}_{_way(kind)}" if len(body) > 1 else around
            yield media.get("schema", {}), way, "body"
        for status, reply in operation["responses"].items():
            content = {} if status[:2] == "x-" else resolved(document, reply).get("content", {})
            if kind := read(content):
                yield content[kind].get("schema", {}), around, f"response_{status}"


def _way(content_type: str) -> str:
    if is_json(content_type):
        return "json"
    if is_bytes(content_type):
        return "content"
    return "files" if media_type(content_type).startswith("multipart/") else "data"


def _named(node: dict[str, Any], around: str, place: str, config: Config) -> Iterator[_Named]:
    """Walk over the schemas that the generator makes classes of, as it does.

    What is inside a schema is named after the title that it has when the walk goes on.
    """
    types, choice = node.get("type"), [*node.get("anyOf", ()), *node.get("oneOf", ())]
    whole = [*node.get("allOf", ()), *choice]
    if "$ref" in node or (len(whole) == 1 and "$ref" in whole[0]) or types == "boolean":
        return
    if values := node.get("enum"):
        if values != [None]:
            yield node, around, f"{place}_type_1" if None in values else place
    elif choice:
        for index, option in enumerate(choice):
            yield from _named(option, around, f"{place}_{_subscript(node, option, index)}", config)
    elif isinstance(types, list):
        for index, kind in enumerate(types):
            yield from _typed(node, kind, around, f"{place}_type_{index}", config)
    elif "const" not in node:
        is_object = "allOf" in node or (types is None and "properties" in node)
        yield from _typed(node, "object" if is_object else types, around, place, config)


def _typed(
    node: dict[str, Any], kind: str | None, around: str, place: str, config: Config
) -> Iterator[_Named]:
    if kind == "array" and "items" in node:
        yield from _named(node["items"], around, f"{place}_item", config)
    if kind != "object":
        return
    yield node, around, place
    own = _class(node, around, place, config).name
    for part in (node, *node.get("allOf", ())):
        for name, member in part.get("properties", {}).items():
            yield from _named(member, own, name, config)
    if isinstance(more := node.get("additionalProperties"), dict):
        yield from _named(more, own, "AdditionalProperty", config)


def _subscript(node: dict[str, Any], option: dict[str, Any], index: int) -> str:
    title = option.get("title")
    return title if title and title != node.get("title") else f"type_{index}"
