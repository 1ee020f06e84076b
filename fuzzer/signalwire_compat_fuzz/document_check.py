"""The document is checked before anything is sent: its mistakes would look like a server's."""

import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import yaml
from jsonschema_rs import Draft202012Validator, ValidationError
from openapi_spec_validator.schemas import schema_v31

from . import options
from .options import refuse
from .references import follow, references
from .upgrade import METHODS, NAMED, as_read


def _is_pattern(text: str) -> bool:
    """Tell whether the validator can read a pattern. ECMA-262 allows others."""
    try:
        Draft202012Validator({"pattern": text})
    except ValidationError:
        return False
    return True


_JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_CHANGES = {
    "schema": {"$dynamicAnchor": "meta", "$ref": _JSON_SCHEMA},
    "map-of-strings": {"type": "object"},  # A link takes any value.
}
_OPENAPI = Draft202012Validator(
    {**schema_v31, "$defs": {**schema_v31["$defs"], **_CHANGES}},
    formats={"regex": _is_pattern},
    validate_formats=True,
    mask="it",
)
_STOPPING = {"anyOf", "enum", "exclusiveMinimum", "minItems", "minimum", "type", "uniqueItems"}
_NEEDED_KEYS = {"in", "name", "url"}
_UNREAD_KEYS = {"deprecated", "description", "summary", "title"}
_UNREAD_PARTS = {"externalDocs", "info", "tags"}
_SHOWN = 60
"""A longer value is not shown."""


def read_document() -> dict[str, Any]:
    """Read the document; end the command in one line if it can't be fuzzed."""
    named, spec = options.setting("spec", "openapi.yaml"), options.spec_file()
    if "://" in named:
        refuse(f"--spec {named}: download the document, and name its file")
    if not spec.is_file():
        refuse(f"{spec} is not a file: name the document with --spec")
    try:
        document = yaml.safe_load(spec.read_text("utf-8"))
    except (UnicodeError, yaml.YAMLError) as error:
        refuse(f"{spec} is not an OpenAPI document: {' '.join(str(error).split())}")
    if isinstance(document, dict) and "webhooks" in document and "paths" not in document:
        refuse(f"{spec} has only webhooks: there is nothing to fuzz")
    if not (isinstance(document, dict) and isinstance(document.get("paths"), dict)):
        refuse(f"{spec} is not an OpenAPI document: it has no paths")
    if not document["paths"]:
        refuse(f"{spec} has no operations")
    if "swagger" in document:
        refuse(f"{spec} is Swagger {document['swagger']}: convert it to OpenAPI 3")
    if not str(document.get("openapi", "")).startswith("3."):
        refuse(f"{spec} has no version of OpenAPI: write openapi: 3.1.0, if it is one")
    # Keys such as 200 are text in JSON.
    checked: dict[str, Any] = json.loads(json.dumps(document, default=str))
    for reference in references(checked):
        if problem := _broken_reference(reference, checked):
            refuse(f"{spec} {problem}")
    for problem in itertools.chain(_mistakes(as_read(checked)), _undeclared(checked)):
        refuse(f"{spec} can't be read at {problem}")
    return checked


def _broken_reference(reference: str, document: dict[str, Any]) -> str:
    """Say why a reference can't be followed to its end; "" if it can."""
    seen: list[str] = []
    name = reference
    while name not in seen:
        if not name.startswith("#"):
            bundle = "Bundle the document first, for example with `redocly bundle`."
            return f"names another file: {name}. {bundle}"
        seen.append(name)
        try:
            node = follow(document, name)
        except (LookupError, TypeError, ValueError):
            return f"has a reference to what is not there: {name}"
        if not (isinstance(node, dict) and isinstance(node.get("$ref"), str)):
            return ""
        name = node["$ref"]
    return f"has a reference that leads to itself: {reference}"


def _mistakes(document: dict[str, Any]) -> Iterator[str]:
    """Describe each part that can't be read. Others, such as no description, stop no run."""
    for error in _OPENAPI.iter_errors(document):
        kind, place = error.kind.name, [*map(str, error.instance_path)]
        above, key = ["", "", *place][-2:]
        is_unread = {*place[:1]} & _UNREAD_PARTS or (key in _UNREAD_KEYS and above not in NAMED)
        is_pattern = kind in {"format", "propertyNames"} and key in {"pattern", "patternProperties"}
        is_needed = kind == "required" and error.kind.value in _NEEDED_KEYS
        is_stopping = kind in _STOPPING or is_pattern or is_needed
        if is_stopping and not is_unread and not _is_left_out(document, place):
            yield f"{'.'.join(place)}: {_described(error)}"


def _described(error: ValidationError) -> str:
    value = json.dumps(error.instance)
    shown = value if len(value) < _SHOWN else "it"
    if error.kind.name == "anyOf":
        return f"{shown} is not a type of JSON Schema"
    if error.kind.name == "enum":
        return f"{shown} is not one of {', '.join(map(str, error.kind.value))}"
    is_about_it = error.message.startswith("it ")
    return f"{shown}{error.message[2:]}" if is_about_it else error.message


def _undeclared(document: dict[str, Any]) -> Iterator[str]:
    """Find the parameters that a path names in braces and its operation does not declare."""
    for path, item in document["paths"].items():
        for method in METHODS if path.startswith("/") else ():
            if method in item and not _is_left_out(document, ["paths", path, method]):
                found = [*item.get("parameters", []), *item[method].get("parameters", [])]
                names = {follow(document, p["$ref"]).get("name") for p in found if "$ref" in p}
                names |= {p.get("name") for p in found}
                for name in re.findall("{([^}]+)}", path):
                    if name not in names:
                        yield f"paths.{path}.{method}: it has no parameter {name}, as in its path"


def _is_left_out(document: dict[str, Any], place: list[str]) -> bool:
    """Tell whether a place is in an operation that is not to be fuzzed."""
    if place[:1] != ["paths"] or not {*place[2:3]} & {*METHODS}:
        return False
    operation = document["paths"][place[1]][place[2]]
    named = operation if isinstance(operation, dict) else {}
    tags = [str(tag) for tag in named.get("tags") or ()]
    return not options.is_selected(str(named.get("operationId", "")), tags, place[2])
