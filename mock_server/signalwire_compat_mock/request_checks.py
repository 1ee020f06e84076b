"""Checks of a request against its operation: parameters and body."""

import difflib
import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jsonschema_rs import ValidationError, ValidationErrorKind

from .contract import INVALID, Body, Field, Operation, Part
from .document import VALUE
from .parsing import Incoming, ParseError, decode_text, decode_value

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_SHOWN_CHARACTERS = 60
_MESSAGE_CHARACTERS = 300
_UNKNOWN_NAMES = 10
_MOST_ERRORS, _MOST_VIOLATIONS = 1000, 50
_UNEXPECTED = (ValidationErrorKind.AdditionalProperties, ValidationErrorKind.UnevaluatedProperties)


@dataclass(eq=False)
class Refusal(Exception):  # noqa: N818  # a documented outcome, not a failure of this program
    """Why a request is refused: an error code, a message, and headers such as `allow`.

    The status is that of the code unless `status` names another; both must be documented.
    """

    code: int
    message: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Violation:
    """One wrong part of a request; `name` is None if it is not a single field."""

    text: str
    name: str | None = None
    code: int = INVALID


@dataclass(frozen=True)
class Show:
    """Show a received value in a message: shortened, and without the token."""

    token: str = field(repr=False)

    def __call__(self, value: Any) -> str:
        """Return text in quotes, numbers as they are, and only the kind of an array or object."""
        if isinstance(value, str):
            return json.dumps(self.name(value), ensure_ascii=False)
        if isinstance(value, list | dict):
            return "an array" if isinstance(value, list) else "an object"
        return self.name(json.dumps(value, default=str))

    def name(self, text: str, limit: int = _SHOWN_CHARACTERS) -> str:
        """Return text without quotes. Bytes that are not UTF-8 appear as escapes."""
        text = text.encode(errors="backslashreplace").decode().replace(self.token, "[token]")
        return text if len(text) <= limit else text[: limit - 3] + "..."


def check_request(
    incoming: Incoming, operation: Operation, path: Mapping[str, str], show: Show
) -> tuple[dict[str, dict[str, Any]], Any]:
    """Return the parameters by location and name, and the body. Errors: `Refusal` names all."""
    violations: list[Violation] = []
    values: dict[str, dict[str, Any]] = {}
    for location, part in operation.parameters.items():
        try:
            lists = [name for name, known in part.fields.items() if known.is_split]
            repeated = any(known.is_spread for known in part.fields.values())
            pairs = incoming.parameters(location, path, part.fields, lists, repeated=repeated)
            texts = _grouped(pairs)
        except ParseError as error:
            violations.append(Violation(f"The {location} {error}"))
            continue
        if location == "query":  # Credentials were checked before.
            texts = {n: found for n, found in texts.items() if n not in operation.query_keys}
        values[location], found = _check_parameters(location, part, texts, show)
        violations += found
    body, found = _check_body(incoming, operation.body, show)
    violations += found
    if violations:
        message = "; ".join(violation.text for violation in violations[:_MOST_VIOLATIONS])
        raise Refusal(violations[0].code, f"{message}.")
    return values, body


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, text in pairs:
        groups.setdefault(name, []).append(text)
    return groups


def _check_parameters(
    location: str, part: Part, texts: Mapping[str, list[str]], show: Show
) -> tuple[dict[str, Any], list[Violation]]:
    value, violations = _decoded(part, texts, location)
    violations += _schema_violations(part, value, show)
    if location == "query":
        unknown = [name for name in texts if name not in (*part.names, *part.ignored)]
        violations += _unknown("query parameter", unknown, part.names, show)
    return value, _ordered(violations, part)


def _decoded(
    part: Part, texts: Mapping[str, list[str]], location: str = "body"
) -> tuple[dict[str, Any], list[Violation]]:
    """Decode the known names."""
    value: dict[str, Any] = {}
    violations: list[Violation] = []
    is_encoded = location not in ("body", "header")
    for name, known in part.fields.items():
        members = known.members or {name: known}
        try:
            given = {
                member.name: _decode(member, texts[n], is_encoded=is_encoded)
                for n, member in members.items()
                if n in texts
            }
        except ParseError as error:
            violations.append(Violation(f"{name} {error}", name, known.invalid))
        else:
            value |= {name: given} if given and known.members else given
    return value, violations


def _decode(known: Field, texts: Sequence[str], *, is_encoded: bool) -> Any:
    """Decode the texts of one name. Errors: `ParseError` if repeated or not UTF-8."""
    if any("\ud800" <= character <= "\udfff" for text in texts for character in text):
        raise ParseError("holds bytes that are not UTF-8")
    is_array = "array" in known.types
    if len(texts) > 1 and not (is_array and known.explode):
        raise ParseError(f"is given {len(texts)} times, once is expected")
    if not texts[0].startswith(known.prefix):
        raise ParseError(f"is without {known.prefix} before it")
    texts = [texts[0].removeprefix(known.prefix), *texts[1:]]
    if known.is_split:
        texts = re.split(known.delimiter, texts[0])
    if known.in_one is not None:
        return _object(known, texts, decode_value if is_encoded else str)
    if is_array:
        items = [decode_value(each) if known.is_split and is_encoded else each for each in texts]
        types = known.item.types if known.item else frozenset[str]()
        return [decode_text(types, item) for item in items]
    return decode_text(known.types, texts[0])


def _object(known: Field, texts: Sequence[str], read: Callable[[str], str]) -> dict[str, Any]:
    """Decode names and values that follow each other, or are joined. Errors: `ParseError`."""
    pairs = [text.partition("=")[::2] for text in texts]
    if not known.joined:
        pairs = list(itertools.zip_longest(texts[::2], texts[1::2], fillvalue=""))
    members = {read(name): read(text) for name, text in pairs}
    if len(members) < len(pairs) or (not known.joined and len(texts) % 2):
        raise ParseError("holds a member twice, or one without a value")
    every = {**dict.fromkeys(members, known.item), **(known.in_one or {})}
    types = {name: each.types if each else frozenset[str]() for name, each in every.items()}
    return {name: decode_text(types[name], text) for name, text in members.items()}


def _check_body(incoming: Incoming, body: Body | None, show: Show) -> tuple[Any, list[Violation]]:
    if body is None:
        text = "The body is not expected: this operation has none"
        return None, [Violation(text)] if incoming.body else []
    kinds = " or ".join(body.media)
    if incoming.content_type is None and not incoming.body and not incoming.unreadable:
        text = f"The body is required and missing: send {kinds}"
        return None, [Violation(text)] if body.required else []
    media = body.media.get(incoming.content_type or "")
    if media is None:
        got = show(incoming.content_type) if incoming.content_type else "none"
        return None, [Violation(f"The content type is {got}, {kinds} is expected")]
    if incoming.unreadable:
        return None, [Violation(f"The body {incoming.unreadable}")]
    violations: list[Violation] = []
    value = incoming.json
    if incoming.form is not None:
        texts = _grouped(incoming.form)
        value, violations = _decoded(media, texts)
        value |= {name: given[0] for name, given in texts.items() if name not in media.fields}
    elif incoming.text is not None:
        value = incoming.text
    violations += _schema_violations(media, value, show)
    return value, _ordered(violations, media)


def _meant(error: ValidationError) -> ValidationError:
    """Find the error inside the one option of a `oneOf` or `anyOf` that has the right type."""
    choices = [
        list(choice)
        for choice in getattr(error.kind, "context", ())
        if not any(
            isinstance(found.kind, ValidationErrorKind.Type)
            and found.instance_path == error.instance_path
            for found in choice
        )
    ]
    return _meant(choices[0][0]) if len(choices) == 1 and choices[0] else error


def _schema_violations(part: Part, value: Any, show: Show) -> Iterator[Violation]:
    """Word the errors of the validator, with the value in place of its stand-in."""
    for error in map(_meant, itertools.islice(part.validator.iter_errors(value), _MOST_ERRORS)):
        kind, path = error.kind, error.instance_path
        if isinstance(kind, _UNEXPECTED) and not path:
            yield from _unknown("field", kind.unexpected, list(part.fields), show)
        elif isinstance(kind, ValidationErrorKind.Required) and not path:
            known = part.fields.get(kind.property) or Field(kind.property)
            yield Violation(f"{known.name} is required and missing", known.name, known.missing)
        else:
            where = show.name("/".join(map(str, path))) or "The body"
            text = show.name(error.message, _MESSAGE_CHARACTERS)
            text = text.removeprefix(VALUE) if text.startswith(f"{VALUE} ") else f": {text}"
            known = part.fields.get(str(path[0]) if path else "") or Field("")
            if isinstance(kind, ValidationErrorKind.FalseSchema):
                text = " can't be sent: leave it out"
            text = f"{where} {show(error.instance)}{text}"
            yield Violation(text, known.name or None, known.invalid)


def _unknown(kind: str, names: Sequence[str], known: Sequence[str], show: Show) -> list[Violation]:
    """Name the nearest known name for the first few unknown ones."""
    plain = {name.replace("_", "").lower(): name for name in known}
    violations = []
    for name in names[:_UNKNOWN_NAMES]:
        short = name[:_SHOWN_CHARACTERS].replace("_", "").lower()
        nearest = difflib.get_close_matches(short, plain, 1, 0.0)
        hint = f", the nearest known name is {plain[nearest[0]]}" if nearest else ""
        violations.append(Violation(f"The {kind} {show(name)} is not known{hint}", name))
    if len(names) > _UNKNOWN_NAMES:
        violations.append(Violation(f"{len(names) - _UNKNOWN_NAMES} more of these are not known"))
    return violations


def _ordered(violations: Sequence[Violation], part: Part) -> list[Violation]:
    """Sort by the order of the contract, unknown names last; keep one violation per field."""
    places = {name: place for place, name in enumerate(part.fields)}
    kept = {violation.name or violation.text: violation for violation in reversed(violations)}
    in_order = reversed(kept.values())
    return sorted(in_order, key=lambda violation: places.get(violation.name or "", len(places)))
