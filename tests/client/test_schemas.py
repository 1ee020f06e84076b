"""Each keyword of JSON Schema in the contract becomes a check.

The contract has only some of the keywords, and an operation for each case would be a document of
its own. So these tests take what `make generate` writes for a schema and call it directly.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from signalwire_compat._schema import Schema, resolve_refs

from codegen.facts import Constraints
from codegen.patterns import python_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        (r"^a$", "a", True),
        (r"^a$", "a\n", False),
        (r"^\d+$", "٣", False),
        (r"[$]", "$", True),
        (r"\$", "$", True),
        (r"(?<year>\d{4})", "in 2026", True),
        (r"(?<!a)b", "cb", True),
        (r"(?<=a)b", "cb", False),
        (r"[\]$]$", "$", True),
        (r"^\p{L}+$", "é中", True),
        (r"^\p{Lu}", "é", False),
        (r"^[\p{gc=Letter} -]+$", "é -é", True),
        (r"^[^\p{L}]$", "é", False),
        (r"^\P{Nd}$", "٣", False),
        (r"^[\P{Nd}a]$", "½", True),
        (r"^[\\p{L}]+$", "p{L}\\", True),
    ],
)
def test_a_pattern_means_in_python_what_it_means_in_the_contract(
    pattern: str, text: str, matches: bool
) -> None:
    assert (re.search(str(python_pattern(pattern)), text, re.ASCII) is not None) is matches


SCHEMAS: list[tuple[dict[str, Any], list[Any], list[Any]]] = [
    ({"type": "integer", "minimum": 1, "maximum": 9}, [1, 9], [0, 10, "1", True, None, 1.5]),
    ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}, [0.5], [0, 1, "0.5"]),
    ({"type": "integer", "multipleOf": 5}, [0, 15], [7]),
    ({"type": "integer", "format": "int32"}, [2**31 - 1, -(2**31)], [2**31, -(2**31) - 1]),
    ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "abc"], ["a", "abcd", 12]),
    ({"type": ["string", "null"], "enum": ["a", None]}, ["a", None], ["b", 0]),
    ({"const": 1}, [1], [2, True, "1"]),
    ({"type": "boolean"}, [True, False], [0, 1, "true", None]),
    (
        {"type": "string", "format": "date"},
        ["2026-01-31"],
        ["2026-13-01", "2026-02-29", "31.1.2026"],
    ),
    (
        {"type": "string", "format": "date-time"},
        ["2026-01-31T12:00:00Z", "2026-01-31t12:00:00z", "1990-12-31T15:59:60-08:00"],
        ["2026-01-31", "2026-01-31 12:00:00Z", "2026-01-31T12:00:60Z", "2026-02-30T12:00:00Z"],
    ),
    ({"type": "string", "format": "email"}, ["a@b"], ["a", "a@b c"]),
    ({"type": "array", "items": {"type": "integer"}, "minItems": 1}, [[1]], [[], ["1"], 1]),
    ({"type": "array", "uniqueItems": True, "maxItems": 2}, [[1, 2]], [[1, 1], [1, 2, 3]]),
    ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, [1, None], ["1"]),
    ({"oneOf": [{"type": "string", "maxLength": 1}, {"type": "integer"}]}, ["a", 7], ["ab", 1.5]),
    ({"allOf": [{"type": "string", "minLength": 2}, {"maxLength": 3}]}, ["ab"], ["a", "abcd"]),
    ({"allOf": [{"pattern": "^a"}, {"pattern": "b$"}], "type": "string"}, ["ab"], ["a", "b"]),
    (
        {
            "type": "object",
            "properties": {"a": {"type": "integer"}},
            "required": ["a"],
            "additionalProperties": False,
        },
        [{"a": 1}],
        [{}, {"a": "1"}, {"a": 1, "b": 2}, []],
    ),
    (
        {"type": "object", "additionalProperties": {"type": "integer"}, "required": ["b"]},
        [{"b": 1}],
        [{}, {"b": "1"}],
    ),
    ({}, [None, 1, "a", [], {}], []),
]


def schema_of(schema: dict[str, Any], **schemas: dict[str, Any]) -> Schema:
    written = Constraints({"components": {"schemas": schemas}}).code(schema)
    found: Schema = eval(written, {"Schema": Schema, "resolve_refs": resolve_refs})  # noqa: S307  # our own source
    return found


@pytest.mark.parametrize(("schema", "good", "bad"), SCHEMAS)
def test_every_keyword_of_a_schema_becomes_a_check(
    schema: dict[str, Any], good: list[Any], bad: list[Any]
) -> None:
    check = schema_of(schema)
    assert [value for value in good if check.violations(value)] == []
    assert [value for value in bad if not check.violations(value)] == []
    for value in bad:
        assert all(violation.problem.isprintable() for violation in check.violations(value))


TREE_REF = {"$ref": "#/components/schemas/Tree"}
TREE = {
    "type": "object",
    "properties": {
        "size": {"type": "integer", "maximum": 9},
        "root": TREE_REF,
        "twigs": {"type": "array", "items": {**TREE_REF, "description": "One of them."}},
        "names": {"type": "object", "additionalProperties": TREE_REF},
        "next": {"oneOf": [TREE_REF, {"type": "null"}]},
        "branch": {"$ref": "#/components/schemas/Branch"},
        "all": {"allOf": [TREE_REF, {"$ref": "#/components/schemas/Branch"}]},
    },
}
BRANCH = {"type": "object", "properties": {"tree": TREE_REF, "all": TREE_REF}}
DOWN: dict[str, Callable[[Any], Any]] = {
    "root": lambda tree: {"root": tree},
    "twigs": lambda tree: {"twigs": [{}, tree]},
    "names": lambda tree: {"names": {"a": tree}},
    "next": lambda tree: {"next": tree},
    "branch": lambda tree: {"branch": {"tree": tree}},
    "all": lambda tree: {"all": {"tree": tree}},
    "all of all": lambda tree: {"all": {"all": tree}},
}


@pytest.mark.parametrize("way", DOWN)
def test_a_schema_that_holds_itself_is_checked_at_every_depth(way: str) -> None:
    schema = schema_of(TREE_REF, Tree=TREE, Branch=BRANCH)
    good, bad = {"size": 9}, {"size": 10}
    for depth in range(7):
        assert schema.violations(good) == []
        (violation,) = schema.violations(bad)
        assert (violation.place[-1], violation.found) == ("size", 10)
        assert sum(isinstance(step, str) for step in violation.place) >= depth
        good, bad = DOWN[way](good), DOWN[way](bad)


def test_a_schema_with_several_ways_to_itself_is_not_checked_once_for_each_way() -> None:
    node = {"$ref": "#/components/schemas/Node"}
    twice = {"allOf": [{"items": node}, {"items": {**node, "description": "The same."}}]}
    options = [
        {"type": "object", "properties": {"in": node, "list": twice, name: {"type": "integer"}}}
        for name in ("size", "size", "other")
    ]
    schema = schema_of(node, Node={"anyOf": options})
    value: Any = {"size": "7", "other": "8"}
    for _ in range(20):  # Six times the work at each level would not end.
        value = {"in": {"list": [value]}}
    (violation,) = schema.violations(value)
    read, violations = schema.read(value)
    assert [violation] == violations
    assert (violation.place[-1], violation.found) == ("size", "7")
    assert str(read) == str(value).replace("'7'", "7")


def test_a_value_that_is_nested_too_deep_is_a_violation() -> None:
    schema = schema_of(TREE_REF, Tree=TREE, Branch=BRANCH)
    for down in DOWN.values():
        value: Any = {}
        for _ in range(5000):
            value = down(value)
        (violation,) = schema.violations(value)
        assert violation.problem.startswith("the value must be nested less deep")
        with pytest.raises(RecursionError):
            schema.read(value)
    holder: dict[str, Any] = {}
    holder["root"] = holder
    assert [violation.expected for violation in schema.violations(holder)] == ["nested less deep"]
