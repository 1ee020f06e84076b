"""Makes replies from examples and schemas, for operations without a handler."""

import itertools
import json
import math
import re
from collections.abc import Iterator
from typing import Any

from .contract import Operation, Response
from .document import Document, SpecError, join
from .matching_text import matching_text

_NOTHING = object()
_TOLD = {"examples": True, "example": False, "const": False, "enum": True, "default": False}
_FORMATS = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "date": "2024-01-31",
    "date-time": "2024-01-31T12:00:00Z",
    "uri": "https://example.com/",
    "email": "someone@example.com",
}


def sample_status(operation: Operation) -> int:
    """Return the lowest documented 2xx, or 200 if none is documented by number."""
    return min(
        (int(key) for key in operation.responses if re.fullmatch(r"2\d\d", key)), default=200
    )


def sample_body(document: Document, response: Response) -> Any:
    """Return an example of a response, else what its schema gives; None without content.

    Errors: `SpecError` if the schema says too little. The result may still violate the schema.
    """
    if response.media is None:
        return None
    media, schema = document.value(response.media.pointer), join(response.media.pointer, "schema")
    if not media.get("schema"):
        return media.get("example", "text")
    told = [media["example"]] if "example" in media else []
    for name in media.get("examples", {}):
        _, example = document.follow(join(response.media.pointer, "examples", name))
        told += [example["value"]] if "value" in example else []
    fitting = [value for value in told if document.fits(value, schema)]
    return fitting[0] if fitting else sample(document, schema)


def sample_headers(document: Document, response: Response) -> dict[str, str]:
    """Return a value for each header that the response requires."""
    values = {n: sample(document, join(p, "schema")) for n, p in response.headers.items()}
    return {n: v if isinstance(v, str) else json.dumps(v) for n, v in values.items()}


def sample(document: Document, pointer: str) -> Any:
    """Make a value from a schema. Errors: `SpecError` for a schema that requires itself."""
    value = _make(document, pointer, frozenset())
    return None if value is _NOTHING else value


def _make(document: Document, pointer: str, active: frozenset[str]) -> Any:
    if pointer in active:
        raise SpecError(f"{pointer}: requires itself")
    schema = document.value(pointer)
    if not isinstance(schema, dict):
        return _NOTHING
    for keyword, is_list in _TOLD.items():
        told = (
            schema.get(keyword, []) if is_list else [schema[k] for k in (keyword,) if k in schema]
        )
        if fitting := [v for v in told if v is not _NOTHING and document.fits(v, pointer)]:
            return fitting[0]
    active |= {pointer}
    sources = [document.target(schema["$ref"])] if "$ref" in schema else []
    sources += [join(pointer, "allOf", i) for i, _ in enumerate(schema.get("allOf", []))]
    made = [_make(document, source, active) for source in sources]
    for keyword in (keyword for keyword in ("anyOf", "oneOf") if keyword in schema):
        places = [join(pointer, keyword, index) for index, _ in enumerate(schema[keyword])]
        options = (_make(document, place, active) for place in places)
        first = next(options, _NOTHING)
        rest = itertools.chain([first], options)
        made.append(next((value for value in rest if _fits(document, value, pointer)), first))
    made.append(_by_type(document, pointer, schema, active))
    told = [value for value in made if value is not _NOTHING]
    if told and all(isinstance(value, dict) for value in told):
        joined = {name: member for value in told for name, member in value.items()}
        told = [joined, *_fewer(schema, joined)]
        if unnamed := document.required(pointer) - joined.keys():
            told.append({**joined, **dict.fromkeys(sorted(unnamed), "text")})
    if len(told) > 1 and (fitting := [each for each in told if _fits(document, each, pointer)]):
        return fitting[0]
    return told[0] if told else _NOTHING


def _fits(document: Document, value: Any, pointer: str) -> bool:
    return value is not _NOTHING and document.fits(value, pointer)


def _fewer(schema: dict[str, Any], value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give, for each schema of a choice, the value without what only the others require."""
    needs = [
        option.get("required", ()) for option in schema.get("oneOf", ()) if isinstance(option, dict)
    ]
    every = {name for names in needs for name in names}
    for names in needs:
        yield {name: value[name] for name in value if name in names or name not in every}


def _by_type(
    document: Document, pointer: str, schema: dict[str, Any], active: frozenset[str]
) -> Any:
    def part(*names: str, required: bool) -> Any:
        """Make a value of a part, or nothing if that is not required but requires `pointer`."""
        try:
            value = _make(document, join(pointer, *names), active)
        except SpecError:
            if required:
                raise
            return _NOTHING
        return None if value is _NOTHING else value

    def is_write_only(name: str) -> bool:
        parts = document.parts(join(pointer, "properties", name))
        return any(part.get("writeOnly") for _, part in parts)

    named = schema.get("type", [])
    types = [named] if isinstance(named, str) else named
    kind = next((name for name in types if name != "null"), "null" if types else None)
    if kind == "object" or (kind is None and "properties" in schema):
        required = schema.get("required", [])
        names = [n for n in schema.get("properties", {}) if not is_write_only(n)]
        made = {name: part("properties", name, required=name in required) for name in names}
        return {name: value for name, value in made.items() if value is not _NOTHING}
    if kind == "array" or (kind is None and "items" in schema):
        count = min(schema.get("minItems", 1), schema.get("maxItems", math.inf))
        wanted = count and "items" in schema
        item = part("items", required="minItems" in schema) if wanted else _NOTHING
        return [] if item is _NOTHING else [item] * int(count)
    if kind in ("integer", "number"):
        return _number(schema, whole=kind == "integer")
    if kind == "string" or (kind is None and "format" in schema):
        text = _FORMATS.get(schema.get("format", ""), "text")
        text = text.ljust(schema.get("minLength", 0), "x")[: schema.get("maxLength")]
        pattern = schema.get("pattern")
        if pattern is None or document.fits(text, pointer):
            return text
        return matching_text(pattern, lambda found: document.fits(found, pointer)) or text
    return {"boolean": True, "null": None}.get(kind or "", _NOTHING)


def _number(schema: dict[str, Any], *, whole: bool) -> Any:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -math.inf))
    high = schema.get("maximum", schema.get("exclusiveMaximum", math.inf))
    step = schema.get("multipleOf", 1 if whole else 0)
    value = min(max(0, low), high)
    value += (step or 1) if value == schema.get("exclusiveMinimum") else 0
    value -= (step or 1) if value == schema.get("exclusiveMaximum") else 0
    return math.ceil(value / step) * step if step else value
