"""Reads openapi.yaml: JSON pointers, references, compiled schemas.

It shares no code with codegen/: a mistake in one reader shows as a difference between the two.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import jsonschema_rs
import yaml

try:
    from yaml import CSafeLoader as SafeLoader
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]  # the same loader in plain Python

Validator = jsonschema_rs.Draft202012Validator

VALUE = "the value"
"""Stands for the rejected value in the messages of a validator."""

_ADDRESS, _SENT = "urn:openapi", "urn:openapi:requests"
_BOUNDS = {"int32": 2**31, "int64": 2**63}
_CHECKED = ("uuid", "uri", "date", "date-time", "email")
# Keys with free values, and keys with named parts of one kind.
_VALUES = {"example", "examples", "default", "enum", "const"}
_MAPS = {"properties", "schemas", "parameters", "responses", "paths"}
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
_TYPES |= {type(None): "null"}


class SpecError(ValueError):
    """A spec that the mock can't serve. The message is one line: where, what, what to do."""


class _Loader(SafeLoader):
    """The safe loader, but a date or a time of day without quotes stays text, as in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
    for first, pairs in SafeLoader.yaml_implicit_resolvers.items()
}


def _number(loader: Any, node: Any) -> Any:
    constructor = yaml.constructor.SafeConstructor()
    return node.value if ":" in node.value else constructor.construct_object(node)


for _kind in ("int", "float"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _number)


def join(pointer: str, *names: str | int) -> str:
    """Extend a JSON pointer (RFC 6901) by names, each escaped."""
    return pointer + "".join("/" + str(n).replace("~", "~0").replace("/", "~1") for n in names)


def _read(encoded: bytes) -> Any:
    """Read JSON or YAML as JSON has it: in YAML, a status code without quotes is a number."""
    try:
        return json.loads(encoded)
    except ValueError:
        return json.loads(json.dumps(yaml.load(encoded, _Loader)))  # noqa: S506  # a safe loader


def _upgraded(node: Any, *, is_map: bool = False) -> Any:
    """Write what OpenAPI 3.0 says in its own way as 3.1 does; examples stay as they are."""
    if isinstance(node, list):
        return [_upgraded(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {
        key: value if key in _VALUES and not is_map else _upgraded(value, is_map=key in _MAPS)
        for key, value in node.items()
    }
    if is_map:
        return node
    for exclusive, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(node.get(exclusive), bool) and node.pop(exclusive) and limit in node:
            node[exclusive] = node.pop(limit)
    if node.pop("nullable", None) is True and "$ref" not in node:
        if isinstance(node.get("type"), str):
            return {**node, "type": [node["type"], "null"]}
        if node.keys() & {"allOf", "anyOf", "oneOf"}:
            return {"anyOf": [node, {"type": "null"}]}
    return node


def _tag_choices(root: Any) -> None:
    """Write what a discriminator says as a schema: each option has its values of that member."""
    for node in [*nodes(root)]:
        told, choice = node.get("discriminator"), node.get("oneOf", node.get("anyOf"))
        if not isinstance(told, dict) or "propertyName" not in told or not isinstance(choice, list):
            continue
        options = [option for option in choice if option != {"type": "null"}]
        if not all(isinstance(option, dict) and "$ref" in option for option in options):
            continue
        for option in options:
            name = option["$ref"].rpartition("/")[2]
            mapping = told.get("mapping", {})
            tags = [tag for tag, to in mapping.items() if to.rpartition("/")[2] == name]
            tags += [name] if name not in mapping else []
            known = {"properties": {told["propertyName"]: {"enum": tags}}}
            option.update(allOf=[dict(option)], required=[told["propertyName"]], **known)
            del option["$ref"]
        node["anyOf"] = node.pop("oneOf", choice)


class Document:
    """An OpenAPI 3.1 document whose parts are addressed by JSON pointer, such as "/info/title".

    Errors: `SpecError` for a pointer, reference or schema that does not work.
    """

    def __init__(self, root: dict[str, Any]) -> None:
        """Take a document that consists of JSON values only."""
        self.root = root
        _tag_choices(root)
        strict = copy.deepcopy(root)
        for node in nodes(strict):  # JSON Schema applies formats only to text.
            if bound := _BOUNDS.get(str(node.get("format"))):
                node["allOf"] = [*node.get("allOf", []), {"minimum": -bound, "maximum": bound - 1}]
        ways = {_ADDRESS: ("writeOnly", False), _SENT: ("readOnly", True)}
        forms = [(at, self._one_way(strict, *way)) for at, way in ways.items()]
        self._registry = jsonschema_rs.Registry(forms)
        # Any other format is an annotation.
        formats = {str(node.get("format")) for node in nodes(root)} - {*_CHECKED}
        self._formats = dict.fromkeys(formats, lambda _: True)
        self._validators: dict[str, Validator] = {}

    @classmethod
    def load(cls, path: Path) -> "Document":
        """Read a YAML or JSON file in UTF-8. Errors: `OSError` if that fails."""
        try:
            root = _read(path.read_bytes())
        except (yaml.YAMLError, RecursionError) as error:
            raise SpecError(f"not YAML, {' '.join(str(error).split())}. Fix it there.") from error
        version = str(root.get("openapi", "")) if isinstance(root, dict) else ""
        if not version.startswith(("3.0.", "3.1.")):
            raise SpecError("not an OpenAPI 3.1 document. It begins with 'openapi: 3.1.0'.")
        return cls(_upgraded(root) if version.startswith("3.0.") else root)

    def value(self, pointer: str) -> Any:
        """Return the value at the pointer."""
        value: Any = self.root
        for escaped in pointer.split("/")[1:]:
            name = escaped.replace("~1", "/").replace("~0", "~")
            try:
                value = value[int(name)] if isinstance(value, list) else value[name]
            except (IndexError, KeyError, TypeError, ValueError) as error:
                raise SpecError(f"{pointer}: nothing is there. Fix the reference.") from error
        return value

    def target(self, reference: str) -> str:
        """Return the pointer of a `$ref`."""
        if not reference.startswith("#/"):
            message = f"$ref {reference}: not within this file. Move its target into components."
            raise SpecError(message)
        return unquote(reference[1:])

    def follow(self, pointer: str) -> tuple[str, dict[str, Any]]:
        """Return pointer and value of an object, following any `$ref`."""
        seen: set[str] = set()
        while pointer not in seen:
            seen.add(pointer)
            value = self.value(pointer)
            if not isinstance(value, dict):
                raise SpecError(f"{pointer}: not an object. Fix it there.")
            if "$ref" not in value:
                return pointer, value
            pointer = self.target(value["$ref"])
        raise SpecError(f"{pointer}: refers to itself. Fix the reference.")

    def reference(self, pointer: str, *, is_sent: bool = False) -> dict[str, str]:
        """Return a schema for `validator` that stands for the one at the pointer.

        With `is_sent`, it is of a request, which has no `readOnly` members.
        """
        return {"$ref": f"{_SENT if is_sent else _ADDRESS}#{quote(pointer)}"}

    def _one_way(self, strict: Any, keyword: str, is_refused: bool) -> Any:
        """Copy all schemas, without requiring members that have the keyword, or refusing them."""
        result = copy.deepcopy(strict)
        told, changed = [*nodes(strict)], [*nodes(result)]
        if not any(node.get(keyword) is True for node in told):
            return strict
        for schema, node in zip(told, changed, strict=True):
            parts = [*self._joined(schema)] if schema.keys() & {"properties", "allOf"} else []
            names = {
                name
                for part in parts
                for name, member in part.get("properties", {}).items()
                if any(each.get(keyword) is True for each in self._joined(member))
            }
            for part in (node, *node.get("allOf", ())) if names else ():
                if isinstance(part.get("required"), list):
                    part["required"] = [name for name in part["required"] if name not in names]
                for name in names & part.get("properties", {}).keys() if is_refused else ():
                    part["properties"][name] = False
        return result

    def _joined(self, schema: Any, seen: frozenset[int] = frozenset()) -> Iterator[dict[str, Any]]:
        """Yield a schema and its parts, by `$ref` and `allOf`."""
        if not isinstance(schema, dict) or id(schema) in seen:
            return
        yield schema
        seen |= {id(schema)}
        for part in schema.get("allOf", ()):
            yield from self._joined(part, seen)
        if isinstance(schema.get("$ref"), str):
            yield from self._joined(self.value(self.target(schema["$ref"])), seen)

    def validator(self, schema: dict[str, Any], place: str) -> Validator:
        """Compile a schema, with its references and its formats; an error names the place."""
        try:
            return Validator(
                schema,
                registry=self._registry,
                validate_formats=True,
                formats=self._formats,
                mask=VALUE,
                offline=True,
            )
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError) as error:
            problem = str(error).splitlines()[0]
            raise SpecError(f"{place}: not a usable schema, {problem}. Fix it there.") from error

    def fits(self, value: Any, pointer: str) -> bool:
        """Whether a value fits the schema at the pointer."""
        if pointer not in self._validators:
            self._validators[pointer] = self.validator(self.reference(pointer), pointer)
        return self._validators[pointer].is_valid(value)

    def parts(self, pointer: str, *keywords: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield a schema and its parts: by `$ref`, `allOf` and further keywords."""
        seen: set[str] = set()
        waiting = [pointer]
        while waiting:
            here = waiting.pop(0)
            schema = self.value(here)
            if here in seen or not isinstance(schema, dict):
                continue
            seen.add(here)
            yield here, schema
            if "$ref" in schema:
                waiting.append(self.target(schema["$ref"]))
            for keyword in ("allOf", *keywords):
                waiting += [join(here, keyword, i) for i, _ in enumerate(schema.get(keyword, []))]

    def types(self, pointer: str) -> frozenset[str]:
        """Return the JSON types that a schema allows; empty if it does not say."""
        found: set[str] = set()
        for here, schema in self.parts(pointer):
            if "type" in schema:
                named = schema["type"]
                return frozenset([named] if isinstance(named, str) else named)
            if "enum" in schema or "const" in schema:
                values = schema.get("enum", [schema.get("const")])
                return frozenset(_TYPES.get(type(value), "object") for value in values)
            for keyword in ("anyOf", "oneOf"):
                for index, _ in enumerate(schema.get(keyword, [])):
                    found |= self.types(join(here, keyword, index))
        return frozenset(found)

    def required(self, pointer: str) -> set[str]:
        """Return the names of the properties that a schema requires."""
        return {name for _, schema in self.parts(pointer) for name in schema.get("required", [])}

    def properties(self, pointer: str) -> dict[str, str]:
        """Return the pointer of each property that a schema names, in its order."""
        found: dict[str, str] = {}
        for here, schema in self.parts(pointer, "anyOf", "oneOf"):
            for name in schema.get("properties", {}):
                found.setdefault(name, join(here, "properties", name))
        return found


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every mapping in a value."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for member in node:
            yield from nodes(member)
