"""Writes the schemas of the contract as Python source: one `Schema(...)` expression each.

The templates call it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from openapi_python_client.strings import PythonIdentifier

from codegen.document import INTEGER_BOUNDS, at, is_json, nodes, resolved, target

# Keyword of JSON Schema: attribute of the client's `Schema`.
_LIMITS = {
    "minLength": "min_length",
    "maxLength": "max_length",
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusiveMinimum": "exclusive_minimum",
    "exclusiveMaximum": "exclusive_maximum",
    "multipleOf": "multiple_of",
    "minItems": "min_items",
    "maxItems": "max_items",
    "uniqueItems": "unique_items",
}
# The other keywords are annotations.
_CONSTRAINTS = {
    *("type", "enum", "const", "pattern", "format", "items", "anyOf", "oneOf"),
    *("additionalProperties", "properties", "required", "x-must-be", *_LIMITS),
}
FORMATS = ("uuid", "uri", "date", "date-time", "email")


_EXACT = "x-exact"


def keep_exact(document: dict[str, Any]) -> None:
    """Keep a copy of whole limits: the generator makes floats of them, exact only to 2^53."""
    for kind, _, node in nodes(document):
        exact = {name: node[name] for name in _LIMITS if type(node.get(name)) is int}
        if kind == "schema" and exact:
            node[_EXACT] = exact


def _exact(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _exact(part) for name, part in {**node, **node.get(_EXACT, {})}.items()}
    return [_exact(part) for part in node] if isinstance(node, list) else node


class ConstraintError(Exception):
    """A constraint that Python can't check, in one line."""


class Constraints:
    """The schemas of one document, by the names that the generator gives its parts."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Find the operations of a document that passed the checks."""
        self._document = document
        self._operations: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {}
        for path, item in document.get("paths", {}).items():
            for member in item.values():
                if isinstance(member, dict) and "operationId" in member:
                    name = PythonIdentifier(member["operationId"], "field_")
                    self._operations[name] = (path, item, member)

    def route(self, operation: str) -> str:
        """Give the path of an operation as the contract writes it."""
        return self._operations[operation][0]

    def parameters(self, operation: str) -> str:
        """Write one schema for all parameters of an operation, as if they were an object."""
        _, item, raw = self._operations[operation]
        members: dict[str, Any] = {}
        required: list[str] = []
        declared = (*item.get("parameters", ()), *raw.get("parameters", ()))
        for parameter in (resolved(self._document, node) for node in declared):
            members[parameter["name"]] = parameter.get("schema", {})
            if parameter.get("required") and parameter["name"] not in required:
                required.append(parameter["name"])
        return self.code({"type": "object", "properties": members, "required": required})

    def body(self, operation: str, media_type: str) -> str:
        """Write the schema of the body of a request."""
        body = resolved(self._document, self._operations[operation][2]["requestBody"])
        return self.code(body["content"][media_type].get("schema", {}))

    def reply(self, operation: str, status: str) -> str:
        """Write the schema of the first JSON body under a status of an operation."""
        response = resolved(self._document, self._operations[operation][2]["responses"][status])
        for media_type, media in response.get("content", {}).items():
            if is_json(media_type):
                return self.code(media.get("schema", {}))
        return "Schema()"

    def model(self, model: Any) -> str:
        """Write the schema of a model of the generator."""
        try:
            data = model.data.model_dump(by_alias=True, exclude_unset=True, mode="json")
            return self.code(_exact(data))
        except ConstraintError as error:
            raise ConstraintError(f"{model.class_info.name}: {error}") from error

    def code(self, schema: Any) -> str:
        """Write a schema as `Schema(...)`. Errors: `ConstraintError`."""
        return _Expression(self._document).write(schema)


class _Expression:
    """One expression. A schema that contains itself is written once, under a name."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Begin without names."""
        self._document = document
        # Schemas of the same parts are the same. Keeping the parts keeps their id().
        self._names: dict[frozenset[int], tuple[str, list[dict[str, Any]]]] = {}
        self._named: dict[str, str] = {}
        self._uses = 0

    def write(self, schema: Any) -> str:
        """Write a schema and those that it refers to."""
        rule = self._schema(schema)
        named = "".join(f"{name!r}: {text}, " for name, text in self._named.items())
        return f"resolve_refs({rule}, {{{named}}})" if named else rule

    def _schema(self, schema: Any) -> str:
        if not isinstance(schema, dict):
            return "Schema()"  # A boolean schema.
        parts = list({id(part): part for part in self._parts(schema, ())}.values())
        names = [str(part["$ref"]).rpartition("/")[2] for part in parts if "$ref" in part]
        parts = [part for part in parts if part.keys() & _CONSTRAINTS]
        if not names:  # A schema that contains itself has a name.
            return self._merged(parts)
        key = frozenset(map(id, parts))
        if key not in self._names:
            others = sum(name.partition(" ")[0] == names[0] for name, _ in self._names.values())
            name = f"{names[0]} {others + 1}" if others else names[0]
            self._names[key] = name, parts
            uses = self._uses
            rule = self._merged(parts)
            if self._uses == uses:
                del self._names[key]
                return rule
            self._named[name] = rule
        self._uses += 1
        return f"Schema(ref={self._names[key][0]!r})"

    def _merged(self, parts: list[dict[str, Any]]) -> str:
        merged, rest = _merged(parts)
        arguments = list(self._arguments(merged))
        if rest:
            arguments.append(f"all_of=({''.join(self._schema(part) + ', ' for part in rest)})")
        return f"Schema({', '.join(arguments)})"

    def _parts(self, schema: dict[str, Any], seen: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        """Split a schema at its references and at `allOf`; the nearest part comes first."""
        yield schema
        inner = list(schema.get("allOf", ()))
        reference = schema.get("$ref")
        if reference and reference not in seen:
            seen = (*seen, reference)
            inner.append(at(self._document, target(reference)))
        for part in inner:
            yield from self._parts(part, seen) if isinstance(part, dict) else ()

    def _arguments(self, schema: dict[str, Any]) -> Iterator[str]:
        types = schema.get("type", ())
        types = (types,) if isinstance(types, str) else tuple(types)
        if schema.get("format") == "binary":
            types = tuple("file" if name == "string" else name for name in types)
        if types:
            yield f"types={types!r}"
        if "const" in schema:
            yield f"enum={(schema['const'],)!r}"
        elif schema.get("enum") is not None:  # The generator sets it to None for a nullable enum.
            yield f"enum={tuple(schema['enum'])!r}"
        if "pattern" in schema:
            yield f"pattern={python_pattern(schema['pattern'])!r}"
        if "x-must-be" in schema:
            yield f"must_be={schema['x-must-be']!r}"
        if schema.get("format") in FORMATS:
            yield f"format={schema['format']!r}"
        if bounds := INTEGER_BOUNDS.get(schema.get("format", "")):
            schema = {"minimum": bounds[0], "maximum": bounds[1], **schema}
        for keyword, argument in _LIMITS.items():
            if keyword in schema:
                yield f"{argument}={schema[keyword]!r}"
        if "items" in schema:
            yield f"items={self._schema(schema['items'])}"
        if schema.get("properties"):
            members = (
                f"{name!r}: {self._schema(member)}, "
                for name, member in schema["properties"].items()
            )
            yield f"properties={{{''.join(members)}}}"
        if schema.get("required"):
            yield f"required={tuple(schema['required'])!r}"
        if schema.get("additionalProperties") is False:
            yield "additional_properties=False"
        elif isinstance(schema.get("additionalProperties"), dict):
            yield f"additional_properties={self._schema(schema['additionalProperties'])}"
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                options = "".join(self._schema(option) + ", " for option in schema[keyword])
                yield f"any_of=({options})"
                break


def _merged(parts: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Merge parts into one schema, and list what can't be merged."""
    merged: dict[str, Any] = {}
    rest: list[dict[str, Any]] = []
    for part in parts:
        left: dict[str, Any] = {}
        for key, value in part.items():
            if key == "properties":
                mine = merged.setdefault(key, {})
                for name, member in value.items():
                    mine[name] = {"allOf": [mine[name], member]} if name in mine else member
            elif key == "required":
                mine = merged.setdefault(key, [])
                mine += [name for name in value if name not in mine]
            elif key not in _CONSTRAINTS:
                continue
            elif merged.setdefault(key, value) != value:
                left[key] = value
        if left:
            rest.append(left)
    return merged, rest


def python_pattern(pattern: str) -> str:
    r"""Translate a pattern of ECMA-262 for `re.ASCII`.

    In Python, `$` also matches before a final newline, and a named group has a `P`.
    Errors: `ConstraintError` for a pattern that Python can't compile.
    """
    written, inside, index = [], False, 0
    while index < len(pattern):
        character = pattern[index]
        if character == "\\":
            written.append(pattern[index : index + 2])
            index += 2
            continue
        if character in "[]":
            inside = character == "["
        if character == "$" and not inside:
            character = r"\Z"
        if pattern.startswith("(?<", index) and pattern[index + 3 : index + 4] not in ("=", "!"):
            character, index = "(?P<", index + 2
        written.append(character)
        index += 1
    result = "".join(written)
    try:
        re.compile(result, re.ASCII)
    except re.error as error:
        raise ConstraintError(f"the pattern {pattern} can't be checked: {error}") from error
    return result
