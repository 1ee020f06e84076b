"""Cases that differ from a valid one in a single member: what random data seldom is."""

import itertools
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings

from tests.conftest import ROOT

from .budget import EXAMPLES, VALID, Operation
from .document import (
    DOCUMENT,
    AnyCase,
    body_schema,
    has_json,
    has_unnamed_members,
    is_form,
    item_schema,
    make_files,
    named_members,
    parameter_schemas,
    parts,
    resolved,
)

_ODD: tuple[Any, ...] = (None, True, False, 0, -1, 1.5, 10**20, [], ["x"], {}, {"x": "y"})
_SEGMENTS = (".", "..")
"""Texts that a path takes for something else than a name."""
_GROUPS = ("path_parameters", "query", "headers", "cookies")
_ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_FIRST = settings(
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def valid_case(operation: Operation) -> AnyCase:
    """Make a valid case, the same each time."""
    return find(
        operation.as_strategy(generation_mode=VALID),
        lambda _: True,
        settings=_FIRST,
    )


def near_cases(operation: Operation) -> Iterator[AnyCase]:
    """Make a case for each member and each value that it could be mistaken for, and each name.

    A small budget takes only some of them, from all parts alike.
    """
    yield from itertools.islice(_all_near_cases(operation), 0, None, max(1, 100 // EXAMPLES))


def _all_near_cases(operation: Operation) -> Iterator[AnyCase]:
    base = valid_case(operation)
    yield base
    told = _told_values(DOCUMENT)
    texts = [*_dictionary(), *dict.fromkeys(_allowed_values(DOCUMENT))]
    for name in parameter_schemas(base):
        for value in [*texts, *_SEGMENTS, *_misspelt(told.get(name, []))]:
            yield _with_parameter(base, name, value)
    schema = body_schema(base)
    if schema is None or not isinstance(base.body, dict):
        yield from (_with_body(base, value) for value in (_ODD if has_json(base) else ()))
        return
    members = [*named_members(schema)]
    if isinstance(resolved(schema).get("additionalProperties"), dict):
        members.append("x")
    if has_json(base):  # Its texts are written by a library, as they are.
        texts = ["", "null", "true", "false", "0", *_allowed_values(DOCUMENT)]
    for name in members:
        for value in [*texts, *_ODD, *told.get(name, []), *_misspelt(told.get(name, []))]:
            yield _with_body(base, {**base.body, name: value})
    if is_form(base):  # Schemathesis takes what a part of one holds for text, and text for all.
        for name, member in named_members(schema).items():
            for value in _odd_inside(member, base.body.get(name)):
                yield _with_body(base, {**base.body, name: value})
    for name in base.body:
        yield _with_body(base, {key: value for key, value in base.body.items() if key != name})
    for name in members:
        if not has_unnamed_members(unknown := _with_body(base, {**base.body, f"{name}2": "x"})):
            yield unknown


def _odd_inside(
    schema: dict[str, Any], base: Any, above: tuple[dict[str, Any], ...] = ()
) -> Iterator[Any]:
    """Make values like `base` but for one member or item, at any depth; each schema once a way."""
    if (schema := resolved(schema)) in above:
        return
    above = (*above, schema)
    if items := item_schema(schema):
        first = base[0] if isinstance(base, list) and base else "x"
        most = max(one.get("maxItems", 1) for one in parts(schema))
        yield from ([first] * length for length in (2, most + 1))
        yield from ([value] for value in (*_ODD, *_odd_inside(items, first, above)))
    members = base if isinstance(base, dict) else {}
    for name, member in named_members(schema).items():
        for value in (*_ODD, "x", *_odd_inside(member, members.get(name), above)):
            yield {**members, name: value}


def cases_with_unknown_members(operation: Operation) -> Iterator[AnyCase]:
    """Make a case for each member that the document names elsewhere: a server may know it here."""
    base = valid_case(operation)
    schema = body_schema(base)
    if schema is None or not isinstance(base.body, dict):
        return
    names = {name: value for name, (value, *_) in _told_values(DOCUMENT).items()}
    for found in sorted(_member_names(DOCUMENT)):
        value = names.get(found, "x")
        for name in (found, "".join(word.capitalize() for word in found.split("_"))):
            case = _with_body(base, {**base.body, name: value})
            if name not in named_members(schema) and not has_unnamed_members(case):
                yield case


def _with_parameter(base: AnyCase, name: str, value: Any) -> AnyCase:
    group = next(g for g in _GROUPS if any(p.name == name for p in getattr(base.operation, g)))
    return changed(base, **{group: {**getattr(base, group), name: value}})


def _with_body(base: AnyCase, body: Any) -> AnyCase:
    return changed(base, body=body)


def changed(base: AnyCase, **changes: Any) -> AnyCase:
    """Make a case like another in all but what is given."""
    given = {part: getattr(base, part) for part in (*_GROUPS, "body", "media_type")} | changes
    made: AnyCase = base.operation.Case(**given)
    make_files(made)
    return made


def _dictionary() -> list[str]:
    settings_ = tomllib.loads((ROOT / "schemathesis.toml").read_text("utf-8"))
    return list(settings_["dictionaries"]["texts"]["values"])


def _parts(node: Any) -> Iterable[Any]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()


def _allowed_values(node: Any) -> Iterator[str]:
    """Find each text that some enum of the document allows."""
    if isinstance(node, dict):
        yield from (v for v in node.get("enum", ()) if isinstance(v, str))
    for part in _parts(node):
        yield from _allowed_values(part)


def _told_values(node: Any) -> dict[str, list[str]]:
    """Find the values that examples of the document give to each name."""
    told: dict[str, list[str]] = {}
    if isinstance(node, dict):
        if "in" in node and isinstance(node.get("example"), str):
            told[node["name"]] = [node["example"]]
        for name, value in node.items():
            if isinstance(value, str):
                told.setdefault(name, []).append(value)
    for part in _parts(node):
        for name, values in _told_values(part).items():
            told.setdefault(name, []).extend(values)
    return told


def _member_names(node: Any) -> set[str]:
    """Find the name of every member of every schema and example of the document."""
    found = set().union(*map(_member_names, _parts(node)))
    for part in ("properties", "value", "example"):
        members = node.get(part) if isinstance(node, dict) else None
        found |= {*members} if isinstance(members, dict) else set()
    return found


def _misspelt(values: list[str]) -> list[str]:
    spelt: list[str] = []
    for value in values:
        spelt += [f"{value}\n", f"\n{value}", f" {value}", f"{value} ", value[1:], value[:-1]]
        spelt += [value + value[-1:], value.upper(), value.lower(), value.translate(_ARABIC)]
        spelt += [f"{value}é", value.replace("-", ""), value.replace(":", "")]
    return [value for value in dict.fromkeys(spelt) if value not in values]
