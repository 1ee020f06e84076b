"""How much of the document the cases reached."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Protocol

from jsonschema_rs import ValidationError

from . import document as doc
from .document import AnyCase, Schema
from .rules import broken_rules


class Answered(Protocol):
    """A reply: an `Exchange` of the mock is one."""

    @property
    def status(self) -> int: ...
    @property
    def reply_body(self) -> bytes: ...


Item = tuple[str, ...]
"""Kind, operation, and which one of that kind."""
KINDS = (
    *("operation", "parameter", "keyword", "example", "response", "allowed value"),
    "repeated argument",
)
_KEYWORDS = {
    *("anyOf", "const", "enum", "exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength"),
    *("maximum", "minItems", "minLength", "minimum", "multipleOf", "oneOf", "pattern", "required"),
    *("type", "uniqueItems"),
}
_UNCHECKED_FORMATS = {"binary", "byte", "double", "float", "int32", "int64", "password"}


class Coverage:
    """What the document holds, and what of that the cases reached.

    A parameter, an example and an allowed value are reached when they were accepted, a keyword when
    a case that breaks it was tried, a repeated argument when a reply came that repeats another.
    """

    def __init__(self) -> None:
        self._all = set(_items())
        self._reached: set[Item] = set()

    def record(self, case: AnyCase, exchange: Answered | None) -> None:
        """Count a case, and the exchange that it led to, if it was sent."""
        parts = doc.parts_of(case)
        inputs = {name: value for name, (_, value) in parts.items()}
        found: set[Item] = {
            ("keyword", place)
            for name, part in parts.items()
            for error in doc.violations(case, *part)
            for place in _places(error, name)
        }
        if exchange is not None:
            key = str(doc.reply_key(case, exchange.status))
            found |= {("operation",), ("response", key)}
            # What a rule besides the document refuses was understood.
            found |= {("parameter", name) for name in broken_rules(case).keys() & inputs.keys()}
            found |= {
                ("example", name, doc.as_json(inputs[name]))
                for name in broken_rules(case).keys() & inputs.keys()
            }
            if exchange.status < 300:
                members = case.body if isinstance(case.body, dict) else {}
                found |= {("parameter", name) for name in inputs}
                found |= {("example", n, doc.as_json(value)) for n, value in inputs.items()}
                found |= {("allowed value", n, str(v)) for n, v in (members | inputs).items()}
                differing = doc.differing(case, doc.typed(exchange.reply_body))
                found |= {("repeated argument", name) for name in differing}
        label = case.operation.label
        self._reached |= {(kind, label, *rest) for kind, *rest in found} & self._all

    def export(self) -> list[Item]:
        return sorted(self._reached)

    def merge(self, exported: list[list[str]]) -> None:
        self._reached |= {tuple(item) for item in exported}

    def gaps(self) -> list[str]:
        return [" ".join(item) for item in sorted(self._all - self._reached)]

    def summary(self) -> str:
        reached, total = (Counter(kind for kind, *_ in i) for i in (self._reached, self._all))
        return ", ".join(f"{reached[k]}/{total[k]} {k}s" for k in KINDS)


def _places(error: ValidationError, name: str) -> Iterator[str]:
    """List the places of the broken keywords, those of all choices included."""
    path = "/".join(map(str, error.schema_path))
    # Behind a reference, the path begins at the root of the document.
    yield path if path.startswith("components/") else f"{name}/{path}"
    for choice in getattr(error.kind, "context", ()):
        for inner in choice:
            yield from _places(inner, name)


def _items() -> Iterator[Item]:
    for path, method, operation in doc.operations():
        label = f"{method.upper()} {path}"
        yield "operation", label
        yield from (("response", label, status) for status in operation["responses"])
        yield from (
            ("repeated argument", label, name) for name in operation.get("x-reply-repeats", {})
        )
        for name, parameter in doc.documented_parameters(path, operation).items():
            yield from _items_of_input(label, name, parameter)
        body = doc.resolved(operation.get("requestBody", {}))
        for media in body.get("content", {}).values():
            yield from _items_of_input(label, doc.BODY, media)
            for name, member in doc.named_members(media["schema"]).items():
                yield from _allowed_values(label, name, member)


def _items_of_input(label: str, name: str, holder: dict[str, Any]) -> Iterator[Item]:
    yield "parameter", label, name
    named = map(doc.resolved, holder.get("examples", {}).values())
    examples = [example["value"] for example in named if "value" in example]
    examples += [holder["example"]] if "example" in holder else []
    yield from (("example", label, name, doc.as_json(example)) for example in examples)
    schema = holder.get("schema", {})
    yield from _allowed_values(label, name, schema)
    # No case breaks these: a call has an object as its body, and text as its parameters.
    given = "object" if name == doc.BODY else "string"
    yield from (("keyword", label, found) for found in _keywords(schema, name, given))


def _allowed_values(label: str, name: str, schema: Schema) -> Iterator[Item]:
    for part in doc.parts(schema):
        yield from (("allowed value", label, name, str(value)) for value in part.get("enum", []))


def _keywords(
    schema: Schema, place: str, given: str = "", above: tuple[str, ...] = ()
) -> Iterator[str]:
    """List the place of each keyword that a value can break, also behind references.

    `given` is the type of the value: "object" of itself, "string" of all that it holds.
    """
    schema = doc.with_bounds(schema)
    for keyword, value in schema.items():
        is_closed = keyword == "additionalProperties" and value is False
        is_format = keyword == "format" and value not in _UNCHECKED_FORMATS
        is_off = value is False or value == [] or (keyword == "type" and given and given in value)
        if is_closed or is_format or (keyword in _KEYWORDS and not is_off):
            yield f"{place}/{keyword}"
    reference = schema.get("$ref", "")
    if reference and reference not in above:
        there = reference.removeprefix("#/")
        yield from _keywords(doc.target(reference), there, given, (*above, reference))
    inner = {f"properties/{name}": part for name, part in schema.get("properties", {}).items()}
    inner |= {word: schema[word] for word in ("items", "additionalProperties") if word in schema}
    for word in doc.CHOICES:
        inner |= {f"{word}/{index}": part for index, part in enumerate(schema.get(word, []))}
    for path, part in inner.items():
        if isinstance(part, dict):
            yield from _keywords(part, f"{place}/{path}", given.replace("object", ""), above)


COVERAGE = Coverage()
