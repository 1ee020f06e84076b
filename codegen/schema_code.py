"""Writes the schemas of the contract as Python source: one `Schema(...)` expression each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from codegen.document import INTEGER_BOUNDS, nodes, parts
from codegen.patterns import python_pattern

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
TAGS = "x-tags"
"""Where a schema keeps the values of a discriminator that name it."""
# The other keywords are annotations.
_CONSTRAINTS = {
    *("type", "enum", "const", "pattern", "format", "items", "anyOf", "oneOf"),
    *("additionalProperties", "properties", "required", "x-must-be", *_LIMITS),
    *("discriminator", TAGS),
}
# A pattern in Python that is longer than its own by this names all letters: messages have its own.
_SPELLED_OUT = 100
# Beside these, which name members too, only the server checks `unevaluatedProperties`.
_EVALUATING = {"if", "then", "else", "anyOf", "oneOf", "dependentSchemas", "patternProperties"}
_READ = {*_CONSTRAINTS, *_EVALUATING, "unevaluatedProperties"}
FORMATS = ("uuid", "uri", "date", "date-time", "email")


_NULL = {"type": "null"}
_TYPED = {"enum", "anyOf", "oneOf"}
_ABOUT_MEMBERS = {"type", "properties", "required", "title", "description", "not"}
SOURCE = "x-schema"
"""Where the schema as it was written is kept."""


class _Source(dict[str, Any]):
    """A schema that a deep copy shares: the generator copies each operation, which takes long."""

    def __deepcopy__(self, memo: Any) -> Self:
        return self


def keep_sources(document: dict[str, Any]) -> None:
    """Keep each schema as it was written: the generator makes floats of limits, exact to 2^53.

    It would also make an enumeration or a choice for each type that the values can have, and a
    class for each option of a choice that only says more about members, such as which are required.
    """
    for kind, _, node in nodes(document):
        if kind == "schema":
            node[SOURCE] = _Source(node)
            for key in {"anyOf", "oneOf"} & node.keys():
                if all(_is_about_members(option, node) for option in node[key]):
                    del node[key]
            if node.keys() & _TYPED and not isinstance(node.get("type", ""), str):
                del node["type"]


def is_closed(found: list[dict[str, Any]]) -> bool:
    """Whether `unevaluatedProperties` of a part allows only members that the parts name."""
    closed = any(part.get("unevaluatedProperties") is False for part in found)
    return closed and not any(part.keys() & _EVALUATING for part in found)


def _is_about_members(option: Any, node: dict[str, Any]) -> bool:
    """Whether an option of a choice says only more about members that `node` has anyway."""
    if not isinstance(option, dict) or not option.keys() <= _ABOUT_MEMBERS:
        return False
    if option.get("type", "object") != "object":
        return False
    return {*option.get("properties", ())} <= {*node.get("properties", ())}


class Expression:
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
        written = (part.get(SOURCE, part) for _, part in parts(self._document, schema))
        found = list({id(part): part for part in written}.values())
        names = [str(part["$ref"]).rpartition("/")[2] for part in found if "$ref" in part]
        found = [part for part in found if part.keys() & _READ]
        if not names:  # A schema that contains itself has a name.
            return self._merged(found)
        key = frozenset(map(id, found))
        if key not in self._names:
            others = sum(name.partition(" ")[0] == names[0] for name, _ in self._names.values())
            name = f"{names[0]} {others + 1}" if others else names[0]
            self._names[key] = name, found
            uses = self._uses
            rule = self._merged(found)
            if self._uses == uses:
                del self._names[key]
                return rule
            self._named[name] = rule
        self._uses += 1
        return f"Schema(ref={self._names[key][0]!r})"

    def _merged(self, found: list[dict[str, Any]]) -> str:
        merged, rest = _merged(found)
        if is_closed(found):
            merged.setdefault("additionalProperties", False)
        if "anyOf" in merged and "oneOf" in merged:
            rest.append({"oneOf": merged.pop("oneOf")})
        arguments = list(self._arguments(merged))
        if rest:
            arguments.append(f"all_of=({''.join(self._schema(part) + ', ' for part in rest)})")
        return f"Schema({', '.join(arguments)})"

    def _arguments(self, schema: dict[str, Any]) -> Iterator[str]:
        types = schema.get("type", ())
        types = (types,) if isinstance(types, str) else tuple(types)
        if schema.get("format") == "binary":
            types = tuple("file" if name == "string" else name for name in types)
        if types:
            yield f"types={types!r}"
        if "const" in schema:
            yield f"enum={(schema['const'],)!r}"
        elif "enum" in schema:
            yield f"enum={tuple(schema['enum'])!r}"
        pattern = schema.get("pattern", "")
        if checked := python_pattern(pattern):
            yield f"pattern={checked!r}"
        if len(checked or "") > len(pattern) + _SPELLED_OUT:
            schema = {"x-must-be": f"text that matches {pattern}", **schema}
        if "x-must-be" in schema:
            yield f"must_be={schema['x-must-be']!r}"
        if schema.get("format") in FORMATS:
            yield f"format={schema['format']!r}"
        if bounds := INTEGER_BOUNDS.get(schema.get("format", "")):
            schema = {"minimum": bounds[0], "maximum": bounds[1], **schema}
        for limit, argument in _LIMITS.items():
            if limit in schema:
                yield f"{argument}={schema[limit]!r}"
        if "items" in schema:
            yield f"items={self._schema(schema['items'])}"
        if members := schema.get("properties"):
            written = (f"{name!r}: {self._schema(member)}, " for name, member in members.items())
            yield f"properties={{{''.join(written)}}}"
        if schema.get("required"):
            yield f"required={tuple(schema['required'])!r}"
        more = schema.get("additionalProperties", True)
        if more is not True:
            yield f"additional_properties={self._schema(more) if more is not False else False}"
        if options := schema.get("anyOf", schema.get("oneOf")):
            yield f"any_of=({''.join(self._schema(option) + ', ' for option in options)})"
            if "anyOf" not in schema and len(options) - (_NULL in options) > 1:
                yield "one_of=True"
            if "discriminator" in schema:
                yield f"discriminator={schema['discriminator']['propertyName']!r}"
        if TAGS in schema:
            yield f"tags={ {name: tuple(tags) for name, tags in schema[TAGS].items()}!r}"


def _merged(found: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Merge parts into one schema, and list what can't be merged."""
    merged: dict[str, Any] = {}
    rest: list[dict[str, Any]] = []
    for part in found:
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
