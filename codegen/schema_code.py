"""Writes the schemas of the contract as Python source: one `Schema(...)` expression each.

The templates call it.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections.abc import Iterator
from typing import Any

from openapi_python_client.strings import PythonIdentifier

from codegen.document import (
    INTEGER_BOUNDS,
    Pointer,
    at,
    is_json,
    nodes,
    parameters_of,
    parts,
    resolved,
)
from codegen.look_up import argument_of, look_up_of, success_schema
from codegen.normal_form import DELIMITERS

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


_SOURCE = "x-schema"


def keep_sources(document: dict[str, Any]) -> None:
    """Keep each schema as it was written: the generator makes floats of limits, exact to 2^53."""
    for kind, _, node in nodes(document):
        if kind == "schema":
            node[_SOURCE] = dict(node)


def method_name(operation: str) -> str:
    """Give the name of an operation as a method, which may be that of a builtin."""
    plain = operation.removesuffix("_")
    return operation if keyword.iskeyword(plain) else plain


class ConstraintError(Exception):
    """A constraint that Python can't check, in one line."""


class Constraints:
    """The schemas of one document, by the names that the generator gives its parts."""

    def __init__(self, document: dict[str, Any]) -> None:
        """Find the operations of a document that passed the checks."""
        self._document = document
        self._operations: dict[str, Pointer] = {
            PythonIdentifier(node["operationId"], "field_"): where
            for kind, where, node in nodes(document)
            if kind == "operation" and len(where) == 3
        }

    def route(self, operation: str) -> str:
        """Give the path of an operation as the contract writes it."""
        return str(self._operations[operation][1])

    def method(self, operation: str) -> str:
        """Do what `method_name` does."""
        return method_name(operation)

    def annotation(self, annotation: str) -> str:
        """Write a type so that a method of the same name, such as `list`, does not hide it."""
        methods = {self.method(operation) for operation in self._operations}
        hidden = "|".join(sorted(methods & vars(builtins).keys()))
        if not hidden:
            return annotation
        return re.sub(rf"(?<![\w.\"'])({hidden})\b", r"builtins.\1", annotation)

    def about_parameter(self, operation: str, name: str) -> str:
        """Say what a parameter is for, and its default, which the server applies."""
        parameter = self._parameters(operation)[name]
        schema = resolved(self._document, parameter.get("schema", {}))
        text = parameter.get("description") or schema.get("description", "")
        known = f" Default: `{schema['default']}`." if "default" in schema else ""
        return f"{text}{known}"

    def pages(self, operation: str) -> dict[str, str]:
        """Give the members of a reply that hold the items and the URI of the next page."""
        return dict(self._operation(operation).get("x-pages", {}))

    def repeats(self, operation: str) -> list[tuple[str, str, str]]:
        """List member, argument and comparison of what a reply of an operation repeats."""
        members = self._operation(operation).get("x-reply-repeats", {})
        return [(name, rule["argument"], rule["compare"]) for name, rule in members.items()]

    def look_up(self, operation: str) -> dict[str, Any] | None:
        """Describe how to look up the outcome of an operation: the list, and what it is given."""
        link = look_up_of(self._document, self._operation(operation))
        if link is None:
            return None
        ids = {self._operation(name)["operationId"]: name for name in self._operations}
        name = ids[link["operationId"]]
        return {
            "tag": PythonIdentifier(self._operation(name)["tags"][0], "field_"),
            "list": name,
            "created": link["x-look-up"]["created"],
            "given": {
                PythonIdentifier(parameter, "field_"): argument_of(expression)
                for parameter, expression in link["parameters"].items()
            },
        }

    def is_findable(self, model: Any) -> bool:
        """Whether a look-up finds this model."""
        found = (
            success_schema(self._document, self._operations[name])
            for name in self._operations
            if self.look_up(name)
        )
        source = model.data.model_extra[_SOURCE]
        return any(at(self._document, where)[_SOURCE] == source for where in found if where)

    def parameters(self, operation: str) -> str:
        """Write one schema for all parameters of an operation, as if they were an object."""
        found = self._parameters(operation)
        members = {name: node.get("schema", {}) for name, node in found.items()}
        required = [name for name, node in found.items() if node.get("required")]
        return self.code({"type": "object", "properties": members, "required": required})

    def _parameters(self, operation: str) -> dict[str, dict[str, Any]]:
        places = parameters_of(self._document, self._operations[operation])
        return {node["name"]: node for node in (at(self._document, end) for _, end in places)}

    def delimiters(self, operation: str) -> dict[str, str]:
        """Give what stands between the items of each list of a query that is one value."""
        found = self._parameters(operation).items()
        return {n: DELIMITERS[p["style"]] for n, p in found if p.get("style") in DELIMITERS}

    def is_deep(self, operation: str, name: str) -> bool:
        """Whether each member of an object in a query is written as `name[member]`."""
        return self._parameters(operation)[name].get("style") == "deepObject"

    def body(self, operation: str, media_type: str) -> str:
        """Write the schema of the body of a request."""
        body = resolved(self._document, self._operation(operation)["requestBody"])
        return self.code(body["content"][media_type]["schema"])

    def reply(self, operation: str, status: str) -> str:
        """Write the schema of the first JSON body under a status of an operation."""
        content = resolved(self._document, self._operation(operation)["responses"][status])[
            "content"
        ]
        return self.code(next(content[kind]["schema"] for kind in content if is_json(kind)))

    def _operation(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = at(self._document, self._operations[name])
        return found

    def model(self, model: Any) -> str:
        """Write the schema of a model of the generator."""
        try:
            return self.code(model.data.model_extra[_SOURCE])
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
        found = list({id(part): part for _, part in parts(self._document, schema)}.values())
        names = [str(part["$ref"]).rpartition("/")[2] for part in found if "$ref" in part]
        found = [part for part in found if part.keys() & _CONSTRAINTS]
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
        if "pattern" in schema:
            yield f"pattern={python_pattern(schema['pattern'])!r}"
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


def python_pattern(pattern: str) -> str:
    r"""Translate a pattern of ECMA-262 for `re.ASCII`.

    In Python, `$` also matches before a final newline, and a named group has a `P`.
    Errors: `ConstraintError` for a pattern that Python can't compile.
    """
    # An escaped character and a class in brackets stay as they are.
    special = r"\\.|\[(?:\\.|[^\]\\])*\]|\$|\(\?<(?![=!])"
    python = {"$": r"\Z", "(?<": "(?P<"}
    result = re.sub(special, lambda found: python.get(found[0], found[0]), pattern, flags=re.DOTALL)
    try:
        re.compile(result, re.ASCII)
    except re.error as error:
        raise ConstraintError(f"the pattern {pattern} can't be checked: {error}") from error
    return result
