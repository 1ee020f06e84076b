"""Cases that differ from a valid one in one member, or in two: random data seldom does."""

import functools
import itertools
import math
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample

from . import document as doc
from .case_sources import CONFIG, VALID, Operation
from .document import AnyCase, Schema
from .expected_times import EXAMPLES as EXAMPLES_OF_TIMES
from .options import EXAMPLES

_ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 10**20, -(10**20)),
    *([], ["x"], {}, {"x": "y"}),
)
_TYPED = ("true", "false", "null", "5", "-7", "1.5", "x")
"""Texts that some take for other types."""
_SEGMENTS = (".", "..")
"""Texts that have a meaning of their own in a path."""
GROUPS = ("path_parameters", "query", "headers", "cookies")
_LONGEST = 300
_MOST_PAIRS = 100
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


_OBJECTS = [*doc.objects(doc.DOCUMENT)]
_ENUMS = (found["enum"] for found in _OBJECTS if isinstance(found.get("enum"), list))
_ALLOWED = [*dict.fromkeys(v for enum in _ENUMS for v in enum if isinstance(v, str))]
_NAMES = {
    name
    for found in _OBJECTS
    for part in ("properties", "value", "example")
    if isinstance(found.get(part), dict)
    for name in found[part]
}


def _members_of(found: Schema) -> Iterator[tuple[str, Schema]]:
    members = found.get("properties")
    for name, schema in members.items() if isinstance(members, dict) else ():
        if isinstance(schema, dict):
            yield name, doc.resolved(schema)


_EXAMPLES: dict[str, list[str]] = {}
for _found in _OBJECTS:
    if "in" in _found and isinstance(_found.get("example"), str):
        _EXAMPLES.setdefault(_found["name"], []).append(_found["example"])
    for _name, _value in _found.items():
        if isinstance(_value, str):
            _EXAMPLES.setdefault(_name, []).append(_value)
    for _name, _schema in _members_of(_found):
        for _value in [_schema.get("example"), *(_schema.get("examples") or ())]:
            if isinstance(_value, str):
                _EXAMPLES.setdefault(_name, []).append(_value)


def first_case(operation: Operation, condition: Callable[[AnyCase], bool]) -> AnyCase:
    """Find a simple valid case that meets a condition. Errors: `NoSuchExample`."""
    first = settings(
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=[*HealthCheck],
    )
    found: AnyCase = find(operation.as_strategy(generation_mode=VALID), condition, settings=first)
    return found


def has_plain_path(case: AnyCase) -> bool:
    """Tell whether schemathesis sends the path unchanged: it rewrites some segments."""
    segments = map(str, case.path_parameters.values())
    return all(re.fullmatch(r"[\w.~-]+", segment, re.ASCII) for segment in segments)


def valid_case(operation: Operation) -> AnyCase:
    # The cached case may be of another load of the document, whose operation has no address.
    return _made_of(operation, _first_valid_case(operation))


@functools.cache
def _first_valid_case(operation: Operation) -> AnyCase:
    rules = operation.definition.raw.get("x-reply-repeats", {})

    def keeps_rules(case: AnyCase) -> bool:
        return bool(doc.repeats(case).keys() == rules.keys())

    try:
        found = first_case(operation, lambda case: keeps_rules(case) and has_plain_path(case))
    except NoSuchExample:
        found = first_case(operation, keeps_rules)
    found = doc.with_plain_path(found)
    found.path_parameters = {**found.path_parameters, **doc.path_examples(found)}
    return found


def full_body(base: AnyCase) -> dict[str, Any]:
    """Return the body of a case with each member that has an example."""
    body: dict[str, Any] = {**base.body} if isinstance(base.body, dict) else {}
    for name, member in doc.named_members(doc.body_schema(base) or {}).items():
        fitting = (v for v in _EXAMPLES.get(name, []) if doc.is_valid(base, member, v))
        body |= dict(zip([name], fitting, strict=False))
    return body


def near_valid_cases(
    operation: Operation, part: int = 0, parts: int = 1, *, awkward: bool = False
) -> Iterator[AnyCase]:
    """Make a case for each member and each value that it could be mistaken for, and each name.

    The first is valid; several `parts` share the others. A small number of examples takes only
    some of these, from all members alike. With `awkward`, members of JSON too get all the texts
    that are awkward in forms and URLs.
    """
    base = valid_case(operation)
    yield base
    stride = parts * max(1, 100 // EXAMPLES)
    # One value of each member, then the next of each: any beginning has some of all members.
    rows = itertools.zip_longest(*_odd_members(base, awkward))
    cases = (case for row in rows for case in row if case is not None)
    yield from itertools.islice(cases, part, None, stride)


def _odd_members(base: AnyCase, awkward: bool) -> Iterator[Iterator[AnyCase]]:
    """List the cases with an odd value of each member, those that find most first."""
    yield _pairs(base)
    settings_ = tomllib.loads(CONFIG.read_text("utf-8"))
    texts = settings_["dictionaries"]["texts"]["values"]

    def with_member(group: str, name: str, values: Iterable[Any]) -> Iterator[AnyCase]:
        return (changed(base, **{group: {**getattr(base, group), name: v}}) for v in values)

    for (group, name), parameter in _schemas_by_place(base).items():
        if group != "body":
            examples = _examples(base, name, _value_of(base, group, name))
            others = (*_allowed_elsewhere(parameter), *_SEGMENTS, *_beyond(parameter))
            yield with_member(group, name, (*misspelt(examples), *examples, *texts, *others))
    has_json = doc.is_json(base.media_type)
    if (schema := doc.body_schema(base)) is None or not isinstance(base.body, dict):
        yield (changed(base, body=value) for value in (_ODD if has_json else ()))
        return
    members = doc.named_members(schema)
    if isinstance(more := doc.resolved(schema).get("additionalProperties"), dict):
        members["x"] = more
    if has_json and not awkward:  # Its texts are written by a library, as they are.
        texts = ["", "null", "true", "false", "0"]
    for name, member in members.items():
        value = _value_of(base, "body", name)
        examples = _examples(base, name, value)
        times = EXAMPLES_OF_TIMES if doc.resolved(member).get("format") == "rfc2822" else ()
        values = (*misspelt(examples), *examples, *texts, *_ODD, "x" * 65, "x" * 40_000, *times)
        values += (*_allowed_elsewhere(member), *_beyond(member))
        has_items = has_json and doc.item_schema(member)  # See below.
        inside = () if has_items else _odd_inside(member, value)
        yield with_member("body", name, (*values, *inside))
    if has_json:
        yield _with_odd_items(base)
    body, full = base.body, full_body(base)
    yield iter([changed(base, body=full)])
    for whole in (body, full):
        rest = ({k: v for k, v in whole.items() if k != name} for name in whole)
        yield (changed(base, body=members) for members in rest)
    unknown = (changed(base, body={**body, f"{name}2": "x"}) for name in members)
    yield (case for case in unknown if not doc.has_unnamed_members(case))


def _pairs(base: AnyCase) -> Iterator[AnyCase]:
    """Make valid cases in which each two limits or allowed values of two members meet."""
    values = {
        place: [v for v in _limits(schema) if doc.is_valid(base, schema, v)]
        for place, schema in _schemas_by_place(base).items()
    }
    rows = _covering_pairs({place: found for place, found in values.items() if found})
    for row in itertools.islice(rows, _MOST_PAIRS):
        parts: dict[str, Any] = {}
        for (group, name), value in row.items():
            parts.setdefault(group, {**getattr(base, group)})[name] = value
        yield changed(base, **parts)


def _schemas_by_place(base: AnyCase) -> dict[tuple[str, str], Schema]:
    """Return the schema of each parameter and member, by the part of the case and the name."""
    groups = {p.name: group for group in GROUPS for p in getattr(base.operation, group)}
    schemas = {(groups[n], n): schema for n, schema in doc.parameter_schemas(base).items()}
    members = doc.named_members(doc.body_schema(base) or {}) if isinstance(base.body, dict) else {}
    return {("body", n): schema for n, schema in members.items()} | schemas


def _allowed_elsewhere(schema: Schema) -> list[str]:
    """List the values of all enums, if the schema has an enum: a server could mix them up."""
    return _ALLOWED if any("enum" in part for part in doc.parts(schema)) else []


def _beyond(schema: Schema) -> list[Any]:
    """List the numbers next to the least and the greatest that a schema allows."""
    parts = [*map(doc.with_bounds, doc.parts(schema))]
    least = [part["minimum"] - 1 for part in parts if "minimum" in part]
    return least + [part["maximum"] + 1 for part in parts if "maximum" in part]


def _limits(schema: Schema) -> list[Any]:
    """List the allowed values of a schema, and the least and the greatest."""
    found: list[Any] = []
    for part in map(doc.with_bounds, doc.parts(schema)):
        found += part.get("enum", [])
        found += [True, False] if "boolean" in doc.types(part) else []
        found += [part[keyword] for keyword in ("minimum", "maximum") if keyword in part]
        lengths = (part.get(keyword, 0) for keyword in ("minLength", "maxLength"))
        found += ["x" * length for length in lengths if 0 < length <= _LONGEST]
    return found


def _covering_pairs(values: dict[Any, list[Any]]) -> Iterator[dict[Any, Any]]:
    """Choose a value for each name, again until each two values of two names were chosen together.

    Each choice begins with two that were not, and takes for the others what adds most.
    """
    spots = [(name, value) for name, found in values.items() for value in found]
    of_name = {name: [i for i, spot in enumerate(spots) if spot[0] == name] for name in values}
    pairs = itertools.combinations(range(len(spots)), 2)
    missing = {(a, b): None for a, b in pairs if spots[a][0] != spots[b][0]}
    while missing:
        row = [*next(iter(missing))]

        def added(spot: int, row: list[int] = row) -> int:
            return sum((min(spot, other), max(spot, other)) in missing for other in row)

        chosen = {spots[i][0] for i in row}
        row += [max(found, key=added) for name, found in of_name.items() if name not in chosen]
        for pair in itertools.combinations(sorted(row), 2):
            missing.pop(pair, None)
        yield dict(spots[i] for i in row)


def _value_of(base: AnyCase, group: str, name: str) -> Any:
    """Return the value of a member in the base, else in a case that is drawn to have it.

    Nothing is drawn for a member that has examples: None then, if the base lacks it.
    """
    if name in (given := getattr(base, group)) or name in _EXAMPLES:
        return given.get(name)
    found = cases_with_members(base.operation).get((group, name))
    return getattr(found, group)[name] if found else None


@functools.cache
def cases_with_members(operation: Operation) -> dict[tuple[str, str], AnyCase]:
    """Find a case for each list, and each member without an example, in which it is not empty.

    Of several objects, the one with most of its members is taken.
    """
    wanted = {
        (group, name): schema
        for (group, name), schema in _schemas_by_place(valid_case(operation)).items()
        if doc.item_schema(schema) or (name not in _EXAMPLES and doc.types(schema) != {"null"})
    }
    found: dict[tuple[str, str], AnyCase] = {}
    lacking = dict.fromkeys(wanted, math.inf)

    def has_the_last(case: AnyCase) -> bool:
        # It keeps the best case for each on the way.
        for (group, name), schema in wanted.items():
            part = getattr(case, group)
            lacks = _lacking(schema, part.get(name) if isinstance(part, dict) else None)
            if lacks < lacking[group, name]:
                found[group, name], lacking[group, name] = case, lacks
        return not any(lacking.values())

    with suppress(NoSuchExample):
        first_case(operation, has_the_last)
    return found


def _lacking(schema: Schema, value: Any) -> float:
    """Count the members that an object lacks: infinitely many for an empty value."""
    if value in (None, "", {}, []):
        return math.inf
    return len(doc.named_members(schema).keys() - value.keys()) if isinstance(value, dict) else 0


def _examples(base: AnyCase, name: str, value: Any) -> list[str]:
    """List the examples of a name, else what the base has, and the longest texts like that one."""
    found = _EXAMPLES.get(name) or ([value] if isinstance(value, str) and value else [])
    schema = (doc.parameter_schemas(base) | doc.named_members(doc.body_schema(base) or {})).get(
        name
    )
    text = found[0] if found else ""
    if text and schema and doc.is_valid(base, schema, text):
        grown = (text + text[-1] * more for more in range(1, _LONGEST))
        first = next((longer for longer in grown if not doc.is_valid(base, schema, longer)), None)
        longest = (first or "")[:-1]
        wide = "\U0001d11e" * len(longest)  # Four bytes each, and two units of UTF-16.
        found = [*found, *(text for text in (longest, wide) if doc.is_valid(base, schema, text))]
    return [*dict.fromkeys(found)]


def _odd_inside(schema: Schema, base: Any, above: tuple[Schema, ...] = ()) -> Iterator[Any]:
    """Make values like `base` but for one member or item, at any depth; each schema only once."""
    if (schema := doc.resolved(schema)) in above:
        return
    above = (*above, schema)
    if items := doc.item_schema(schema):
        first = base[0] if isinstance(base, list) and base else "x"
        most = max(one.get("maxItems", 1) for one in doc.parts(schema))
        yield from ([first] * length for length in (2, most + 1))
        yield from ([value] for value in (*_ODD, *_odd_inside(items, first, above)))
    members = base if isinstance(base, dict) else {}
    for name, member in doc.named_members(schema).items():
        found = members.get(name)
        near = misspelt([found]) if isinstance(found, str) else []
        odd = (*near, *_beyond(member), *_ODD, *_TYPED, *_odd_inside(member, found, above))
        yield from ({**members, name: value} for value in odd)


def _with_odd_items(base: AnyCase) -> Iterator[AnyCase]:
    """Make a case for each member of the objects in a list: each object has an odd value of it."""
    for name, member in doc.named_members(doc.body_schema(base) or {}).items():
        if not (item := doc.item_schema(member)) or not (inner := doc.named_members(item)):
            continue
        if (found := cases_with_members(base.operation).get(("body", name))) is None:
            continue
        whole: Any = found.body
        items = whole[name]
        if not (isinstance(items, list) and isinstance(first := items[0], dict)):
            continue
        for part, schema in inner.items():
            values = [*_ODD, *_TYPED, *EXAMPLES_OF_TIMES, *_odd_inside(schema, first.get(part))]
            odd = [{**first, part: value} for value in values]
            odd.append({n: value for n, value in first.items() if n != part})
            yield changed(base, body={**whole, name: odd})


def cases_with_unknown_members(operation: Operation) -> Iterator[AnyCase]:
    """Make a case for each member that the document names elsewhere: a server may know it here."""
    base = valid_case(operation)
    schema = doc.body_schema(base)
    if schema is None or not isinstance(base.body, dict):
        return
    for found in sorted(_NAMES):
        value = _EXAMPLES.get(found, ["x"])[0]
        for name in (found, "".join(word.capitalize() for word in found.split("_"))):
            case = changed(base, body={**base.body, name: value})
            if name not in doc.named_members(schema) and not doc.has_unnamed_members(case):
                yield case


def changed(base: AnyCase, **changes: Any) -> AnyCase:
    return _made_of(base.operation, base, **changes)


def _made_of(operation: Operation, base: AnyCase, **changes: Any) -> AnyCase:
    given = {part: getattr(base, part) for part in (*GROUPS, "body", "media_type")} | changes
    made: AnyCase = operation.Case(**given)
    made.body = doc.with_files(made.body, doc.body_schema(made) or {})
    return made


def misspelt(values: list[str]) -> list[str]:
    """Make values that are almost, but not quite, like these."""
    spelt: list[str] = []
    for value in values:
        spelt += [value + value[-1:], value[:-1]]
        spelt += [f"{value}\n", f"\n{value}", f" {value}", f"{value} ", value[1:]]
        spelt += [value.upper(), value.lower(), value.translate(_ARABIC)]
        spelt += [f"{value}é", value.replace("-", ""), value.replace(":", "")]
    return [value for value in dict.fromkeys(spelt) if value not in values]
