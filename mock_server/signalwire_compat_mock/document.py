"""Reads openapi.yaml: JSON pointers, references, compiled schemas.

It shares no code with codegen/: a mistake in one reader shows as a difference between the two.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
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

_SCHEMA_ERRORS = (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError)
_ADDRESS = "urn:openapi"
_BOUNDS = {"int32": 2**31, "int64": 2**63}
DECORATIVE = ("float", "double", "byte", "binary", "password")


class SpecError(ValueError):
    """A spec that the mock can't serve. The message is one line: where, what, what to do."""


class _Loader(SafeLoader):
    """The safe loader, but a date without quotes stays text, as in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in pairs if not tag.endswith(":timestamp")]
    for first, pairs in SafeLoader.yaml_implicit_resolvers.items()
}


def join(pointer: str, *names: str | int) -> str:
    """Extend a JSON pointer (RFC 6901) by names, each escaped."""
    return pointer + "".join("/" + str(n).replace("~", "~0").replace("/", "~1") for n in names)


def default_spec() -> Path:
    """Find openapi.yaml: inside this package, else at the root of the checkout."""
    inside = Path(__file__).with_name("openapi.yaml")
    return inside if inside.is_file() else Path(__file__).parents[2] / "openapi.yaml"


class Document:
    """An OpenAPI 3.1 document whose parts are addressed by JSON pointer, such as "/info/title".

    Errors: `SpecError` for a pointer, reference or schema that does not work.
    """

    def __init__(self, root: dict[str, Any]) -> None:
        """Take a document that consists of JSON values only."""
        self.root = root
        self._registry = jsonschema_rs.Registry([(_ADDRESS, _with_integer_bounds(root))])
        self._formats = dict.fromkeys((*_BOUNDS, *DECORATIVE), _accept)

    @classmethod
    def load(cls, path: Path) -> "Document":
        """Read a YAML or JSON file in UTF-8."""
        try:
            root = _as_json(yaml.load(path.read_bytes(), _Loader))  # noqa: S506  # a safe loader
        except OSError as error:
            problem = error.strerror or error
            message = f"{path}: {problem}. Name another spec (--spec), or restore this one."
            raise SpecError(message) from error
        except (yaml.YAMLError, RecursionError) as error:
            problem = " ".join(str(error).split())
            raise SpecError(f"{path}: not YAML, {problem}. Fix it there.") from error
        if not isinstance(root, dict) or not str(root.get("openapi", "")).startswith("3.1."):
            raise SpecError(
                f"{path}: not an OpenAPI 3.1 document. It begins with 'openapi: 3.1.0'."
            )
        return cls(root)

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

    def validator(self, pointer: str) -> Validator:
        """Compile the schema at the pointer, with its references and its formats."""
        try:
            return self._compile(pointer)
        except _SCHEMA_ERRORS as error:
            problem = str(error).splitlines()[0]
            message = f"{self._culprit() or pointer}: not a usable schema, {problem}. Fix it there."
            raise SpecError(message) from error

    def _compile(self, pointer: str) -> Validator:
        return Validator(
            {"$ref": f"{_ADDRESS}#{quote(pointer)}"},
            registry=self._registry,
            validate_formats=True,
            formats=self._formats,
            ignore_unknown_formats=False,
            mask=VALUE,
            offline=True,
        )

    def _culprit(self) -> str | None:
        """Find the named schema that can't be compiled; the error does not say which."""
        for name in self.root.get("components", {}).get("schemas", {}):
            pointer = join("/components/schemas", name)
            try:
                self._compile(pointer)
            except _SCHEMA_ERRORS:
                return pointer
        return None

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
                return frozenset(_type_name(value) for value in values)
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


def _accept(_: str) -> bool:
    return True


def _type_name(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return names.get(type(value), "null" if value is None else "object")


def _as_json(value: Any) -> Any:
    """Turn keys into text: in YAML, a status code without quotes is a number."""
    if isinstance(value, dict):
        return {str(name): _as_json(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_as_json(member) for member in value]
    return value


def _with_integer_bounds(node: Any) -> Any:
    """Write int32 and int64 as limits: JSON Schema applies formats only to text."""
    if isinstance(node, list):
        return [_with_integer_bounds(member) for member in node]
    if not isinstance(node, dict):
        return node
    node = {name: _with_integer_bounds(member) for name, member in node.items()}
    bound = _BOUNDS.get(node["format"]) if isinstance(node.get("format"), str) else None
    if bound is not None:
        limits = {"minimum": -bound, "maximum": bound - 1}
        node["allOf"] = [*cast("list[Any]", node.get("allOf", [])), limits]
    return node
