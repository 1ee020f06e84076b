"""Checks values against the contract: strictly in requests, tolerantly in replies."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import Attribute, Factory, define, field, fields

from ._errors import InvalidRequestError
from ._formats import (
    FORMATS,
    TYPES,
    half_surrogate,
    has_format,
    has_repeats,
    has_type,
    is_equal,
    is_multiple,
)
from ._values import Unset, encode
from ._violation import MISSING, UNKNOWN_FIELD, Place, Violation, preview

Reading = tuple[Any, list[Violation]]


@define(kw_only=True, eq=False)
class Schema:
    """What one schema of the contract requires of a value.

    The attributes are keywords of JSON Schema; one that is left out requires nothing. `must_be`
    puts `pattern` into words. With `one_of`, exactly one schema of `any_of` allows the value; the
    member `discriminator` says which: the `tags` of each have the values of that member. `ref` is
    the name of a schema that contains itself. A schema with nothing but `ref` is a placeholder for
    that one, which `resolve_refs` puts in its place.
    """

    types: tuple[str, ...] = ()
    enum: tuple[Any, ...] | None = None
    pattern: str | None = None
    must_be: str | None = None
    format: str | None = None
    min_length: int = 0
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: float | None = None
    exclusive_maximum: float | None = None
    multiple_of: float | None = None
    min_items: int = 0
    max_items: int | None = None
    unique_items: bool = False
    items: Schema | None = None
    properties: Mapping[str, Schema] = {}
    required: tuple[str, ...] = ()
    additional_properties: Schema | bool = True
    any_of: tuple[Schema, ...] = ()
    one_of: bool = False
    discriminator: str | None = None
    tags: Mapping[str, tuple[str, ...]] = {}
    all_of: tuple[Schema, ...] = ()
    ref: str | None = None
    # Most values have one of these types, and most of those have nothing else to check: looking
    # here first makes a call a quarter faster.
    _exact_types: frozenset[type] = field(
        init=False, repr=False, default=Factory(lambda self: _exact_types(self), takes_self=True)
    )
    _free_types: frozenset[type] = field(
        init=False, repr=False, default=Factory(lambda self: _free_types(self), takes_self=True)
    )

    def __call__(self, instance: Any, attribute: Attribute[Any], value: Any) -> None:
        """Validate an attribute of a model; the error names all attributes with violations."""
        if isinstance(value, Unset) or not self.violations(encode(value)):
            return
        problems: list[str] = []
        for member in fields(type(instance)):
            found = value if member.name == attribute.name else getattr(instance, member.name)
            if isinstance(member.validator, Schema) and not isinstance(found, Unset):
                violations = member.validator.violations(encode(found), (member.name,))
                problems += [violation.problem for violation in violations]
        raise InvalidRequestError("; ".join(problems), problems=problems)

    def violations(self, value: Any, place: Place = ()) -> list[Violation]:
        """Find everything that must not be sent."""
        try:
            return _Check(strict=True).read(self, value, place)[1]
        except RecursionError:
            return [Violation(place, "nested less deep", value)]

    def read(self, value: Any) -> Reading:
        """Read a JSON value that was received, and find its violations.

        A value of a wrong type is converted if that is safe, and kept if not. A member that may be
        null may also be absent.
        """
        return _Check(strict=False).read(self, value, ())

    def allows(self, value: Any) -> bool:
        """Whether the value itself is valid, apart from its members and items."""
        if not self.has_type(value):
            return False
        if self.enum is not None and not any(is_equal(value, allowed) for allowed in self.enum):
            return False
        if isinstance(value, str):
            return (
                self.min_length <= len(value)
                and (self.max_length is None or len(value) <= self.max_length)
                and (not self.pattern or re.search(self.pattern, value, re.ASCII) is not None)
                and (not self.format or has_format(value, self.format))
            )
        if isinstance(value, list):
            return (
                self.min_items <= len(value)
                and (self.max_items is None or len(value) <= self.max_items)
                and not (self.unique_items and has_repeats(value))
            )
        if isinstance(value, int | float) and not isinstance(value, bool):
            return (
                (self.minimum is None or value >= self.minimum)
                and (self.maximum is None or value <= self.maximum)
                and (self.exclusive_minimum is None or value > self.exclusive_minimum)
                and (self.exclusive_maximum is None or value < self.exclusive_maximum)
                and (self.multiple_of is None or is_multiple(value, self.multiple_of))
            )
        return True

    def is_tagged(self, value: Any, member: str | None = None) -> bool:
        """Whether a member of the value, or any, says that it is for this schema."""
        names = self.tags if member is None else (member,)
        return isinstance(value, dict) and any(
            value.get(name) in self.tags.get(name, ()) for name in names
        )

    def has_type(self, value: Any) -> bool:
        """Whether the value has one of the types; 2.0 is an integer, True is not a number."""
        if not self.types or type(value) in self._exact_types:
            return True
        return any(has_type(value, name) for name in self.types)

    def convert(self, value: Any) -> Any:
        """Convert a value of a wrong type if that is safe."""
        if isinstance(value, str):
            if "boolean" in self.types and value in ("true", "false"):
                return value == "true"
            if "integer" in self.types and re.fullmatch("-?[0-9]{1,18}", value):
                return int(value)
        elif "string" in self.types and has_type(value, "number"):
            return json.dumps(value)
        return value

    @property
    def words(self) -> str:
        """What a value must be, to follow "must be"."""
        if self.enum is not None:
            return " or ".join(preview(value) for value in self.enum)
        if self.any_of and not self.types:
            return " or ".join(dict.fromkeys(schema.words for schema in self.any_of))
        null = " or null" if "null" in self.types and len(self.types) > 1 else ""
        if self.must_be:
            return self.must_be + null
        if self.format:
            return FORMATS[self.format][0] + null
        types = [TYPES[name][0] for name in self.types if name != "null" or not null]
        return (" or ".join(types) or "allowed") + "".join(self._limits()) + null

    def _limits(self) -> Iterator[str]:
        if self.min_length or self.max_length is not None:
            yield f" of {_range(self.min_length, self.max_length)} characters"
        if self.pattern is not None:
            yield f" that matches {self.pattern}"
        if self.min_items or self.max_items is not None:
            yield f" of {_range(self.min_items, self.max_items)} items"
        if self.unique_items:
            yield " without repetitions"
        for words, limit in (
            ("at least", self.minimum),
            ("at most", self.maximum),
            ("above", self.exclusive_minimum),
            ("below", self.exclusive_maximum),
            ("a multiple of", self.multiple_of),
        ):
            if limit is not None:
                yield f", {words} {limit}"


class _Check:
    """One pass over a value, which remembers what schemas that contain themselves have found.

    Without that, a choice of two such schemas would double the work at each level.
    """

    def __init__(self, *, strict: bool) -> None:
        self._strict = strict
        self._known: dict[tuple[int, Place], Reading] = {}

    def read(self, schema: Schema, value: Any, place: Place) -> Reading:
        if self._is_valid_by_type(schema, value):
            return value, []
        if schema.ref is None:
            return self._read(schema, value, place)
        key = id(schema), place
        if key not in self._known:
            self._known[key] = self._read(schema, value, place)
        return self._known[key]

    def _is_valid_by_type(self, schema: Schema, value: Any) -> bool:
        return type(value) in schema._free_types and not (self._strict and type(value) is str)

    def _read(self, schema: Schema, value: Any, place: Place) -> Reading:
        violations: list[Violation] = []
        if schema.any_of:
            value, violations = self._read_best(schema, value, place)
        for part in schema.all_of:
            value, more = self.read(part, value, place)
            violations = _merge(violations, more)
        if self._strict and isinstance(value, str) and (number := half_surrogate(value)):
            what = f"text that can be sent (character {number} is half of a surrogate pair)"
            return value, [*violations, Violation(place, what, value)]
        if not schema.allows(value):
            violations = [*violations, Violation(place, schema.words, value)]
            return value if self._strict else schema.convert(value), violations
        if isinstance(value, dict):
            value, more = self._read_members(schema, value, place)
            return value, _merge(violations, more)
        if isinstance(value, list) and schema.items:
            value, more = self._read_items(schema.items, value, place)
            return value, _merge(violations, more)
        return value, violations

    def _read_items(self, schema: Schema, value: list[Any], place: Place) -> Reading:
        readings = [self.read(schema, item, (*place, n)) for n, item in enumerate(value)]
        return [item for item, _ in readings], [v for _, more in readings for v in more]

    def _read_best(self, schema: Schema, value: Any, place: Place) -> Reading:
        options = [option for option in schema.any_of if option.has_type(value)]
        if not options:
            return value, [Violation(place, schema.words, value)]
        if (name := schema.discriminator) and isinstance(value, dict):
            tagged = [option for option in options if option.is_tagged(value, name)]
            if self._strict and not tagged:
                tags = [tag for option in options for tag in option.tags.get(name, ())]
                found = value.get(name, MISSING)
                return value, [Violation((*place, name), " or ".join(map(preview, tags)), found)]
            options = tagged or options
        readings = [self.read(option, value, place) for option in options]
        valid = sum(not violations for _, violations in readings)
        if self._strict and schema.one_of and valid > 1:
            what = f"what one schema of a choice allows, not {valid} of them"
            return value, [Violation(place, what, value)]
        return min(readings, key=lambda reading: len(reading[1]))

    def _read_members(self, schema: Schema, value: dict[str, Any], place: Place) -> Reading:
        violations: list[Violation] = []
        changed: dict[str, Any] = {}
        for name, member in schema.properties.items():
            found = value.get(name, MISSING)
            if found is MISSING:
                if name in schema.required and (self._strict or not member.allows(None)):
                    violations.append(Violation((*place, name), member.words, MISSING))
            elif not self._is_valid_by_type(member, found) and not isinstance(found, Unset):
                read, more = self.read(member, found, (*place, name))
                violations += more
                if read is not found:
                    changed[name] = read
        additional = schema.additional_properties
        for name in () if additional is True else value.keys() - schema.properties.keys():
            if isinstance(additional, Schema):
                violations += self.read(additional, value[name], (*place, name))[1]
            else:
                violations.append(Violation((*place, name), UNKNOWN_FIELD, value[name]))
        for name in schema.required:
            if name not in schema.properties and name not in value:
                violations.append(Violation((*place, name), "present", MISSING))
        return {**value, **changed} if changed else value, violations


def resolve_refs(schema: Schema, named: Mapping[str, Schema]) -> Schema:
    """Replace each `Schema(ref=name)`, at any depth, with the schema of that name."""

    def resolve(part: Schema | None) -> Any:
        if part is None:
            return None
        if part.ref:
            return named[part.ref]
        part.items = resolve(part.items)
        part.properties = {name: resolve(member) for name, member in part.properties.items()}
        if isinstance(part.additional_properties, Schema):
            part.additional_properties = resolve(part.additional_properties)
        part.any_of = tuple(map(resolve, part.any_of))
        part.all_of = tuple(map(resolve, part.all_of))
        return part

    resolved: Schema = resolve(schema)
    for each in named.values():
        resolve(each)
    for name, each in named.items():
        each.ref = name
    return resolved


def check_arguments(operation: str, *parts: tuple[Any, Schema]) -> dict[str, Any]:
    """Check the parts of a call, such as its parameters and its body, and give all arguments.

    Errors: `InvalidRequestError` that names every violation.
    """
    arguments: dict[str, Any] = {}
    problems: list[str] = []
    for part, schema in parts:
        members = encode(part)
        if not isinstance(members, dict):
            members = {"body": members}
            schema = Schema(properties={"body": schema}, required=("body",))
        if members is part:  # Parameters as the caller gave them.
            given = {name: value for name, value in part.items() if not isinstance(value, Unset)}
            members = {name: _try_encode(value) for name, value in given.items()}
        arguments.update(members)
        problems += [violation.problem for violation in schema.violations(members)]
    if problems:
        arguments = {name: _picklable(value) for name, value in arguments.items()}
        raise InvalidRequestError(
            "; ".join(problems), operation=operation, arguments=arguments, problems=problems
        )
    return arguments


@contextmanager
def adding_call(operation: str, arguments: Mapping[str, Any]) -> Iterator[None]:
    """Add operation and arguments to an `InvalidRequestError` that lacks them."""
    try:
        yield
    except InvalidRequestError as error:
        if error.operation is None:
            error.operation = operation
            error.arguments = {name: _picklable(value) for name, value in arguments.items()}
        raise


def _range(least: int, most: int | None) -> str:
    if most is None:
        return f"{least} or more"
    return f"{least} to {most}" if least < most else f"{most}"


def _exact_types(schema: Schema) -> frozenset[type]:
    return frozenset(kind for name in schema.types for kind in TYPES[name][1])


def _free_types(schema: Schema) -> frozenset[type]:
    if schema.any_of or schema.all_of or schema.enum is not None:
        return frozenset()
    limits = (
        *(schema.minimum, schema.maximum, schema.exclusive_minimum, schema.exclusive_maximum),
        schema.multiple_of,
    )
    limited: dict[type, Any] = {
        str: schema.pattern or schema.format or schema.min_length or schema.max_length is not None,
        list: schema.min_items
        or schema.max_items is not None
        or schema.unique_items
        or schema.items,
        dict: schema.properties or schema.required or schema.additional_properties is not True,
        int: any(limit is not None for limit in limits),
    }
    limited[float] = limited[int]
    kinds = schema._exact_types or {kind for _, kinds in TYPES.values() for kind in kinds}
    return frozenset(kind for kind in kinds if not limited.get(kind))


def _merge(violations: list[Violation], more: list[Violation]) -> list[Violation]:
    """Join two lists; what a schema that contains itself found is in both, and stays once."""
    known = set(map(id, violations))
    return [*violations, *(violation for violation in more if id(violation) not in known)]


def _try_encode(value: Any) -> Any:
    try:
        return encode(value)
    except InvalidRequestError:  # Its schema says what is wrong.
        return value


def _picklable(value: Any) -> Any:
    """Replace a value that can't be pickled, since an exception may have to be."""
    try:
        pickle.dumps(value)
    except Exception:  # A class of the caller's may raise anything.
        return preview(value)
    return value
