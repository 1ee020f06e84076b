"""The document is checked before anything is sent: its mistakes would look like a server's."""

import json
from collections.abc import Iterator
from typing import Any

import yaml
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator.schemas import schema_v31

from . import options
from .options import refuse
from .references import follow, references
from .upgrade import as_read

_JSON_SCHEMA = {
    "$dynamicAnchor": "meta",
    "$ref": "https://json-schema.org/draft/2020-12/schema",
}
_OPENAPI = Draft202012Validator(
    {**schema_v31, "$defs": {**schema_v31["$defs"], "schema": _JSON_SCHEMA}},
    validate_formats=True,
    mask="it",
)
_BROKEN = {"anyOf", "enum", "exclusiveMinimum", "minItems", "minimum", "type", "uniqueItems"}
_NEEDED = {"in", "name", "url"}
_UNREAD = {"deprecated", "description", "summary", "title"}


def checked_document() -> dict[str, Any]:
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
    if not (isinstance(document, dict) and isinstance(document.get("paths"), dict)):
        refuse(f"{spec} is not an OpenAPI document: it has no paths")
    if not document["paths"]:
        refuse(f"{spec} has no operations")
    if "swagger" in document:
        refuse(f"{spec} is Swagger {document['swagger']}: convert it to OpenAPI 3")
    # Keys such as 200 are text in JSON.
    checked: dict[str, Any] = json.loads(json.dumps(document, default=str))
    for reference in references(checked):
        if problem := _problem_of(reference, checked):
            refuse(f"{spec} {problem}")
    if not str(checked.get("openapi", "")).startswith("3."):
        refuse(f"{spec} has no version of OpenAPI: write openapi: 3.1.0, if it is one")
    if problem := next(_mistakes(checked), ""):
        refuse(f"{spec} can't be read at {problem}")
    return checked


def _problem_of(reference: str, document: dict[str, Any]) -> str:
    """Say why a reference can't be followed to its end; "" if it can."""
    way: list[str] = []
    name = reference
    while name not in way:
        if not name.startswith("#"):
            bundle = "Bundle the document first, for example with `redocly bundle`."
            return f"names another file: {name}. {bundle}"
        way.append(name)
        try:
            node = follow(document, name)
        except (LookupError, TypeError, ValueError):
            return f"has a reference to what is not there: {name}"
        if not (isinstance(node, dict) and isinstance(node.get("$ref"), str)):
            return ""
        name = node["$ref"]
    return f"has a reference that leads to itself: {reference}"


def _mistakes(document: dict[str, Any]) -> Iterator[str]:
    """List the parts that can't be read. Other mistakes stop no run, such as a lack of texts."""
    for error in _OPENAPI.iter_errors(as_read(document)):
        kind, keys = error.kind.name, ["", "", *map(str, error.instance_path)]
        is_text = keys[-1] in _UNREAD and keys[-2] != "properties"
        is_pattern = kind == "format" and keys[-1] == "pattern"
        is_needed = kind == "required" and error.kind.value in _NEEDED
        is_broken = kind in _BROKEN or is_pattern or is_needed
        if is_broken and not is_text and keys[2:3] != ["info"]:
            choice = "it is none of what can be there"
            yield f"{'.'.join(keys[2:])}: {choice if kind == 'anyOf' else error.message}"
