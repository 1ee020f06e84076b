"""Changes titles of schemas, so that no two get classes of one name, at which the generator stops.

The generator names the class of a component after its title or name, and the class of another
schema after what is around it and its own title or place. `ThingSize` can thus be the component of
that name, and the values of the member `size` of the component `Thing`.
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

_Place = tuple[dict[str, Any], str, str]
"""A schema, the start of its class name (empty for a component), and the rest, if untitled."""


def tell_apart(document: dict[str, Any], config: Config) -> None:
    """Let no two schemas have one class, except for equal lists of values, which share it."""
    components = document["components"]["schemas"]
    while _drop_titles(components, config):
        pass  # Without its title a component has its own name, which may be the title of another.
    while _number_titles(document, config):
        pass  # Operations can share a schema: a title that is new in one may be taken in another.


def _drop_titles(components: dict[str, Any], config: Config) -> bool:
    """Remove the titles of components that would share a class. Returns whether there were any."""
    first: dict[str, dict[str, Any]] = {}
    equal: list[dict[str, Any]] = []
    for node, module in _own_classes(components, config):
        other = first.setdefault(module, node)
        equal += [other, node] if _signature(other) != _signature(node) else []
    titled = [node for node in equal if "title" in node]
    for node in titled:
        node.pop("title", None)
    return bool(titled)


def _number_titles(document: dict[str, Any], config: Config) -> bool:
    """Give a title with a number to each schema whose class is taken. Returns whether one was."""
    own = [*_own_classes(document["components"]["schemas"], config)]
    components, numbered = {id(node) for node, _ in own}, False
    taken = {module: _signature(node) for node, module in own}
    for start in _roots(document):
        for node, around, place in _walk(*start, config):
            mine, number, title = _signature(node), 2, node.get("title") or place
            while taken.setdefault(_module(node, around, place, config), mine) != mine:
                if id(node) in components:
                    break  # Callers know the name of a component: a later check refuses it.
                node["title"], number, numbered = f"{title}_{number}", number + 1, True
    return numbered


def _own_classes(
    components: dict[str, Any], config: Config
) -> Iterator[tuple[dict[str, Any], str]]:
    """List the components that are classes, with their modules."""
    for name, node in components.items():
        for found, _, place in _walk(node, "", name, config):
            if found is node:
                yield node, _module(node, "", place, config)


def _signature(node: dict[str, Any]) -> Hashable:
    """Return what two schemas must have in common to share a class: their list of values."""
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


def _roots(document: dict[str, Any]) -> Iterator[_Place]:
    """Give the schemas at which the generator begins: components, parameters, bodies, replies."""
    for name, node in document["components"]["schemas"].items():
        yield node, "", name
    for where, operation in called_operations(document):
        around = PythonIdentifier(operation["operationId"], "field_")
        for _, end in parameters_of(document, where):
            parameter = at(document, end)
            yield parameter.get("schema", {}), around, parameter["name"]
        body = resolved(document, operation.get("requestBody", {})).get("content", {})
        for kind, media in body.items():
            start = f"{around}_{_body_suffix(kind)}" if len(body) > 1 else around
            yield media.get("schema", {}), start, "body"
        for status, reply in operation["responses"].items():
            content = {} if status[:2] == "x-" else resolved(document, reply).get("content", {})
            if kind := read(content):
                yield content[kind].get("schema", {}), around, f"response_{status}"


def _body_suffix(content_type: str) -> str:
    if is_json(content_type):
        return "json"
    if is_bytes(content_type):
        return "content"
    return "files" if media_type(content_type).startswith("multipart/") else "data"


def _walk(node: dict[str, Any], around: str, place: str, config: Config) -> Iterator[_Place]:
    """Walk over the schemas that the generator makes classes of, in its order.

    The names of inner schemas follow from the title that this one has when the walk goes on.
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
            yield from _walk(option, around, f"{place}_{_subscript(node, option, index)}", config)
    elif isinstance(types, list):
        for index, kind in enumerate(types):
            yield from _walk_type(node, kind, around, f"{place}_type_{index}", config)
    elif "const" not in node:
        is_object = "allOf" in node or (types is None and "properties" in node)
        yield from _walk_type(node, "object" if is_object else types, around, place, config)


def _walk_type(
    node: dict[str, Any], kind: str | None, around: str, place: str, config: Config
) -> Iterator[_Place]:
    if kind == "array" and "items" in node:
        yield from _walk(node["items"], around, f"{place}_item", config)
    if kind != "object":
        return
    yield node, around, place
    own = _class(node, around, place, config).name
    for part in (node, *node.get("allOf", ())):
        for name, member in part.get("properties", {}).items():
            yield from _walk(member, own, name, config)
    if isinstance(more := node.get("additionalProperties"), dict):
        yield from _walk(more, own, "AdditionalProperty", config)


def _subscript(node: dict[str, Any], option: dict[str, Any], index: int) -> str:
    title = option.get("title")
    return title if title and title != node.get("title") else f"type_{index}"
